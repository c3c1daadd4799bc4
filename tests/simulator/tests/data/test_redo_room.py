# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commits nearly as large as a redo log, from several sessions: they wait for room, never for each other."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import RedoThreadDefinition
from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode
from oracle_simulator.instance.home import Home

from .conftest import definition
from .shop import MIB, Background, Shop


@pytest.mark.parametrize("in_backup", [False, True])
def test_large_commits_of_many_sessions_never_lock_the_writers(home: Home, in_backup: bool) -> None:
    create_database(home, replace(definition(), redo_threads=(RedoThreadDefinition(size_bytes=2 * MIB),)))
    shop = Shop(home)
    shop.open()
    for session in range(4):
        shop.create_table(f"T{session}", "BIG", keys=())
    if in_backup:
        backup_mode.begin_tablespace(shop.instance, "BIG")

    def work(session: int) -> None:
        rng = random.Random(session)
        transaction = shop.begin()
        table = shop.table(f"T{session}")
        for _round in range(3):
            for rows in (rng.choice((10, 300, 900)) for _each in range(3)):
                transaction.insert_many(table, [[n, "v" * 1000, 0] for n in range(rows)])
                transaction.commit()
            for rowid in rng.sample(sorted(shop.rows(table.name)), 30):
                transaction.update(table, rowid, [0, "w" * 900, 0])
            transaction.commit()

    for worker in [Background(lambda session=session: work(session)) for session in range(4)]:  # type: ignore[misc]  # bound now
        worker.finish()
    counts = [len(shop.rows(f"T{session}")) for session in range(4)]
    if in_backup:
        backup_mode.end_tablespace(shop.instance, "BIG")
    shop.reopen()
    assert [len(shop.rows(f"T{session}")) for session in range(4)] == counts
    shop.crash()


def test_the_largest_transaction_goes_through_and_a_larger_one_is_refused(home: Home) -> None:
    create_database(home, replace(definition(), redo_threads=(RedoThreadDefinition(size_bytes=2 * MIB),)))
    shop = Shop(home)
    shop.open()
    shop.create_table("T", "BIG", keys=())
    largest = 0
    for rows in range(1000, 4000, 100):
        transaction = shop.begin()
        transaction.insert_many(shop.table(), [[n, "v" * 1000, 0] for n in range(rows)])
        try:
            transaction.commit()
        except OracleError as exc:
            assert exc.code == 30036
            break
        largest = rows
    assert 2000 <= largest < 3900
    shop.crash()
