# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a commit makes of a transaction's private rows: changes of blocks, or blocks loaded past the redo."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.direct_load import DirectLoad, is_unlogged
from oracle_simulator.data.plan import Cancelled, ChangePlan
from oracle_simulator.data.table_changes import Row, TableChanges
from oracle_simulator.storage.values import encode_row

CommittedRow = tuple[int, Row | None]
"""(rowid, values), None for a row that is no more. A row that moved is two of these."""


def write_unlogged_loads(
    dictionary: Dictionary,
    all_changes: Mapping[int, TableChanges],
    stack: contextlib.ExitStack,
    cancelled: Cancelled | None,
) -> dict[int, DirectLoad]:
    """Write the rows of direct-path loads that are not to be logged; by object id of their tables.

    Call without the latch. Until ``stack`` is closed FORCE LOGGING waits for them.
    """
    instance = dictionary.instance
    loads: dict[int, DirectLoad] = {}
    for object_id, changes in all_changes.items():
        with instance.latch:
            if not (changes.direct and is_unlogged(dictionary, changes.table)):
                continue
            stack.enter_context(instance.unlogged_writes.running(instance))
        rows = [encode_row(row) for rowid, row in changes.rows.items() if rowid < 0 and row is not None]
        load = DirectLoad.write(changes.heap, rows, cancelled)
        if load is not None:
            loads[object_id] = load
    return loads


def plan_rows(plan: ChangePlan, changes: TableChanges, load: DirectLoad | None) -> list[CommittedRow]:
    """Plan one table's changes: deletions first, for the room they make, then updates, then new rows, unless
    they are in their blocks by direct load."""
    heap = changes.heap
    committed: list[CommittedRow] = []
    updates: list[tuple[int, Row]] = []
    inserts: list[Row] = []
    for rowid, values in changes.rows.items():
        if rowid < 0:
            if values is not None:
                inserts.append(values)
        elif values is None:
            heap.delete(plan, rowid)
            committed.append((rowid, None))
        else:
            updates.append((rowid, values))
    for rowid, values in updates:
        moved = heap.update(plan, rowid, encode_row(values))
        if moved != rowid:
            committed.append((rowid, None))
        committed.append((moved, values))
    if load is not None:
        load.plan(plan)
        committed.extend(zip(load.rowids, inserts, strict=True))
    elif inserts:
        rowids = heap.insert_many(plan, [encode_row(values) for values in inserts])
        committed.extend(zip(rowids, inserts, strict=True))
    return committed
