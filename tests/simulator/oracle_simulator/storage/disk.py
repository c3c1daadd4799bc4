# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk below Oracle's files: the few calls by which they are read, written and made durable.

Everything that keeps a datafile, redo log, control file or archived log goes through a :class:`Disk`. This
one is the operating system as it is; an instance has one that can fail, be slow, or lose power
(``instance/faults``). That is the only place where trouble with files is made.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Protocol

SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""

Buffer = bytes | bytearray | memoryview


class DiskFile(Protocol):
    """An open file. Every method but ``close`` raises OSError when the disk does not do its part."""

    path: Path

    @property
    def size(self) -> int:
        """Bytes in the file."""

    @property
    def inode(self) -> int:
        """Inode number: the identity of the file behind the path."""

    def read_at(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes; fewer at the end of the file."""

    def write_at(self, data: Buffer, offset: int) -> None:
        """Write all of ``data``. It is durable after the next :meth:`sync`."""

    def truncate(self, size: int) -> None:
        """Cut the file to ``size`` bytes, or lengthen it with a hole."""

    def allocate(self, size: int) -> None:
        """Make room for ``size`` bytes, which read as zeros."""

    def sync(self) -> None:
        """Put everything written to this file so far, by whomever, on stable storage."""

    def close(self) -> None:
        """Close the file; a second call does nothing."""

    def __enter__(self) -> DiskFile: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Disk(Protocol):
    """Where files are opened and removed."""

    def open(self, path: Path | str, flags: int = os.O_RDWR) -> DiskFile:
        """Open a file with the flags of :func:`os.open`; new ones are their owner's alone. Raises OSError."""

    def remove(self, path: Path | str) -> None:
        """Remove a file; nothing happens when it is gone already. Raises OSError."""


class PlainFile:
    """A file of the operating system."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @property
    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    @property
    def inode(self) -> int:
        return os.fstat(self._descriptor).st_ino

    def read_at(self, size: int, offset: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def write_at(self, data: Buffer, offset: int) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._descriptor, view, offset)
            view = view[written:]
            offset += written

    def truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def allocate(self, size: int) -> None:
        os.posix_fallocate(self._descriptor, 0, size)

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def __enter__(self) -> PlainFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class PlainDisk:
    """The operating system's file system, as it is."""

    def open(self, path: Path | str, flags: int = os.O_RDWR) -> PlainFile:
        return PlainFile(Path(path), os.open(path, flags | os.O_CLOEXEC, 0o600))

    def remove(self, path: Path | str) -> None:
        Path(path).unlink(missing_ok=True)


PLAIN_DISK = PlainDisk()
