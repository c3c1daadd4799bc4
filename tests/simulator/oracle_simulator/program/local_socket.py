# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local way into an instance, for ``/ as sysdba``: JSON lines over a Unix socket in the ORACLE_HOME.

Whoever may open the socket (mode 0600) is SYS, as membership in the dba group is on Oracle. One
connection is one session. A request is ``{"do": ..., ...}``; the answer holds either results or an
``error`` with the stack of lines.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from oracle_simulator.errors import OracleError


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for a socket that fits the kernel's 108 bytes however deep the ORACLE_HOME lies."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def plain(value: Any) -> Any:
    """A database value as JSON knows it; dates in SQL*Plus's default spelling."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.hex().upper()
    return value


def error_answer(error: OracleError) -> dict[str, Any]:
    """An error as it travels over the socket."""
    return {"error": {"code": error.code, "codes": list(error.codes), "lines": list(error.lines)}}


class NoInstance(Exception):
    """Nobody listens on the socket: the instance is down."""


class LocalError(Exception):
    """The instance answered with an error stack."""

    def __init__(self, code: int, lines: list[str]) -> None:
        self.code = code
        self.lines = lines
        super().__init__("\n".join(lines))


class LocalConnection:
    """The client's end. Raises :class:`NoInstance` when nothing listens."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with short_path(path) as name:
                self._socket.connect(name)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            self._socket.close()
            raise NoInstance(str(path)) from error
        self._stream = self._socket.makefile("rwb")

    def ask(self, what: str, **fields: Any) -> dict[str, Any]:
        """One request and its answer; an error answer becomes :class:`LocalError`."""
        try:
            self._stream.write(json.dumps({"do": what, **fields}).encode() + b"\n")
            self._stream.flush()
            line = self._stream.readline()
        except OSError as error:
            raise NoInstance("the instance went away") from error
        if not line:
            raise NoInstance("the instance went away")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise LocalError(answer["error"]["code"], answer["error"]["lines"])
        return answer

    def close(self) -> None:
        """End the session."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._socket.close()

    def __enter__(self) -> LocalConnection:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
