# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""numpy, the standard library alone, and a plain second reading say the same of every file, however it is cut."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from random import Random
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_check import (
    BlockChecker,
    BlockFault,
    ControlFileChecker,
    DatafileChecker,
    RedoChecker,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle_simulator.storage import block as simulated
from oracle_simulator.storage.datafile_header import DatafileHeader
from oracle_simulator.storage.fill import BlockPlace, random_blocks
from oracle_simulator.storage.log_header import LogHeader
from oracle_simulator.storage.redo_log import pack_records
from unit.files import oracle_file_writer as writer
from unit.files import plain_reading as plain
from unit.files.damage import FORMS, NEW, OLD, data_block, draw_damaged, draw_log, draw_sample

ACCELERATORS = ("none", "numpy")
accelerated = pytest.mark.parametrize("accelerator", ACCELERATORS)
in_both_orders = pytest.mark.parametrize("big_endian", [False, True], ids=["little", "big"])
FILE = "/oradata/file"
DERANDOMIZED = settings(deadline=None, derandomize=True, max_examples=250)


def checker_of(image: Any, accelerator: str) -> BlockChecker:
    if isinstance(image, writer.Datafile):
        relative = 1024 if image.bigfile else image.relative
        return DatafileChecker(
            image.block_size,
            relative,
            image.bigfile,
            image.compatibility,
            accelerator,
            FILE,
            image.big_endian,
        )
    if isinstance(image, writer.RedoLog):
        end = None if image.current else image.blocks_written
        return RedoChecker(image.block_size, image.sequence, accelerator, FILE, image.big_endian, end)
    return ControlFileChecker(image.block_size, accelerator, FILE, image.big_endian)


def second_reading(image: Any, data: bytes) -> plain.Reading:
    if isinstance(image, writer.Datafile):
        return plain.read_datafile(
            data, image.block_size, image.relative, image.bigfile, image.compatibility, image.big_endian
        )
    if isinstance(image, writer.RedoLog):
        end = None if image.current else image.blocks_written
        return plain.read_log(data, image.block_size, image.sequence, end, image.big_endian)
    return plain.read_control_file(data, image.block_size, image.big_endian)


def check_in_pieces(checker: BlockChecker, data: bytes, cuts: list[int]) -> list[BlockFault]:
    """All faults, by block; ``cuts`` are the block numbers at which a new piece begins."""
    faults = []
    bounds = [0, *sorted(cuts), len(data) // checker.block_size]
    for first, end in itertools.pairwise(bounds):
        piece = data[first * checker.block_size : end * checker.block_size]
        found = checker.check(first, memoryview(piece))
        assert all(first <= fault.block < end for fault in found), "a piece tells of its own blocks only"
        faults += found
    faults += checker.finish()
    return sorted(faults, key=lambda fault: fault.block)


def told(faults: list[BlockFault]) -> list[dict[str, Any]]:
    assert all(fault.file == FILE and fault.expected for fault in faults)
    rows = [dataclasses.asdict(fault) for fault in faults]
    return [{name: value for name, value in row.items() if name not in ("file", "expected")} for row in rows]


def agree(image: Any, content: bytes) -> None:
    """Check by both ways, compare with each other and with the second reading."""
    expected = second_reading(image, content)
    results = []
    for accelerator in ACCELERATORS:
        checker = checker_of(image, accelerator)
        faults = check_in_pieces(checker, content, [])
        assert checker.accelerator == accelerator
        assert told(faults) == expected.faults
        assert dataclasses.asdict(checker.counts) == expected.counts
        results.append(faults)
    assert results[0] == results[1]


@DERANDOMIZED
@given(st.randoms(use_true_random=True))
def test_both_ways_and_the_second_reading_agree_on_any_damage(random: Random) -> None:
    sample = draw_sample(random)
    agree(sample.image, draw_damaged(random, sample))


@DERANDOMIZED
@given(st.randoms(use_true_random=True))
def test_how_a_file_is_cut_into_pieces_changes_nothing(random: Random) -> None:
    sample = random.choice((draw_log, draw_sample))(random)
    content = draw_damaged(random, sample)
    cuts = random.choices(range(sample.block_count + 1), k=random.randint(1, 5))
    for accelerator in ACCELERATORS:
        whole, cut = (checker_of(sample.image, accelerator) for _way in range(2))
        assert check_in_pieces(cut, content, cuts) == check_in_pieces(whole, content, [])
        assert cut.counts == whole.counts


@in_both_orders
@pytest.mark.parametrize("compatibility", [OLD, NEW])
def test_every_byte_of_header_and_tail_is_judged_alike(big_endian: bool, compatibility: int) -> None:
    """Each changed in turn, in blocks of every form, under a right checksum and under the one from before."""
    image = writer.Datafile(block_size=2048, big_endian=big_endian, compatibility=compatibility)
    forms = itertools.product(FORMS, (*range(20), *range(2044, 2048)), (0x01, 0xFF), (16, None))
    for number, (form, place, change, checksum_at) in enumerate(forms, 2):
        block = data_block(Random(number), image, number, form)
        image.bodies.append(writer.patch(block, place, bytes([block[place] ^ change]), checksum_at))
    agree(image, image.to_bytes())


@in_both_orders
def test_every_byte_of_a_log_blocks_header_is_judged_alike(big_endian: bool) -> None:
    image = writer.RedoLog(blocks_written=200, big_endian=big_endian)
    blocks = image.blocks()
    for number, (place, change, checksum_at) in enumerate(
        itertools.product(range(16), (0x01, 0x80, 0xFF), (14, None)), 5
    ):
        block = blocks[number]
        blocks[number] = writer.patch(block, place, bytes([block[place] ^ change]), checksum_at)
    agree(image, b"".join(blocks))


def test_the_damage_drawn_leaves_blocks_of_every_kind() -> None:
    """Agreement means something only where there is something to agree on."""
    seen: Counter[tuple[type, bool, str]] = Counter()
    for seed in range(250):
        random = Random(seed)
        image = (sample := draw_sample(random)).image
        reading = second_reading(image, draw_damaged(random, sample))
        kinds = {fault["kind"] for fault in reading.faults if fault["block"]}
        kinds |= {name for name in ("empty", "without_checksum") if reading.counts[name]}
        seen.update((type(image), image.big_endian, kind) for kind in kinds)
    cache = {"bad_header", "fractured", "bad_checksum", "empty"}
    for kind, found in (
        (writer.Datafile, {*cache, "all_zero", "misplaced", "soft_corrupt", "without_checksum"}),
        (writer.RedoLog, {"bad_header", "misplaced", "bad_checksum", "without_checksum"}),
        (writer.ControlFile, cache),
    ):
        for big_endian in (False, True):
            assert {name for name in found if seen[kind, big_endian, name] == 0} == set()


@accelerated
@pytest.mark.parametrize("block_size", [512, 1024, 4096])
def test_a_long_log_keeps_a_hundred_of_the_faults_it_could_not_tell_at_once(
    accelerator: str, block_size: int
) -> None:
    """150 blocks without check value, then one that has it: they are damage, though only a hundred are kept."""
    image = writer.RedoLog(block_size=block_size, blocks_written=160, checksums=False)
    blocks = image.blocks()
    blocks[155] = bytes(writer.store_checksum(bytearray(blocks[155]), 14))
    for cuts in ([], [100], [120], [110, 130], [155], [156]):
        checker = checker_of(image, accelerator)
        found = check_in_pieces(checker, b"".join(blocks), cuts)
        assert [fault.block for fault in found] == [*range(1, 101), 156, 157, 158, 159]
        assert (checker.counts.corrupt, checker.counts.without_checksum) == (158, 0)


@accelerated
@pytest.mark.parametrize("block_size", [2048, 4096, 8192, 16384, 32768])
@pytest.mark.parametrize("blocks", [31, 256 * 1024 // 2048, 700])
def test_every_block_of_a_large_piece_keeps_its_own_verdict(
    accelerator: str, block_size: int, blocks: int
) -> None:
    """Equal errors in neighbours, in the first and in the last block: none makes up for another."""
    count = min(blocks, 4 * 1024 * 1024 // block_size)
    image = writer.Datafile(block_size=block_size)
    content = bytearray(b"".join(image.data_block(number) for number in range(7, 7 + count)))
    hit = sorted({0, 1, 2, count // 2, count // 2 + 1, count - 1})
    for index in hit:
        content[index * block_size + 1000] ^= 0x40
    checker = checker_of(image, accelerator)
    faults = checker.check(7, memoryview(content))
    assert [(fault.block, fault.kind) for fault in faults] == [(7 + index, "bad_checksum") for index in hit]
    assert {fault.computed_block_checksum for fault in faults} == {0x40}
    assert checker.counts.examined == count


# --- files written by the simulated instance


@accelerated
@pytest.mark.parametrize("bigfile", [False, True])
@pytest.mark.parametrize("block_size", [2048, 8192, 32768])
def test_a_datafile_of_the_simulated_instance_is_sound_and_its_damage_is_found(
    accelerator: str, block_size: int, bigfile: bool
) -> None:
    relative = 1024 if bigfile else 7
    header = DatafileHeader(1, "ORCL", 9, relative, 6, "USERS", 40, block_size, bigfile)
    place = BlockPlace(block_size, relative, bigfile, 4711, simulated.BlockVersion(2**40 + 77, 3))
    content = bytearray(simulated.block_zero(block_size, 40) + header.encode())
    for _first, rows in random_blocks(place, 2, 30, seed=5):
        content += rows
    content += simulated.empty_blocks(32, 9, block_size)
    checker = DatafileChecker(block_size, relative, bigfile, header.compatibility, accelerator, FILE)
    assert check_in_pieces(checker, bytes(content), []) == []
    assert (checker.counts.examined, checker.counts.empty) == (40, 9)
    content[20 * block_size + 900] ^= 1
    checker = DatafileChecker(block_size, relative, bigfile, header.compatibility, accelerator, FILE)
    assert [fault.block for fault in checker.check(0, memoryview(content))] == [20]
    reading = plain.read_datafile(bytes(content), block_size, relative, bigfile, header.compatibility, False)
    assert [fault["block"] for fault in reading.faults] == [20]


@accelerated
@pytest.mark.parametrize("block_size", [512, 4096])
def test_a_log_of_the_simulated_instance_is_sound_and_its_damage_is_found(
    accelerator: str, block_size: int
) -> None:
    redo = pack_records([bytes([number]) * 300 for number in range(200)], 2, 12, block_size)
    end = 2 + redo.block_count
    header = LogHeader(1, "ORCL", 1, 12, 1, 500, 10, None, 20, None, end, block_size)
    content = bytearray(simulated.block_zero(block_size, end - 1) + header.encode() + redo.data)
    assert check_in_pieces(RedoChecker(block_size, 12, accelerator, FILE), bytes(content), []) == []
    content[9 * block_size + 100] ^= 1
    faults = check_in_pieces(RedoChecker(block_size, 12, accelerator, FILE), bytes(content), [4])
    assert [(fault.block, fault.kind) for fault in faults] == [(9, "bad_checksum")]
    reading = plain.read_log(bytes(content), block_size, 12, None, False)
    assert told(faults) == [{**reading.faults[0]}]
