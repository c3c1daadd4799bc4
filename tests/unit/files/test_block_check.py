# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block checks: every rule, with and without numpy, on blocks made by an independent writer."""

from __future__ import annotations

import struct
import sys

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_check import (
    BlockFault,
    ControlFileChecker,
    DatafileChecker,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.checksum import (
    load_accelerator,
    xor_words,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from published_blocks import ENDS, WHOLE, PublishedBlock, PublishedEnds
from unit.files import oracle_file_writer as writer

ACCELERATORS = ("none", "numpy")
accelerated = pytest.mark.parametrize("accelerator", ACCELERATORS)
in_both_orders = pytest.mark.parametrize("big_endian", [False, True], ids=["little", "big"])
SIZE = 8192
OLD, NEW = 0x0B200400, 0x13000000


def datafile_checker(accelerator: str, image: writer.Datafile | None = None) -> DatafileChecker:
    given = image or writer.Datafile()
    relative = 1024 if given.bigfile else given.relative
    return DatafileChecker(
        given.block_size,
        relative,
        given.bigfile,
        given.compatibility,
        accelerator,
        file="users01.dbf",
        big_endian=given.big_endian,
    )


def check_one(accelerator: str, number: int, block: bytes, compatibility: int = NEW) -> BlockFault | None:
    checker = datafile_checker(accelerator, writer.Datafile(compatibility=compatibility))
    faults = checker.check(number, memoryview(block))
    assert len(faults) <= 1
    assert checker.counts.faults == len(faults)
    return faults[0] if faults else None


def kind_of(fault: BlockFault | None) -> str | None:
    return None if fault is None else fault.kind


# --- the checksum itself


def test_the_published_never_used_block_has_the_published_checksum() -> None:
    assert writer.never_used_block(SIZE, 9)[16:18] == b"\x09\xa7"  # 0xa709


@accelerated
@pytest.mark.parametrize("published", WHOLE, ids=lambda block: block.name)
def test_real_blocks_from_published_dumps_are_sound(accelerator: str, published: PublishedBlock) -> None:
    checker = DatafileChecker(SIZE, published.relative_file, False, OLD, accelerator, file="real.dbf")
    assert checker.check(published.block_number, memoryview(published.data)) == []
    damaged = bytearray(published.data)
    damaged[0x800] ^= 1
    (fault,) = checker.check(published.block_number, memoryview(damaged))
    assert fault.kind == "bad_checksum"


@accelerated
@pytest.mark.parametrize("published", ENDS, ids=lambda block: block.name)
def test_header_and_tail_of_real_blocks_are_found_right(accelerator: str, published: PublishedEnds) -> None:
    """Their middle was not published: at most the checksum can be wrong, and it is judged last."""
    block = published.head + bytes(SIZE - 20) + published.tail
    checker = DatafileChecker(SIZE, published.relative_file, False, OLD, accelerator)
    faults = checker.check(published.block_number, memoryview(block))
    assert [fault.kind for fault in faults] == ["bad_checksum"] * bool(published.head[15] & 0x04)
    assert checker.counts.without_checksum == 1 - len(faults)
    fractured = writer.patch(block, SIZE - 1, bytes([block[-1] ^ 0x80]), None)
    (fault,) = checker.check(published.block_number, memoryview(fractured))
    assert (fault.kind, fault.type, fault.last_change_scn, fault.seq) == (
        "fractured",
        published.block_type,
        published.scn,
        published.sequence,
    )


@in_both_orders
@given(
    data=st.binary(min_size=512, max_size=512),
)
def test_folding_equals_the_definition(big_endian: bool, data: bytes) -> None:
    words = struct.unpack((">" if big_endian else "<") + "256H", data)
    expected = 0
    for word in words:
        expected ^= word
    assert xor_words(data, big_endian) == expected


def test_a_soft_corrupt_mark_set_by_hand_leaves_the_published_residual() -> None:
    block = bytearray(writer.Datafile().data_block(7, seq=1))
    block[14] = 0xFF
    assert xor_words(bytes(block)) == 0x00FE


def test_an_unknown_accelerator_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="cuda"):
        load_accelerator("cuda")


def test_without_numpy_the_standard_library_is_used_unless_numpy_is_demanded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert datafile_checker("auto").accelerator == "none"
    with pytest.raises(BackupError, match="numpy"):
        datafile_checker("numpy")


# --- sound files


@accelerated
@in_both_orders
@pytest.mark.parametrize("bigfile", [False, True], ids=["smallfile", "bigfile"])
@pytest.mark.parametrize("block_size", [2048, 4096, 8192, 16384, 32768])
def test_a_sound_datafile_has_no_fault(
    accelerator: str, block_size: int, bigfile: bool, big_endian: bool
) -> None:
    image = writer.Datafile(block_size=block_size, bigfile=bigfile, big_endian=big_endian).fill(20)
    checker = datafile_checker(accelerator, image)
    assert checker.accelerator == accelerator
    assert checker.check(0, memoryview(image.to_bytes())) == []
    counts = checker.counts
    assert (counts.examined, counts.empty, counts.without_checksum) == (21, 7, 0)
    assert (counts.influx, counts.corrupt, counts.soft_corrupt) == (0, 0, 0)


@accelerated
def test_a_file_may_be_checked_in_chunks(accelerator: str) -> None:
    image = writer.Datafile().fill(9)
    data = memoryview(image.to_bytes())
    checker = datafile_checker(accelerator, image)
    for first in range(0, 11, 3):
        assert checker.check(first, data[first * SIZE : (first + 3) * SIZE]) == []
    assert checker.counts.examined == 10


@accelerated
def test_half_a_block_is_a_programming_error(accelerator: str) -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        datafile_checker(accelerator).check(0, memoryview(bytes(SIZE + 512)))


@accelerated
@pytest.mark.parametrize(
    ("block", "empty", "without_checksum"),
    [
        (writer.never_used_block(SIZE, 9), 1, 0),
        (writer.never_used_block(SIZE, 9, file_part=4 << 22), 1, 0),
        (writer.cache_block(SIZE, 0x06, 4 << 22 | 9, 123, 1, b"row", flags=0x02), 0, 1),
        (writer.cache_block(SIZE, 0x06, 4 << 22 | 9, 123, 1, b"row", flags=0x00), 0, 1),
        (writer.cache_block(SIZE, 0x06, 4 << 22 | 9, 123, 1, b"row", fmt=0x02), 0, 0),
        (writer.cache_block(SIZE, 0x7E, 4 << 22 | 9, 123, 1, b"unheard of"), 0, 0),
        (writer.cache_block(SIZE, 0x06, 4 << 22 | 9, 5 << 48 | 123, 1, b"12.2 scn"), 0, 0),
        (writer.cache_block(SIZE, 0x06, 4 << 22 | 9, 123, 1, b"encrypted", flags=0x16), 0, 0),
        (writer.cache_block(SIZE, 0x06, 4 << 22 | 9, 123, 0, b"nologging"), 0, 0),
    ],
)
def test_unusual_sound_blocks_are_accepted(
    accelerator: str, block: bytes, empty: int, without_checksum: int
) -> None:
    checker = datafile_checker(accelerator)
    assert checker.check(9, memoryview(block)) == []
    assert (checker.counts.empty, checker.counts.without_checksum) == (empty, without_checksum)


# --- each fault


@accelerated
def test_a_zero_block_is_named(accelerator: str) -> None:
    fault = check_one(accelerator, 9, bytes(SIZE))
    assert fault is not None
    assert (fault.kind, fault.block, fault.offset, fault.file) == ("all_zero", 9, 9 * SIZE, "users01.dbf")
    assert fault.text == "Completely zero block found"


@accelerated
def test_a_foreign_format_is_a_bad_header(accelerator: str) -> None:
    good = writer.Datafile().data_block(9)
    assert kind_of(check_one(accelerator, 9, writer.patch(good, 1, b"\x82"))) == "bad_header"


@accelerated
def test_spare_bytes_count_only_before_12_2(accelerator: str) -> None:
    spare = writer.patch(writer.Datafile().data_block(9), 2, b"\x01\x00")
    assert kind_of(check_one(accelerator, 9, spare, OLD)) == "bad_header"
    assert check_one(accelerator, 9, spare, NEW) is None


@accelerated
def test_the_third_part_of_the_scn_is_told_from_12_2_on_only(accelerator: str) -> None:
    torn = writer.patch(writer.Datafile().data_block(9, scn=5 << 48 | 3 << 32 | 7), SIZE - 4, b"\x77")
    for compatibility, scn in (
        (NEW, 5 << 48 | 3 << 32 | 7),
        (0x0C200000, 5 << 48 | 3 << 32 | 7),
        (OLD, 3 << 32 | 7),
    ):
        fault = check_one(accelerator, 9, torn, compatibility)
        assert fault is not None
        assert fault.last_change_scn == scn


@accelerated
@pytest.mark.parametrize(
    "rdba", [4 << 22 | 10, 5 << 22 | 9, 9], ids=["other block", "other file", "no file number"]
)
def test_a_good_block_in_the_wrong_place_is_misplaced(accelerator: str, rdba: int) -> None:
    fault = check_one(accelerator, 9, writer.cache_block(SIZE, 0x06, rdba, 123, 1, b"row"))
    assert fault is not None
    assert (fault.kind, fault.text) == ("misplaced", "Bad header found")
    assert (fault.rdba, fault.computed_block_checksum) == (rdba, 0)
    assert fault.expected == "rdba 0x01000009"


@accelerated
def test_a_torn_block_is_fractured_with_dbvs_details(accelerator: str) -> None:
    old = writer.Datafile().data_block(9, scn=0x001732D3, seq=1, body=b"old")
    new = writer.Datafile().data_block(9, scn=0x001732E0, seq=2, body=b"new")
    fault = check_one(accelerator, 9, new[: SIZE // 2] + old[SIZE // 2 :])
    assert fault is not None
    assert (fault.kind, fault.text) == ("fractured", "Fractured block found")
    assert fault.consistency_value_in_tail == 0x32D30601
    assert fault.expected == "tail 0x32e00602"
    assert (fault.type, fault.format, fault.seq, fault.flg) == (6, 0xA2, 2, 6)
    assert fault.last_change_scn == 0x001732E0
    assert fault.as_dict()["kind"] == "fractured"


@accelerated
def test_a_first_write_torn_over_a_never_used_block_is_fractured(accelerator: str) -> None:
    new = writer.Datafile().data_block(9)
    never = writer.never_used_block(SIZE, 9)
    assert kind_of(check_one(accelerator, 9, new[:4096] + never[4096:])) == "fractured"


@accelerated
def test_a_changed_body_is_a_bad_checksum_and_the_right_value_is_told(accelerator: str) -> None:
    good = writer.Datafile().data_block(9)
    fault = check_one(accelerator, 9, writer.patch(good, 100, b"\x10", checksum_at=None))
    assert fault is not None
    assert (fault.kind, fault.text) == ("bad_checksum", "Bad check value found")
    assert fault.computed_block_checksum == 0x0010
    assert fault.check_value_in_block_header == struct.unpack_from("<H", good, 16)[0]


@accelerated
def test_a_wrong_tail_is_told_before_a_wrong_checksum(accelerator: str) -> None:
    good = writer.Datafile().data_block(9)
    assert (
        kind_of(check_one(accelerator, 9, writer.patch(good, SIZE - 4, b"\x77", checksum_at=None)))
        == "fractured"
    )


@accelerated
def test_a_block_the_database_marked_is_noted_and_not_counted_corrupt(accelerator: str) -> None:
    checker = datafile_checker(accelerator)
    faults = checker.check(9, memoryview(writer.Datafile().data_block(9, seq=0xFF)))
    assert [fault.kind for fault in faults] == ["soft_corrupt"]
    assert (checker.counts.corrupt, checker.counts.soft_corrupt) == (0, 1)


@accelerated
def test_a_lost_checksum_flag_does_not_hide_the_checksum(accelerator: str) -> None:
    good = writer.Datafile().data_block(9)
    assert good[16:18] != b"\0\0"
    fault = check_one(accelerator, 9, writer.patch(good, 15, b"\x02", None))
    assert fault is not None
    assert (fault.kind, fault.expected) == ("bad_checksum", "flg 0x06")


@accelerated
@in_both_orders
@pytest.mark.parametrize(
    ("offset", "data", "keep_checksum", "kind"),
    [
        (1, b"\x82", False, "bad_header"),
        (0, b"\x0b", False, "bad_header"),
        (28, b"\0\0\0\0", False, "bad_header"),
        (20, b"\0\0\0\0", False, "bad_header"),
        (4000, b"\x01", True, "bad_checksum"),
    ],
)
def test_a_bad_block_zero_is_named(
    accelerator: str, big_endian: bool, offset: int, data: bytes, keep_checksum: bool, kind: str
) -> None:
    checker = datafile_checker(accelerator, writer.Datafile(big_endian=big_endian))
    block = writer.patch(
        writer.block_zero(SIZE, 10, big_endian=big_endian), offset, data, None if keep_checksum else 16
    )
    faults = checker.check(0, memoryview(block))
    assert [(fault.kind, fault.block) for fault in faults] == [(kind, 0)]
    assert (checker.counts.examined, checker.counts.corrupt) == (0, 1)


@accelerated
def test_a_zero_block_zero_is_named_without_details(accelerator: str) -> None:
    (fault,) = datafile_checker(accelerator).check(0, memoryview(bytes(SIZE)))
    assert fault.as_dict() == {
        "file": "users01.dbf",
        "block": 0,
        "offset": 0,
        "kind": "all_zero",
        "expected": "a block that is not all zero",
        "text": "Completely zero block found",
    }


@accelerated
@pytest.mark.parametrize(("bigfile", "last"), [(False, 2**22 - 1), (True, 2**32 - 1)])
def test_the_last_block_an_address_can_name_is_checked(accelerator: str, bigfile: bool, last: int) -> None:
    image = writer.Datafile(bigfile=bigfile)
    data = memoryview(image.data_block(last - 1) + image.data_block(last))
    assert datafile_checker(accelerator, image).check(last - 1, data) == []
    damaged = memoryview(bytes(data[:SIZE]) + image.data_block(last - 2))
    (fault,) = datafile_checker(accelerator, image).check(last - 1, damaged)
    assert (fault.kind, fault.block) == ("misplaced", last)


@accelerated
def test_fractured_blocks_are_counted_twice_as_dbv_does(accelerator: str) -> None:
    image = writer.Datafile().fill(6)
    image.bodies[0] = writer.patch(image.bodies[0], SIZE - 4, b"\x77", None)
    image.bodies[2] = bytes(SIZE)
    checker = datafile_checker(accelerator, image)
    assert [fault.block for fault in checker.check(0, memoryview(image.to_bytes()))] == [2, 4]
    assert (checker.counts.examined, checker.counts.influx, checker.counts.corrupt) == (7, 1, 2)


@accelerated
def test_a_block_read_again_replaces_its_first_verdict(accelerator: str) -> None:
    image = writer.Datafile()
    good = writer.never_used_block(SIZE, 9)
    checker = datafile_checker(accelerator, image)
    (fault,) = checker.check(9, memoryview(writer.patch(good, SIZE - 4, b"\x77", None)))
    still = checker.recheck(fault, memoryview(bytes(SIZE)))
    assert kind_of(still) == "all_zero"
    assert still is not None
    assert (checker.counts.influx, checker.counts.corrupt) == (0, 1)
    assert checker.recheck(still, memoryview(good)) is None
    assert (checker.counts.examined, checker.counts.empty, checker.counts.corrupt) == (1, 1, 0)


# --- control files


@accelerated
@in_both_orders
def test_a_sound_control_file_has_no_fault_and_unused_blocks_are_empty(
    accelerator: str, big_endian: bool
) -> None:
    image = writer.ControlFile(big_endian=big_endian)
    checker = ControlFileChecker(image.block_size, accelerator, big_endian=big_endian)
    assert checker.check(0, memoryview(image.to_bytes())) == []
    assert (checker.counts.examined, checker.counts.empty) == (8, 3)


@accelerated
@pytest.mark.parametrize(
    ("offset", "data", "keep_checksum", "kind"),
    [
        (0, b"\x06", False, "bad_header"),
        (16380, b"\x77", False, "fractured"),
        (100, b"\x77", True, "bad_checksum"),
    ],
)
def test_a_bad_control_file_block_is_named(
    accelerator: str, offset: int, data: bytes, keep_checksum: bool, kind: str
) -> None:
    image = writer.ControlFile()
    blocks = image.blocks()
    blocks[3] = writer.patch(blocks[3], offset, data, None if keep_checksum else 16)
    checker = ControlFileChecker(image.block_size, accelerator)
    faults = checker.check(0, memoryview(b"".join(blocks)))
    assert [(fault.kind, fault.block) for fault in faults] == [(kind, 3)]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(bit=st.integers(0, 2048 * 8 - 1), number=st.integers(0, 8), big_endian=st.booleans())
def test_any_flipped_bit_of_a_control_file_is_found(bit: int, number: int, big_endian: bool) -> None:
    image = writer.ControlFile(block_size=2048, big_endian=big_endian)
    damaged = bytearray(image.to_bytes())
    damaged[number * 2048 + bit // 8] ^= 1 << bit % 8
    found = []
    for accelerator in ACCELERATORS:
        checker = ControlFileChecker(2048, accelerator, big_endian=big_endian)
        faults = checker.check(0, memoryview(damaged))
        assert [fault.block for fault in faults] == [number]
        found.append(faults)
    assert found[0] == found[1]
