# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datafiles: the header at Oracle's offsets, and files of whole blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from oracle_simulator.storage.block import examine
from oracle_simulator.storage.datafile import (
    Checkpoint,
    Datafile,
    DatafileHeader,
    HeaderStatus,
    NotADatafileHeader,
)
from oracle_simulator.storage.oracle_time import encode_time

from .independent import check_block, scn8, u2, u4, xor16

T1, T2, T3, T4 = (datetime(2026, 1, day, 10, 20, 30) for day in (1, 2, 3, 4))
HEADER = DatafileHeader(
    dbid=0x81234567,
    db_name="ORA1",
    file_number=300,
    relative_file_number=7,
    tablespace_number=9,
    tablespace_name="APP_DATA",
    blocks=640,
    creation_scn=12345,
    creation_time=T1,
    resetlogs_scn=1,
    resetlogs_id=encode_time(T1),
    prior_resetlogs_scn=5,
    prior_resetlogs_id=6,
    checkpoint=Checkpoint(2_000_000, T2, 1, 17, 4711, 16),
    backup_checkpoint=Checkpoint(1_999_999, T3, 1, 16, 3, 16),
    begin_backup_scn=1_999_998,
    begin_backup_time=T3,
    begin_backup_thread=1,
    blocks_at_begin_backup=640,
    status=HeaderStatus.HOT_BACKUP | HeaderStatus.ONLINE_FUZZY,
    checkpoint_count=55,
    control_file_checkpoint_count=54,
    control_file_sequence=99,
    recovered_until=T4,
    recovery_fuzzy_scn=7,
    recovery_fuzzy_time=T4,
    absolute_fuzzy_scn=8,
    root_dba=0x00400080,
)


def test_every_field_stands_at_its_documented_offset() -> None:
    raw = HEADER.encode()
    check_block(raw, 7 << 22 | 1, 0x0B)
    assert raw[-4:] == bytes.fromhex("010b0000")
    assert u4(raw, 24) == 0x13000000
    assert u4(raw, 28) == 0x81234567
    assert raw[32:40] == b"ORA1\0\0\0\0"
    assert (u4(raw, 40), u4(raw, 44), u4(raw, 48)) == (99, 640, 8192)
    assert (u2(raw, 52), u2(raw, 54)) == (300, 3)
    assert u4(raw, 96) == 0x00400080
    assert (scn8(raw, 100), u4(raw, 108)) == (12345, encode_time(T1))
    assert (u4(raw, 112), scn8(raw, 116)) == (encode_time(T1), 1)
    assert (u4(raw, 124), scn8(raw, 128), u2(raw, 136)) == (encode_time(T3), 1_999_998, 1)
    assert u2(raw, 138) == 0x0005
    assert (u4(raw, 140), u4(raw, 144), u4(raw, 148)) == (55, encode_time(T4), 54)
    assert (scn8(raw, 152), u4(raw, 160), u4(raw, 168)) == (1_999_999, encode_time(T3), 16)
    assert u4(raw, 312) == 640
    assert (u4(raw, 332), u2(raw, 336), raw[338:346]) == (9, 8, b"APP_DATA")
    assert u4(raw, 368) == 7
    assert (scn8(raw, 372), u4(raw, 380), scn8(raw, 384)) == (7, encode_time(T4), 8)
    assert (u4(raw, 416), scn8(raw, 420)) == (6, 5)
    assert (scn8(raw, 484), u4(raw, 492), u2(raw, 496)) == (2_000_000, encode_time(T2), 1)
    assert (u4(raw, 500), u4(raw, 504), u2(raw, 508)) == (17, 4711, 16)
    assert raw[512:520] == bytes((2, 0, 0, 0, 0, 0, 0, 0))


def test_a_header_survives() -> None:
    assert DatafileHeader.decode(HEADER.encode()) == HEADER


def test_a_bigfile_has_relative_number_1024_and_plain_block_numbers() -> None:
    header = replace(HEADER, bigfile=True, relative_file_number=1024)
    raw = header.encode()
    assert (u4(raw, 4), u4(raw, 368)) == (1, 0x400)
    assert DatafileHeader.decode(raw) == header
    assert header.rdba(70_000) == 70_000


