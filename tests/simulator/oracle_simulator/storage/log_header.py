# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log header, block 1 of an online or archived redo log, and the 16-byte header of every redo block."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oracle_simulator.storage.block import FileType, fold, format_byte
from oracle_simulator.storage.datafile_header import COMPATIBILITY_19
from oracle_simulator.storage.oracle_time import decode_time, encode_time
from oracle_simulator.storage.scn import decode_scn, encode_scn

BLOCK_HEADER_SIZE = 16
FIRST_RECORD_BLOCK = 2
UNKNOWN_BLOCK = 0xFFFFFFFF
_SHOWN_WHILE_CURRENT = 0xFFFFFFFFFFFFFFFF

BLOCK_HEADER = struct.Struct("<BBHIIHH")
CHECKSUM_OFFSET = 14
ORDINARY_BLOCK = 0x8000
_CHECKSUM = struct.Struct("<H")

# Oracle's offsets: (field of LogHeader, offset, struct code).
_NUMBERS = (
    ("compatibility", 20, "I"),
    ("dbid", 24, "I"),
    ("control_file_sequence", 36, "I"),
    ("size_blocks", 40, "I"),
    ("block_size", 44, "I"),
    ("group", 48, "H"),
    ("activation_id", 52, "I"),
    ("resetlogs_id", 160, "I"),
    ("header_write_sequence", 172, "I"),
    ("thread", 176, "H"),
    ("flags", 236, "I"),
    ("prior_resetlogs_id", 292, "I"),
)
_SCNS = (
    ("resetlogs_scn", 164),
    ("first_scn", 180),
    ("enabled_scn", 208),
    ("prior_resetlogs_scn", 284),
)
_TIMES = (("first_time", 188), ("next_time", 200), ("enabled_time", 216))
_DB_NAME = slice(28, 36)
_FILE_TYPE_OFFSET = 50
_DESCRIPTION = slice(92, 156)
_NEXT_AVAILABLE_OFFSET = 156
_NEXT_SCN_OFFSET = 192
_REAL_NEXT_SCN_OFFSET = 272
_END_OF_THREAD_OFFSET = 204
_FORMAT_ID_OFFSET = 207
_FORMAT_ID_19 = 0x12


class RedoUnreadable(Exception):
    """The operating system could not read ``blocks`` blocks of a log from ``block_number`` on."""

    def __init__(self, path: str, block_number: int, blocks: int, problem: OSError) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.block_number = block_number
        self.blocks = blocks
        self.problem = problem


class RedoCorrupt(Exception):
    """Damage inside redo that must be whole. ``block_number`` is None when the file as a whole is wrong."""

    def __init__(self, path: str, reason: str, block_number: int | None = None) -> None:
        self.path = path
        self.reason = reason
        self.block_number = block_number
        place = "" if block_number is None else f" in block {block_number}"
        super().__init__(f"{path}: {reason}{place}")


@dataclass(frozen=True)
class LogHeader:
    """What a log says of itself.

    ``next_scn``, ``next_time`` and ``next_available_block`` are None while the log is current;
    ``next_available_block`` counts the written blocks, block 0 included, so it is the number of the first
    block not written. ``size_blocks`` is the size of the online log without block 0 and stays in the
    archived copy. ``end_of_thread`` marks the last log of a closed branch.
    """

    dbid: int
    db_name: str
    thread: int
    sequence: int
    group: int
    size_blocks: int
    first_scn: int
    first_time: datetime | None
    next_scn: int | None = None
    next_time: datetime | None = None
    next_available_block: int | None = None
    block_size: int = 512
    resetlogs_id: int = 0
    resetlogs_scn: int = 0
    prior_resetlogs_id: int = 0
    prior_resetlogs_scn: int = 0
    enabled_scn: int = 0
    enabled_time: datetime | None = None
    activation_id: int = 0
    control_file_sequence: int = 0
    header_write_sequence: int = 1
    flags: int = 0
    end_of_thread: bool = False
    compatibility: int = COMPATIBILITY_19

    @property
    def current(self) -> bool:
        """Whether the log was still being written when this header was."""
        return self.next_available_block is None

    @property
    def description(self) -> str:
        """The text of the header in the wording of 12.2 and later."""
        last = _SHOWN_WHILE_CURRENT if self.next_scn is None else self.next_scn
        return f"T {self.thread:04d}, S {self.sequence:010d}, SCN 0x{self.first_scn:016x}-0x{last:016x}"

    def encode(self) -> bytes:
        """Block 1, with its checksum."""
        buf = bytearray(self.block_size)
        BLOCK_HEADER.pack_into(
            buf, 0, 1, format_byte(self.block_size), 0, 1, self.sequence, ORDINARY_BLOCK, 0
        )
        for name, offset, code in _NUMBERS:
            struct.pack_into(f"<{code}", buf, offset, getattr(self, name))
        for name, offset in _SCNS:
            buf[offset : offset + 8] = encode_scn(getattr(self, name))
        for name, offset in _TIMES:
            struct.pack_into("<I", buf, offset, encode_time(getattr(self, name)))
        buf[_DB_NAME] = self.db_name.encode("ascii").ljust(8, b"\0")[:8]
        struct.pack_into("<H", buf, _FILE_TYPE_OFFSET, FileType.REDO)
        buf[_DESCRIPTION] = self.description.encode("ascii").ljust(64, b"\0")
        nab = UNKNOWN_BLOCK if self.next_available_block is None else self.next_available_block
        struct.pack_into("<I", buf, _NEXT_AVAILABLE_OFFSET, nab)
        for offset in (_NEXT_SCN_OFFSET, _REAL_NEXT_SCN_OFFSET):
            buf[offset : offset + 8] = encode_scn(self.next_scn)
        buf[_END_OF_THREAD_OFFSET] = self.end_of_thread
        buf[_FORMAT_ID_OFFSET] = _FORMAT_ID_19
        _CHECKSUM.pack_into(buf, CHECKSUM_OFFSET, fold(buf))
        return bytes(buf)

    @classmethod
    def decode(cls, block: bytes, path: str = "") -> LogHeader:
        """The header in block 1 of a log; ``path`` is for messages. Raises RedoCorrupt."""
        if len(block) < 512:
            raise RedoCorrupt(path, "no log header")
        signature, frmt, _zero, number, sequence, _first, _check = BLOCK_HEADER.unpack_from(block, 0)
        (file_type,) = struct.unpack_from("<H", block, _FILE_TYPE_OFFSET)
        if (signature, frmt, number, file_type) != (1, format_byte(len(block)), 1, FileType.REDO):
            raise RedoCorrupt(path, "not a log header", 1)
        if fold(block):
            raise RedoCorrupt(path, "bad checksum", 1)
        (nab,) = struct.unpack_from("<I", block, _NEXT_AVAILABLE_OFFSET)
        fields: dict[str, Any] = {
            "sequence": sequence,
            "db_name": block[_DB_NAME].rstrip(b"\0").decode("ascii"),
            "next_scn": decode_scn(block, _NEXT_SCN_OFFSET),
            "next_available_block": None if nab == UNKNOWN_BLOCK else nab,
            "end_of_thread": bool(block[_END_OF_THREAD_OFFSET]),
        }
        for name, offset, code in _NUMBERS:
            (fields[name],) = struct.unpack_from(f"<{code}", block, offset)
        for name, offset in _SCNS:
            fields[name] = decode_scn(block, offset) or 0
        for name, offset in _TIMES:
            fields[name] = decode_time(*struct.unpack_from("<I", block, offset))
        return cls(**fields)
