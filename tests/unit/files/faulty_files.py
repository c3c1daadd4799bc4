# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File layers for tests: one that fails a single chosen call, one that shows a block torn for a while."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Callable
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer


class FailingLayer(OsFileLayer):
    """Counts the calls and lets number ``fail_at`` (from 0) fail with ``error``; all others reach the system."""

    def __init__(self, fail_at: int | None = None, error: int = errno.EIO) -> None:
        self.calls: list[str] = []
        self._fail_at = fail_at
        self._error = error

    def __getattribute__(self, name: str) -> Any:
        attribute = super().__getattribute__(name)
        if name.startswith("_") or not callable(attribute):
            return attribute
        return functools.partial(self._call, name, attribute)

    def _call(self, name: str, call: Callable[..., Any], *arguments: Any) -> Any:
        position = len(self.calls)
        self.calls.append(name)
        if position == self._fail_at:
            if name == "close":
                # A failing close gives the descriptor back all the same.
                call(*arguments)
            raise OSError(self._error, os.strerror(self._error))
        return call(*arguments)


class ShortLayer(OsFileLayer):
    """Reads and writes only a part of what it is asked for, as systems may."""

    def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
        return super().read_into(descriptor, buffer[: max(1, len(buffer) // 3)], offset)

    def write_at(self, descriptor: int, data: memoryview, offset: int) -> int:
        return super().write_at(descriptor, data[: max(1, len(data) // 2)], offset)


class TearingLayer(OsFileLayer):
    """Shows ``torn`` at ``offset`` until the range was forgotten and read ``reads`` times."""

    def __init__(self, offset: int, torn: bytes, reads: int) -> None:
        self.forgotten: list[tuple[int, int]] = []
        self._offset = offset
        self._torn = torn
        self._reads_left = reads

    def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
        count = super().read_into(descriptor, buffer, offset)
        start = self._offset - offset
        if self._reads_left and start >= 0 and start + len(self._torn) <= count:
            buffer[start : start + len(self._torn)] = self._torn
            self._reads_left -= 1
        return count

    def forget(self, descriptor: int, offset: int, length: int) -> None:
        self.forgotten.append((offset, length))
        super().forget(descriptor, offset, length)


class EndingLayer(OsFileLayer):
    """The source ends early: nothing can be read from ``end`` on, although its size says otherwise."""

    def __init__(self, end: int) -> None:
        self._end = end

    def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
        return super().read_into(descriptor, buffer[: max(0, self._end - offset)], offset)
