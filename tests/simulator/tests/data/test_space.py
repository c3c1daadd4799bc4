# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extents: allocated in turn, given back, and files that grow until they may not."""

from __future__ import annotations

import pytest

from oracle_simulator.data import file_sizes, table_ddl, tablespaces
from oracle_simulator.data.segment import Segment
from oracle_simulator.data.space import FIRST_EXTENT_BLOCK, PIECE_UNITS, bitmap_piece, extent_blocks
from oracle_simulator.storage.block import BlockType

from .shop import MIB, Shop, refused


def segment(shop: Shop, name: str = "T") -> Segment:
    return shop.dictionary.segment(shop.table(name))


def free_units(shop: Shop, tablespace: str) -> int:
    number = shop.dictionary.find_tablespace(tablespace).number
    with shop.instance.latch:
        return sum(
            shop.dictionary.space.file_space(file.file_number).free_units
            for file in shop.instance.control.datafiles
            if file.tablespace_number == number
        )


def fill(shop: Shop, name: str, rows: int) -> None:
    """About 1800 bytes a row: four to a block."""
    transaction = shop.begin()
    transaction.insert_many(shop.table(name), [[n, "f" * 1750, 0] for n in range(rows)])
    transaction.commit()


def fill_for_ever(shop: Shop, rows: int) -> None:
    while True:
        fill(shop, "T", rows)


def test_extents_grow_as_a_segment_does() -> None:
    sizes = [extent_blocks(count) for count in range(100)]
    assert sizes[:16] == [8] * 16
    assert sizes[16:79] == [128] * 63
    assert sizes[79:] == [1024] * 21


def test_a_segment_takes_extents_from_both_files_in_turn(shop: Shop) -> None:
    shop.create_table(keys=())
    fill(shop, "T", 400)
    extents = segment(shop).extents
    assert len({extent.file_number for extent in extents}) == 2
    assert all(extent.block_number >= FIRST_EXTENT_BLOCK for extent in extents)
    assert all(extent.block_number % 8 == 0 for extent in extents)


def test_no_two_segments_share_a_block(shop: Shop) -> None:
    for name in ("A", "B", "C"):
        shop.create_table(name, keys=())
    for _round in range(3):
        for name in ("A", "B", "C"):
            fill(shop, name, 60)
    blocks = [
        (extent.file_number, number)
        for name in ("A", "B", "C")
        for extent in segment(shop, name).extents
        for number in range(extent.block_number, extent.block_number + extent.blocks)
    ]
    assert len(blocks) == len(set(blocks))


@pytest.mark.parametrize("crash", [False, True])
def test_dropping_a_table_gives_its_space_back(shop: Shop, crash: bool) -> None:
    before = free_units(shop, "DATA")
    shop.create_table(keys=())
    fill(shop, "T", 300)
    taken = before - free_units(shop, "DATA")
    assert taken == sum(extent.blocks for extent in segment(shop).extents) // 8
    table_ddl.drop_table(shop.dictionary, "APP", "T")
    if crash:
        shop.reopen()
    assert free_units(shop, "DATA") == before


def test_the_bitmap_on_disk_is_what_memory_says(shop: Shop) -> None:
    shop.create_table(keys=())
    fill(shop, "T", 300)
    free = free_units(shop, "DATA")
    shop.reopen()
    assert free_units(shop, "DATA") == free


def test_bitmap_pieces_have_one_bit_per_unit() -> None:
    assert bitmap_piece(b"\1\0\1" + bytes(PIECE_UNITS - 3)) == b"\x05" + bytes(63)
    assert bitmap_piece(b"\1" * 9) == b"\xff\x01" + bytes(62)


def test_a_full_tablespace_says_so_and_the_transaction_is_gone(shop: Shop) -> None:
    shop.create_table(keys=())
    fill(shop, "T", 1000)
    transaction = shop.begin()
    transaction.insert_many(shop.table(), [[n, "f" * 1750, 1] for n in range(3000)])
    error = refused(1653, transaction.commit)
    assert error.text == "unable to extend table APP.T by 128 in tablespace DATA"
    assert len(shop.rows()) == 1000
    fill(shop, "T", 10)
    shop.reopen()
    assert len(shop.rows()) == 1010


