# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The envelope of a database block: 20-byte cache header, 4-byte tail, XOR checksum; and block 0.

Every block of a datafile or control file but block 0 has this envelope. Sizes and numbers are in
blocks and bytes as the names say; block numbers count from 0, so block ``n`` lies at ``n * block_size``.
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

import numpy as np

HEADER_SIZE = 20
TAIL_SIZE = 4

FLAG_NEW = 0x01
FLAG_DELAYED = 0x02
FLAG_CHECKSUM = 0x04
FLAG_TEMPORARY = 0x08
FLAG_ENCRYPTED = 0x10

BIGFILE_RELATIVE_NUMBER = 1024
BLOCK_ZERO_MAGIC = 0x7A7B7C7D
MAX_SEQ = 254
SEQ_UNLOGGED = 0
"""Sequence of a change that redo does not know."""
SEQ_CORRUPT = 0xFF
"""Sequence of a block that the database itself has marked corrupt."""

_HEADER = struct.Struct("<BBHIIHBBHH")
_TAIL = struct.Struct("<I")
_CHECKSUM = struct.Struct("<H")
_BLOCK_ZERO = struct.Struct("<BBHI6xBBHHIIII")
_EMPTY_CHUNK_BYTES = 1 << 20


class BlockType(enum.IntEnum):
    """Block types of Oracle that we write; readers accept others too."""

    EMPTY = 0x00
    UNDO = 0x02
    TABLE = 0x06
    FILE_HEADER = 0x0B
    CONTROL = 0x15
    SPACE_HEADER = 0x1D
    BITMAP = 0x1E
    SEGMENT_HEADER = 0x23


class FileType(enum.IntEnum):
    """File type codes in file headers."""

    CONTROL = 1
    REDO = 2
    DATA = 3
    BACKUP_CONTROL = 4
    TEMPORARY = 6


class BlockVersion(NamedTuple):
    """Which change a block was last made by: SCN, and a sequence among changes at that SCN."""

    scn: int
    seq: int


NEVER_CHANGED = BlockVersion(0, 1)


FORMAT_BEFORE_10G = 0x02
"""Format byte of blocks last written by Oracle8i or 9i, whatever their size; an upgrade leaves them as they are."""


def format_byte(block_size: int) -> int:
    """Format byte of a block size: log2 - 8 in the high three bits, format version 2 in the low five."""
    exponent = block_size.bit_length() - 1
    if not 9 <= exponent <= 15 or block_size != 1 << exponent:
        raise ValueError(f"no Oracle block size: {block_size}")
    return (exponent - 8) << 5 | 2


def make_rdba(relative_file: int, block_number: int, bigfile: bool = False) -> int:
    """Relative data block address: 10 bits of file and 22 of block, or 32 bits of block in a bigfile."""
    return block_number if bigfile else relative_file << 22 | block_number


def fold(block: bytes | bytearray | memoryview) -> int:
    """XOR of all 16-bit words of ``block``: 0 for a block with a correct checksum in place."""
    words = int(np.bitwise_xor.reduce(np.frombuffer(block, dtype="<u8")))
    words ^= words >> 32
    return (words ^ words >> 16) & 0xFFFF


def seal(
    buf: bytearray,
    block_type: int,
    rdba: int,
    version: BlockVersion,
    flags: int = FLAG_CHECKSUM,
    block_format: int | None = None,
) -> None:
    """Write cache header, tail and checksum around the body already in ``buf`` (one whole block).

    ``block_format`` overrides the format byte derived from the length of ``buf``.
    """
    size = len(buf)
    scn, seq = version
    base = scn & 0xFFFFFFFF
    frmt = format_byte(size) if block_format is None else block_format
    _HEADER.pack_into(buf, 0, block_type, frmt, scn >> 48, rdba, base, (scn >> 32) & 0xFFFF, seq, flags, 0, 0)
    _TAIL.pack_into(buf, size - TAIL_SIZE, (base & 0xFFFF) << 16 | block_type << 8 | seq)
    if flags & FLAG_CHECKSUM:
        _CHECKSUM.pack_into(buf, 16, fold(buf))


