# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workload client: one unmodified driver connection that inserts, updates and deletes without a pause.

    python -m witness.client --dsn HOST:PORT/SERVICE --user APP --ledger FILE --table NAME:TABLESPACE:ROWS ...

The password comes on standard input, one line. SIGTERM ends the client between two transactions. When
the database goes away the client notes it and exits with status 3; a later start with --resume asks
the database how far it got and goes on from there.
"""

from __future__ import annotations

import argparse
import itertools
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oracledb

from .ledger import LedgerWriter, read_ledger
from .model import WITNESS_TABLE, Model, Operation, TableSpec, loaded_rows, note_of

BATCH_ROWS = 5000
DATABASE_GONE = 3


@dataclass
class StopRequest:
    """Set by SIGTERM; looked at between transactions."""

    asked: bool = False

    def ask(self, *_signal: object) -> None:
        """Signal handler."""
        self.asked = True


class Keys:
    """The ids a table holds, with a random choice in constant time."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = list(ids)
        self._place = {row_id: place for place, row_id in enumerate(self._ids)}
        self.next_id = max(self._ids, default=0) + 1

    def choose(self, chance: random.Random) -> int:
        """Any id that exists."""
        return self._ids[chance.randrange(len(self._ids))]

    def add(self) -> int:
        """A new id."""
        row_id = self.next_id
        self.next_id += 1
        self._place[row_id] = len(self._ids)
        self._ids.append(row_id)
        return row_id

    def remove(self, row_id: int) -> None:
        """Forget an id."""
        place = self._place.pop(row_id)
        last = self._ids.pop()
        if last != row_id:
            self._ids[place] = last
            self._place[last] = place


def plan_transaction(chance: random.Random, keys: dict[str, Keys]) -> tuple[Operation, ...]:
    """Two to five changes of different rows over the tables."""
    operations: list[Operation] = []
    touched: set[tuple[str, int]] = set()
    for _change in range(chance.randint(2, 5)):
        table = chance.choice(list(keys))
        kind = chance.choices(("insert", "update", "delete"), weights=(3, 5, 2))[0]
        row_id = keys[table].add() if kind == "insert" else keys[table].choose(chance)
        if (table, row_id) in touched:
            continue
        touched.add((table, row_id))
        if kind == "delete":
            keys[table].remove(row_id)
        operations.append(Operation(kind, table, row_id, chance.randrange(1_000_000)))
    return tuple(operations)


def run_transaction(connection: Any, number: int, operations: Sequence[Operation]) -> int:
    """Make the changes, commit, and return an SCN read after the acknowledgement."""
    with connection.cursor() as cursor:
        for operation in operations:
            note = note_of(operation.table, operation.row_id, number)
            if operation.kind == "insert":
                cursor.execute(
                    f"INSERT INTO {operation.table} (id, amount, note) VALUES (:1, :2, :3)",
                    [operation.row_id, operation.amount, note],
                )
            elif operation.kind == "update":
                cursor.execute(
                    f"UPDATE {operation.table} SET amount = :1, note = :2 WHERE id = :3",
                    [operation.amount, note, operation.row_id],
                )
            else:
                cursor.execute(f"DELETE FROM {operation.table} WHERE id = :1", [operation.row_id])
            if cursor.rowcount != 1:
                raise RuntimeError(f"{operation} changed {cursor.rowcount} rows")
        cursor.execute(f"INSERT INTO {WITNESS_TABLE} (id) VALUES (:1)", [number])
    connection.commit()
    return current_scn(connection)


def current_scn(connection: Any) -> int:
    """The database's SCN now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_scn FROM v$database")
        return int(cursor.fetchone()[0])


def load(connection: Any, tables: Sequence[TableSpec]) -> None:
    """Create and fill the tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {WITNESS_TABLE} (id NUMBER(12) PRIMARY KEY) TABLESPACE {tables[0].tablespace}"
        )
        for table in tables:
            cursor.execute(table.create_statement)
            rows = loaded_rows(table)
            while batch := list(itertools.islice(rows, BATCH_ROWS)):
                cursor.executemany(f"INSERT INTO {table.name} (id, amount, note) VALUES (:1, :2, :3)", batch)
                connection.commit()


def resume_point(connection: Any) -> int:
    """The last of the client's transactions that the database holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MAX(id) FROM {WITNESS_TABLE}")
        return int(cursor.fetchone()[0] or 0)


def work(connection: Any, ledger: LedgerWriter, model: Model, stop: StopRequest, seed: int) -> None:
    """Transaction after transaction until asked to stop."""
    chance = random.Random(seed + model.last_transaction)
    keys = {table: Keys(sorted(rows)) for table, rows in model.tables.items()}
    number = model.last_transaction
    scn = current_scn(connection)
    previous = time.monotonic()
    while not stop.asked:
        number += 1
        operations = plan_transaction(chance, keys)
        ledger.intent(number, scn, operations)
        scn = run_transaction(connection, number, operations)
        now = time.monotonic()
        ledger.acknowledged(number, scn, now - previous)
        previous = now


def main(arguments: Sequence[str] | None = None) -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--table", action="append", default=[], metavar="NAME:TABLESPACE:ROWS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="go on where the database stands")
    options = parser.parse_args(arguments)
    password = sys.stdin.readline().rstrip("\n")
    stop = StopRequest()
    signal.signal(signal.SIGTERM, stop.ask)

    with LedgerWriter(options.ledger) as ledger:
        try:
            connection = oracledb.connect(user=options.user, password=password, dsn=options.dsn)
            ledger.connected()
            if options.resume:
                written = read_ledger(options.ledger)
                reached = resume_point(connection)
                ledger.resumed(reached)
                model = written.model_after(reached)
                model.last_transaction = reached
            else:
                tables = tuple(
                    TableSpec(name, tablespace, int(rows))
                    for name, tablespace, rows in (text.split(":") for text in options.table)
                )
                load(connection, tables)
                ledger.tables(tables)
                model = Model.loaded(tables)
            print("working", flush=True)
            work(connection, ledger, model, stop, options.seed)
            connection.close()
        except oracledb.Error as error:
            said = str(error).splitlines()[0]
            ledger.error(said)
            print(f"stopped: {said}", flush=True)
            return DATABASE_GONE
    return 0


if __name__ == "__main__":
    sys.exit(main())
