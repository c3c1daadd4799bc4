# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transactions: changes kept private until commit, row and key locks, savepoints, commit as one record.

There is no undo: uncommitted rows are never in blocks, and readers see what is committed. At commit all
changes of the transaction become one atomic piece of redo, the rows go into their blocks, and the session
waits for the log writer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from oracle_simulator.data.commit import CommittedRow, plan_rows, write_unlogged_loads
from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.direct_load import DirectLoad
from oracle_simulator.data.keys import KeyIndex, Keys
from oracle_simulator.data.locks import LockManager, Owner
from oracle_simulator.data.plan import Cancelled, ChangePlan, write_plan
from oracle_simulator.data.table_changes import Absent, Row, TableChanges
from oracle_simulator.data.tables import Table
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.changes import wait_durable
from oracle_simulator.instance.cache.unlogged import note_unrecoverable
from oracle_simulator.instance.messages import datafile_line
from oracle_simulator.storage.values import Value, decode_row

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

CommitListener = Callable[[Table, Sequence[CommittedRow]], None]


_FIRST_PROVISIONAL = -(1 << 47)
"""Rowids of rows that have no block yet: negative, and rising, so that they sort as they were inserted."""


class _UndoEntry(NamedTuple):
    changes: TableChanges
    rowid: int
    before: Row | Absent | None


class Transactions:
    """All transactions of an open database, with their locks. Make it anew each time the database opens.

    ``on_commit`` listeners are called under the latch with each table's committed rows, before any other
    session can see them.
    """

    def __init__(self, instance: Instance, dictionary: Dictionary) -> None:
        self.instance = instance
        self.dictionary = dictionary
        self.locks = LockManager(instance.latch, dictionary.require_open_read_write)
        self.on_commit: list[CommitListener] = []
        self._active: set[Transaction] = set()
        self._indexes: dict[int, KeyIndex] = {}
        self._next_id = 1
        self._next_provisional = _FIRST_PROVISIONAL
        dictionary.in_use = self.in_use
        dictionary.on_table_gone.append(self._table_gone)

    def begin(self, name: str = "") -> Transaction:
        """A transaction for a session, to be used again after each commit; ``name`` is for views."""
        return Transaction(self, name)

    def in_use(self, table: Table) -> bool:
        """Whether any open transaction has changed the table."""
        return any(transaction.uses(table) for transaction in self._active)

    def active(self) -> list[Transaction]:
        """Transactions with changes."""
        with self.instance.latch:
            return list(self._active)

    def wait_until_idle(
        self, owner: Owner, tablespace_number: int, cancelled: Cancelled | None = None
    ) -> None:
        """Wait for the end of all transactions that have changed tables of a tablespace. Hold the latch."""

        def blocker() -> Owner | None:
            for transaction in self._active:
                if transaction.changes_tablespace(tablespace_number):
                    return transaction.owner
            return None

        self.locks.wait_while(owner, blocker, cancelled)

    def lock_table(self, owner: Owner, table: Table, cancelled: Cancelled | None = None) -> None:
        """Lock a table against all other transactions, those that have changed it first. Hold the latch."""
        self.locks.acquire(owner, _table_lock(table), cancelled)

        def user() -> Owner | None:
            others = (each.owner for each in self._active if each.owner is not owner and each.uses(table))
            return next(others, None)

        self.locks.wait_while(owner, user, cancelled)

    def wait_for_table(self, owner: Owner, table: Table, cancelled: Cancelled | None = None) -> None:
        """Wait while another transaction has locked the whole table. Hold the latch."""
        self.locks.wait_while(owner, lambda: self.locks.holder(_table_lock(table)), cancelled)

    def index_of(self, table: Table) -> KeyIndex:
        """The key index of a table as it is now; hold the latch."""
        index = self._indexes.get(table.data_object_id)
        if index is None or list(index.constraints) != [key for key, _ignored in table.unique_keys]:
            index = KeyIndex(table, self.dictionary.heap(table).scan())
            self._indexes[table.data_object_id] = index
        return index

    def started(self, transaction: Transaction) -> int:
        """Note a transaction's first change; its id."""
        self._active.add(transaction)
        number = self._next_id
        self._next_id += 1
        return number

    def ended(self, transaction: Transaction) -> None:
        """Note the end of a transaction and let others have its locks."""
        self._active.discard(transaction)
        self.locks.release_all(transaction.owner)

    def provisional_rowid(self) -> int:
        """A negative number for a row not yet committed."""
        rowid = self._next_provisional
        self._next_provisional += 1
        return rowid

    def _table_gone(self, table: Table) -> None:
        self._indexes.pop(table.data_object_id, None)