def test_no_room_for_a_first_extent(shop: Shop) -> None:
    shop.create_table("FULL", keys=())
    names = iter(range(1000))

    def create_for_ever() -> None:
        while True:
            shop.create_table(f"T{next(names)}", keys=())

    error = refused(1658, create_for_ever)
    assert error.text == "unable to create INITIAL extent for segment in tablespace DATA"


def test_a_file_grows_by_itself_and_recovery_knows(shop: Shop) -> None:
    shop.create_table(tablespace="USERS", keys=())
    before = next(file.blocks for file in shop.instance.control.datafiles if file.file_number == 4)
    fill(shop, "T", 1500)
    record = shop.instance.control.datafile(4)
    assert record is not None
    assert record.blocks > before
    grown = record.blocks
    shop.reopen()
    record = shop.instance.control.datafile(4)
    assert record is not None
    assert record.blocks == grown
    assert shop.instance.files.get(4).datafile.read_header().blocks == grown
    assert len(shop.rows()) == 1500


def test_a_bigfile_grows_in_its_one_file(shop: Shop) -> None:
    shop.create_table(tablespace="BIG", keys=())
    fill(shop, "T", 2500)
    shop.reopen()
    assert len(shop.rows()) == 2500
    assert {extent.file_number for extent in segment(shop).extents} == {7}


def test_growing_ends_at_the_largest_size(shop: Shop) -> None:
    spec = shop.new_file("small01.dbf", 2 * MIB, increment_bytes=MIB // 2, max_bytes=3 * MIB)
    tablespaces.create_tablespace(shop.dictionary, "SMALL", [spec])
    shop.create_table(tablespace="SMALL", keys=())
    refused(1653, lambda: fill_for_ever(shop, 100))
    record = tablespaces.find_datafile(shop.dictionary, str(spec.path))
    assert MIB * 2 < record.bytes <= 3 * MIB


def test_autoextend_can_be_switched_on_and_off(shop: Shop) -> None:
    shop.create_table(keys=())
    files = [file.file_number for file in shop.instance.control.datafiles if file.tablespace_number == 5]
    refused(1653, lambda: fill_for_ever(shop, 500))
    file_sizes.set_autoextend(shop.dictionary, files, MIB)
    fill(shop, "T", 500)
    shop.reopen()
    fill(shop, "T", 500)
    file_sizes.set_autoextend(shop.dictionary, files, 0)
    refused(1653, lambda: fill_for_ever(shop, 500))


def test_resizing_a_file_by_hand(shop: Shop) -> None:
    file_sizes.resize_datafile(shop.dictionary, 5, 6 * MIB)
    record = shop.instance.control.datafile(5)
    assert record is not None
    assert record.bytes == 6 * MIB
    shop.reopen()
    file_sizes.resize_datafile(shop.dictionary, 5, 3 * MIB)
    shop.reopen()
    file = shop.instance.files.get(5)
    assert (file.record.bytes, file.datafile.blocks * 8192) == (3 * MIB, 3 * MIB)
    assert file.datafile.read_header().blocks == 3 * MIB // 8192


def test_used_blocks_are_not_cut_off(shop: Shop) -> None:
    shop.create_table(keys=())
    fill(shop, "T", 1000)
    refused(3297, lambda: file_sizes.resize_datafile(shop.dictionary, 5, 2 * MIB))
    refused(3214, lambda: file_sizes.resize_datafile(shop.dictionary, 5, MIB // 2))
    refused(1516, lambda: file_sizes.resize_datafile(shop.dictionary, 99, 4 * MIB))
    assert len(shop.rows()) == 1000


def test_a_dropped_tables_blocks_may_be_cut_off_and_used_again(shop: Shop) -> None:
    shop.create_table(keys=())
    fill(shop, "T", 1000)
    table_ddl.drop_table(shop.dictionary, "APP", "T")
    file_sizes.resize_datafile(shop.dictionary, 5, 2 * MIB)
    file_sizes.resize_datafile(shop.dictionary, 5, 5 * MIB)
    shop.create_table(keys=())
    fill(shop, "T", 1000)
    shop.reopen()
    assert len(shop.rows()) == 1000


def test_the_space_header_stands_in_block_two(shop: Shop) -> None:
    with shop.instance.latch:
        assert shop.instance.cache.get(5, 2).block.type == BlockType.SPACE_HEADER
        assert shop.instance.cache.get(1, 3).block.type == BlockType.BITMAP
