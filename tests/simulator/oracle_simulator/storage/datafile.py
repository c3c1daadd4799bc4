# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datafiles and tempfiles: an open file, read and written in whole blocks."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from oracle_simulator.storage.block import (
    BlockType,
    block_zero,
    empty_block_chunks,
    empty_blocks,
    read_block_zero,
)
from oracle_simulator.storage.datafile_header import (
    Checkpoint,
    DatafileHeader,
    HeaderStatus,
    NotADatafileHeader,
)

__all__ = ["Checkpoint", "Datafile", "DatafileHeader", "HeaderStatus", "NotADatafileHeader"]

_DEFAULT_BLOCK_SIZE = 8192


class Datafile:
    """One open datafile. Blocks may be read and written by several threads at once; header changes are
    serialised here. ``OSError`` passes up; a short read is an ``OSError`` too."""

    def __init__(self, path: Path, fd: int, block_size: int) -> None:
        self.path = path
        self.block_size = block_size
        self._fd = fd
        self._header_lock = threading.RLock()

    @classmethod
    def create(cls, path: Path | str, header: DatafileHeader, *, reuse: bool = False) -> Datafile:
        """Make the file: block 0, header, and ``header.blocks - 1`` never-used blocks, all of them real.

        A tempfile is left sparse, as Oracle does. Raises FileExistsError unless ``reuse``.
        """
        path = Path(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if reuse else os.O_EXCL)
        datafile = cls(path, os.open(path, flags, 0o600), header.block_size)
        try:
            datafile._write_at(0, block_zero(header.block_size, header.blocks))
            datafile.write_header(header)
            if header.temporary:
                os.ftruncate(datafile._fd, (header.blocks + 1) * header.block_size)
            else:
                datafile._fill(2, header.blocks + 1)
        except OSError:
            datafile.close()
            path.unlink()
            raise
        return datafile

    @classmethod
    def open(cls, path: Path | str, *, writable: bool = True) -> Datafile:
        """Open an existing file; its block size comes from block 0, else from the header's size field.

        Nothing is verified but that: reading the header says whether it is a datafile.
        """
        path = Path(path)
        fd = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        try:
            found = read_block_zero(os.pread(fd, 512, 0))
            block_size = found.block_size if found else _block_size_in_header(fd)
        except OSError:
            os.close(fd)
            raise
        return cls(path, fd, block_size)

    def __enter__(self) -> Datafile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def inode(self) -> int:
        """Inode number: the identity of the file behind the path."""
        return os.fstat(self._fd).st_ino

    @property
    def blocks(self) -> int:
        """Whole blocks physically in the file, block 0 not counted."""
        return os.fstat(self._fd).st_size // self.block_size - 1

    def read_block(self, block_number: int) -> bytes:
        """One block as it stands on disk, unverified. Raises OSError, also past the end of the file."""
        data = os.pread(self._fd, self.block_size, block_number * self.block_size)
        if len(data) != self.block_size:
            raise OSError(f"{self.path}: block {block_number} is past the end of the file")
        return data

    def read_blocks(self, first_block: int, count: int) -> bytes:
        """Up to ``count`` consecutive blocks, fewer at the end of the file."""
        data = os.pread(self._fd, count * self.block_size, first_block * self.block_size)
        return data[: len(data) - len(data) % self.block_size]

    def write_block(
        self, block_number: int, data: bytes, pieces: int = 2, between: Callable[[], None] | None = None
    ) -> None:
        """Write a block in ``pieces`` equal writes, so that a reader can catch it fractured.

        ``between`` is called after each piece but the last.
        """
        size = self.block_size // pieces
        offset = block_number * self.block_size
        for piece in range(pieces):
            self._write_at(offset + piece * size, data[piece * size : (piece + 1) * size])
            if between is not None and piece + 1 < pieces:
                between()

    def read_header(self) -> DatafileHeader:
        """The header in block 1, never half-written by this process. Raises NotADatafileHeader, OSError."""
        with self._header_lock:
            return DatafileHeader.decode(self.read_block(1))

    def write_header(self, header: DatafileHeader) -> None:
        """Rewrite block 1."""
        with self._header_lock:
            self._write_at(self.block_size, header.encode())

    def update_header(self, **changes: Any) -> DatafileHeader:
        """Read the header, replace the given fields, write it back; returns the new one."""
        with self._header_lock:
            header = dataclasses.replace(self.read_header(), **changes)
            self.write_header(header)
        return header

    def resize(self, blocks: int) -> None:
        """Grow (with never-used blocks) or cut the file to ``blocks`` blocks; block 0 and header follow."""
        with self._header_lock:
            present = self.blocks
            if blocks > present:
                self._fill(present + 1, blocks + 1)
            self._write_at(0, block_zero(self.block_size, blocks))
            self.update_header(blocks=blocks)
            if blocks < present:
                os.ftruncate(self._fd, (blocks + 1) * self.block_size)

    def fsync(self) -> None:
        """Put everything written on stable storage."""
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _fill(self, first_block: int, end_block: int) -> None:
        for first, count in empty_block_chunks(first_block, end_block - first_block, self.block_size):
            self._write_at(first * self.block_size, empty_blocks(first, count, self.block_size))

    def _write_at(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._fd, view, offset)
            view = view[written:]
            offset += written


def _block_size_in_header(fd: int) -> int:
    """The block size of a file whose block 0 is damaged, which harms nobody: where its header is, and what
    that says of itself."""
    for size in (2048, 4096, 8192, 16384, 32768):
        start = os.pread(fd, 52, size)
        if (
            len(start) == 52
            and start[0] == BlockType.FILE_HEADER
            and int.from_bytes(start[48:], "little") == size
        ):
            return size
    return _DEFAULT_BLOCK_SIZE
