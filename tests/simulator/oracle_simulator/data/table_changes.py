# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one transaction has changed in one table, before anybody else may see it."""

from __future__ import annotations

from oracle_simulator.data.heap import Heap
from oracle_simulator.data.keys import KeyIndex, Keys
from oracle_simulator.data.tables import Table
from oracle_simulator.storage.values import Value

Row = list[Value]


class Absent:
    """Marks, in the undo list, a row that had no pending change before."""


ABSENT = Absent()


class TableChanges:
    """What one transaction has changed in one table: rowid to new values, None for deleted rows.

    Rows inserted have negative rowids until they are committed. ``direct`` after a direct-path load: the
    table is locked, and not even the transaction itself may read or change it again (ORA-12838).
    """

    def __init__(self, table: Table, heap: Heap, index: KeyIndex) -> None:
        self.table = table
        self.heap = heap
        self.index = index
        self.rows: dict[int, Row | None] = {}
        self.direct = False
        self.old_keys: dict[int, Keys] = {}
        self.pending_keys: list[dict[tuple[Value, ...], int]] = [{} for _ignored in index.constraints]

    def replace(self, rowid: int, new: Row | Absent | None) -> Row | Absent | None:
        """Set the pending state of a row, keys included; the state before."""
        before: Row | Absent | None = self.rows.get(rowid, ABSENT)
        if self.pending_keys:
            if isinstance(before, list):
                self._forget_keys(rowid, before)
            if isinstance(new, list):
                for pending, key in zip(self.pending_keys, self.index.keys_of(new), strict=True):
                    if key is not None:
                        pending[key] = rowid
        if isinstance(new, Absent):
            self.rows.pop(rowid, None)
        else:
            self.rows[rowid] = new
        return before

    def key_holder(self, number: int, key: tuple[Value, ...]) -> int | None:
        """The row that has this key in the eyes of the transaction."""
        pending = self.pending_keys[number].get(key)
        if pending is not None:
            return pending
        committed = self.index.holder(number, key)
        # A committed row that this transaction has deleted or given another key does not count.
        return None if committed in self.rows else committed

    def _forget_keys(self, rowid: int, values: Row) -> None:
        for pending, key in zip(self.pending_keys, self.index.keys_of(values), strict=True):
            if key is not None and pending.get(key) == rowid:
                del pending[key]
