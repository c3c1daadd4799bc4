# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second reading of the file formats, with nothing but struct: the tests' own eyes.

Slow and literal on purpose; it shares no code with the package it looks at.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path


def xor16(data: bytes) -> int:
    """XOR of all little-endian 16-bit words."""
    result = 0
    for word in struct.unpack(f"<{len(data) // 2}H", data):
        result ^= word
    return result


def u2(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "little")


def u4(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")


def scn8(data: bytes, offset: int) -> int | None:
    """An 8-byte SCN field in either form."""
    field = data[offset : offset + 8]
    if field[:6] == b"\xff" * 6:
        return None
    base, first, second = u4(field, 0), u2(field, 4), u2(field, 6)
    if first & 0x8000:
        return (first & 0x7FFF) << 48 | second << 32 | base
    return first << 32 | base


def tail(scn_base: int, block_type: int, seq: int) -> bytes:
    """The four bytes at the end of a block, in memory order."""
    return bytes((seq, block_type, scn_base & 0xFF, scn_base >> 8 & 0xFF))


def check_block(block: bytes, rdba: int, block_type: int) -> None:
    """Assert a sound block of this type at this address."""
    size = len(block)
    assert block[0] == block_type
    assert block[1] == {512: 0x22, 2048: 0x62, 4096: 0x82, 8192: 0xA2, 16384: 0xC2, 32768: 0xE2}[size]
    assert u4(block, 4) == rdba
    assert block[-4:] == tail(u4(block, 8), block[0], block[14])
    assert block[15] & 4
    assert xor16(block) == 0


def walk_datafile(path: Path) -> dict[int, bytes]:
    """Assert that every block of a datafile is sound and in its place; the used ones by number.

    The block size and the kind of address (smallfile or bigfile) are what the file says of itself.
    """
    data = path.read_bytes()
    size = u4(data, 20)
    assert (u4(data, 28), xor16(data[:size])) == (0x7A7B7C7D, 0)
    blocks = u4(data, 24)
    assert len(data) == (blocks + 1) * size
    header = data[size : 2 * size]
    relative_file = u4(header, 368)
    first = 0 if relative_file == 0x400 else relative_file << 22
    assert (u4(header, 44), u4(header, 48)) == (blocks, size)
    used = {}
    for number in range(1, blocks + 1):
        block = data[number * size : (number + 1) * size]
        check_block(block, first | number if block[0] else number, block[0])
        if block[0]:
            used[number] = block
    return used


@dataclass(frozen=True)
class HeaderSeen:
    """What the header of a datafile says of its state. SCNs; ``status`` is the bit field."""

    status: int
    checkpoint: int | None
    begin_backup: int | None
    resetlogs: int | None

    @property
    def in_backup(self) -> bool:
        return bool(self.status & 0x0001)

    @property
    def fuzzy(self) -> bool:
        return bool(self.status & 0x5055)


def datafile_header(path: Path) -> HeaderSeen:
    """Block 1 of a datafile, which must be sound."""
    with path.open("rb") as stream:
        size = u4(stream.read(512), 20)
        stream.seek(size)
        block = stream.read(size)
    assert xor16(block) == 0
    return HeaderSeen(u2(block, 138), scn8(block, 484), scn8(block, 128), scn8(block, 116))
