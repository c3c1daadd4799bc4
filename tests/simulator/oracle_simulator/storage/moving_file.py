# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file on its way to another place: read from the old one, written to both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import TracebackType

from oracle_simulator.storage.disk import Buffer, DiskFile

_CHUNK_BYTES = 1 << 20


class MovingFile:
    """Implements ``storage.disk.DiskFile`` over ``source`` and ``target``. ``writes`` is held for each write."""

    def __init__(self, source: DiskFile, target: DiskFile, writes: threading.RLock) -> None:
        self.path = source.path
        self.source = source
        self.target = target
        self._writes = writes

    @property
    def size(self) -> int:
        return self.source.size

    @property
    def inode(self) -> int:
        return self.source.inode

    def read_at(self, size: int, offset: int) -> bytes:
        return self.source.read_at(size, offset)

    def write_at(self, data: Buffer, offset: int) -> None:
        self.source.write_at(data, offset)
        self.target.write_at(data, offset)

    def truncate(self, size: int) -> None:
        self.source.truncate(size)
        self.target.truncate(size)

    def allocate(self, size: int) -> None:
        self.source.allocate(size)
        self.target.allocate(size)

    def sync(self) -> None:
        self.source.sync()
        self.target.sync()

    def copy(self) -> Iterator[int]:
        """Bring everything over, durably; the number of bytes after each piece. Writes go on in between."""
        offset = 0
        while True:
            with self._writes:
                data = self.source.read_at(_CHUNK_BYTES, offset)
                if not data:
                    break
                self.target.write_at(data, offset)
            offset += len(data)
            yield offset
        self.target.sync()

    def close(self) -> None:
        self.source.close()
        self.target.close()

    def __enter__(self) -> MovingFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
