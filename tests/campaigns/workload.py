# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four clients whose every transaction follows from its number, so that notes of two numbers say all.

Transaction n of a client inserts a few rows in two tables of different tablespaces, deletes those of transaction
n - KEPT, and writes n in its row of PROGRESS. What the database must hold after n is computed, not remembered.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from random import Random
from typing import Any

import oracledb

CLIENTS = 4
KEPT = 12
TABLES = {"ORDERS": "USERS", "LINES": "DATA"}

GONE = frozenset({28, 1012, 1033, 1034, 1041, 1089, 1092, 3113, 3114, 3135, 12514, 12537})
"""Errors of Oracle that say only that the database went away."""

Rows = dict[tuple[str, int, int], str]
"""(table, transaction, number) to payload."""


def rows_of(seed: int, client: int, transaction: int) -> Rows:
    """The rows a transaction inserts."""
    chance = Random(f"{seed}/{client}/{transaction}")
    count = chance.choice((1, 1, 1, 2, 3, 25))
    return {
        (("ORDERS", "LINES")[number % 2], transaction, number): chance.randbytes(chance.randint(4, 150)).hex()
        for number in range(count)
    }


def state_after(seed: int, client: int, last: int) -> Rows:
    """Every row of a client after its transaction ``last``."""
    rows: Rows = {}
    for transaction in range(max(1, last - KEPT + 1), last + 1):
        rows.update(rows_of(seed, client, transaction))
    return rows


def create_tables(connection: Any) -> None:
    """The tables, empty, with a row of PROGRESS for each client."""
    with connection.cursor() as cursor:
        for table, tablespace in TABLES.items():
            cursor.execute(
                f"CREATE TABLE {table} (client NUMBER, txn NUMBER, n NUMBER, payload VARCHAR2(400)) "
                f"TABLESPACE {tablespace}"
            )
        cursor.execute("CREATE TABLE progress (client NUMBER PRIMARY KEY, last NUMBER) TABLESPACE users")
        cursor.executemany("INSERT INTO progress VALUES (:1, 0)", [[client] for client in range(CLIENTS)])
    connection.commit()


def is_gone(error: oracledb.Error) -> bool:
    """Whether an error says only that the database went away."""
    first = error.args[0]
    full = getattr(first, "full_code", "")
    return getattr(first, "code", 0) in GONE or full in (
        "DPY-4011",
        "DPY-1001",
        "DPY-6005",
        "DPY-6000",
        "DPY-6001",
    )


@dataclass
class Client:
    """One client. ``tried`` is noted before COMMIT is sent, ``acknowledged`` after its answer."""

    seed: int
    number: int
    acknowledged: int = 0
    tried: int = 0
    problems: list[str] = field(default_factory=list)
    thread: threading.Thread | None = None

    def start(self, connection: Any) -> None:
        """Work until the database goes away."""
        self.tried = self.acknowledged
        self.thread = threading.Thread(target=self._run, args=(connection,), name=f"client {self.number}")
        self.thread.start()

    def join(self) -> None:
        """Wait until the client has noticed."""
        if self.thread is not None:
            self.thread.join()

    def _run(self, connection: Any) -> None:
        try:
            with connection.cursor() as cursor:
                while True:
                    self._transaction(cursor, self.acknowledged + 1)
                    self.tried = self.acknowledged + 1
                    connection.commit()
                    self.acknowledged = self.tried
        except oracledb.Error as error:
            if not is_gone(error):
                self.problems.append(f"client {self.number}: {error}")

    def _transaction(self, cursor: Any, transaction: int) -> None:
        new = rows_of(self.seed, self.number, transaction)
        for table in TABLES:
            rows = [[self.number, t, n, text] for (name, t, n), text in new.items() if name == table]
            if rows:
                cursor.executemany(f"INSERT INTO {table} VALUES (:1, :2, :3, :4)", rows)
            cursor.execute(
                f"DELETE FROM {table} WHERE client = :1 AND txn = :2", [self.number, transaction - KEPT]
            )
        cursor.execute("UPDATE progress SET last = :1 WHERE client = :2", [transaction, self.number])

    # ------------------------------------------------------------ afterwards

    def judge(self, last: int, found: Rows) -> tuple[int, list[str]]:
        """(acknowledged commits that are lost, what is wrong otherwise); then go on from what is there."""
        lost = max(0, self.acknowledged - last)
        wrong = []
        if last > self.tried:
            wrong.append(
                f"client {self.number}: transaction {last} is there, {self.tried} was the last tried"
            )
        expected = state_after(self.seed, self.number, last)
        if found != expected:
            missing, surplus = expected.keys() - found.keys(), found.keys() - expected.keys()
            changed = [key for key in expected.keys() & found.keys() if expected[key] != found[key]]
            wrong.append(
                f"client {self.number}: after transaction {last} {len(missing)} rows are missing, "
                f"{len(surplus)} surplus, {len(changed)} different"
            )
        self.acknowledged = self.tried = last
        return lost, wrong
