# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redo: records, blocks, logs, archived copies; and every way in which a log can be damaged."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle_simulator.storage.block import BlockVersion
from oracle_simulator.storage.disk import PLAIN_DISK
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_log import (
    LogHeader,
    RedoCorrupt,
    RedoLogFile,
    archived_copy_plan,
    blocks_needed,
    closed,
    finish_archived_copy,
    pack_records,
    read_log_header,
    read_records,
)
from oracle_simulator.storage.redo_record import (
    BeginBackup,
    BlockVector,
    CleanClose,
    CrashRecovered,
    EndBackup,
    FileCreated,
    FileDropped,
    FileResized,
    Format,
    Image,
    Put,
    RecordFlag,
    RedoDecodeError,
    RedoRecord,
    Remove,
    TablespaceCreated,
    TablespaceDropped,
    TablespaceState,
)

from .independent import scn8, u2, u4, xor16

NOW = datetime(2026, 3, 4, 5, 6, 7)
HEADER = LogHeader(
    dbid=0x81234567,
    db_name="ORA1",
    thread=1,
    sequence=182,
    group=2,
    size_blocks=2048,
    first_scn=0xCFFEE1,
    first_time=NOW,
    resetlogs_id=encode_time(NOW),
    resetlogs_scn=9,
    prior_resetlogs_scn=1,
    prior_resetlogs_id=3,
    activation_id=44,
)


def record(scn: int, size: int = 40) -> RedoRecord:
    rows = (Put(1, bytes([scn % 251]) * size),)
    return RedoRecord(scn, NOW, (BlockVector(4, 200, BlockVersion(scn - 1, 1), 1, rows),))


def write_log(path: Path, flushes: Sequence[Sequence[RedoRecord]], header: LogHeader = HEADER) -> int:
    """A current log with these flushes; the next free block."""
    log = RedoLogFile.create(path, header.size_blocks, header.block_size)
    log.write_header(header)
    block = 2
    for flush in flushes:
        packed = pack_records([entry.encode() for entry in flush], block, header.sequence, header.block_size)
        log.write_blocks(block, packed.data)
        block += packed.block_count
    log.fsync()
    log.close()
    return block


def end_log(path: Path, next_block: int, next_scn: int) -> None:
    log = RedoLogFile.open(path)
    log.write_header(closed(log.read_header(), next_scn, NOW, next_block))
    log.close()


def archive(source: Path, target: Path) -> None:
    plan = archived_copy_plan(read_log_header(source))
    data = source.read_bytes()
    with PLAIN_DISK.open(target, os.O_RDWR | os.O_CREAT) as file:
        file.write_at(data[plan.first_byte : plan.size_bytes], plan.first_byte)
        finish_archived_copy(file, plan)


@pytest.fixture
def archived(tmp_path: Path) -> Path:
    """An archived log of 60 records in 20 flushes, some of several blocks."""
    scns = iter(range(1, 1000))
    flushes = [[record(next(scns), size) for size in (30, 700, 2500)] for _ignored in range(20)]
    end = write_log(tmp_path / "redo.log", flushes)
    end_log(tmp_path / "redo.log", end, 61)
    archive(tmp_path / "redo.log", tmp_path / "182.arc")
    return tmp_path / "182.arc"


OPERATIONS = st.one_of(
    st.builds(Put, st.integers(0, 65535), st.binary(max_size=300)),
    st.builds(Remove, st.integers(0, 65535)),
    st.builds(Format, st.integers(0, 255), st.integers(0, 2**32 - 1)),
    st.builds(Image, st.binary(min_size=512, max_size=8192)),
)
VECTORS = st.one_of(
    st.builds(
        BlockVector,
        st.integers(1, 65535),
        st.integers(0, 2**32 - 1),
        st.builds(BlockVersion, st.integers(0, 2**48), st.integers(0, 255)),
        st.integers(1, 254),
        st.lists(OPERATIONS, min_size=1, max_size=6).map(tuple),
    ),
    st.sampled_from(
        [
            TablespaceCreated(5, "DATA", False, "PERMANENT"),
            TablespaceDropped(5, "DATA"),
            FileCreated(6, 6, 5, "/u01/Daten fünf.dbf", 1280, 8192, 100, 200),
            FileResized(6, 2560),
            FileDropped(6),
            BeginBackup(6, 1234),
            EndBackup(6, 1234),
            TablespaceState(5, "read_only", (6, 7)),
            CleanClose(1),
            CrashRecovered(1),
        ]
    ),
)


