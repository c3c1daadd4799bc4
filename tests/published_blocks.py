# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks of real Oracle databases, rebuilt from the words that block dumps show.

They are the only bytes here that neither the collection nor the simulated instance has made, so both are held
against them. Source of each: a trace of ALTER SYSTEM DUMP DATAFILE, or a block editor's dump, that somebody
published; only the numbers are taken over.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

BLOCK_SIZE = 8192


@dataclass(frozen=True)
class PublishedBlock:
    """A complete block, and what Oracle printed about it. ``data`` is as on disk (little-endian)."""

    name: str
    data: bytes
    relative_file: int
    block_number: int
    block_type: int
    scn: int
    sequence: int
    checksum: int


@dataclass(frozen=True)
class PublishedEnds:
    """The first 16 and the last 4 bytes of a block whose middle was not published."""

    name: str
    head: bytes
    tail: bytes
    relative_file: int
    block_number: int
    block_type: int
    scn: int
    sequence: int


def _from_words(words: dict[int, str]) -> bytes:
    """A block from offsets and the 32-bit words printed there; all else is zero."""
    block = bytearray(BLOCK_SIZE)
    for offset, line in words.items():
        for index, word in enumerate(line.split()):
            struct.pack_into("<I", block, offset + 4 * index, int(word, 16))
    return bytes(block)


SPACE_HEADER = PublishedBlock(
    name="file space header, 2011, written before 10g",
    data=_from_words(
        {
            0x00: "0000021D 0FC00002 3E20DB7A 04030000",
            0x10: "00002ECC 0000003F 00000080 00000183",
            0x20: "00000009 00000100 00000580 00000002",
            0x30: "00000183 00000002 00000001 00000000",
            0x50: "00000084 00000080",
            0x1FFC: "DB7A1D03",
        }
    ),
    relative_file=63,
    block_number=2,
    block_type=0x1D,
    scn=0x3E20DB7A,
    sequence=3,
    checksum=0x2ECC,
)

NEVER_USED = PublishedBlock(
    name="never used, 10.2, 2008: no file number in its address",
    data=_from_words({0x00: "0000A200 00000009 00000000 05010000", 0x10: "0000A709", 0x1FFC: "00000001"}),
    relative_file=0,
    block_number=9,
    block_type=0,
    scn=0,
    sequence=1,
    checksum=0xA709,
)

WHOLE = (SPACE_HEADER, NEVER_USED)

ENDS = (
    PublishedEnds(
        name="table block, 10.2, block editor",
        head=bytes.fromhex("06a200000a00c001a6ba070000000706"),
        tail=bytes.fromhex("0706a6ba"),
        relative_file=7,
        block_number=10,
        block_type=0x06,
        scn=0x0007BAA6,
        sequence=7,
    ),
    PublishedEnds(
        name="table block, 10.2 trace, file 4 block 589862",
        head=struct.pack("<BBHIIHBB", 0x06, 0x02, 0, 0x01090026, 0x010D299B, 0, 1, 0x06),
        tail=struct.pack("<I", 0x299B0601),
        relative_file=4,
        block_number=589_862,
        block_type=0x06,
        scn=0x010D299B,
        sequence=1,
    ),
    PublishedEnds(
        name="first level bitmap, 10.2 trace, no checksum",
        head=struct.pack("<BBHIIHBB", 0x20, 0x02, 0, 0x02C00009, 0x003AC39C, 0, 2, 0x00),
        tail=struct.pack("<I", 0xC39C2002),
        relative_file=11,
        block_number=9,
        block_type=0x20,
        scn=0x003AC39C,
        sequence=2,
    ),
)
