# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER TABLE ADD and MOVE: a table's rows written anew into another segment.

Oracle adds columns without touching the rows; ours are written anew, so that a row always has a value for each
column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.plan import Cancelled, ChangePlan, make_change
from oracle_simulator.data.segment import Segment
from oracle_simulator.data.system_tables import ColumnRow
from oracle_simulator.data.table_ddl import idle_table, writable_tablespace
from oracle_simulator.data.tables import Table, TableColumn, table_missing
from oracle_simulator.errors import OracleError
from oracle_simulator.storage.values import Value, decode_row, encode_row


def add_columns(
    dictionary: Dictionary,
    owner: str,
    name: str,
    columns: Sequence[TableColumn],
    values: Sequence[Value],
    cancelled: Cancelled | None = None,
) -> None:
    """ALTER TABLE ADD: the rows that are there get ``values`` (the defaults) in the new columns.

    Raises ORA-00942, ORA-00054, ORA-01430 (column exists), ORA-01758 (NOT NULL without a default and the
    table is not empty).
    """

    def planner(plan: ChangePlan) -> None:
        table = idle_table(dictionary, owner, name)
        for column in columns:
            if column.name in table.column_names:
                raise OracleError(1430, "column being added already exists in table")
        moved = _rebuild(dictionary, plan, table, table.tablespace_number, values)
        for column, value in zip(columns, values, strict=True):
            if moved and value is None and not column.nullable:
                raise OracleError(1758, "table must be empty to add mandatory (NOT NULL) column")
        for position, column in enumerate(columns, start=len(table.columns) + 1):
            dictionary.column_rows.insert(
                plan,
                ColumnRow(
                    table.object_id, position, column.name, column.type, column.size,
                    column.precision, column.scale, column.nullable, column.default,
                ),
            )  # fmt: skip
        plan.on_success.append(dictionary.refresh)  # again: now the columns are there

    make_change(dictionary.instance, planner, cancelled)


def move_table(
    dictionary: Dictionary,
    owner: str,
    name: str,
    tablespace: str | None = None,
    cancelled: Cancelled | None = None,
) -> None:
    """ALTER TABLE MOVE, to another tablespace or within its own.

    Raises ORA-00942, ORA-00054, ORA-00959, ORA-01647, ORA-01542, ORA-01658, ORA-01653.
    """

    def planner(plan: ChangePlan) -> None:
        table = idle_table(dictionary, owner, name)
        number = table.tablespace_number
        if tablespace is not None:
            number = writable_tablespace(dictionary, tablespace).number
        _rebuild(dictionary, plan, table, number)

    make_change(dictionary.instance, planner, cancelled)


def _rebuild(
    dictionary: Dictionary,
    plan: ChangePlan,
    table: Table,
    tablespace_number: int,
    more_values: Sequence[Value] = (),
) -> int:
    """Plan a new segment with the rows of the table, each with ``more_values``; how many rows there are."""
    rows = [data for _rowid, data in dictionary.heap(table).scan()]
    if more_values:
        rows = [encode_row([*decode_row(data), *more_values]) for data in rows]
    data_object_id = dictionary.next_object_ids(plan)
    segment = Segment.create(plan, dictionary.space, tablespace_number, data_object_id, table.qualified_name)
    if rows:
        dictionary.make_heap(segment).insert_many(plan, rows)
    dictionary.segment(table).release(plan)
    old = dictionary.table_rows.find(object_id=table.object_id)
    if old is None:
        raise table_missing()
    file_number, block_number = segment.header
    new = replace(
        old,
        data_object_id=data_object_id,
        tablespace_number=tablespace_number,
        header_file=file_number,
        header_block=block_number,
    )
    dictionary.table_rows.replace(plan, old, new)
    plan.on_success.append(lambda: dictionary.table_gone(table))
    plan.on_success.append(dictionary.refresh)
    return len(rows)
