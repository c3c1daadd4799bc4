# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real blocks from published dumps: the readers accept them, the writers make the same envelope."""

from __future__ import annotations

import pytest

from oracle_simulator.storage.block import (
    FORMAT_BEFORE_10G,
    BlockVersion,
    empty_blocks,
    examine,
    make_rdba,
    rdba_of,
    seal,
    type_of,
    version_of,
)
from published_blocks import BLOCK_SIZE, ENDS, NEVER_USED, SPACE_HEADER, WHOLE, PublishedBlock, PublishedEnds

whole = pytest.mark.parametrize("block", WHOLE, ids=lambda block: block.name)
ends = pytest.mark.parametrize("block", ENDS, ids=lambda block: block.name)


@whole
def test_a_real_block_is_sound_and_read_as_oracle_printed_it(block: PublishedBlock) -> None:
    rdba = make_rdba(block.relative_file, block.block_number)
    assert examine(block.data, rdba) is None
    assert (rdba_of(block.data), type_of(block.data)) == (rdba, block.block_type)
    assert version_of(block.data) == BlockVersion(block.scn, block.sequence)


@pytest.mark.parametrize("offset", [0x24, 0x51, 0x800, 0x1FF0])
def test_one_flipped_bit_in_a_real_block_is_seen(offset: int) -> None:
    for block in WHOLE:
        damaged = bytearray(block.data)
        damaged[offset] ^= 0x10
        assert examine(damaged) == "checksum"


def test_sealing_the_body_of_a_real_block_gives_that_block_to_the_byte() -> None:
    rebuilt = bytearray(BLOCK_SIZE)
    rebuilt[20:-4] = SPACE_HEADER.data[20:-4]
    rdba = make_rdba(SPACE_HEADER.relative_file, SPACE_HEADER.block_number)
    version = BlockVersion(SPACE_HEADER.scn, SPACE_HEADER.sequence)
    seal(rebuilt, SPACE_HEADER.block_type, rdba, version, block_format=FORMAT_BEFORE_10G)
    assert bytes(rebuilt) == SPACE_HEADER.data


def test_a_block_made_as_never_used_is_the_real_one_to_the_byte() -> None:
    assert empty_blocks(NEVER_USED.block_number, 1, BLOCK_SIZE) == NEVER_USED.data


@ends
def test_sealing_gives_the_head_and_tail_of_a_real_block(block: PublishedEnds) -> None:
    made = bytearray(BLOCK_SIZE)
    rdba = make_rdba(block.relative_file, block.block_number)
    seal(made, block.block_type, rdba, BlockVersion(block.scn, block.sequence))
    assert made[2:15] == block.head[2:15]
    assert bytes(made[-4:]) == block.tail
