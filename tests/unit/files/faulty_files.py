# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File layers for tests: calls that fail, are cut short or interfered with; blocks that are torn for a while."""

from __future__ import annotations

import errno
import functools
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer

#: What still works on a disk that is full or has become read-only, and at a process's end.
READING = frozenset({"open_source", "status", "status_of", "exists", "free_bytes", "read_into", "forget"})


class Killed(BaseException):
    """The process ended here: nothing that the code under test wants to do afterwards happens."""


class QuickLayer(OsFileLayer):
    """Waits for no storage: for tests in which nobody takes the power away."""

    def open_direct(self, path: str, descriptor: int) -> int | None:
        return None

    def flush(self, descriptor: int) -> None:
        os.fstat(descriptor)

    def flush_folder(self, folder: str) -> None:
        os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))


class WatchedLayer:
    """Passes all calls to another layer, one at a time, and shows each to :meth:`before`."""

    def __init__(self, inner: Any = None) -> None:
        self.calls: list[str] = []
        self.left_open: set[int] = set()
        self.closed_twice: list[int] = []
        self._inner = inner or QuickLayer()
        self._lock = threading.Lock()

    def before(self, position: int, name: str, arguments: tuple[Any, ...]) -> None:
        """What the test does before call number ``position`` (from 0); what it raises is the call's outcome."""

    def close_left_open(self) -> None:
        """What a system does when a process has ended."""
        while self.left_open:
            os.close(self.left_open.pop())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return functools.partial(self._call, name, getattr(self._inner, name))

    def _call(self, name: str, call: Callable[..., Any], *arguments: Any) -> Any:
        with self._lock:
            self.calls.append(name)
            if name == "close" and arguments[0] not in self.left_open:
                # By now the number may be another thread's file.
                self.closed_twice.append(arguments[0])
            self.before(len(self.calls) - 1, name, arguments)
            outcome = call(*arguments)
            if name == "close":
                self.left_open.discard(arguments[0])
            elif name.startswith("open_") and outcome is not None:
                self.left_open.add(outcome)
            return outcome


class FailingLayer(WatchedLayer):
    """Lets call number ``fail_at``, or number ``nth`` of that name, fail with an errno or an exception of a class.

    ``lasting``: all later ones too, but for reading and closing; after Killed only closing works.
    """

    def __init__(
        self,
        fail_at: int | str | None = None,
        failure: int | type[BaseException] = errno.EIO,
        *,
        nth: int = 0,
        lasting: bool = False,
        inner: Any = None,
    ) -> None:
        super().__init__(inner)
        self.failed: str | None = None
        self.subject = ""
        self._fail_at = fail_at
        self._nth = nth
        self._failure = failure
        self._lasting = lasting

    def before(self, position: int, name: str, arguments: tuple[Any, ...]) -> None:
        if not self._fails(position, name):
            return
        if self.failed is None:
            self.failed = name
            self.subject = subject_of(arguments[0])
        if name == "close":
            # A failing close gives the descriptor back all the same.
            self._inner.close(arguments[0])
            self.left_open.discard(arguments[0])
        if isinstance(self._failure, int):
            raise OSError(self._failure, os.strerror(self._failure))
        raise self._failure

    def _fails(self, position: int, name: str) -> bool:
        if self.failed is None:
            return self._fail_at == position or (
                self._fail_at == name and self.calls.count(name) == self._nth + 1
            )
        return self._lasting and name != "close" and (self._failure is Killed or name not in READING)


def subject_of(argument: str | int) -> str:
    """The final name of the file, or the folder, that a call with this first argument is about."""
    path = Path(f"/proc/self/fd/{argument}").readlink() if isinstance(argument, int) else Path(argument)
    temporary = re.fullmatch(r"\.(.+)\.[0-9a-f]{8}", path.name)
    return str(path.with_name(temporary[1] if temporary else path.name.removesuffix(".partial")))


class MeddledLayer(WatchedLayer):
    """Another process does something before call number ``at``, or before the first of that name.

    Not before a close, when all is settled.
    """

    def __init__(self, at: int | str, meddle: Callable[[], object]) -> None:
        super().__init__()
        self.met: str | None = None
        self._at = at
        self._meddle = meddle

    def before(self, position: int, name: str, _arguments: tuple[Any, ...]) -> None:
        due = name == self._at if isinstance(self._at, str) else position >= self._at
        if due and self.met is None and name != "close":
            self.met = name
            self._meddle()


class ShortLayer(OsFileLayer):
    """Reads and writes only a part of what it is asked for, as systems may.

    A part of every call's bytes, or a single byte in data call number ``only`` (from 0) alone.
    """

    def __init__(self, only: int | None = None) -> None:
        self.data_calls = 0
        self._only = only
        self._lock = threading.Lock()

    def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
        return super().read_into(descriptor, buffer[: self._length(buffer, 3)], offset)

    def write_at(self, descriptor: int, data: memoryview, offset: int) -> int:
        return super().write_at(descriptor, data[: self._length(data, 2)], offset)

    def append(self, descriptor: int, data: memoryview) -> int:
        return super().append(descriptor, data[: self._length(data, 2)])

    def _length(self, data: memoryview, divisor: int) -> int:
        with self._lock:
            self.data_calls += 1
            if self._only is None:
                return max(1, len(data) // divisor)
            return 1 if self.data_calls - 1 == self._only else len(data)


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