@given(
    st.builds(
        RedoRecord,
        st.integers(1, 2**48 - 1),
        st.just(NOW),
        st.lists(VECTORS, max_size=5).map(tuple),
        st.sampled_from(list(RecordFlag)),
        st.integers(0, 2**63),
        st.integers(1, 8),
    )
)
def test_every_record_survives(entry: RedoRecord) -> None:
    data = entry.encode()
    assert len(data) % 4 == 0
    assert RedoRecord.decode(data) == entry


def test_the_record_header_is_as_documented() -> None:
    data = record(5 << 32 | 7).encode()
    assert u4(data, 0) == len(data)
    assert data[4] & 0x04
    assert (u2(data, 6), u4(data, 8)) == (5, 7)
    assert (scn8(data, 40), u4(data, 64)) == (5 << 32 | 7, encode_time(NOW))


@pytest.mark.parametrize("cut", [4, 80, 100])
def test_a_record_cut_short_is_refused(cut: int) -> None:
    data = record(5).encode()
    short = bytearray(data[:-cut])
    struct.pack_into("<I", short, 0, len(short))
    with pytest.raises(RedoDecodeError):
        RedoRecord.decode(bytes(short))


def test_the_log_header_is_as_documented() -> None:
    raw = closed(HEADER, 0xCFFF05, NOW, 67).encode()
    assert len(raw) == 512
    assert xor16(raw) == 0
    assert (raw[0], raw[1], u4(raw, 4), u4(raw, 8)) == (1, 0x22, 1, 182)
    assert (u4(raw, 24), raw[28:36]) == (0x81234567, b"ORA1\0\0\0\0")
    assert (u4(raw, 40), u4(raw, 44), u2(raw, 48), u2(raw, 50)) == (2048, 512, 2, 2)
    assert u4(raw, 52) == 44
    text = b"T 0001, S 0000000182, SCN 0x0000000000cffee1-0x0000000000cfff05"
    assert raw[92:156] == text + b"\0"
    assert (u4(raw, 156), u4(raw, 160), scn8(raw, 164)) == (67, encode_time(NOW), 9)
    assert u2(raw, 176) == 1
    assert (scn8(raw, 180), u4(raw, 188)) == (0xCFFEE1, encode_time(NOW))
    assert (scn8(raw, 192), u4(raw, 200)) == (0xCFFF05, encode_time(NOW))
    assert (scn8(raw, 272), scn8(raw, 284), u4(raw, 292)) == (0xCFFF05, 1, 3)


def test_a_current_log_does_not_know_its_end() -> None:
    raw = HEADER.encode()
    assert u4(raw, 156) == 0xFFFFFFFF
    assert raw[192:200] == b"\xff" * 8
    assert LogHeader.decode(raw) == HEADER
    assert HEADER.current


def test_a_log_header_survives() -> None:
    header = closed(HEADER, 0xCFFF05, NOW, 67)
    assert LogHeader.decode(header.encode()) == header
    assert not header.current


@pytest.mark.parametrize("block_size", [512, 4096])
@pytest.mark.parametrize("count", [1, 3, 40])
def test_packed_blocks_are_sound_and_say_where_records_start(block_size: int, count: int) -> None:
    records = [record(scn, 150).encode() for scn in range(1, count + 1)]
    packed = pack_records(records, 77, 5, block_size)
    assert len(packed.data) == packed.block_count * block_size
    assert packed.block_count == blocks_needed([len(data) for data in records], block_size)
    firsts: dict[int, int] = {}
    for number, place in packed.addresses:
        firsts.setdefault(number, place)
    for index in range(packed.block_count):
        block = packed.data[index * block_size : (index + 1) * block_size]
        assert xor16(block) == 0
        assert (block[0], block[1]) == (1, {512: 0x22, 4096: 0x82}[block_size])
        assert (u4(block, 4), u4(block, 8)) == (77 + index, 5)
        assert u2(block, 12) & 0x8000
        assert u2(block, 12) & 0x7FFF == firsts.get(77 + index, 0)
    for data, (block_number, offset) in zip(records, packed.addresses, strict=True):
        start = (block_number - 77) * block_size + offset
        assert u4(packed.data, start) == len(data)
        assert offset % 4 == 0
        assert offset <= block_size - 24


def test_the_quick_and_the_vectorised_packing_agree() -> None:
    records = [record(scn, 300).encode() for scn in range(1, 30)]
    together = pack_records(records, 2, 9).data
    apart = b""
    block = 2
    for data in records:
        packed = pack_records([data], block, 9)
        apart += packed.data
        block += packed.block_count
    assert len(together) < len(apart)
    payload = b"".join(together[at + 16 : at + 512] for at in range(0, len(together), 512))
    assert all(data in payload for data in records)


