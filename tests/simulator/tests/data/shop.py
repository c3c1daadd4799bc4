# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database under test: an instance, its dictionary and its transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oracle_simulator.data import table_ddl
from oracle_simulator.data.definition import FileDefinition
from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.dictionary_check import reconcile
from oracle_simulator.data.tables import PRIMARY_KEY, Table, TableColumn, TableKey
from oracle_simulator.data.transaction import Transaction, Transactions
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.storage.values import Value, decode_row

MIB = 1 << 20
WAIT = 20.0

COLUMNS = (
    TableColumn("ID", "NUMBER"),
    TableColumn("NAME", "VARCHAR2", 4000),
    TableColumn("AMOUNT", "NUMBER"),
)
KEY = (TableKey(PRIMARY_KEY, ("ID",)),)


class Shop:
    """One database; its instance is made anew by each :meth:`open`."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.instance: Instance
        self.dictionary: Dictionary
        self.transactions: Transactions

    def open(self, read_only: bool = False) -> None:
        self.instance = Instance(self.home, Parameters.read(self.home.parameter_file))
        self.instance.dictionary_check = self._check
        self.instance.startup()
        self.instance.mount()
        self.instance.open(read_only)

    def _check(self) -> None:
        self.dictionary = Dictionary(self.instance)
        self.dictionary.load()
        reconcile(self.dictionary)
        self.transactions = Transactions(self.instance, self.dictionary)

    def crash(self) -> None:
        """What SIGKILL leaves."""
        self.instance.abandon()

    def reopen(self, crash: bool = True) -> None:
        if crash:
            self.crash()
        else:
            self.instance.shutdown("immediate")
        self.open()

    def begin(self) -> Transaction:
        return self.transactions.begin("test")

    def table(self, name: str = "T") -> Table:
        return self.dictionary.find_table("APP", name)

    def create_table(
        self, name: str = "T", tablespace: str | None = None, keys: tuple[TableKey, ...] = KEY
    ) -> Table:
        return table_ddl.create_table(self.dictionary, "APP", name, COLUMNS, keys, tablespace)

    def rows(self, name: str = "T") -> dict[int, list[Value]]:
        """All committed rows by rowid."""
        with self.instance.latch:
            return {rowid: decode_row(data) for rowid, data in self.dictionary.heap(self.table(name)).scan()}

    def contents(self, name: str = "T") -> list[list[Value]]:
        """All committed rows, sorted by their first column."""
        return sorted(self.rows(name).values(), key=lambda row: (str(type(row[0])), row[0]))

    def insert(self, *rows: list[Any], name: str = "T") -> list[int]:
        """Insert and commit; the rowids in the order of the rows."""
        transaction = self.begin()
        transaction.insert_many(self.table(name), rows)
        transaction.commit()
        by_id = {row[0]: rowid for rowid, row in self.rows(name).items()}
        return [by_id[row[0]] for row in rows]

    def new_file(self, name: str, size_bytes: int = 2 * MIB, **options: Any) -> FileDefinition:
        return FileDefinition(size_bytes, path=Path(self.home.datafile_folder) / name, **options)


def refused(code: int, act: Callable[[], object]) -> OracleError:
    """Assert that ``act`` raises this ORA- code; the error."""
    with pytest.raises(OracleError) as caught:
        act()
    assert caught.value.code == code, caught.value.message
    return caught.value


class Background:
    """A call in another thread, and what became of it."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.error: OracleError | None = None
        self.result: object = None
        self._thread = threading.Thread(target=self._run, args=(act,), daemon=True)
        self._thread.start()

    def _run(self, act: Callable[[], object]) -> None:
        try:
            self.result = act()
        except OracleError as exc:
            self.error = exc

    def finish(self) -> object:
        """Wait for the end; raises what the call raised."""
        self._thread.join(WAIT)
        assert not self._thread.is_alive(), "still waiting"
        if self.error is not None:
            raise self.error
        return self.result

    @property
    def running(self) -> bool:
        return self._thread.is_alive()


def wait_until_waiting(shop: Shop, count: int = 1) -> None:
    """Wait until ``count`` transactions wait for locks."""
    reached = threading.Event()
    for _round in range(int(WAIT / 0.01)):
        with shop.instance.latch:
            if len(shop.transactions.locks.waiting()) >= count:
                return
        reached.wait(0.01)
    raise AssertionError("nobody waits")
