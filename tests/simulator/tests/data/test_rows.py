# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows in blocks: whatever is done to them, the blocks say what was committed, before and after crashes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from oracle_simulator.data import table_ddl
from oracle_simulator.data.heap import split_rowid
from oracle_simulator.data.tables import TableColumn
from oracle_simulator.storage.block import examine, make_rdba
from oracle_simulator.storage.datafile import Datafile
from oracle_simulator.storage.slotted import SlottedBlock

from .shop import Shop, refused


def test_rows_are_in_the_blocks_their_rowids_name(shop: Shop) -> None:
    shop.create_table()
    (rowid,) = shop.insert([1, "Grüezi", 5])
    file_number, block_number, slot = split_rowid(rowid)
    record = shop.instance.control.datafile(file_number)
    assert record is not None
    shop.instance.shutdown("immediate")
    with Datafile.open(record.path) as datafile:
        raw = datafile.read_block(block_number)
    assert examine(raw, make_rdba(record.relative_file_number, block_number)) is None
    assert "Grüezi".encode() in raw
    assert "Grüezi".encode() in SlottedBlock.from_bytes(raw).slots[slot]


def test_a_row_that_outgrows_its_block_moves(shop: Shop) -> None:
    shop.create_table()
    rowids = shop.insert(*[[n, "x" * 300, 0] for n in range(20)])
    transaction = shop.begin()
    transaction.update(shop.table(), rowids[3], [3, "y" * 4000, 1])
    transaction.commit()
    moved = next(rowid for rowid, row in shop.rows().items() if row[0] == 3)
    assert split_rowid(moved)[:2] != split_rowid(rowids[3])[:2]
    assert sorted(row[0] for row in shop.rows().values()) == list(range(20))  # type: ignore[type-var]  # numbers
    refused(1410, lambda: shop.begin().update(shop.table(), rowids[3], [3, "z", 1]))


def test_room_made_by_deleting_is_used_again(shop: Shop) -> None:
    shop.create_table()
    rowids = shop.insert(*[[n, "x" * 500, 0] for n in range(300)])
    used = shop.dictionary.heap(shop.table()).segment.high_water_mark
    for round_number in range(1, 6):
        transaction = shop.begin()
        for rowid in rowids:
            transaction.delete(shop.table(), rowid)
        transaction.commit()
        rowids = shop.insert(*[[n + 1000 * round_number, "x" * 500, 0] for n in range(300)])
    assert shop.dictionary.heap(shop.table()).segment.high_water_mark <= used + 2


def long_rows(shop: Shop) -> None:
    columns = [TableColumn("ID", "NUMBER", 22), TableColumn("LONG", "CLOB"), TableColumn("N", "NUMBER", 22)]
    table_ddl.create_table(shop.dictionary, "APP", "T", columns, ())


def test_a_row_larger_than_a_block_is_chained(shop: Shop) -> None:
    long_rows(shop)
    texts = ["x" * 4000, "y" * 20_000, "y" * 3, "z" * 100_000]
    for number, text in enumerate(texts):
        shop.insert([number, text, 0])
    shop.reopen(crash=True)
    assert shop.contents() == [[number, text, 0] for number, text in enumerate(texts)]
    rowid_of = {row[0]: rowid for rowid, row in shop.rows().items()}
    transaction = shop.begin()
    transaction.update(shop.table(), rowid_of[0], [0, "grown " * 10_000, 1])
    transaction.update(shop.table(), rowid_of[1], [1, "shrunk", 1])
    transaction.delete(shop.table(), rowid_of[3])
    transaction.commit()
    shop.reopen(crash=True)
    assert shop.contents() == [[0, "grown " * 10_000, 1], [1, "shrunk", 1], [2, "yyy", 0]]


def test_blocks_of_a_chained_row_serve_other_rows_later(shop: Shop) -> None:
    long_rows(shop)
    (rowid,) = shop.insert([0, "x" * 60_000, 0])
    first = shop.dictionary.heap(shop.table()).segment.high_water_mark
    for number in range(1, 20):
        transaction = shop.begin()
        transaction.delete(shop.table(), rowid)
        transaction.commit()
        (rowid,) = shop.insert([number, "x" * 60_000, 0])
    assert shop.dictionary.heap(shop.table()).segment.high_water_mark <= first + 2


def test_a_row_of_nearly_a_block_fits(shop: Shop) -> None:
    shop.create_table(keys=())
    transaction = shop.begin()
    for n in range(3):
        transaction.insert(shop.table(), [n, "x" * 4000, "y" * 4100])
    transaction.commit()
    assert len(shop.rows()) == 3


@pytest.mark.parametrize("tablespace", ["DATA", "BIG"])
@pytest.mark.parametrize("seed", [1, 2])
def test_random_work_with_crashes_agrees_with_a_model(shop: Shop, tablespace: str, seed: int) -> None:
    rng = random.Random(seed)
    shop.create_table(tablespace=tablespace)
    model: dict[int, list[Any]] = {}
    next_id = 0
    for step in range(60):
        transaction = shop.begin()
        table = shop.table()
        rowid_of = {row[0]: rowid for rowid, row in shop.rows().items()}
        draft = {key: list(row) for key, row in model.items()}
        for key in rng.sample(sorted(model), min(len(model), rng.randrange(0, 30))):
            if rng.random() < 0.4:
                transaction.delete(table, rowid_of[key])
                del draft[key]
            else:
                draft[key] = [key, "u" * rng.randrange(0, 2000), step]
                transaction.update(table, rowid_of[key], draft[key])
        for _round in range(rng.randrange(0, 60)):
            draft[next_id] = [next_id, "i" * rng.randrange(0, 600), step]
            transaction.insert(table, draft[next_id])
            next_id += 1
        if rng.random() < 0.75:
            transaction.commit()
            model = draft
        else:
            transaction.rollback()
        if step % 20 == 19:
            shop.reopen(crash=rng.random() < 0.7)
        assert shop.contents() == [model[key] for key in sorted(model)]


def test_a_commit_larger_than_one_part_of_redo_is_all_or_nothing(shop: Shop) -> None:
    shop.create_table(keys=())
    shop.insert(*[[n, "z" * 1500, 0] for n in range(1200)])
    shop.reopen()
    assert len(shop.rows()) == 1200


def test_many_commits_switch_logs_and_survive(shop: Shop) -> None:
    shop.create_table()
    first = shop.instance.control.current_group.sequence
    for start in range(0, 6000, 500):
        transaction = shop.begin()
        transaction.insert_many(shop.table(), [[n, "w" * 1000, 0] for n in range(start, start + 500)])
        transaction.commit()
        delete = shop.begin()
        for rowid in shop.rows():
            delete.delete(shop.table(), rowid)
        if start + 500 < 6000:
            delete.commit()
        else:
            delete.rollback()
    assert shop.instance.control.current_group.sequence > first
    shop.reopen()
    assert [row[0] for row in shop.contents()] == list(range(5500, 6000))


def test_a_damaged_block_is_ora_1578_with_its_file(shop: Shop) -> None:
    shop.create_table()
    (rowid,) = shop.insert([1, "x", 1])
    file_number, block_number, _slot = split_rowid(rowid)
    record = shop.instance.control.datafile(file_number)
    assert record is not None
    shop.instance.shutdown("immediate")
    with open(record.path, "r+b") as file:
        file.seek(block_number * 8192 + 4000)
        file.write(b"damage")
    shop.open()
    error = refused(1578, shop.rows)
    assert error.codes == (1578, 1110)
    assert record.path in error.message
