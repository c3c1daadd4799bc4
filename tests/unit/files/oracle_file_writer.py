# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes genuine Oracle file envelopes for the tests, from the format notes alone.

It shares no code with what it tests: the checksum here is the plain word-by-word definition.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

FORMAT_BYTES = {512: 0x22, 1024: 0x42, 2048: 0x62, 4096: 0x82, 8192: 0xA2, 16384: 0xC2, 32768: 0xE2}
MAGIC = 0x7A7B7C7D


def slow_xor(block: bytes) -> int:
    """The definition: XOR of all little-endian 16-bit words."""
    result = 0
    for (word,) in struct.iter_unpack("<H", block):
        result ^= word
    return result


def store_checksum(block: bytearray, offset: int = 16) -> bytearray:
    """Make the block XOR to zero; stored as folded, so the file's byte order does not matter."""
    block[offset : offset + 2] = b"\0\0"
    struct.pack_into("<H", block, offset, slow_xor(bytes(block)))
    return block


def order_of(big_endian: bool) -> str:
    return ">" if big_endian else "<"


def block_zero(
    block_size: int, block_count: int, mode: int = 0o100640, flag: int = 0, big_endian: bool = False
) -> bytes:
    block = bytearray(block_size)
    order = order_of(big_endian)
    block[1] = FORMAT_BYTES[block_size]
    struct.pack_into(order + "I", block, 4, 0xFFC00000)
    block[15] = flag
    struct.pack_into(order + "III", block, 20, block_size, block_count, MAGIC)
    struct.pack_into(order + "I", block, 32, mode)
    return bytes(store_checksum(block))


def cache_block(
    block_size: int,
    kind: int,
    rdba: int,
    scn: int,
    seq: int,
    body: bytes = b"",
    flags: int = 0x04,
    fmt: int | None = None,
    big_endian: bool = False,
) -> bytes:
    """A block with cache header and tail; ``body`` starts at offset 20."""
    block = bytearray(block_size)
    order = order_of(big_endian)
    base, wrap, third = scn & 0xFFFFFFFF, (scn >> 32) & 0xFFFF, scn >> 48
    struct.pack_into(
        order + "BBHIIHBB",
        block,
        0,
        kind,
        FORMAT_BYTES[block_size] if fmt is None else fmt,
        third,
        rdba,
        base,
        wrap,
        seq,
        flags,
    )
    block[20 : 20 + len(body)] = body
    struct.pack_into(order + "I", block, block_size - 4, (base & 0xFFFF) << 16 | kind << 8 | seq)
    if flags & 0x04:
        store_checksum(block)
    return bytes(block)


def never_used_block(block_size: int, number: int, file_part: int = 0, big_endian: bool = False) -> bytes:
    return cache_block(block_size, 0, file_part | number, 0, 1, flags=0x05, big_endian=big_endian)


def scn_field(scn: int | None, big_form: bool = False, big_endian: bool = False) -> bytes:
    order = order_of(big_endian)
    if scn is None:
        return b"\xff" * 8
    base = scn & 0xFFFFFFFF
    if big_form:
        return struct.pack(order + "IHH", base, 0x8000 | scn >> 48, scn >> 32 & 0xFFFF)
    return struct.pack(order + "IHH", base, scn >> 32, 0)


def patch(block: bytes, offset: int, data: bytes, checksum_at: int | None = 16) -> bytes:
    """Change bytes; with ``checksum_at`` None the stored checksum stays as it was."""
    changed = bytearray(block)
    changed[offset : offset + len(data)] = data
    return bytes(changed if checksum_at is None else store_checksum(changed, checksum_at))


@dataclass
class Datafile:
    """A datafile in memory: block 0, header, then the blocks given, numbered from 2."""

    block_size: int = 8192
    relative: int = 4
    number: int = 9
    bigfile: bool = False
    big_endian: bool = False
    dbid: int = 0x5A5B5C5D
    db_name: bytes = b"ORCL"
    tablespace: bytes = b"USERS"
    tablespace_number: int = 6
    compatibility: int = 0x13000000
    status: int = 0x0004
    creation_scn: int = 17_000
    resetlogs_scn: int = 1_920_977
    resetlogs_time: int = 972_923_682
    checkpoint_scn: int = 5_000_000_123
    checkpoint_thread: int = 1
    checkpoint_sequence: int = 182
    begin_backup_scn: int = 0
    file_type: int = 3
    big_scn: bool = True
    bodies: list[bytes] = field(default_factory=list)

    def rdba(self, number: int) -> int:
        return number if self.bigfile else self.relative << 22 | number

    def header(self) -> bytes:
        order = order_of(self.big_endian)
        block = bytearray(cache_block(self.block_size, 0x0B, self.rdba(1), 0, 1, big_endian=self.big_endian))

        def put(offset: int, form: str, *values: object) -> None:
            struct.pack_into(order + form, block, offset, *values)

        def put_scn(offset: int, scn: int | None) -> None:
            block[offset : offset + 8] = scn_field(scn, self.big_scn, self.big_endian)

        put(24, "II8s", self.compatibility, self.dbid, self.db_name)
        put(40, "III", 77, len(self.bodies) + 1, self.block_size)
        put(52, "HH", self.number, self.file_type)
        put_scn(100, self.creation_scn)
        put(108, "II", self.resetlogs_time, self.resetlogs_time)
        put_scn(116, self.resetlogs_scn)
        put(124, "I", self.resetlogs_time if self.begin_backup_scn else 0)
        put_scn(128, self.begin_backup_scn)
        put(136, "HH", self.checkpoint_thread, self.status)
        put(332, "IH30s", self.tablespace_number, len(self.tablespace), self.tablespace)
        put(368, "I", 1024 if self.bigfile else self.relative)
        put_scn(484, self.checkpoint_scn)
        put(492, "IHHII", self.resetlogs_time + 60, self.checkpoint_thread, 0, self.checkpoint_sequence, 2)
        return bytes(store_checksum(block))

    def data_block(self, number: int, scn: int = 9_000_000_001, seq: int = 2, body: bytes = b"row") -> bytes:
        flags = 0x06
        return cache_block(
            self.block_size, 0x06, self.rdba(number), scn, seq, body, flags, big_endian=self.big_endian
        )

    def fill(self, count: int) -> Datafile:
        """Add data blocks, every third one never used."""
        for number in range(2, count + 2):
            if number % 3 == 0:
                self.bodies.append(never_used_block(self.block_size, number, big_endian=self.big_endian))
            else:
                self.bodies.append(self.data_block(number, body=b"row %d" % number))
        return self

    def blocks(self) -> list[bytes]:
        zero = block_zero(self.block_size, len(self.bodies) + 1, flag=4, big_endian=self.big_endian)
        return [zero, self.header(), *self.bodies]

    def to_bytes(self) -> bytes:
        return b"".join(self.blocks())

    def write(self, path: Path) -> Path:
        path.write_bytes(self.to_bytes())
        return path


