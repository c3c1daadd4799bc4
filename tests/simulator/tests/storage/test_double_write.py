# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double-write file: completes torn blocks of a killed process, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle_simulator.storage.block import BlockType, BlockVersion, examine
from oracle_simulator.storage.datafile import Datafile, DatafileHeader
from oracle_simulator.storage.double_write import DoubleWrite, DoubleWriteEntry, left_torn, sector_sums
from oracle_simulator.storage.slotted import SlottedBlock


def block(scn: int) -> bytes:
    contents = {0: bytes([scn % 256]) * 7000}
    return SlottedBlock(BlockType.TABLE, 1, BlockVersion(scn, 1), contents).to_bytes(4 << 22 | 130, 8192)


@pytest.fixture
def datafile(tmp_path: Path) -> Datafile:
    header = DatafileHeader(1, "ORA1", 4, 4, 4, "USERS", 200)
    made = Datafile.create(tmp_path / "users01.dbf", header)
    made.write_block(130, block(100))
    return made


@pytest.fixture
def journal(tmp_path: Path) -> DoubleWrite:
    return DoubleWrite(tmp_path / "double_write")


def entry(datafile: Datafile, scn: int) -> DoubleWriteEntry:
    return DoubleWriteEntry(str(datafile.path), datafile.inode, 130, block(scn), sector_sums(block(100)))


def tear(datafile: Datafile, data: bytes) -> None:
    """The process dies between the pieces."""

    class Killed(Exception):
        pass

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        datafile.write_block(130, data, 2, die)
    assert examine(datafile.read_block(130)) == "fractured"


def test_a_torn_block_is_known_by_its_sectors(datafile: Datafile) -> None:
    tear(datafile, block(101))
    assert left_torn(datafile.read_block(130), entry(datafile, 101))
    only_the_end = block(100)[:-512] + block(101)[-512:]
    assert left_torn(only_the_end, entry(datafile, 101))


def test_blocks_not_begun_or_complete_are_not_torn(datafile: Datafile) -> None:
    assert not left_torn(block(100), entry(datafile, 101))
    assert not left_torn(block(101), entry(datafile, 101))


def test_a_fractured_block_of_other_writes_is_nobodys_business(datafile: Datafile) -> None:
    other = block(90)[:4096] + block(80)[4096:]
    assert examine(other) == "fractured"
    assert not left_torn(other, entry(datafile, 101))


def test_an_incomplete_batch_counts_for_nothing(
    datafile: Datafile, journal: DoubleWrite, tmp_path: Path
) -> None:
    journal.record([entry(datafile, 101)])
    with (tmp_path / "double_write").open("r+b") as file:
        file.truncate(5000)
    assert journal.pending() == []


def test_each_batch_replaces_the_one_before(datafile: Datafile, journal: DoubleWrite) -> None:
    journal.record([entry(datafile, 101), entry(datafile, 102), entry(datafile, 103)])
    journal.record([entry(datafile, 104)])
    assert [found.data for found in journal.pending()] == [block(104)]
    journal.clear()
    assert journal.pending() == []