def examine(buf: bytes | bytearray | memoryview, rdba: int | None = None) -> str | None:
    """What is wrong with a block, named in DBVERIFY's order: None, "zero", "header", "fractured", "checksum".

    With ``rdba`` a block that stands in the wrong place is "header" too; a never-used block may carry its
    block number with file number 0.
    """
    block_type, frmt, high, address, base, _wrap, seq, flags, _check, _spare = _HEADER.unpack_from(buf, 0)
    if not block_type and not frmt and not any(buf):
        return "zero"
    if frmt not in (format_byte(len(buf)), FORMAT_BEFORE_10G) or high & 0x8000:
        return "header"
    if rdba is not None and address != rdba and (block_type or address != rdba & 0x3FFFFF):
        return "header"
    (tail,) = _TAIL.unpack_from(buf, len(buf) - TAIL_SIZE)
    if tail != (base & 0xFFFF) << 16 | block_type << 8 | seq:
        return "fractured"
    if flags & FLAG_CHECKSUM and fold(buf):
        return "checksum"
    return None


def version_of(buf: bytes | bytearray | memoryview) -> BlockVersion:
    """SCN and sequence in the cache header of a block."""
    _type, _frmt, high, _rdba, base, wrap, seq, _flags, _check, _spare = _HEADER.unpack_from(buf, 0)
    return BlockVersion(high << 48 | wrap << 32 | base, seq)


def type_of(buf: bytes | bytearray | memoryview) -> int:
    """Type byte of a block."""
    return buf[0]


def rdba_of(buf: bytes | bytearray | memoryview) -> int:
    """Relative data block address in the cache header of a block."""
    return int(_HEADER.unpack_from(buf, 0)[3])


def empty_blocks(first_block: int, count: int, block_size: int) -> bytes:
    """``count`` blocks in the genuine never-used form: type 0, block number with file number 0, SCN 0."""
    words = np.zeros((count, block_size // 2), dtype="<u2")
    numbers = np.arange(first_block, first_block + count, dtype="<u4")
    words[:, 0] = format_byte(block_size) << 8
    words[:, 2] = numbers & 0xFFFF
    words[:, 3] = numbers >> 16
    words[:, 7] = (FLAG_NEW | FLAG_CHECKSUM) << 8 | NEVER_CHANGED.seq
    words[:, -2] = NEVER_CHANGED.seq
    # All other words are zero, so the checksum is the XOR of these five alone.
    constant = words[0, 0] ^ words[0, 7] ^ words[0, -2]
    words[:, 8] = words[:, 2] ^ words[:, 3] ^ constant
    return words.tobytes()


def empty_block_chunks(first_block: int, count: int, block_size: int) -> list[tuple[int, int]]:
    """(first block, count) of pieces of about 1 MiB, in which large files are filled."""
    step = max(1, _EMPTY_CHUNK_BYTES // block_size)
    end = first_block + count
    return [(first, min(step, end - first)) for first in range(first_block, end, step)]


def block_zero(block_size: int, blocks: int, *, mode: int = 0o100640, flags: int = 4) -> bytes:
    """The operating-system header block of a file of ``blocks`` blocks, block 0 not counted.

    ``mode`` is the ``st_mode`` Oracle stores on Unix; ``flags`` is 4 in a 19c file, 0 up to 12.1.
    """
    buf = bytearray(block_size)
    fields = (0, format_byte(block_size), 0, 0xFFC00000, 0, flags, 0, 0, block_size, blocks)
    _BLOCK_ZERO.pack_into(buf, 0, *fields, BLOCK_ZERO_MAGIC, mode)
    _CHECKSUM.pack_into(buf, 16, fold(buf))
    return bytes(buf)


class BlockZero(NamedTuple):
    """What block 0 says of its file. ``blocks`` does not count block 0."""

    block_size: int
    blocks: int
    valid: bool


def read_block_zero(start: bytes) -> BlockZero | None:
    """Block 0 from the first bytes of a file (at least 36, a whole block to check the sum); None if these
    are not the first bytes of an Oracle file."""
    if len(start) < _BLOCK_ZERO.size:
        return None
    fields = _BLOCK_ZERO.unpack_from(start, 0)
    first, frmt, block_size, blocks, magic = fields[0], fields[1], fields[8], fields[9], fields[10]
    if first or magic != BLOCK_ZERO_MAGIC or block_size not in (512, 1024, 2048, 4096, 8192, 16384, 32768):
        return None
    whole = start[:block_size]
    valid = frmt == format_byte(block_size) and len(whole) == block_size and fold(whole) == 0
    return BlockZero(block_size, blocks, valid)
