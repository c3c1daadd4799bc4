# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transactions among themselves: isolation, keys, locks, deadlocks, savepoints."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from oracle_simulator.data.tables import UNIQUE_KEY, Table, TableKey
from oracle_simulator.data.transaction import CommittedRow
from oracle_simulator.errors import OracleError

from .shop import Background, Shop, refused, wait_until_waiting


@pytest.fixture
def table(shop: Shop) -> Table:
    shop.create_table()
    shop.insert(*[[n, f"row {n}", 0] for n in range(5)])
    return shop.table()


def rowid(shop: Shop, key: int) -> int:
    return next(found for found, row in shop.rows().items() if row[0] == key)


def test_uncommitted_changes_are_private(shop: Shop, table: Table) -> None:
    mine = shop.begin()
    provisional = mine.insert(table, [10, "new", 0])
    mine.update(table, rowid(shop, 1), [1, "changed", 0])
    mine.delete(table, rowid(shop, 2))
    assert provisional < 0
    assert mine.pending(table) == {
        provisional: [10, "new", 0],
        rowid(shop, 1): [1, "changed", 0],
        rowid(shop, 2): None,
    }
    assert shop.begin().pending(table) == {}
    assert [row[1] for row in shop.contents()] == [f"row {n}" for n in range(5)]
    mine.commit()
    assert [row[1] for row in shop.contents()] == ["row 0", "changed", "row 3", "row 4", "new"]
    assert mine.pending(table) == {}


def test_rollback_leaves_nothing(shop: Shop, table: Table) -> None:
    mine = shop.begin()
    mine.insert(table, [10, "new", 0])
    mine.delete(table, rowid(shop, 2))
    mine.rollback()
    assert not mine.active
    assert len(shop.rows()) == 5
    shop.insert([10, "again", 0])


def test_an_uncommitted_transaction_is_gone_after_a_crash(shop: Shop, table: Table) -> None:
    mine = shop.begin()
    mine.insert(table, [10, "new", 0])
    shop.reopen()
    assert len(shop.rows()) == 5


def test_scns_of_commits_grow(shop: Shop, table: Table) -> None:
    scns = []
    for key in range(10, 15):
        mine = shop.begin()
        mine.insert(table, [key, "x", 0])
        scns.append(mine.commit())
    assert scns == sorted(set(scns))  # type: ignore[type-var]  # no None among them
    assert shop.begin().commit() is None


def test_a_duplicate_key_is_refused(shop: Shop, table: Table) -> None:
    mine = shop.begin()
    error = refused(1, lambda: mine.insert(table, [3, "again", 0]))
    assert error.text == f"unique constraint (APP.{table.keys[0].name}) violated"
    mine.insert(table, [10, "x", 0])
    refused(1, lambda: mine.insert(table, [10, "y", 0]))
    refused(1, lambda: mine.update(table, rowid(shop, 1), [10, "z", 0]))
    mine.commit()
    assert [row[0] for row in shop.contents()] == [0, 1, 2, 3, 4, 10]


def test_keys_freed_by_the_own_transaction_may_be_used(shop: Shop, table: Table) -> None:
    mine = shop.begin()
    mine.delete(table, rowid(shop, 3))
    mine.insert(table, [3, "second life", 0])
    mine.update(table, rowid(shop, 1), [100, "moved away", 0])
    mine.update(table, rowid(shop, 2), [1, "moved in", 0])
    mine.commit()
    assert {row[0]: row[1] for row in shop.contents()} == {
        0: "row 0", 1: "moved in", 3: "second life", 4: "row 4", 100: "moved away",
    }  # fmt: skip
    other = shop.begin()
    other.insert(table, [2, "free again", 0])
    for taken in (1, 3, 100):
        refused(1, lambda taken=taken: other.insert(table, [taken, "", 0]))  # type: ignore[misc]  # bound now


def test_an_undone_change_of_a_key_leaves_the_key_taken(shop: Shop, table: Table) -> None:
    mine = shop.begin()
    mark = mine.savepoint()
    mine.update(table, rowid(shop, 3), [30, "x", 0])
    mine.delete(table, rowid(shop, 4))
    mine.rollback_to(mark)
    mine.insert(table, [10, "y", 0])
    mine.commit()
    for taken in (3, 4, 10):
        refused(1, lambda taken=taken: shop.begin().insert(table, [taken, "", 0]))  # type: ignore[misc]  # bound now
    shop.begin().insert(table, [30, "free", 0])


