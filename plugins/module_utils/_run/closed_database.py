# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that must stay closed while its files are replaced. Private to the collection."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.local_instance import (
    OPEN,
    READ_ONLY,
    LocalInstance,
)

# Asking takes a process of its own; a file a second must not mean a process a second.
_ASK_AGAIN_SECONDS = 5.0
_ANSWER_SECONDS = 60.0


class ClosedDatabase:
    """Asks the instance, on behalf of any thread. An open database writes to its files: none may be replaced."""

    def __init__(self, instance: LocalInstance, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._instance = instance
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asked: float | None = None

    def require(self) -> None:
        """Raise PreconditionError if it is open now; OracleRefused, BackupError if that cannot be found out."""
        with self._lock:
            self._ask()

    def require_lately(self) -> None:
        """The same, unless the last answer is only seconds old."""
        with self._lock:
            if self._asked is None or self._monotonic() - self._asked >= _ASK_AGAIN_SECONDS:
                self._ask()

    def _ask(self) -> None:
        state = self._instance.state()
        if state in (OPEN, READ_ONLY):
            raise PreconditionError(
                f"Database {self._instance.oracle_sid} is open; its datafiles cannot be replaced.",
                hint="Bring it to state mounted, nomount or stopped first (module instance).",
            )
        self._asked = self._monotonic()


def run_program(
    arguments: list[str], standard_input: str, environment: Mapping[str, str]
) -> tuple[int, str, str]:
    """Run a program for :class:`LocalInstance`; Ansible's own way is not for processes with several threads.

    Raises BackupError if it cannot be started or does not end within a minute.
    """
    try:
        done = subprocess.run(
            arguments,
            input=standard_input,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise BackupError(f"Failed to run {arguments[0]}: {exc}.") from exc
    return done.returncode, done.stdout, done.stderr
