# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Full datafiles: every block sound in the eyes of the independent reader, and incompressible."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from oracle_simulator.data.filled_files import make_filled_file
from oracle_simulator.errors import OracleError
from oracle_simulator.program.cli import main
from oracle_simulator.storage.slotted import SlottedBlock
from oracle_simulator.storage.values import decode_row

from .independent import u4, walk_datafile

MIB = 1 << 20


@pytest.mark.parametrize(
    ("block_size", "bigfile", "size"),
    [
        (2048, False, 1 * MIB),
        (4096, False, 2 * MIB),
        (8192, True, 3 * MIB),
        (16384, False, 9 * MIB),
        (32768, True, 9 * MIB),
    ],
)
def test_every_block_of_a_full_file_is_sound(
    tmp_path: Path, block_size: int, bigfile: bool, size: int
) -> None:
    path = tmp_path / "full.dbf"
    make_filled_file(path, size, block_size=block_size, bigfile=bigfile)
    data = path.read_bytes()
    assert len(data) == size
    used = walk_datafile(path)
    table = [number for number, block in used.items() if block[0] == 6]
    assert table == list(range(128, 128 + len(table)))
    assert len(data) // block_size - 8 <= 128 + len(table) <= len(data) // block_size
    # u4(data, 20) is the block size in block 0; walk_datafile has taken it from there
    assert u4(data, 20) == block_size
    sample = b"".join(used[number] for number in table[:50])
    assert len(zlib.compress(sample)) > 0.95 * len(sample)
    (row,) = SlottedBlock.from_bytes(used[table[0]]).slots.values()
    (value,) = decode_row(row)
    assert isinstance(value, bytes)
    assert len(value) > block_size - 64


def test_the_command_makes_the_same_file_from_the_same_seed(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one.dbf", "two.dbf", "three.dbf"))
    for path, seed in ((one, 7), (two, 7), (three, 8)):
        assert main(["fill", str(path), "--size", "2M", "--seed", str(seed)]) == 0
    place = slice(128 * 8192, None)
    assert one.read_bytes()[place] == two.read_bytes()[place] != three.read_bytes()[place]
    assert main(["fill", str(one), "--size", "2M"]) == 1


def test_a_file_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OracleError, match="ORA-03214"):
        make_filled_file(tmp_path / "small.dbf", MIB)
    assert main(["fill", str(tmp_path / "small.dbf"), "--size", "1M"]) == 1
