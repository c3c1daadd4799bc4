# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk an instance has: the operating system's, with the file faults in force and, if wanted, a power cord."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType

from oracle_simulator.instance.faults.file_faults import FileFaults, Operation
from oracle_simulator.instance.faults.unsynced import UnsyncedWrites
from oracle_simulator.instance.suspension import Suspension
from oracle_simulator.storage.disk import PLAIN_DISK, Buffer, PlainFile


class FaultyFile:
    """An open file on a :class:`FaultyDisk`."""

    def __init__(self, plain: PlainFile, disk: FaultyDisk) -> None:
        self.path = plain.path
        self._name = str(plain.path)
        self._plain = plain
        self._disk = disk
        self._inode = plain.inode

    @property
    def size(self) -> int:
        return self._plain.size

    @property
    def inode(self) -> int:
        return self._inode

    def read_at(self, size: int, offset: int) -> bytes:
        self._disk.faults.meet(self._name, Operation.READ)
        return self._plain.read_at(size, offset)

    def write_at(self, data: Buffer, offset: int) -> None:
        deadly = self._disk.faults.meet(self._name, Operation.WRITE)
        unsynced = self._disk.unsynced
        with self._disk.suspension.writing(), unsynced.exclusive(self._inode) if unsynced else nullcontext():
            if unsynced:
                unsynced.before_write(self._plain, offset, len(data))
            if deadly is not None:
                self._plain.write_at(memoryview(data)[: deadly.kept_bytes], offset)
                self._disk.faults.kill()
            self._plain.write_at(data, offset)

    def truncate(self, size: int) -> None:
        self._resize(size, self._plain.truncate)

    def allocate(self, size: int) -> None:
        self._resize(size, self._plain.allocate)

    def _resize(self, size: int, resize: Callable[[int], None]) -> None:
        if self._disk.faults.meet(self._name, Operation.WRITE) is not None:
            self._disk.faults.kill()
        unsynced = self._disk.unsynced
        with self._disk.suspension.writing(), unsynced.exclusive(self._inode) if unsynced else nullcontext():
            if unsynced:
                unsynced.before_resize(self._plain, size)
            resize(size)

    def sync(self) -> None:
        if self._disk.faults.meet(self._name, Operation.SYNC) is not None:
            self._disk.faults.kill()
        unsynced = self._disk.unsynced
        if unsynced is None:
            self._plain.sync()
            return
        with unsynced.exclusive(self._inode):
            self._plain.sync()
            unsynced.synced(self._inode)

    def close(self) -> None:
        self._plain.close()

    def __enter__(self) -> FaultyFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FaultyDisk:
    """Implements ``storage.disk.Disk``. With ``unsynced`` it remembers what a power failure would take; while
    ``suspension`` is on, writes wait."""

    def __init__(self, faults: FileFaults, unsynced: UnsyncedWrites | None = None) -> None:
        self.faults = faults
        self.unsynced = unsynced
        self.suspension = Suspension()

    def open(self, path: Path | str, flags: int = os.O_RDWR) -> FaultyFile:
        cuts, new = bool(flags & os.O_TRUNC), bool(flags & os.O_CREAT) and not Path(path).exists()
        file = FaultyFile(PLAIN_DISK.open(path, flags & ~os.O_TRUNC), self)
        try:
            if new and self.unsynced:
                self.unsynced.created(file.path, file.inode)
            if cuts and not new:
                file.truncate(0)
        except OSError:
            file.close()
            raise
        return file

    def remove(self, path: Path | str) -> None:
        if self.unsynced:
            self.unsynced.removed(Path(path))
        PLAIN_DISK.remove(path)