def test_keys_are_known_after_opening_again(shop: Shop, table: Table) -> None:
    shop.reopen()
    refused(1, lambda: shop.begin().insert(shop.table(), [3, "", 0]))


def test_null_keys_are_never_equal(shop: Shop) -> None:
    shop.create_table("U", keys=(TableKey(UNIQUE_KEY, ("NAME", "AMOUNT")),))
    transaction = shop.begin()
    for n in range(3):
        transaction.insert(shop.table("U"), [n, None, None])
    transaction.insert(shop.table("U"), [4, "a", None])
    refused(1, lambda: transaction.insert(shop.table("U"), [5, "a", None]))
    transaction.commit()


def test_savepoints_undo_in_reverse(shop: Shop, table: Table) -> None:
    mine = shop.begin()
    target = rowid(shop, 1)
    mine.update(table, target, [1, "first", 0])
    mark = mine.savepoint()
    mine.update(table, target, [1, "second", 0])
    inserted = mine.insert(table, [10, "x", 0])
    mine.update(table, inserted, [11, "x", 0])
    mine.delete(table, rowid(shop, 2))
    mine.rollback_to(mark)
    assert mine.pending(table) == {target: [1, "first", 0]}
    mine.insert(table, [10, "free again", 0])
    mine.commit()
    assert [row[1] for row in shop.contents()] == ["row 0", "first", "row 2", "row 3", "row 4", "free again"]


def test_an_inserted_and_deleted_row_never_was(shop: Shop, table: Table) -> None:
    mine = shop.begin()
    mine.delete(table, mine.insert(table, [10, "x", 0]))
    assert mine.pending(table) == {}
    mine.commit()
    assert len(shop.rows()) == 5


def test_a_locked_row_is_waited_for_and_read_again(shop: Shop, table: Table) -> None:
    target = rowid(shop, 1)
    first, second = shop.begin(), shop.begin()
    first.update(table, target, [1, "first", 1])
    waiting = Background(lambda: second.lock_row(table, target))
    wait_until_waiting(shop)
    assert waiting.running
    first.commit()
    assert waiting.finish() == [1, "first", 1]
    second.update(table, target, [1, "second", 2])
    second.commit()
    assert shop.rows()[target] == [1, "second", 2]


def test_a_row_deleted_meanwhile_is_gone_for_the_waiter(shop: Shop, table: Table) -> None:
    target = rowid(shop, 1)
    first, second = shop.begin(), shop.begin()
    first.delete(table, target)
    waiting = Background(lambda: second.lock_row(table, target))
    wait_until_waiting(shop)
    first.commit()
    assert waiting.finish() is None


def test_nowait_does_not_wait(shop: Shop, table: Table) -> None:
    target = rowid(shop, 1)
    first, second = shop.begin(), shop.begin()
    first.lock_row(table, target)
    refused(54, lambda: second.lock_row(table, target, timeout=0))
    refused(30006, lambda: second.lock_row(table, target, timeout=0.05))
    first.rollback()
    assert second.lock_row(table, target, timeout=0) == [1, "row 1", 0]


@pytest.mark.parametrize("committed", [True, False])
def test_the_same_new_key_waits_for_the_first(shop: Shop, table: Table, committed: bool) -> None:
    first, second = shop.begin(), shop.begin()
    first.insert(table, [10, "first", 0])
    waiting = Background(lambda: second.insert(table, [10, "second", 0]))
    wait_until_waiting(shop)
    if committed:
        first.commit()
        refused(1, waiting.finish)
    else:
        first.rollback()
        waiting.finish()
        second.commit()
        assert shop.contents()[-1] == [10, "second", 0]


