# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at any moment: what was acknowledged is there, what was not attempted is not."""

from __future__ import annotations

import random
import time
from pathlib import Path

from oracle_simulator.testing import SimulatedDatabase
from witness.check import check_database
from witness.client import DATABASE_GONE
from witness.model import TableSpec
from witness.process import ClientSettings, WorkloadClient

from .dba import Dba, damage

TABLES = (TableSpec("ORDERS", "USERS", 400), TableSpec("CUSTOMERS", "USERS", 400))
CRASHES = 5


def test_no_crash_loses_an_acknowledged_commit(database: SimulatedDatabase, tmp_path: Path) -> None:
    chance = random.Random(20260101)
    settings = ClientSettings(
        dsn=database.dsn,
        user="APP",
        password=database.passwords["APP"],
        ledger=tmp_path / "ledger.jsonl",
        tables=TABLES,
    )
    for crash in range(CRASHES):
        client = WorkloadClient(settings)
        client.start(resume=crash > 0)
        client.wait_for_commits(5)
        time.sleep(chance.uniform(0, 0.5))
        database.crash()
        assert client.wait_until_ended() == DATABASE_GONE, client.last_words()
        database.start()
        with database.connect("APP") as connection:
            verdict = check_database(connection, client.ledger(), None)
        assert verdict.good, f"crash {crash}: {verdict}"


def test_an_abort_is_a_crash(database: SimulatedDatabase) -> None:
    with database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE pair (id NUMBER PRIMARY KEY)")
        cursor.execute("INSERT INTO pair VALUES (1)")
        connection.commit()
        cursor.execute("INSERT INTO pair VALUES (2)")
        database.shutdown("abort")
    database.start()
    with database.connect("APP") as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT id FROM pair").fetchall() == [(1,)]


def test_a_crash_in_the_middle_of_a_block_leaves_it_whole(dba: Dba) -> None:
    dba.start_load()
    (number,) = [number for number, (_path, name) in dba.find_files().items() if name == "USERS"]
    users = dba.database.datafile("USERS")
    with dba.writer_held(number) as block:
        dba.crash()
    assert damage(users, block) == "fractured"
    dba.start_mounted()
    assert damage(users, block) is None
    dba.open()
    assert not dba.load.lost(dba.rows())
