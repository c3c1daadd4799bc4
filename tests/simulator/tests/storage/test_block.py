# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Envelopes of blocks against published values and an independent reading."""

from __future__ import annotations

import pytest

from oracle_simulator.storage.block import (
    BlockType,
    BlockVersion,
    block_zero,
    empty_blocks,
    examine,
    fold,
    format_byte,
    make_rdba,
    read_block_zero,
    seal,
    version_of,
)

from .independent import check_block, tail, u2, u4, xor16

SIZES = (2048, 4096, 8192, 16384, 32768)


VERSION = BlockVersion(0x1732D3, 1)


def sealed(size: int = 8192, rdba: int = 0x01000005, version: BlockVersion = VERSION) -> bytearray:
    buf = bytearray(size)
    buf[100:200] = bytes(range(100))
    seal(buf, BlockType.TABLE, rdba, version)
    return buf


def test_never_used_block_nine_has_the_checksum_of_a_real_dump() -> None:
    assert u2(empty_blocks(9, 1, 8192), 16) == 0xA709


@pytest.mark.parametrize("size", SIZES)
def test_never_used_blocks_carry_their_number_without_a_file_number(size: int) -> None:
    data = empty_blocks(70_000, 3, size)
    for index in range(3):
        block = data[index * size : (index + 1) * size]
        check_block(block, 70_000 + index, 0)
        assert (u4(block, 8), block[14], block[15]) == (0, 1, 5)
        assert block[-4:] == b"\x01\x00\x00\x00"
        assert not any(block[20:-4])


@pytest.mark.parametrize("size", SIZES)
def test_a_sealed_block_is_sound_to_an_independent_reader(size: int) -> None:
    check_block(bytes(sealed(size)), 0x01000005, 6)


def test_the_tail_has_sequence_type_and_low_scn_in_memory_order() -> None:
    assert bytes(sealed()[-4:]) == bytes((0x01, 0x06, 0xD3, 0x32))


def test_all_three_parts_of_a_large_scn_stand_in_the_header() -> None:
    scn = 5 << 48 | 7 << 32 | 9
    buf = bytes(sealed(version=BlockVersion(scn, 3)))
    assert (u4(buf, 8), u2(buf, 12), u2(buf, 2), buf[14]) == (9, 7, 5, 3)
    assert version_of(buf) == (scn, 3)


@pytest.mark.parametrize(
    ("size", "blocks", "mode", "flags", "checksum"),
    [
        (8192, 106240, 0o100640, 0, 0x6567),
        (512, 102400, 0o100640, 0, 0xC867),
        (512, 67, 0o100640, 4, 0x5C25),
        (8192, 7225, 0, 0, 0x67FF),
    ],
)
def test_block_zero_has_the_checksums_of_real_files(
    size: int, blocks: int, mode: int, flags: int, checksum: int
) -> None:
    block = block_zero(size, blocks, mode=mode, flags=flags)
    assert u2(block, 16) == checksum
    assert block[28:32] == bytes((0x7D, 0x7C, 0x7B, 0x7A))
    assert (u4(block, 4), u4(block, 20), u4(block, 24)) == (0xFFC00000, size, blocks)
    assert xor16(block) == 0
    assert read_block_zero(block) == (size, blocks, True)


def test_block_zero_of_something_else_is_not_recognised() -> None:
    assert read_block_zero(b"\x03dBASE file".ljust(8192, b"\0")) is None
    assert read_block_zero(b"") is None


def test_a_damaged_block_zero_is_recognised_and_not_valid() -> None:
    block = bytearray(block_zero(8192, 100))
    block[200] ^= 1
    assert read_block_zero(bytes(block)) == (8192, 100, False)


def test_a_sound_block_is_nothing_to_complain_about() -> None:
    assert examine(sealed()) is None
    assert examine(sealed(), 0x01000005) is None


def test_a_block_of_zeros_is_zero() -> None:
    assert examine(bytes(8192)) == "zero"


def test_a_block_in_the_wrong_place_is_a_bad_header() -> None:
    assert examine(sealed(), 0x01000006) == "header"


def test_a_wrong_format_byte_is_a_bad_header() -> None:
    buf = sealed()
    buf[1] = 0x82
    assert examine(buf) == "header"


def test_a_never_used_block_may_leave_out_the_file_number() -> None:
    assert examine(empty_blocks(200, 1, 8192), make_rdba(4, 200)) is None
    assert examine(empty_blocks(201, 1, 8192), make_rdba(4, 200)) == "header"


def test_two_halves_of_different_writes_are_fractured() -> None:
    old, new = sealed(version=BlockVersion(1000, 1)), sealed(version=BlockVersion(1001, 1))
    assert examine(new[:4096] + old[4096:]) == "fractured"


def test_a_flipped_bit_in_the_body_is_a_bad_checksum() -> None:
    buf = sealed()
    buf[150] ^= 0x10
    assert examine(buf) == "checksum"


def test_the_residual_of_a_marked_block_is_what_real_tools_print() -> None:
    buf = sealed()
    buf[14] = 0xFF
    assert fold(buf) == 0x00FE


@pytest.mark.parametrize(
    ("size", "byte"), [(512, 0x22), (2048, 0x62), (4096, 0x82), (8192, 0xA2), (16384, 0xC2), (32768, 0xE2)]
)
def test_format_bytes(size: int, byte: int) -> None:
    assert format_byte(size) == byte


@pytest.mark.parametrize("size", [0, 256, 1000, 65536])
def test_no_format_byte_for_other_sizes(size: int) -> None:
    with pytest.raises(ValueError, match="no Oracle block size"):
        format_byte(size)


def test_rdba_of_small_and_big_files() -> None:
    assert make_rdba(5, 16) == 0x01400010
    assert make_rdba(1024, 0x01400010, bigfile=True) == 0x01400010


def test_independent_tail_agrees_with_the_documented_example() -> None:
    assert tail(0x001732D3, 6, 1) == bytes.fromhex("0106d332")
