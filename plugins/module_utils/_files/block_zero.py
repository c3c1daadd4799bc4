# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block 0, the operating-system header block every Oracle file begins with, and how it is read.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.checksum import xor_words

PathOrDescriptor = Union[str, "os.PathLike[str]", int]
BlockReader = Callable[[int, int], bytes]
"""Returns up to ``length`` bytes from ``offset``: (offset, length) -> bytes."""

BLOCK_SIZES = (512, 1024, 2048, 4096, 8192, 16384, 32768)
MAGIC_LITTLE = bytes.fromhex("7d7c7b7a")
MAGIC_BIG = MAGIC_LITTLE[::-1]


@dataclass(frozen=True)
class BlockZero:
    """The operating-system header block. ``block_count`` does not count this block itself."""

    block_size: int
    block_count: int
    big_endian: bool


def format_byte(block_size: int) -> int:
    """Return the second byte of a block: log2 of its size in the high bits, version 2 in the low."""
    return (block_size.bit_length() - 9) << 5 | 2


def acceptable_format_bytes(block_size: int) -> tuple[int, ...]:
    """Return the format bytes a block may carry: 8i/9i wrote 0x02; 1K blocks are reported in two forms."""
    return (format_byte(block_size), 0x02, 0x22) if block_size == 1024 else (format_byte(block_size), 0x02)


def read_block_zero(path_or_fd: PathOrDescriptor) -> BlockZero:
    with Source(path_or_fd) as source:
        return parse_block_zero(source.name, source.read)


def parse_block_zero(name: str, read: BlockReader) -> BlockZero:
    """As :func:`read_block_zero`, on bytes from anywhere."""
    start = read(0, 512)
    require(name, "a length of at least 512 bytes", len(start), len(start) == 512)
    magic = start[28:32]
    require(name, "the magic number of an Oracle file", magic.hex(), magic in (MAGIC_LITTLE, MAGIC_BIG))
    big_endian = magic == MAGIC_BIG
    block_size, block_count = struct.unpack_from(">II" if big_endian else "<II", start, 20)
    require(name, "a block size of 512 to 32768 in block 0", block_size, block_size in BLOCK_SIZES)
    expected = acceptable_format_bytes(block_size)
    require(name, f"a format byte of {block_size}-byte blocks", f"0x{start[1]:02x}", start[1] in expected)
    require(name, "type 0x00 of block 0", f"0x{start[0]:02x}", start[0] == 0)
    block = read(0, block_size)
    residual = xor_words(block, big_endian) if len(block) == block_size else -1
    require(name, "a checksum of block 0 that leaves 0", f"0x{residual:x}", residual == 0)
    return BlockZero(block_size=block_size, block_count=block_count, big_endian=big_endian)


class Source:
    """A path opened for the length of a ``with`` block, or somebody else's descriptor left open."""

    def __init__(self, path_or_fd: PathOrDescriptor) -> None:
        self._given = path_or_fd
        self._descriptor = -1
        self.name = f"descriptor {path_or_fd}" if isinstance(path_or_fd, int) else os.fspath(path_or_fd)

    def __enter__(self) -> Source:
        if isinstance(self._given, int):
            self._descriptor = self._given
            return self
        try:
            self._descriptor = os.open(self._given, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as exc:
            raise BackupError(f"Failed to open {self.name}: {exc.strerror}.") from exc
        return self

    def __exit__(self, *_unused: object) -> None:
        if not isinstance(self._given, int):
            os.close(self._descriptor)

    def read(self, offset: int, length: int) -> bytes:
        pieces = []
        try:
            while length > 0:
                piece = os.pread(self._descriptor, length, offset)
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
        except OSError as exc:
            raise BackupError(f"Failed to read {self.name}: {exc.strerror}.") from exc
        return b"".join(pieces)


def require(name: str, expected: str, found: object, satisfied: bool) -> None:
    """Raise VerificationError unless ``satisfied``."""
    if not satisfied:
        raise unexpected(name, expected, found)


def unexpected(name: str, expected: str, found: object) -> VerificationError:
    """Return the error of a file whose content is not what it must be."""
    return VerificationError(f"Failed to verify {name}: expected {expected}, found {found}.")
