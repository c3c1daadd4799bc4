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
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import (
    FileLayer,
    OsFileLayer,
    append_all,
    read_fully,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_locks import locked
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained

_TAIL_SIZE_BYTES = 64 * 1024
_OS = OsFileLayer()


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Journal:
    """An open journal. Safe for several threads and several processes that append to the same file."""

    def __init__(
        self, path: Path, descriptor: int, clock: Callable[[], datetime], files: FileLayer = _OS
    ) -> None:
        self._path = path
        self._descriptor = descriptor
        self._clock = clock
        self._files = files
        self._thread_lock = threading.Lock()

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], clock: Callable[[], datetime] = _utc_now, files: FileLayer = _OS
    ) -> Journal:
        """Open ``path``, made with mode 0600 if missing, and cut off a torn last line. Raises BackupError."""
        target = Path(path)
        with explained(f"Failed to open journal {target}"):
            descriptor = files.open_journal(str(target))
            try:
                journal = cls(target, descriptor, clock, files)
                files.flush_folder(str(target.parent))
                with journal._exclusive():
                    journal._cut_torn_tail()
            except BaseException:
                with contextlib.suppress(OSError):
                    files.close(descriptor)
                raise
        return journal

    def append(self, event: str, **fields: Any) -> None:
        """Add one line and return once it is on stable storage, in the file that has the journal's name.

        ``at`` (ISO 8601, UTC) is added here. Raises BackupError if the line could not be stored; then nothing
        of it stays in the file, unless the system refuses that as well. Raises ValueError or TypeError for
        fields JSON cannot hold.
        """
        if "at" in fields:
            raise ValueError("'at' is set by the journal")
        now = self._clock().astimezone(timezone.utc)
        entry = {"at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "event": event, **fields}
        line = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
        with explained(f"Failed to append to journal {self._path}"), self._exclusive():
            # A process that died while appending may have left half a line since this journal was opened.
            end = self._cut_torn_tail()
            try:
                append_all(self._files, self._descriptor, line)
                self._files.flush(self._descriptor)
            except BaseException:
                with contextlib.suppress(OSError):
                    self._files.truncate(self._descriptor, end)
                raise
            self._require_name()

    def close(self) -> None:
        """Raises BackupError."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            with explained(f"Failed to close journal {self._path}"):
                self._files.close(descriptor)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._thread_lock, locked(self._descriptor):
            yield

    def _require_name(self) -> None:
        """What is written to a file that was removed is flushed without an error, and nobody will read it."""
        found = self._files.status_of(str(self._path))
        if found is None or not os.path.samestat(found, self._files.status(self._descriptor)):
            raise BackupError(
                f"Failed to append to journal {self._path}: it was removed or replaced meanwhile.",
                hint="Nothing but this collection may touch the folder of a set.",
            )

    def _cut_torn_tail(self) -> int:
        """Return the length of what is left."""
        end = self._files.status(self._descriptor).st_size
        tail = self._read(max(0, end - _TAIL_SIZE_BYTES), end)
        if not end or (tail.endswith(b"\n") and b"\0" not in tail[tail.rfind(b"\n", 0, -1) + 1 :]):
            return end
        sound = _sound_length(self._read(0, end))
        self._files.truncate(self._descriptor, sound)
        self._files.flush(self._descriptor)
        return sound

    def _read(self, start: int, end: int) -> bytes:
        content = bytearray(end - start)
        count = read_fully(self._files, self._descriptor, memoryview(content), start)
        if count < len(content):
            # Cutting by what a short read shows would cut lines that were acknowledged.
            raise BackupError(f"Failed to read journal {self._path}: it ends at {start + count}, not {end}.")
        return bytes(content)


def read_journal(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Return the journal's entries in order; a torn last line is left out.

    Raises BackupError if the file cannot be read, VerificationError if any other line is not a journal entry.
    """
    with explained(f"Failed to read journal {path}"):
        content = Path(path).read_bytes()
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