def test_a_tempfile_says_so() -> None:
    header = replace(HEADER, temporary=True)
    assert u2(header.encode(), 54) == 6
    assert DatafileHeader.decode(header.encode()).temporary


def test_a_damaged_header_is_refused() -> None:
    raw = bytearray(HEADER.encode())
    raw[44] ^= 1
    with pytest.raises(NotADatafileHeader, match="checksum"):
        DatafileHeader.decode(bytes(raw))


def test_fuzzy_means_any_of_the_fuzzy_bits() -> None:
    assert HEADER.in_backup
    assert HEADER.fuzzy
    assert replace(HEADER, status=HeaderStatus.MEDIA_RECOVERY_FUZZY).fuzzy
    assert not replace(HEADER, status=HeaderStatus.ROOT_DBA).fuzzy


def test_a_new_file_is_whole_and_every_block_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "app01.dbf"
    Datafile.create(path, HEADER).close()
    data = path.read_bytes()
    assert len(data) == 641 * 8192
    assert (u4(data, 24), xor16(data[:8192])) == (640, 0)
    assert DatafileHeader.decode(data[8192:16384]) == HEADER
    for number in range(2, 641):
        block = data[number * 8192 : (number + 1) * 8192]
        check_block(block, number, 0)
        assert examine(block, 7 << 22 | number) is None
    assert path.stat().st_blocks * 512 >= len(data)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_only_replaced_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "app01.dbf"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        Datafile.create(path, HEADER)
    assert path.read_bytes() == b"precious"
    Datafile.create(path, HEADER, reuse=True).close()
    assert path.stat().st_size == 641 * 8192


def test_growing_adds_never_used_blocks_and_tells_both_headers(tmp_path: Path) -> None:
    path = tmp_path / "app01.dbf"
    with Datafile.create(path, HEADER) as datafile:
        datafile.resize(1000)
        assert datafile.read_header() == replace(HEADER, blocks=1000)
        check_block(datafile.read_block(1000), 1000, 0)
    data = path.read_bytes()
    assert (len(data), u4(data, 24), xor16(data[:8192])) == (1001 * 8192, 1000, 0)


def test_cutting_a_file_tells_both_headers(tmp_path: Path) -> None:
    path = tmp_path / "app01.dbf"
    with Datafile.create(path, HEADER) as datafile:
        datafile.resize(200)
        assert (datafile.blocks, datafile.read_header().blocks) == (200, 200)
    assert u4(path.read_bytes(), 24) == 200


def test_a_reader_between_the_pieces_sees_a_fractured_block(tmp_path: Path) -> None:
    path = tmp_path / "app01.dbf"
    seen = []
    with Datafile.create(path, HEADER) as datafile, Datafile.open(path, writable=False) as reader:
        new = bytes(datafile.read_block(1))
        datafile.write_block(5, new, 2, lambda: seen.append(examine(reader.read_block(5))))
        assert seen == ["fractured"]
        assert reader.read_block(5) == new


def test_reading_past_the_end_is_an_error(tmp_path: Path) -> None:
    with (
        Datafile.create(tmp_path / "a.dbf", HEADER) as datafile,
        pytest.raises(OSError, match="past the end"),
    ):
        datafile.read_block(641)


@pytest.mark.parametrize("size", [2048, 16384])
def test_the_block_size_is_found_in_block_zero(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.dbf"
    Datafile.create(path, replace(HEADER, block_size=size)).close()
    with Datafile.open(path) as datafile:
        assert datafile.block_size == size
        assert datafile.read_header().block_size == size


@pytest.mark.parametrize("size", [2048, 8192, 32768])
def test_a_damaged_block_zero_harms_nobody(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.dbf"
    Datafile.create(path, replace(HEADER, block_size=size)).close()
    with path.open("r+b") as stream:
        stream.write(bytes(40))
    with Datafile.open(path) as datafile:
        assert datafile.read_header().block_size == size


def test_updating_the_header_leaves_other_fields(tmp_path: Path) -> None:
    with Datafile.create(tmp_path / "a.dbf", HEADER) as datafile:
        datafile.update_header(checkpoint_count=77)
        assert datafile.read_header() == replace(HEADER, checkpoint_count=77)
