# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as the embedded engine sees them: copies of what the blocks say, made on first use.

A mirror lives as long as the database is open. It is filled by scanning the blocks of a table and kept in
step by the commits that follow: committers only queue what they changed (they hold the latch), queries work
the queue off before they run. Locks are taken in the order mirror, latch.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.tables import Table
from oracle_simulator.data.transaction import CommittedRow, Transaction, Transactions
from oracle_simulator.sql.query.catalog import ROW_ADDRESS, Relation
from oracle_simulator.sql.query.columns import sql_type
from oracle_simulator.sql.query.engine_connection import EngineConnection
from oracle_simulator.sql.query.types import encode_stored
from oracle_simulator.storage.values import decode_row

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_LONGEST_QUEUE = 50_000


def engine_table_name(table: Table) -> str:
    """Names never come back: TRUNCATE gives a table a new data object."""
    return f"T_{table.data_object_id}"


def relation_of(table: Table, overlay_name: str | None = None) -> Relation:
    """The table for the query compiler."""
    columns = tuple((column.name, sql_type(column)) for column in table.columns)
    return Relation(
        table.name, engine_table_name(table), columns, table.object_id, overlay_name, table.data_object_id
    )


def _create(engine: EngineConnection, name: str, table: Table, extra: str = "") -> None:
    columns = ", ".join(f'"{column}"' for column in table.column_names)
    engine.run(f'CREATE TABLE "{name}" ("{ROW_ADDRESS}" INTEGER PRIMARY KEY, {columns}{extra})')
    for number, key in enumerate(table.keys):
        listed = ", ".join(f'"{column}"' for column in key.columns)
        engine.run(f'CREATE INDEX "{name}_{number}" ON "{name}" ({listed})')


class Mirror:
    """All mirrored tables of an open database, in one engine connection. Hold ``lock`` while using it."""

    def __init__(self, instance: Instance, dictionary: Dictionary, transactions: Transactions) -> None:
        self.lock = threading.RLock()
        self.engine = EngineConnection()
        self._instance = instance
        self._dictionary = dictionary
        self._loaded: dict[int, str] = {}
        self._queue: deque[tuple[Table, Sequence[CommittedRow] | None]] = deque()
        transactions.on_commit.append(self._committed)
        dictionary.on_table_gone.append(self._gone)

    def _committed(self, table: Table, rows: Sequence[CommittedRow]) -> None:
        if table.data_object_id in self._loaded:
            self._queue.append((table, rows))
            # Nobody has looked for long: do not keep everything twice. A busy mirror is caught up by its user.
            if len(self._queue) > _LONGEST_QUEUE and self.lock.acquire(blocking=False):
                try:
                    self._catch_up()
                finally:
                    self.lock.release()

    def _gone(self, table: Table) -> None:
        if table.data_object_id in self._loaded:
            self._queue.append((table, None))

    def prepare(self, tables: Iterable[Table]) -> None:
        """Make the tables present and current. Hold the lock, not the latch."""
        for table in tables:
            if table.data_object_id not in self._loaded:
                self._load(table)
        self._catch_up()

    def _load(self, table: Table) -> None:
        statement = self._insert_statement(table)
        with self._instance.latch:
            rows = list(self._dictionary.heap(table).scan())
            self._loaded[table.data_object_id] = statement
        _create(self.engine, engine_table_name(table), table)
        encoded = ([rowid, *map(encode_stored, decode_row(data))] for rowid, data in rows)
        self.engine.run_many(statement, encoded)

    @staticmethod
    def _insert_statement(table: Table) -> str:
        places = ", ".join("?" * (len(table.columns) + 1))
        return f'INSERT OR REPLACE INTO "{engine_table_name(table)}" VALUES ({places})'

    def _catch_up(self) -> None:
        while self._queue:
            table, rows = self._queue.popleft()
            statement = self._loaded.get(table.data_object_id)
            if statement is None:
                continue
            name = engine_table_name(table)
            if rows is None:
                del self._loaded[table.data_object_id]
                self.engine.run(f'DROP TABLE "{name}"')
                continue
            gone = [(rowid,) for rowid, values in rows if values is None]
            if gone:
                self.engine.run_many(f'DELETE FROM "{name}" WHERE "{ROW_ADDRESS}" = ?', gone)
            kept = [[rowid, *map(encode_stored, values)] for rowid, values in rows if values is not None]
            if kept:
                self.engine.run_many(statement, kept)

    def close(self) -> None:
        """Drop everything: the database is closed."""
        with self.lock:
            self._queue.clear()
            self._loaded.clear()
            self.engine.close()


class Overlay:
    """The uncommitted rows of one session, beside the mirrored tables. Hold the mirror's lock for ``sync``."""

    def __init__(self, sid: int, level: int = 0) -> None:
        self._sid = sid
        self.level = level
        self._tables: dict[int, Table] = {}
        self._touched: dict[int, set[int] | None] = {}
        self._created: set[int] = set()

    def beside(self) -> Overlay:
        """One for another transaction of the same session."""
        return Overlay(self._sid, self.level + 1)

    def name_of(self, table: Table) -> str:
        return self._name(table.data_object_id)

    def _name(self, data_object_id: int) -> str:
        return f"P_{self._sid}_{self.level}_{data_object_id}"

    @property
    def tables(self) -> frozenset[int]:
        """Data object ids of the tables with pending rows."""
        return frozenset(self._tables)

    def has(self, table: Table) -> bool:
        """Whether the session may have changed this table since its last commit."""
        return table.data_object_id in self._tables

    def touch(self, table: Table, rowids: Iterable[int]) -> None:
        """Note rows the transaction has just changed."""
        number = table.data_object_id
        self._tables[number] = table
        touched = self._touched.setdefault(number, set())
        if touched is not None:
            touched.update(rowids)

    def touch_all(self) -> None:
        """A rollback to a savepoint: any row may be different."""
        for number in self._tables:
            self._touched[number] = None

    def end(self) -> None:
        """The transaction has ended: nothing is pending. The engine's tables are emptied on next use."""
        for number in self._tables:
            self._touched[number] = None
        self._tables.clear()

    def sync(self, table: Table, engine: EngineConnection, transaction: Transaction) -> None:
        """Bring the engine's copy of the pending rows up to date."""
        number = table.data_object_id
        name = self.name_of(table)
        if number not in self._created:
            _create(engine, name, table, ', "$GONE"')
            self._created.add(number)
            self._touched[number] = None
        touched = self._touched.get(number)
        if touched is None:
            engine.run(f'DELETE FROM "{name}"')
            pending = transaction.pending(table)
        elif touched:
            pending = {rowid: transaction.lock_row(table, rowid) for rowid in touched}
        else:
            return
        width = len(table.columns)
        rows = [
            [rowid, *([None] * width if values is None else map(encode_stored, values)), int(values is None)]
            for rowid, values in pending.items()
        ]
        places = ", ".join("?" * (width + 2))
        if rows:
            engine.run_many(f'INSERT OR REPLACE INTO "{name}" VALUES ({places})', rows)
        self._touched[number] = set()

    def forget(self, engine: EngineConnection) -> None:
        """Remove the session's tables from the engine."""
        for number in self._created:
            engine.run(f'DROP TABLE IF EXISTS "{self._name(number)}"')
        self._created.clear()