def test_a_deadlock_is_broken_for_one_of_the_two(shop: Shop, table: Table) -> None:
    one, two = rowid(shop, 1), rowid(shop, 2)
    first, second = shop.begin(), shop.begin()
    first.update(table, one, [1, "first", 0])
    second.update(table, two, [2, "second", 0])
    waiting = Background(lambda: first.update(table, two, [2, "first", 0]))
    wait_until_waiting(shop)
    refused(60, lambda: second.update(table, one, [1, "second", 0]))
    assert waiting.running
    second.rollback()
    waiting.finish()
    first.commit()
    assert [row[1] for row in shop.contents()][1:3] == ["first", "first"]


def test_a_deadlock_of_three_is_seen(shop: Shop, table: Table) -> None:
    targets = [rowid(shop, key) for key in range(3)]
    transactions = [shop.begin() for _round in range(3)]
    for transaction, target in zip(transactions, targets, strict=True):
        transaction.lock_row(table, target)
    others = []
    for index in (0, 1):
        others.append(Background(lambda index=index: transactions[index].lock_row(table, targets[index + 1])))  # type: ignore[misc]  # bound now
        wait_until_waiting(shop, index + 1)
    refused(60, lambda: transactions[2].lock_row(table, targets[0]))
    transactions[2].rollback()
    others[1].finish()
    transactions[1].rollback()
    others[0].finish()


def test_a_waiter_can_be_cancelled(shop: Shop, table: Table) -> None:
    target = rowid(shop, 1)
    first, second = shop.begin(), shop.begin()
    first.lock_row(table, target)
    stop = threading.Event()
    waiting = Background(lambda: second.lock_row(table, target, stop.is_set))
    wait_until_waiting(shop)
    stop.set()
    refused(1013, waiting.finish)


def test_a_waiter_hears_that_the_instance_went_down(shop: Shop, table: Table) -> None:
    target = rowid(shop, 1)
    first, second = shop.begin(), shop.begin()
    first.lock_row(table, target)
    waiting = Background(lambda: second.lock_row(table, target))
    wait_until_waiting(shop)
    shop.crash()
    with pytest.raises(OracleError):
        waiting.finish()


@pytest.mark.parametrize(
    ("values", "code", "text"),
    [
        ([None, "x", 0], 1400, 'cannot insert NULL into ("APP"."T"."ID")'),
        (
            [9, "ü" * 2001, 0],
            12899,
            'value too large for column "APP"."T"."NAME" (actual: 4002, maximum: 4000)',
        ),
    ],
)
def test_rows_that_break_a_rule_of_their_column(
    shop: Shop, table: Table, values: list[object], code: int, text: str
) -> None:
    assert refused(code, lambda: shop.begin().insert(table, values)).text == text  # type: ignore[arg-type]  # wrong on purpose


def test_an_update_to_null_has_its_own_error(shop: Shop, table: Table) -> None:
    refused(1407, lambda: shop.begin().update(table, rowid(shop, 1), [None, "x", 0]))


def test_listeners_hear_of_every_committed_row_with_its_rowid(shop: Shop, table: Table) -> None:
    heard: list[tuple[str, Sequence[CommittedRow]]] = []
    shop.transactions.on_commit.append(lambda table, rows: heard.append((table.name, list(rows))))
    mine = shop.begin()
    target, gone = rowid(shop, 1), rowid(shop, 2)
    mine.update(table, target, [1, "u" * 3999, 0])
    mine.delete(table, gone)
    mine.insert(table, [10, "new", 0])
    assert heard == []
    mine.commit()
    ((name, rows),) = heard
    assert name == "T"
    view = {found: row for found, row in shop.rows().items() if row[0] in (1, 10)}
    assert {found: row for found, row in rows if row is not None} == view
    assert gone in [found for found, row in rows if row is None]


def test_many_sessions_add_up(shop: Shop, table: Table) -> None:
    """Lost updates would show: every increment reads the row under its lock."""
    target = rowid(shop, 0)

    def work() -> None:
        transaction = shop.begin()
        for _round in range(25):
            row = transaction.lock_row(table, target)
            assert row is not None
            transaction.update(table, target, [0, "counter", row[2] + 1])  # type: ignore[operator]  # a number
            transaction.commit()

    workers = [Background(work) for _round in range(4)]
    for worker in workers:
        worker.finish()
    assert shop.rows()[target] == [0, "counter", 100]
    shop.reopen()
    assert shop.contents()[0] == [0, "counter", 100]
