# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a set: one JSON object per line, flushed before anything relies on it.

A line counts when its newline is on stable storage. A crash can leave one torn line at the end (no newline,
or the zero bytes some file systems leave where data never arrived); everything before it must be sound.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import fsync_folder, write_all
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_locks import locked

_TAIL_SIZE_BYTES = 64 * 1024


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Journal:
    """An open journal. Safe for several threads and several processes that append to the same file."""

    def __init__(self, path: Path, descriptor: int, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._descriptor = descriptor
        self._clock = clock
        self._thread_lock = threading.Lock()

    @classmethod
    def open(cls, path: str | os.PathLike[str], clock: Callable[[], datetime] = _utc_now) -> Journal:
        """Open ``path``, made with mode 0600 if missing, and cut off a torn last line. Raises BackupError."""
        target = Path(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(target, flags, 0o600)
        except OSError as exc:
            raise BackupError(f"Failed to open journal {target}: {exc.strerror}.") from exc
        journal = cls(target, descriptor, clock)
        try:
            fsync_folder(target.parent)
            with journal._exclusive():
                journal._cut_torn_tail()
        except BaseException:
            journal.close()
            raise
        return journal

    def append(self, event: str, **fields: Any) -> None:
        """Add one line and return once it is on stable storage.

        ``at`` (ISO 8601, UTC) is added here. Raises BackupError if the line could not be stored; then nothing
        of it stays in the file. Raises ValueError or TypeError for fields JSON cannot hold.
        """
        if "at" in fields:
            raise ValueError("'at' is set by the journal")
        now = self._clock().astimezone(timezone.utc)
        entry = {"at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "event": event, **fields}
        line = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
        with self._exclusive():
            # A process that died while appending may have left half a line since this journal was opened.
            self._cut_torn_tail()
            end = os.fstat(self._descriptor).st_size
            try:
                write_all(self._descriptor, line)
                os.fsync(self._descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, end)
                raise

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        try:
            with self._thread_lock, locked(self._descriptor):
                yield
        except OSError as exc:
            raise BackupError(f"Failed to append to journal {self._path}: {exc.strerror}.") from exc

    def _cut_torn_tail(self) -> None:
        end = os.fstat(self._descriptor).st_size
        if end == 0:
            return
        tail = os.pread(self._descriptor, _TAIL_SIZE_BYTES, max(0, end - _TAIL_SIZE_BYTES))
        if tail.endswith(b"\n") and b"\0" not in tail[tail.rfind(b"\n", 0, -1) + 1 :]:
            return
        whole = os.pread(self._descriptor, end, 0)
        os.ftruncate(self._descriptor, _sound_length(whole))
        os.fsync(self._descriptor)


def read_journal(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Return the journal's entries in order; a torn last line is left out.

    Raises BackupError if the file cannot be read, VerificationError if any other line is not a journal entry.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as exc:
        raise BackupError(f"Failed to read journal {path}: {exc.strerror}.") from exc
    lines = content[: _sound_length(content)].split(b"\n")[:-1]
    return [_parse(path, number, line) for number, line in enumerate(lines, start=1)]


def _sound_length(content: bytes) -> int:
    """Return the length of ``content`` without a torn last line."""
    end = content.rfind(b"\n") + 1
    if end == len(content) and end:
        start = content.rfind(b"\n", 0, end - 1) + 1
        if b"\0" in content[start:end]:
            return start
    return end


def _parse(path: str | os.PathLike[str], number: int, line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError as exc:
        raise VerificationError(f"Failed to read journal {path}: line {number} is damaged ({exc}).") from exc
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("event"), str)
        or not isinstance(entry.get("at"), str)
    ):
        raise VerificationError(f"Failed to read journal {path}: line {number} is not a journal entry.")
    return entry
