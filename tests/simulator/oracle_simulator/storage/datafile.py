# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datafiles and tempfiles: an open file, read and written in whole blocks."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Iterator
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
from oracle_simulator.storage.disk import PLAIN_DISK, Disk, DiskFile
from oracle_simulator.storage.moving_file import MovingFile

__all__ = ["Checkpoint", "Datafile", "DatafileHeader", "HeaderStatus", "NotADatafileHeader"]

_DEFAULT_BLOCK_SIZE = 8192


class Datafile:
    """One open datafile. Blocks may be read and written by several threads at once; header changes are
    serialised here. ``OSError`` passes up; a short read is an ``OSError`` too."""

    def __init__(self, file: DiskFile, block_size: int) -> None:
        self.path = file.path
        self.block_size = block_size
        self._file = file
        self._header_lock = threading.RLock()
        self._writes = threading.RLock()

    @classmethod
    def create(
        cls,
        path: Path | str,
        header: DatafileHeader,
        *,
        reuse: bool = False,
        formatted_blocks: int | None = None,
        disk: Disk = PLAIN_DISK,
    ) -> Datafile:
        """Make the file: block 0, header, and ``header.blocks - 1`` never-used blocks, all of them real.

        A tempfile is left sparse, as Oracle does. With ``formatted_blocks`` the blocks behind that number are
        left to the caller. Raises FileExistsError unless ``reuse``.
        """
        flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if reuse else os.O_EXCL)
        datafile = cls(disk.open(path, flags), header.block_size)
        try:
            datafile._file.write_at(block_zero(header.block_size, header.blocks), 0)
            datafile.write_header(header)
            if header.temporary:
                datafile._file.truncate((header.blocks + 1) * header.block_size)
            else:
                last = header.blocks if formatted_blocks is None else formatted_blocks
                datafile.write_unused(2, last + 1)
        except OSError:
            datafile.close()
            disk.remove(path)
            raise
        return datafile

    @classmethod
    def open(cls, path: Path | str, *, writable: bool = True, disk: Disk = PLAIN_DISK) -> Datafile:
        """Open an existing file; its block size comes from block 0, else from the header's size field.

        Nothing is verified but that: reading the header says whether it is a datafile.
        """
        file = disk.open(path, os.O_RDWR if writable else os.O_RDONLY)
        try:
            found = read_block_zero(file.read_at(512, 0))
            block_size = found.block_size if found else _block_size_in_header(file)
        except OSError:
            file.close()
            raise
        return cls(file, block_size)

    def __enter__(self) -> Datafile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def inode(self) -> int:
        """Inode number: the identity of the file behind the path."""
        return self._file.inode

    @property
    def blocks(self) -> int:
        """Whole blocks physically in the file, block 0 not counted."""
        return self._file.size // self.block_size - 1

    def read_block(self, block_number: int) -> bytes:
        """One block as it stands on disk, unverified. Raises OSError, also past the end of the file."""
        data = self._file.read_at(self.block_size, block_number * self.block_size)
        if len(data) != self.block_size:
            raise OSError(f"{self.path}: block {block_number} is past the end of the file")
        return data

    def read_blocks(self, first_block: int, count: int) -> bytes:
        """Up to ``count`` consecutive blocks, fewer at the end of the file."""
        data = self._file.read_at(count * self.block_size, first_block * self.block_size)
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
            self._write_at(data[piece * size : (piece + 1) * size], offset + piece * size)
            if between is not None and piece + 1 < pieces:
                between()

    def write_blocks(self, first_block: int, data: bytes | memoryview) -> None:
        """Write consecutive blocks as one piece."""
        self._write_at(data, first_block * self.block_size)

    def read_header(self) -> DatafileHeader:
        """The header in block 1, never half-written by this process. Raises NotADatafileHeader, OSError."""
        with self._header_lock:
            return DatafileHeader.decode(self.read_block(1))

    def write_header(self, header: DatafileHeader) -> None:
        """Rewrite block 1."""
        with self._header_lock:
            self._write_at(header.encode(), self.block_size)

    def update_header(self, **changes: Any) -> DatafileHeader:
        """Read the header, replace the given fields, write it back; returns the new one."""
        with self._header_lock:
            header = dataclasses.replace(self.read_header(), **changes)
            self.write_header(header)
        return header

    def resize(self, blocks: int) -> None:
        """Grow (with never-used blocks) or cut the file to ``blocks`` blocks, durably; block 0 and header follow."""
        with self._header_lock:
            present = self.blocks
            if blocks > present:
                self.write_unused(present + 1, blocks + 1)
            self._write_at(block_zero(self.block_size, blocks), 0)
            self.update_header(blocks=blocks)
            if blocks < present:
                with self._writes:
                    self._file.truncate((blocks + 1) * self.block_size)
            self.fsync()

    def fsync(self) -> None:
        """Put everything written on stable storage."""
        self._file.sync()

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        self._file.close()

    # ------------------------------------------------------------ another place

    def begin_move(self, path: Path, disk: Disk, *, reuse: bool = False) -> None:
        """From now on write to ``path``, too. Raises OSError; FileExistsError unless ``reuse``."""
        target = disk.open(path, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if reuse else os.O_EXCL))
        with self._writes:
            self._file = MovingFile(self._file, target, self._writes)

    def copy_to_new_place(self) -> Iterator[int]:
        """Copy what is there; bytes copied so far after each piece. All of it is durable at the end."""
        assert isinstance(self._file, MovingFile)
        return self._file.copy()

    def end_move(self) -> None:
        """Use the new place only."""
        self._settle(lambda moving: (moving.target, moving.source))

    def abandon_move(self) -> None:
        """Use the old place only."""
        self._settle(lambda moving: (moving.source, moving.target))

    def _settle(self, choose: Callable[[MovingFile], tuple[DiskFile, DiskFile]]) -> None:
        with self._header_lock, self._writes:
            assert isinstance(self._file, MovingFile)
            self._file, left = choose(self._file)
            self.path = self._file.path
            left.close()

    def _write_at(self, data: bytes | memoryview, offset: int) -> None:
        with self._writes:
            self._file.write_at(data, offset)

    def write_unused(self, first_block: int, end_block: int) -> None:
        """Write never-used blocks from ``first_block`` up to but not including ``end_block``."""
        for first, count in empty_block_chunks(first_block, end_block - first_block, self.block_size):
            self._write_at(empty_blocks(first, count, self.block_size), first * self.block_size)


def _block_size_in_header(file: DiskFile) -> int:
    """The block size of a file whose block 0 is damaged, which harms nobody: where its header is, and what
    that says of itself."""
    for size in (2048, 4096, 8192, 16384, 32768):
        start = file.read_at(52, size)
        if (
            len(start) == 52
            and start[0] == BlockType.FILE_HEADER
            and int.from_bytes(start[48:], "little") == size
        ):
            return size
    return _DEFAULT_BLOCK_SIZE