def test_all_records_of_a_current_log_are_read_with_their_addresses(tmp_path: Path) -> None:
    rng = random.Random(7)
    scns = iter(range(1, 10_000))
    flushes = [
        [record(next(scns), rng.randrange(0, 3000)) for _record in range(rng.choice((1, 2, 30)))]
        for _flush in range(25)
    ]
    end = write_log(tmp_path / "redo.log", flushes, replace(HEADER, size_blocks=8000))
    entries = list(read_records(tmp_path / "redo.log"))
    assert [entry.record for entry in entries] == [entry for flush in flushes for entry in flush]
    assert entries[-1].end_block == end
    for entry in entries:
        sequence, block, offset = entry.address
        assert sequence == 182
        data = (tmp_path / "redo.log").read_bytes()[block * 512 + offset :][:12]
        assert u4(data, 8) == entry.record.scn


def test_reading_may_start_at_the_block_of_any_flush(tmp_path: Path) -> None:
    flushes = [[record(scn, 600), record(scn + 1, 10)] for scn in range(1, 21, 2)]
    write_log(tmp_path / "redo.log", flushes)
    entries = list(read_records(tmp_path / "redo.log"))
    start = entries[8].address
    assert start.offset == 16
    assert list(read_records(tmp_path / "redo.log", start.block)) == entries[8:]


def test_a_current_log_ends_before_leftovers_of_an_older_sequence(tmp_path: Path) -> None:
    path = tmp_path / "redo.log"
    write_log(path, [[record(scn, 800)] for scn in range(1, 30)])
    log = RedoLogFile.open(path)
    header = replace(HEADER, sequence=185)
    log.write_header(header)
    log.write_blocks(2, pack_records([record(100).encode()], 2, 185).data)
    log.close()
    assert [entry.record.scn for entry in read_records(path)] == [100]


def test_a_torn_last_flush_of_a_current_log_loses_only_its_own_records(tmp_path: Path) -> None:
    path = tmp_path / "redo.log"
    end = write_log(path, [[record(1)], [record(2, 3000)]])
    with path.open("r+b") as file:
        file.seek((end - 1) * 512)
        file.write(bytes(512))
    assert [entry.record.scn for entry in read_records(path)] == [1]


def test_an_empty_current_log_has_no_records(tmp_path: Path) -> None:
    write_log(tmp_path / "redo.log", [])
    assert list(read_records(tmp_path / "redo.log")) == []


def test_an_archived_copy_has_exactly_the_written_blocks(archived: Path) -> None:
    data = archived.read_bytes()
    nab = u4(data, 512 + 156)
    assert len(data) == nab * 512
    assert (u4(data, 20), u4(data, 24), xor16(data[:512])) == (512, nab - 1, 0)
    assert u4(data, 512 + 40) == 2048
    for number in range(1, nab):
        block = data[number * 512 : (number + 1) * 512]
        assert (u4(block, 4), u4(block, 8), xor16(block)) == (number, 182, 0)
    assert [entry.record.scn for entry in read_records(archived)] == list(range(1, 61))


def test_a_current_log_cannot_be_archived() -> None:
    with pytest.raises(ValueError, match="current"):
        archived_copy_plan(HEADER)


def test_a_damaged_block_in_an_archived_log_is_named(archived: Path) -> None:
    with archived.open("r+b") as file:
        file.seek(30 * 512 + 200)
        byte = file.read(1)
        file.seek(30 * 512 + 200)
        file.write(bytes([byte[0] ^ 4]))
    with pytest.raises(RedoCorrupt) as caught:
        list(read_records(archived))
    assert caught.value.block_number == 30


def test_a_block_of_another_sequence_in_an_archived_log_is_damage(archived: Path) -> None:
    stray = pack_records([record(5).encode()], 30, 181).data
    with archived.open("r+b") as file:
        file.seek(30 * 512)
        file.write(stray)
    with pytest.raises(RedoCorrupt):
        list(read_records(archived))


@pytest.mark.parametrize("missing", [1, 512, 513, 5000])
def test_a_truncated_archived_log_is_refused(archived: Path, missing: int) -> None:
    size = archived.stat().st_size
    with archived.open("r+b") as file:
        file.truncate(size - missing)
    with pytest.raises(RedoCorrupt, match="truncated"):
        list(read_records(archived))


def test_records_before_the_damage_are_still_delivered(archived: Path) -> None:
    with archived.open("r+b") as file:
        file.seek(100 * 512)
        file.write(bytes(512))
    delivered = []
    with pytest.raises(RedoCorrupt):
        for entry in read_records(archived):
            delivered.append(entry.record.scn)
    assert delivered == list(range(1, len(delivered) + 1))
    assert delivered


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.arc"
    path.write_bytes(b"not a log" * 1000)
    with pytest.raises(RedoCorrupt, match="no redo log"):
        read_log_header(path)
    path.write_bytes(b"")
    with pytest.raises(RedoCorrupt):
        list(read_records(path))
