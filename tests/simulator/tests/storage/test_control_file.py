# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control files: envelopes, and two images so that one is always whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oracle_simulator.instance.faults import FaultyDisk, FileFault, FileFaults, Trouble
from oracle_simulator.storage import control_file
from oracle_simulator.storage.block import FileType
from oracle_simulator.storage.control_file import (
    ControlFileCorrupt,
    load_control_file,
    read_control_file,
    write_control_file,
)

from .independent import check_block, u2, u4, xor16

BLOCK = 16384


def write(path: Path, sequence: int, state: dict[str, Any] | None = None, **options: Any) -> None:
    state = {"n": sequence} if state is None else state
    write_control_file([path], state, sequence, dbid=0x81234567, db_name="ORA1", **options)


def flip(path: Path, block: int) -> None:
    data = bytearray(path.read_bytes())
    data[block * BLOCK + 100] ^= 1
    path.write_bytes(data)


def test_every_block_has_the_genuine_envelope(tmp_path: Path) -> None:
    path = tmp_path / "c.ctl"
    for sequence in (1, 2):
        write(path, sequence)
    data = path.read_bytes()
    blocks = len(data) // BLOCK
    assert (data[1], u4(data, 20), u4(data, 24), xor16(data[:BLOCK])) == (0xC2, BLOCK, blocks - 1, 0)
    for number in range(1, blocks):
        check_block(data[number * BLOCK : (number + 1) * BLOCK], number, 0x15)


def test_the_header_has_identity_at_the_documented_offsets(tmp_path: Path) -> None:
    path = tmp_path / "c.ctl"
    write(path, 5)
    header = path.read_bytes()[BLOCK : 2 * BLOCK]
    assert u4(header, 20) != 0
    assert u4(header, 28) == 0x81234567
    assert header[32:36] == b"ORA1"
    assert (u4(header, 40), u2(header, 52), u2(header, 54)) == (5, 0, 1)


@pytest.mark.parametrize("size", [0, 16_000, 17_000, 600_000, 2_000_000])
def test_the_newest_state_is_read_whatever_its_size(tmp_path: Path, size: int) -> None:
    path = tmp_path / "c.ctl"
    for sequence in range(1, 6):
        state = {"n": sequence, "fill": "x" * size}
        write(path, sequence, state)
        assert read_control_file(path) == state
        assert load_control_file(path).sequence == sequence


def test_a_state_that_shrinks_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "c.ctl"
    write(path, 1, {"fill": "x" * 500_000})
    write(path, 2, {"fill": "y" * 500_000})
    write(path, 3, {"small": True})
    assert read_control_file(path) == {"small": True}


def test_a_write_that_dies_half_way_leaves_the_state_before(tmp_path: Path) -> None:
    path = tmp_path / "c.ctl"
    write(path, 1, {"n": 1})
    write(path, 2, {"n": 2, "fill": "x" * 100_000})

    def die() -> None:
        raise KeyboardInterrupt

    faults = FileFaults(die)
    faults.add(FileFault("*.ctl", Trouble.KILL, occurrence=4))
    with pytest.raises(KeyboardInterrupt):
        control_file.write_control_file(
            [path], {"n": 3, "fill": "z" * 100_000}, 3, dbid=1, db_name="TEST", disk=FaultyDisk(faults)
        )
    assert read_control_file(path)["n"] == 2


def test_damage_in_the_newest_image_falls_back_to_the_older(tmp_path: Path) -> None:
    path = tmp_path / "c.ctl"
    write(path, 1)
    write(path, 2)
    flip(path, 2)
    assert read_control_file(path) == {"n": 1}


def test_damage_in_both_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.ctl"
    write(path, 1)
    write(path, 2)
    flip(path, 2)
    flip(path, 3)
    with pytest.raises(ControlFileCorrupt, match="no whole image"):
        load_control_file(path)


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.ctl"
    write(path, 1)
    flip(path, 1)
    with pytest.raises(ControlFileCorrupt, match="header"):
        load_control_file(path)


@pytest.mark.parametrize("contents", [b"", b"no control file" * 5000])
def test_something_else_is_refused(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "c.ctl"
    path.write_bytes(contents)
    with pytest.raises(ControlFileCorrupt, match="not a control file"):
        load_control_file(path)


def test_a_backup_says_so(tmp_path: Path) -> None:
    path = tmp_path / "backup.ctl"
    write(path, 1, file_type=FileType.BACKUP_CONTROL)
    assert load_control_file(path).file_type is FileType.BACKUP_CONTROL
    assert u2(path.read_bytes(), BLOCK + 54) == 4


def test_all_copies_are_equal(tmp_path: Path) -> None:
    paths = [tmp_path / "c1.ctl", tmp_path / "c2.ctl"]
    for sequence in (1, 2, 3):
        write_control_file(paths, {"n": sequence}, sequence, dbid=1, db_name="ORA1")
    assert paths[0].read_bytes() == paths[1].read_bytes()
