# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File headers: what is read from sound files, and what is said about bad ones."""

from __future__ import annotations

import os
import struct
from datetime import datetime
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    BlockZero,
    read_block_zero,
    read_control_file_header,
    read_datafile_header,
    read_redo_log_header,
)

from unit.files import oracle_file_writer as writer

both_orders = pytest.mark.parametrize("big_endian", [False, True], ids=["little", "big"])


@pytest.mark.parametrize(
    ("block_size", "count", "mode", "flag", "checksum"),
    [
        (8192, 106_240, 0o100640, 0, 0x6567),
        (512, 102_400, 0o100640, 0, 0xC867),
        (512, 67, 0o100640, 4, 0x5C25),
        (8192, 7_225, 0, 0, 0x67FF),
    ],
)
def test_block_zero_of_published_files_is_read(
    tmp_path: Path, block_size: int, count: int, mode: int, flag: int, checksum: int
) -> None:
    block = writer.block_zero(block_size, count, mode, flag)
    assert struct.unpack_from("<H", block, 16) == (checksum,)
    path = tmp_path / "f"
    path.write_bytes(block)
    assert read_block_zero(path) == BlockZero(block_size=block_size, block_count=count, big_endian=False)


@pytest.mark.parametrize("block_size", sorted(writer.FORMAT_BYTES))
@both_orders
def test_block_zero_of_every_size_and_order_is_read(
    tmp_path: Path, block_size: int, big_endian: bool
) -> None:
    path = tmp_path / "f"
    path.write_bytes(writer.block_zero(block_size, 12, big_endian=big_endian))
    assert read_block_zero(path) == BlockZero(block_size, 12, big_endian)


@pytest.mark.parametrize(
    ("offset", "data", "keep_checksum", "said"),
    [
        (0, b"\x01", False, "type 0x00"),
        (1, b"\x82", False, "format byte of 8192"),
        (20, b"\x00\x30\x00\x00", False, "block size of 512 to 32768"),
        (28, b"\x00\x00\x00\x00", False, "magic number"),
        (100, b"\x01", True, "checksum of block 0"),
    ],
)
def test_a_bad_block_zero_is_refused_with_the_reason(
    tmp_path: Path, offset: int, data: bytes, keep_checksum: bool, said: str
) -> None:
    path = tmp_path / "users01.dbf"
    block = writer.block_zero(8192, 12)
    path.write_bytes(writer.patch(block, offset, data, None if keep_checksum else 16))
    with pytest.raises(VerificationError, match=said) as caught:
        read_block_zero(path)
    assert str(path) in str(caught.value)
    assert "found" in str(caught.value)


def test_a_short_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\0" * 100)
    with pytest.raises(VerificationError, match="512 bytes, found 100"):
        read_block_zero(path)


def test_a_missing_file_is_not_a_verification_failure(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="No such file") as caught:
        read_datafile_header(tmp_path / "missing")
    assert not isinstance(caught.value, VerificationError)


@both_orders
@pytest.mark.parametrize("block_size", [2048, 4096, 8192, 16384, 32768])
def test_a_datafile_header_is_read_whole(tmp_path: Path, block_size: int, big_endian: bool) -> None:
    image = writer.Datafile(
        block_size=block_size, status=0x2005, begin_backup_scn=4_999_999_999, big_endian=big_endian
    )
    header = read_datafile_header(image.fill(3).write(tmp_path / "f"))
    assert header.dbid == image.dbid
    assert header.db_name == "ORCL"
    assert (header.file_number, header.relative_file_number, header.bigfile) == (9, 4, False)
    assert (header.block_size, header.block_count) == (block_size, 4)
    assert (header.tablespace_name, header.tablespace_number) == ("USERS", 6)
    assert header.creation_scn == 17_000
    assert header.resetlogs_scn == 1_920_977
    assert header.resetlogs_time == datetime(2018, 4, 8, 16, 34, 42)
    assert header.resetlogs_id == 972_923_682
    assert header.checkpoint_scn == 5_000_000_123
    assert (header.checkpoint_thread, header.checkpoint_sequence) == (1, 182)
    assert header.checkpoint_time == datetime(2018, 4, 8, 16, 35, 42)
    assert header.begin_backup_scn == 4_999_999_999
    assert (header.in_backup, header.fuzzy, header.status_bits) == (True, True, 0x2005)
    assert (header.compatibility, header.big_endian) == (0x13000000, big_endian)


@pytest.mark.parametrize(
    ("status", "in_backup", "fuzzy"),
    [
        (0x0000, False, False),
        (0x2000, False, False),
        (0x0004, False, True),
        (0x2004, False, True),
        (0x0001, True, True),
        (0x0010, False, True),
        (0x0040, False, True),
        (0x8000, False, False),
    ],
)
def test_status_bits_tell_backup_mode_and_fuzziness_apart(
    tmp_path: Path, status: int, in_backup: bool, fuzzy: bool
) -> None:
    header = read_datafile_header(writer.Datafile(status=status).write(tmp_path / "f"))
    assert (header.in_backup, header.fuzzy) == (in_backup, fuzzy)


def test_a_bigfile_is_recognised(tmp_path: Path) -> None:
    header = read_datafile_header(writer.Datafile(bigfile=True).write(tmp_path / "f"))
    assert header.bigfile
    assert header.relative_file_number == 1024