@dataclass
class RedoLog:
    """A log in memory. ``blocks_written`` counts the header blocks, ``blocks_allocated`` all but block 0."""

    block_size: int = 512
    blocks_written: int = 10
    blocks_allocated: int | None = None
    current: bool = False
    checksums: bool = True
    sequence: int = 182
    thread: int = 1
    dbid: int = 0x5A5B5C5D
    first_scn: int = 0xCFFEE1
    next_scn: int = 0xCFFF05
    resetlogs_id: int = 972_923_682
    resetlogs_scn: int = 1_920_977
    big_endian: bool = False

    def header(self) -> bytes:
        order = order_of(self.big_endian)
        block = bytearray(self.plain_block(1))
        struct.pack_into(order + "IIII8s", block, 12, 0, 0, 0x13000000, self.dbid, b"ORCL")
        struct.pack_into(order + "IIIHH", block, 36, 5, self.allocated(), self.block_size, 3, 2)
        nab = 0xFFFFFFFF if self.current else self.blocks_written
        struct.pack_into(order + "II", block, 156, nab, self.resetlogs_id)
        block[164:172] = scn_field(self.resetlogs_scn, False, self.big_endian)
        struct.pack_into(order + "H", block, 176, self.thread)
        block[180:188] = scn_field(self.first_scn, True, self.big_endian)
        block[192:200] = scn_field(None if self.current else self.next_scn, True, self.big_endian)
        return bytes(store_checksum(block, 14) if self.checksums else block)

    def plain_block(self, number: int, sequence: int | None = None) -> bytes:
        block = bytearray(self.block_size)
        used = self.sequence if sequence is None else sequence
        struct.pack_into(
            order_of(self.big_endian) + "BBHIIH",
            block,
            0,
            0x01,
            FORMAT_BYTES[self.block_size],
            0,
            number,
            used,
            0x8010,
        )
        block[16:40] = struct.pack("<24s", b"redo of block %d" % number)
        return bytes(store_checksum(block, 14) if self.checksums else block)

    def allocated(self) -> int:
        return self.blocks_written - 1 if self.blocks_allocated is None else self.blocks_allocated

    def blocks(self) -> list[bytes]:
        written = [self.plain_block(number) for number in range(2, self.blocks_written)]
        stale = [
            self.plain_block(number, sequence=self.sequence - 3)
            for number in range(self.blocks_written, self.allocated() + 1)
        ]
        zero = block_zero(self.block_size, self.allocated(), flag=4, big_endian=self.big_endian)
        return [zero, self.header(), *written, *stale]

    def to_bytes(self) -> bytes:
        return b"".join(self.blocks())

    def write(self, path: Path) -> Path:
        path.write_bytes(self.to_bytes())
        return path


@dataclass
class ControlFile:
    """A control file in memory with some used and some zero blocks."""

    block_size: int = 16384
    dbid: int = 0x5A5B5C5D
    file_type: int = 4
    scn: int = 0
    big_endian: bool = False

    def blocks(self) -> list[bytes]:
        order = order_of(self.big_endian)
        used = [
            cache_block(
                self.block_size, 0x15, number, self.scn, 1, b"record %d" % number, big_endian=self.big_endian
            )
            for number in range(1, 6)
        ]
        head = bytearray(used[0])
        struct.pack_into(order + "III8s", head, 20, 0x13160000, 0x13000000, self.dbid, b"ORCL")
        struct.pack_into(order + "IIIHH", head, 40, 5, 8, self.block_size, 0, self.file_type)
        zeros = bytes(self.block_size)
        zero = block_zero(self.block_size, 8, flag=4, big_endian=self.big_endian)
        return [zero, bytes(store_checksum(head)), *used[1:], zeros, zeros, zeros]

    def to_bytes(self) -> bytes:
        return b"".join(self.blocks())

    def write(self, path: Path) -> Path:
        path.write_bytes(self.to_bytes())
        return path
