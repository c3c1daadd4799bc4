# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the first two blocks of a datafile, redo log or control file say about the file.

Offsets are those of the structures kcbh, kcvfh and kccfh as block editors and redo readers show them; they
have not moved since Oracle 10g. All readers take a path or an open descriptor, leave the descriptor's
position alone, and raise VerificationError naming the file, what was expected and what was found; BackupError
if it cannot be read.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal, Union

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_zero import (
    BlockReader,
    BlockZero,
    PathOrDescriptor,
    Source,
    acceptable_format_bytes,
    parse_block_zero,
    read_block_zero,
    require,
    unexpected,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.checksum import xor_words
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.scn import (
    decode_oracle_time,
    decode_scn,
)

__all__ = [
    "BlockZero",
    "ControlFileHeader",
    "DatafileHeader",
    "FileHeader",
    "FileKind",
    "RedoLogHeader",
    "parse_control_file_header",
    "parse_datafile_header",
    "parse_redo_log_header",
    "read_block_zero",
    "read_control_file_header",
    "read_datafile_header",
    "read_redo_log_header",
]

_DATAFILE_BLOCK_SIZES = (2048, 4096, 8192, 16384, 32768)
_BIGFILE_RELATIVE_NUMBER = 1024
_OPEN_ENDED = 0xFFFFFFFF
_CHECKSUM_STORED = 0x04
_HOT_BACKUP = 0x0001
# hot backup, online, media recovery, absolute, proxy copy, standby apply
_FUZZY = 0x0001 | 0x0004 | 0x0010 | 0x0040 | 0x1000 | 0x4000


class FileKind(Enum):
    """The four families of database files this collection copies."""

    DATAFILE = "datafile"
    TEMPFILE = "tempfile"
    CONTROL = "control"
    REDO = "redo"


@dataclass(frozen=True)
class DatafileHeader:
    """Block 1 of a datafile or tempfile. Times are naive local times of the database server.

    ``relative_file_number`` is 1024 for a bigfile. ``resetlogs_id`` is the undecoded ``resetlogs_time``: the
    value of V$ARCHIVED_LOG.RESETLOGS_ID. ``begin_backup_scn`` keeps its value after END BACKUP; ``in_backup``
    tells whether the file is in backup mode. ``checkpoint_sequence`` is the first log, of
    ``checkpoint_thread``, that recovery needs. ``compatibility`` is the COMPATIBLE setting as four bytes:
    0x13000000 for 19.
    """

    dbid: int
    db_name: str
    file_number: int
    relative_file_number: int
    bigfile: bool
    block_size: int
    block_count: int
    tablespace_name: str
    tablespace_number: int
    creation_scn: int
    resetlogs_scn: int
    resetlogs_time: datetime
    resetlogs_id: int
    checkpoint_scn: int
    checkpoint_thread: int
    checkpoint_sequence: int
    checkpoint_time: datetime
    begin_backup_scn: int | None
    in_backup: bool
    fuzzy: bool
    status_bits: int
    compatibility: int
    file_type: int
    big_endian: bool


@dataclass(frozen=True)
class RedoLogHeader:
    """Block 1 of an online or archived log.

    ``block_count`` is block 0's: the log's size, without block 0. ``next_scn`` and ``next_available_block``
    are None while the log is current. ``size_bytes_expected`` is what the archived log must have, None while
    the log is current; an online log is at least that large.
    """

    dbid: int
    db_name: str
    thread: int
    sequence: int
    resetlogs_id: int
    resetlogs_scn: int
    first_scn: int
    next_scn: int | None
    block_size: int
    block_count: int
    next_available_block: int | None
    size_bytes_expected: int | None
    big_endian: bool

    @property
    def archived(self) -> bool:
        """True if the file was cut to its redo, as the archiver does."""
        return self.next_available_block == self.block_count + 1


@dataclass(frozen=True)
class ControlFileHeader:
    """Block 1 of a control file. ``file_type`` is 1, or 4 for a backup control file."""

    dbid: int
    db_name: str
    block_size: int
    block_count: int
    file_type: int
    big_endian: bool


FileHeader = Union[DatafileHeader, RedoLogHeader, ControlFileHeader]


def read_datafile_header(path_or_fd: PathOrDescriptor, block_size: int | None = None) -> DatafileHeader:
    """Read a datafile's or tempfile's header.

    With ``block_size`` given (from V$DATAFILE), block 0 is not consulted: a database runs with a damaged one.
    """
    with Source(path_or_fd) as source:
        return parse_datafile_header(source.name, source.read, block_size)


def read_redo_log_header(path_or_fd: PathOrDescriptor) -> RedoLogHeader:
    with Source(path_or_fd) as source:
        return parse_redo_log_header(source.name, source.read)


def read_control_file_header(path_or_fd: PathOrDescriptor) -> ControlFileHeader:
    with Source(path_or_fd) as source:
        return parse_control_file_header(source.name, source.read)


def parse_datafile_header(name: str, read: BlockReader, block_size: int | None = None) -> DatafileHeader:
    """As :func:`read_datafile_header`, on bytes from anywhere."""
    if block_size is None:
        zero = parse_block_zero(name, read)
        block_size, big_endian = zero.block_size, zero.big_endian
        require(name, "a datafile's block size", block_size, block_size in _DATAFILE_BLOCK_SIZES)
        block = _Fields(name, read(block_size, block_size), block_size, big_endian)
    else:
        raw = read(block_size, block_size)
        # The block size, known already, shows in which byte order the header was written.
        big_endian = raw[48:52] == struct.pack(">I", block_size)
        block = _Fields(name, raw, block_size, big_endian)
    block.require_ordinary_block(0x0B, "a datafile header")
    require(name, f"block size {block_size} in the file header", block.u4(48), block.u4(48) == block_size)
    file_type = block.u2(54)
    require(name, "file type 3 (data) or 6 (temporary)", file_type, file_type in (3, 6))
    name_length = block.u2(336)
    require(name, "a tablespace name of 1 to 30 bytes", name_length, 1 <= name_length <= 30)
    status_bits = block.u2(138)
    relative_file_number = block.u4(368)
    require(
        name,
        f"a relative file number of 1 to {_BIGFILE_RELATIVE_NUMBER}",
        relative_file_number,
        1 <= relative_file_number <= _BIGFILE_RELATIVE_NUMBER,
    )
    return DatafileHeader(
        dbid=block.u4(28),
        db_name=block.text(32, 8),
        file_number=block.u2(52),
        relative_file_number=relative_file_number,
        bigfile=relative_file_number == _BIGFILE_RELATIVE_NUMBER,
        block_size=block_size,
        block_count=block.u4(44),
        tablespace_name=block.text(338, name_length),
        tablespace_number=block.u4(332),
        creation_scn=block.scn(100),
        resetlogs_scn=block.scn(116),
        resetlogs_time=block.time(112),
        resetlogs_id=block.u4(112),
        checkpoint_scn=block.scn(484),
        checkpoint_thread=block.u2(496),
        checkpoint_sequence=block.u4(500),
        checkpoint_time=block.time(492),
        begin_backup_scn=block.scn_or_none(128),
        in_backup=bool(status_bits & _HOT_BACKUP),
        fuzzy=bool(status_bits & _FUZZY),
        status_bits=status_bits,
        compatibility=block.u4(24),
        file_type=file_type,
        big_endian=big_endian,
    )


def parse_redo_log_header(name: str, read: BlockReader) -> RedoLogHeader:
    """As :func:`read_redo_log_header`, on bytes from anywhere."""
    zero = parse_block_zero(name, read)
    size = zero.block_size
    block = _Fields(name, read(size, size), size, zero.big_endian)
    block.require_first_bytes(0x01, "a redo log block")
    require(name, "block number 1 in the log header", block.u4(4), block.u4(4) == 1)
    # With DB_BLOCK_CHECKSUM=OFF the field stays 0 and says nothing.
    if block.u2(14):
        block.require_checksum("the log header")
    require(name, f"block size {size} in the log header", block.u4(44), block.u4(44) == size)
    require(name, "file type 2 (redo log)", block.u2(50), block.u2(50) == 2)
    next_available = None if block.u4(156) == _OPEN_ENDED else block.u4(156)
    require(
        name,
        f"a next available block of 2 to {zero.block_count + 1}",
        next_available,
        next_available is None or 2 <= next_available <= zero.block_count + 1,
    )
    return RedoLogHeader(
        dbid=block.u4(24),
        db_name=block.text(28, 8),
        thread=block.u2(176),
        sequence=block.u4(8),
        resetlogs_id=block.u4(160),
        resetlogs_scn=block.scn(164),
        first_scn=block.scn(180),
        next_scn=block.scn_or_none(192),
        block_size=size,
        block_count=zero.block_count,
        next_available_block=next_available,
        size_bytes_expected=None if next_available is None else next_available * size,
        big_endian=zero.big_endian,
    )


def parse_control_file_header(name: str, read: BlockReader) -> ControlFileHeader:
    """As :func:`read_control_file_header`, on bytes from anywhere."""
    zero = parse_block_zero(name, read)
    size = zero.block_size
    block = _Fields(name, read(size, size), size, zero.big_endian)
    block.require_ordinary_block(0x15, "a control file header")
    require(name, f"block size {size} in the file header", block.u4(48), block.u4(48) == size)
    require(name, "file type 1 or 4 (control file)", block.u2(54), block.u2(54) in (1, 4))
    return ControlFileHeader(
        dbid=block.u4(28),
        db_name=block.text(32, 8),
        block_size=size,
        block_count=zero.block_count,
        file_type=block.u2(54),
        big_endian=zero.big_endian,
    )


class _Fields:
    """One block and its byte order; the offsets are decimal, as in the sources."""

    def __init__(self, name: str, block: bytes, block_size: int, big_endian: bool) -> None:
        require(name, f"a block 1 of {block_size} bytes", len(block), len(block) == block_size)
        self._name = name
        self._block = block
        self._order: Literal["big", "little"] = "big" if big_endian else "little"
        self._big_endian = big_endian

    def u2(self, offset: int) -> int:
        return int.from_bytes(self._block[offset : offset + 2], self._order)

    def u4(self, offset: int) -> int:
        return int.from_bytes(self._block[offset : offset + 4], self._order)

    def scn_or_none(self, offset: int) -> int | None:
        return decode_scn(self._block[offset : offset + 8], self._big_endian)

    def scn(self, offset: int) -> int:
        value = self.scn_or_none(offset)
        if value is None:
            raise unexpected(self._name, f"an SCN at offset {offset} of block 1", "none (all ones)")
        return value

    def time(self, offset: int) -> datetime:
        try:
            return decode_oracle_time(self.u4(offset))
        except VerificationError as exc:
            raise unexpected(self._name, f"a time at offset {offset} of block 1", self.u4(offset)) from exc

    def text(self, offset: int, length: int) -> str:
        raw = self._block[offset : offset + length].rstrip(b"\0")
        # Names are in the database character set, which the header does not tell; what is not UTF-8 stays
        # readable.
        return raw.decode("utf-8", errors="backslashreplace")

    def require_first_bytes(self, block_type: int, what: str) -> None:
        found = self._block[:2]
        wanted = acceptable_format_bytes(len(self._block))
        require(
            self._name,
            f"type 0x{block_type:02x} and format 0x{wanted[0]:02x} of {what}",
            f"0x{found[0]:02x} and 0x{found[1]:02x}",
            found[0] == block_type and found[1] in wanted,
        )

    def require_checksum(self, what: str) -> None:
        residual = xor_words(self._block, self._big_endian)
        require(self._name, f"a checksum of {what} that leaves 0", f"0x{residual:04x}", residual == 0)

    def require_ordinary_block(self, block_type: int, what: str) -> None:
        self.require_first_bytes(block_type, what)
        tail = (self.u4(8) & 0xFFFF) << 16 | block_type << 8 | self._block[14]
        found = self.u4(len(self._block) - 4)
        require(self._name, f"tail 0x{tail:08x} of {what}", f"0x{found:08x}", found == tail)
        if self._block[15] & _CHECKSUM_STORED:
            self.require_checksum(what)
