# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slotted blocks, and what recovery may do to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle_simulator.storage.block import BlockType, BlockVersion, empty_blocks
from oracle_simulator.storage.redo_record import BlockVector, Format, Image, Put, Remove
from oracle_simulator.storage.slotted import (
    Applicability,
    BodyCorrupt,
    SlottedBlock,
    applicability,
    version_after,
)

from .independent import check_block, u2, u4

RDBA = 0x01000080


def block_with(version: int = 1000, **slots: bytes) -> SlottedBlock:
    contents = {int(name[1:]): data for name, data in slots.items()}
    return SlottedBlock(BlockType.TABLE, 77, BlockVersion(version, 1), contents)


def vector(before: int, *operations: Put | Remove | Format | Image) -> BlockVector:
    return BlockVector(4, 128, BlockVersion(before, 1), 1, operations)


def test_rows_stand_in_the_block_as_documented() -> None:
    raw = block_with(s0=b"first", s7=b"second").to_bytes(RDBA, 8192)
    check_block(raw, RDBA, 6)
    assert (u4(raw, 20), u2(raw, 24), u2(raw, 26)) == (77, 2, 1)
    assert [u2(raw, offset) for offset in (28, 30, 32, 34)] == [0, 5, 7, 6]
    assert raw[36:47] == b"firstsecond"


@given(st.dictionaries(st.integers(0, 65535), st.binary(max_size=60), max_size=100))
def test_what_is_written_is_read(slots: dict[int, bytes]) -> None:
    block = SlottedBlock(BlockType.TABLE, 5, BlockVersion(9, 2), dict(slots))
    again = SlottedBlock.from_bytes(block.to_bytes(RDBA, 8192))
    assert (again.type, again.object_id, again.version) == (6, 5, (9, 2))
    assert again.slots == slots
    assert again.used_bytes == block.used_bytes


def test_free_space_is_exact() -> None:
    block = block_with()
    block.put(0, bytes(block.free_bytes(8192) - 4))
    assert block.free_bytes(8192) == 0
    assert not block.fits(0, 8192)
    assert SlottedBlock.from_bytes(block.to_bytes(RDBA, 8192)).slots == block.slots
    block.put(0, bytes(len(block.slots[0]) + 1))
    with pytest.raises(ValueError, match="do not fit"):
        block.to_bytes(RDBA, 8192)


def test_used_bytes_follow_every_change() -> None:
    block = block_with(s1=b"abc")
    block.put(1, b"a longer row")
    block.put(2, b"x")
    block.remove(1)
    assert block.used_bytes == SlottedBlock(6, 77, slots=dict(block.slots)).used_bytes
    block.format(BlockType.BITMAP, 0)
    assert (block.used_bytes, block.slots) == (0, {})


def test_a_never_used_block_reads_as_empty() -> None:
    block = SlottedBlock.from_bytes(empty_blocks(128, 1, 8192))
    assert (block.type, block.slots, block.version) == (BlockType.EMPTY, {}, (0, 1))


def test_a_directory_that_points_outside_is_corrupt() -> None:
    raw = bytearray(block_with(s0=b"row").to_bytes(RDBA, 8192))
    raw[30:32] = (9000).to_bytes(2, "little")
    with pytest.raises(BodyCorrupt):
        SlottedBlock.from_bytes(bytes(raw))


def test_removing_an_empty_slot_is_an_error() -> None:
    with pytest.raises(KeyError):
        block_with().apply((Remove(3),), BlockVersion(1001, 1))


def test_operations_apply_in_order_and_set_the_version() -> None:
    block = block_with(s0=b"old")
    block.apply((Put(0, b"new"), Put(1, b"one"), Remove(0)), BlockVersion(1001, 1))
    assert (block.slots, block.version) == ({1: b"one"}, (1001, 1))


def test_a_change_applies_to_the_version_it_was_made_from() -> None:
    assert applicability(block_with(1000), vector(1000, Put(0, b"")), 1001) is Applicability.APPLY


@pytest.mark.parametrize("version", [1001, 1500])
def test_a_block_that_has_the_change_is_left_alone(version: int) -> None:
    assert applicability(block_with(version), vector(1000, Put(0, b"")), 1001) is Applicability.SKIP


@pytest.mark.parametrize("block", [None, block_with(900)])
def test_a_damaged_or_too_old_block_cannot_take_a_change(block: SlottedBlock | None) -> None:
    assert applicability(block, vector(1000, Put(0, b"")), 1001) is Applicability.STUCK


@pytest.mark.parametrize("block", [None, block_with(900)])
def test_an_image_or_a_formatting_needs_nothing(block: SlottedBlock | None) -> None:
    image = Image(block_with(1000).to_bytes(RDBA, 8192))
    assert applicability(block, vector(1000, image), 1001) is Applicability.APPLY
    assert applicability(block, vector(1000, Format(6, 7)), 1001) is Applicability.APPLY


def test_an_image_leaves_its_own_version_and_contents() -> None:
    image = block_with(1000, s3=b"row")
    change = vector(1000, Image(image.to_bytes(RDBA, 8192)))
    block = SlottedBlock()
    block.apply(change.operations, version_after(change, 1001))
    assert (block.slots, block.version, block.object_id) == ({3: b"row"}, (1000, 1), 77)
    assert applicability(block, vector(1000, Put(0, b"")), 1001) is Applicability.APPLY


def test_an_older_image_does_not_overwrite_a_newer_block() -> None:
    image = vector(1000, Image(block_with(1000).to_bytes(RDBA, 8192)))
    assert applicability(block_with(1200), image, 1001) is Applicability.SKIP


def test_a_copy_is_independent() -> None:
    block = block_with(s0=b"row")
    twin = block.copy()
    twin.put(1, b"other")
    assert block.slots == {0: b"row"}
    assert twin.used_bytes != block.used_bytes