def test_an_open_descriptor_is_read_and_left_where_it_was(tmp_path: Path) -> None:
    path = writer.Datafile().fill(1).write(tmp_path / "f")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.lseek(descriptor, 123, os.SEEK_SET)
        assert read_datafile_header(descriptor).db_name == "ORCL"
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 123
    finally:
        os.close(descriptor)


@both_orders
def test_a_header_is_readable_behind_a_damaged_block_zero_if_the_block_size_is_known(
    tmp_path: Path, big_endian: bool
) -> None:
    image = writer.Datafile(big_endian=big_endian)
    path = tmp_path / "f"
    path.write_bytes(bytes(8192) + image.header())
    with pytest.raises(VerificationError):
        read_datafile_header(path)
    assert read_datafile_header(path, block_size=8192).checkpoint_scn == image.checkpoint_scn


@pytest.mark.parametrize(
    ("offset", "data", "keep_checksum", "said"),
    [
        (0, b"\x06", False, "type 0x0b"),
        (8192 - 4, b"\xff", False, "tail 0x00000b01"),
        (28, b"\x00", True, "checksum of a datafile header"),
        (48, b"\x00\x40\x00\x00", False, "block size 8192 in the file header, found 16384"),
        (54, b"\x02\x00", False, "file type 3"),
        (336, b"\x1f\x00", False, "tablespace name"),
        (100, b"\xff" * 8, False, "SCN at offset 100"),
        (492, struct.pack("<I", (31 + 30) * 86400), False, "time at offset 492"),
        (368, struct.pack("<I", 0), False, "relative file number of 1 to 1024, found 0"),
        (368, struct.pack("<I", 1025), False, "relative file number of 1 to 1024, found 1025"),
    ],
)
def test_a_bad_datafile_header_is_refused_with_the_reason(
    tmp_path: Path, offset: int, data: bytes, keep_checksum: bool, said: str
) -> None:
    image = writer.Datafile()
    blocks = image.blocks()
    path = tmp_path / "users01.dbf"
    path.write_bytes(blocks[0] + writer.patch(blocks[1], offset, data, None if keep_checksum else 16))
    with pytest.raises(VerificationError, match=said) as caught:
        read_datafile_header(path)
    assert str(path) in str(caught.value)


@both_orders
@pytest.mark.parametrize("block_size", [512, 1024, 4096])
def test_an_archived_log_header_is_read(tmp_path: Path, block_size: int, big_endian: bool) -> None:
    image = writer.RedoLog(block_size=block_size, blocks_written=68, big_endian=big_endian)
    header = read_redo_log_header(image.write(tmp_path / "f"))
    assert (header.dbid, header.db_name) == (image.dbid, "ORCL")
    assert (header.thread, header.sequence) == (1, 182)
    assert (header.resetlogs_id, header.resetlogs_scn) == (972_923_682, 1_920_977)
    assert (header.first_scn, header.next_scn) == (0xCFFEE1, 0xCFFF05)
    assert (header.block_size, header.block_count, header.next_available_block) == (block_size, 67, 68)
    assert header.archived
    assert header.size_bytes_expected == (tmp_path / "f").stat().st_size


def test_a_current_log_has_no_end_yet(tmp_path: Path) -> None:
    image = writer.RedoLog(blocks_allocated=30, current=True)
    header = read_redo_log_header(image.write(tmp_path / "f"))
    assert (header.next_scn, header.next_available_block, header.size_bytes_expected) == (None, None, None)
    assert not header.archived


def test_a_log_without_checksums_has_a_readable_header(tmp_path: Path) -> None:
    header = read_redo_log_header(writer.RedoLog(checksums=False).write(tmp_path / "f"))
    assert header.sequence == 182


@pytest.mark.parametrize(
    ("offset", "data", "said"),
    [
        (0, b"\x0b", "type 0x01"),
        (4, b"\x02", "block number 1"),
        (50, b"\x03", "file type 2"),
        (156, b"\x0b\x00\x00\x00", "next available block of 2 to 10, found 11"),
        (180, b"\xff" * 8, "SCN at offset 180"),
    ],
)
def test_a_bad_log_header_is_refused_with_the_reason(
    tmp_path: Path, offset: int, data: bytes, said: str
) -> None:
    blocks = writer.RedoLog(blocks_written=10).blocks()
    path = tmp_path / "f"
    path.write_bytes(blocks[0] + writer.patch(blocks[1], offset, data, 14))
    with pytest.raises(VerificationError, match=said):
        read_redo_log_header(path)


@both_orders
def test_a_control_file_header_is_read(tmp_path: Path, big_endian: bool) -> None:
    image = writer.ControlFile(big_endian=big_endian)
    header = read_control_file_header(image.write(tmp_path / "f"))
    assert (header.dbid, header.db_name) == (image.dbid, "ORCL")
    assert (header.block_size, header.block_count, header.file_type) == (16384, 8, 4)


def test_a_datafile_is_not_taken_for_a_control_file_or_log(tmp_path: Path) -> None:
    path = writer.Datafile().write(tmp_path / "f")
    with pytest.raises(VerificationError, match="type 0x15"):
        read_control_file_header(path)
    with pytest.raises(VerificationError, match="type 0x01"):
        read_redo_log_header(path)