class Transaction:
    """The transaction of one session; used by one thread at a time.

    ``cancelled`` is asked while waiting (for locks, redo space, the log writer): ORA-01013.
    """

    def __init__(self, transactions: Transactions, name: str) -> None:
        self._all = transactions
        self._instance = transactions.instance
        self.owner = Owner(name)
        self.id = 0
        self._changes: dict[int, TableChanges] = {}
        self._undo: list[_UndoEntry] = []

    @property
    def active(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._undo or self.owner.held)

    def uses(self, table: Table) -> bool:
        """Whether it has changed the table or locked rows of it."""
        changes = self._changes.get(table.object_id)
        if changes is None:
            return False
        return bool(changes.rows) or any(
            isinstance(resource, tuple) and resource[0] == table.object_id for resource in self.owner.held
        )

    def holds(self, table: Table, rowid: int) -> bool:
        """Whether it has changed or locked this row."""
        changes = self._changes.get(table.object_id)
        if changes is None:
            return False
        return rowid in changes.rows or (table.object_id, rowid) in self.owner.held

    def changes_tablespace(self, number: int) -> bool:
        """Whether a table of this tablespace is changed."""
        return any(changes.table.tablespace_number == number for changes in self._changes.values())

    # ------------------------------------------------------------ changes

    def insert(self, table: Table, values: Sequence[Value], cancelled: Cancelled | None = None) -> int:
        """A new row; its provisional (negative) rowid.

        Raises ORA-00001, ORA-01400, ORA-12899, ORA-00372 or ORA-00376 (the tablespace cannot be written),
        and the errors of waiting for a row with the same key: ORA-00060, ORA-01013.
        """
        return self.insert_many(table, (values,), cancelled)[0]

    def insert_many(
        self, table: Table, rows: Sequence[Sequence[Value]], cancelled: Cancelled | None = None
    ) -> list[int]:
        """New rows, as :meth:`insert`. On an error the rows before the bad one stay: use a savepoint."""
        with self._instance.latch:
            changes = self._table_changes(table, cancelled)
            unique = bool(changes.pending_keys)
            rowids = []
            for values in rows:
                table.check_row(values)
                row = list(values)
                rowid = self._all.provisional_rowid()
                if unique:
                    self._claim_keys(changes, rowid, changes.index.keys_of(row), cancelled)
                self._undo.append(_UndoEntry(changes, rowid, changes.replace(rowid, row)))
                rowids.append(rowid)
            return rowids

    def load(
        self, table: Table, rows: Sequence[Sequence[Value]], cancelled: Cancelled | None = None
    ) -> list[int]:
        """New rows by direct path, as :meth:`insert_many`, in a table that is then locked for all others.

        Waits for transactions that have changed the table.
        """
        with self._instance.latch:
            changes = self._table_changes(table, cancelled)
            self._all.lock_table(self.owner, table, cancelled)
            rowids = self.insert_many(table, rows, cancelled)
            changes.direct = True
            return rowids

    def lock_row(
        self,
        table: Table,
        rowid: int,
        cancelled: Cancelled | None = None,
        timeout: float | None = None,
    ) -> Row | None:
        """Lock a row and return it as it is then, None if it is gone.

        Waiting may have changed the row: whoever found it by a condition must look again. ``timeout`` 0
        is NOWAIT. Raises ORA-00060, ORA-00054, ORA-30006, ORA-01013.
        """
        with self._instance.latch:
            changes = self._table_changes(table, cancelled)
            if rowid in changes.rows:
                return changes.rows[rowid]
            if rowid < 0:
                return None
            self._all.locks.acquire(self.owner, (table.object_id, rowid), cancelled, timeout)
            return self._committed(changes, rowid)

    def update(
        self, table: Table, rowid: int, values: Sequence[Value], cancelled: Cancelled | None = None
    ) -> None:
        """New values (all columns) for a row. Raises ORA-01410 when the row is gone, ORA-01407, ORA-12899,
        ORA-00001, and as :meth:`lock_row`."""
        with self._instance.latch:
            before = self.lock_row(table, rowid, cancelled)
            if before is None:
                raise OracleError(1410, "invalid ROWID")
            table.check_row(values, updating=True)
            row = list(values)
            changes = self._table_changes(table)
            if changes.pending_keys:
                new_keys = changes.index.keys_of(row)
                changes.old_keys.setdefault(rowid, changes.index.keys_of(before))
                self._claim_keys(changes, rowid, new_keys, cancelled)
            self._undo.append(_UndoEntry(changes, rowid, changes.replace(rowid, row)))

    def delete(self, table: Table, rowid: int, cancelled: Cancelled | None = None) -> None:
        """The end of a row. Raises ORA-01410 when it is gone already, and as :meth:`lock_row`."""
        with self._instance.latch:
            before = self.lock_row(table, rowid, cancelled)
            if before is None:
                raise OracleError(1410, "invalid ROWID")
            changes = self._table_changes(table)
            if changes.pending_keys:
                keys = changes.index.keys_of(before)
                changes.old_keys.setdefault(rowid, keys)
                self._lock_keys(changes, keys, cancelled)
            self._undo.append(_UndoEntry(changes, rowid, changes.replace(rowid, None)))

    def refuse_loaded(self, table: Table) -> None:
        """Raises ORA-12838 for a table this transaction has loaded by direct path; hold the latch."""
        changes = self._changes.get(table.object_id)
        if changes is not None and changes.direct and changes.rows:
            raise OracleError(12838, "cannot read/modify an object after modifying it in parallel")

    def pending(self, table: Table) -> dict[int, Row | None]:
        """This transaction's changes of a table: rowid (negative: inserted) to values, None for deleted."""
        with self._instance.latch:
            changes = self._changes.get(table.object_id)
            if changes is None:
                return {}
            return {rowid: row for rowid, row in changes.rows.items() if rowid > 0 or row is not None}

    # ------------------------------------------------------------ savepoints, end

    def savepoint(self) -> int:
        """A mark to which :meth:`rollback_to` goes back."""
        return len(self._undo)

    def rollback_to(self, mark: int) -> None:
        """Undo all changes since ``mark``. Their locks stay until the transaction ends."""
        with self._instance.latch:
            while len(self._undo) > mark:
                changes, rowid, before = self._undo.pop()
                changes.replace(rowid, before)

    def rollback(self) -> None:
        """Forget everything."""
        with self._instance.latch:
            self._end()

    def commit(self, cancelled: Cancelled | None = None) -> int | None:
        """Make the changes, wait until they are durable; their SCN, None if there was nothing to do.

        An error before the redo is written (ORA-00372, ORA-01653 and their like) rolls the transaction back;
        ORA-01013 or ORA-01092 while waiting leaves the outcome open, as on Oracle.
        """
        if not self._changes:
            with self._instance.latch:
                self._end()
            return None
        with contextlib.ExitStack() as stack:
            try:
                loads = write_unlogged_loads(self._all.dictionary, self._changes, stack, cancelled)
                with self._instance.latch:
                    if not self._undo:
                        return None
                    committed, commit = write_plan(
                        self._instance, lambda plan: self._plan_all(plan, loads), self.id, cancelled
                    )
                    for changes, rows in committed:
                        self._publish(changes, rows)
                    for load in loads.values():
                        note_unrecoverable(self._instance, load.file_numbers, commit.scn)
            finally:
                with self._instance.latch:
                    self._end()
        if loads:
            self._instance.save_control()
        wait_durable(self._instance, commit.position, cancelled)
        return commit.scn

    # ------------------------------------------------------------ details

    def _plan_all(
        self, plan: ChangePlan, loads: Mapping[int, DirectLoad]
    ) -> list[tuple[TableChanges, list[CommittedRow]]]:
        return [
            (changes, plan_rows(plan, changes, loads.get(object_id)))
            for object_id, changes in self._changes.items()
        ]

    def _table_changes(self, table: Table, cancelled: Cancelled | None = None) -> TableChanges:
        changes = self._changes.get(table.object_id)
        if changes is not None and changes.table.data_object_id == table.data_object_id:
            self.refuse_loaded(table)
            changes.direct = False
            return changes
        self._all.wait_for_table(self.owner, table, cancelled)
        self._all.dictionary.require_open_read_write()
        heap = self._all.dictionary.heap(table)
        record = self._instance.files.get(table.header[0]).record
        if record.enabled != "READ WRITE":
            text = f"file {record.file_number} cannot be modified at this time"
            raise OracleError(372, text, datafile_line(record))
        if not self._changes:
            self.id = self._all.started(self)
        changes = TableChanges(table, heap, self._all.index_of(table))
        self._changes[table.object_id] = changes
        return changes

    def _committed(self, changes: TableChanges, rowid: int) -> Row | None:
        data = changes.heap.fetch(rowid)
        return None if data is None else decode_row(data)

    def _claim_keys(self, changes: TableChanges, rowid: int, keys: Keys, cancelled: Cancelled | None) -> None:
        taken = self._lock_keys(changes, keys, cancelled)
        for number, key in enumerate(keys):
            if key is None:
                continue
            holder = changes.key_holder(number, key)
            if holder is not None and holder != rowid:
                self._all.locks.release(self.owner, taken)
                name = f"{changes.table.owner}.{changes.index.constraints[number].name}"
                raise OracleError(1, f"unique constraint ({name}) violated")

    def _lock_keys(self, changes: TableChanges, keys: Keys, cancelled: Cancelled | None) -> list[Hashable]:
        """A key that appears or disappears is nobody else's to use before the transaction ends.

        Returns the locks that the transaction did not have before.
        """
        taken: list[Hashable] = []
        for number, key in enumerate(keys):
            if key is not None:
                resource = (changes.table.object_id, number, key)
                if resource not in self.owner.held:
                    self._all.locks.acquire(self.owner, resource, cancelled)
                    taken.append(resource)
        return taken

    def _publish(self, changes: TableChanges, rows: list[CommittedRow]) -> None:
        index = changes.index
        if changes.pending_keys:
            for rowid, keys in changes.old_keys.items():
                if rowid in changes.rows:
                    index.discard(rowid, keys)
            for rowid, values in rows:
                if values is not None:
                    index.add(rowid, index.keys_of(values))
        if rows:
            for listener in self._all.on_commit:
                listener(changes.table, rows)

    def _end(self) -> None:
        self._changes.clear()
        self._undo.clear()
        self.id = 0
        self._all.ended(self)


def _table_lock(table: Table) -> Hashable:
    return ("TM", table.object_id)
