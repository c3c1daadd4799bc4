# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CREATE, DROP and TRUNCATE TABLE, and indexes. Each is one atomic, durable change; none may be rolled back.

The session commits its own transaction before it calls one of these, as every DDL statement does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oracle_simulator.data.dictionary import DEFAULT_PERMANENT, Dictionary
from oracle_simulator.data.plan import Cancelled, ChangePlan, make_change
from oracle_simulator.data.segment import Segment
from oracle_simulator.data.system_tables import ColumnRow, KeyRow, TableRow, TablespaceRow
from oracle_simulator.data.tables import (
    PLAIN_INDEX,
    PRIMARY_KEY,
    UNIQUE_KEY,
    Table,
    TableColumn,
    TableKey,
    table_missing,
)
from oracle_simulator.errors import OracleError
from oracle_simulator.storage.values import decode_row


def create_table(
    dictionary: Dictionary,
    owner: str,
    name: str,
    columns: Sequence[TableColumn],
    keys: Sequence[TableKey] = (),
    tablespace: str | None = None,
    cancelled: Cancelled | None = None,
    logging: bool | None = None,
) -> Table:
    """Create a table with its first extent. Columns of a primary key become NOT NULL.

    ``tablespace`` None is the owner's default, else the database's; ``logging`` None is the attribute of
    the tablespace. Raises ORA-00955 (name in use),
    ORA-00957 (duplicate column), ORA-00904 (key on an unknown column), ORA-00959, ORA-01647 (read only),
    ORA-01542 (offline), ORA-01658 (full).
    """
    names = [column.name for column in columns]
    for column_name in names:
        if names.count(column_name) > 1:
            raise OracleError(957, "duplicate column name")
    for key in keys:
        for column_name in key.columns:
            if column_name not in names:
                raise OracleError(904, f'"{column_name}": invalid identifier')
    primary = {column for key in keys if key.kind == PRIMARY_KEY for column in key.columns}
    final = [replace(column, nullable=column.nullable and column.name not in primary) for column in columns]

    def planner(plan: ChangePlan) -> None:
        _refuse_name_in_use(dictionary, owner, name)
        place = writable_tablespace(dictionary, tablespace or _default_tablespace(dictionary, owner))
        number = place.number
        object_id = dictionary.next_object_ids(plan)
        segment = Segment.create(plan, dictionary.space, number, object_id, f"{owner}.{name}")
        created = dictionary.instance.wall_clock.second()
        dictionary.table_rows.insert(
            plan,
            TableRow(
                object_id, object_id, owner, name, number, *segment.header, created,
                place.logging if logging is None else logging,
            ),
        )  # fmt: skip
        for position, column in enumerate(final, start=1):
            dictionary.column_rows.insert(
                plan,
                ColumnRow(
                    object_id, position, column.name, column.type, column.size,
                    column.precision, column.scale, column.nullable, column.default,
                ),
            )  # fmt: skip
        for index, key in enumerate(keys, start=1):
            key_name = key.name or f"SYS_C{object_id * 100 + index:08d}"
            _refuse_key_name_in_use(dictionary, key_name)
            dictionary.key_rows.insert(plan, KeyRow(object_id, key_name, key.kind, ",".join(key.columns)))
        plan.on_success.append(dictionary.refresh)

    make_change(dictionary.instance, planner, cancelled)
    return dictionary.find_table(owner, name)


def drop_table(dictionary: Dictionary, owner: str, name: str, cancelled: Cancelled | None = None) -> None:
    """Drop a table; its extents are free at once (there is no recycle bin). Raises ORA-00942, ORA-00054."""

    def planner(plan: ChangePlan) -> None:
        plan_drop(dictionary, plan, idle_table(dictionary, owner, name))
        plan.on_success.append(dictionary.refresh)

    make_change(dictionary.instance, planner, cancelled)


def plan_drop(dictionary: Dictionary, plan: ChangePlan, table: Table, *, keep_extents: bool = False) -> None:
    """Plan the end of a table; ``keep_extents`` when its whole tablespace goes. The caller refreshes."""
    if not keep_extents:
        dictionary.segment(table).release(plan)
    for row in dictionary.table_rows.where(object_id=table.object_id):
        dictionary.table_rows.delete(plan, row)
    for column in dictionary.column_rows.where(object_id=table.object_id):
        dictionary.column_rows.delete(plan, column)
    for key in dictionary.key_rows.where(object_id=table.object_id):
        dictionary.key_rows.delete(plan, key)
    for privilege in dictionary.privilege_rows.where(owner=table.owner, object=table.name):
        dictionary.privilege_rows.delete(plan, privilege)
    plan.on_success.append(lambda: dictionary.table_gone(table))


def truncate_table(dictionary: Dictionary, owner: str, name: str, cancelled: Cancelled | None = None) -> None:
    """Empty a table and give its extents back (DROP STORAGE). Raises ORA-00942, ORA-00054."""

    def planner(plan: ChangePlan) -> None:
        table = idle_table(dictionary, owner, name)
        dictionary.segment(table).release(plan)
        data_object_id = dictionary.next_object_ids(plan)
        segment = Segment.create(
            plan, dictionary.space, table.tablespace_number, data_object_id, table.qualified_name
        )
        old = dictionary.table_rows.find(object_id=table.object_id)
        if old is None:
            raise table_missing()
        file_number, block_number = segment.header
        new = replace(old, data_object_id=data_object_id, header_file=file_number, header_block=block_number)
        dictionary.table_rows.replace(plan, old, new)
        plan.on_success.append(lambda: dictionary.table_gone(table))
        plan.on_success.append(dictionary.refresh)

    make_change(dictionary.instance, planner, cancelled)


def set_logging(
    dictionary: Dictionary, owner: str, name: str, logging: bool, cancelled: Cancelled | None = None
) -> None:
    """ALTER TABLE LOGGING or NOLOGGING. Raises ORA-00942, ORA-00054."""

    def planner(plan: ChangePlan) -> None:
        table = idle_table(dictionary, owner, name)
        old = dictionary.table_rows.find(object_id=table.object_id)
        if old is None:
            raise table_missing()
        dictionary.table_rows.replace(plan, old, replace(old, logging=logging))
        plan.on_success.append(dictionary.refresh)

    make_change(dictionary.instance, planner, cancelled)


def create_index(
    dictionary: Dictionary,
    name: str,
    owner: str,
    table_name: str,
    columns: Sequence[str],
    unique: bool = False,
    cancelled: Cancelled | None = None,
) -> None:
    """Create an index: a unique one is enforced, another is only a name (rows are found without it).

    Raises ORA-00942, ORA-00904, ORA-00955, ORA-00054, ORA-01452 (duplicate keys are there).
    """

    def planner(plan: ChangePlan) -> None:
        table = idle_table(dictionary, owner, table_name)
        _refuse_key_name_in_use(dictionary, name)
        for column in columns:
            if column not in table.column_names:
                raise OracleError(904, f'"{column}": invalid identifier')
        if unique:
            _refuse_duplicates(dictionary, table, [table.column_names.index(column) for column in columns])
        kind = UNIQUE_KEY if unique else PLAIN_INDEX
        dictionary.key_rows.insert(plan, KeyRow(table.object_id, name, kind, ",".join(columns)))
        plan.on_success.append(dictionary.refresh)

    make_change(dictionary.instance, planner, cancelled)


def idle_table(dictionary: Dictionary, owner: str, name: str) -> Table:
    """A table nobody is changing. Raises ORA-00942, ORA-00054."""
    table = dictionary.find_table(owner, name)
    if dictionary.in_use(table):
        raise OracleError(54, "resource busy and acquire with NOWAIT specified or timeout expired")
    return table


def _refuse_name_in_use(dictionary: Dictionary, owner: str, name: str) -> None:
    if dictionary.get_table(owner, name) is not None:
        raise OracleError(955, "name is already used by an existing object")


def _refuse_key_name_in_use(dictionary: Dictionary, name: str) -> None:
    if dictionary.key_rows.find(name=name) is not None:
        raise OracleError(955, "name is already used by an existing object")


def _refuse_duplicates(dictionary: Dictionary, table: Table, positions: list[int]) -> None:
    seen = set()
    for _rowid, data in dictionary.heap(table).scan():
        values = decode_row(data)
        key = tuple(values[position] for position in positions)
        if key in seen and any(value is not None for value in key):
            raise OracleError(1452, "cannot CREATE UNIQUE INDEX; duplicate keys found")
        seen.add(key)


def _default_tablespace(dictionary: Dictionary, owner: str) -> str:
    user = dictionary.find_user(owner)
    if user is not None:
        return user.default_tablespace
    return "SYSTEM" if owner == "SYS" else dictionary.property(DEFAULT_PERMANENT, "USERS")


def writable_tablespace(dictionary: Dictionary, name: str) -> TablespaceRow:
    """A tablespace for tables. Raises ORA-00959, ORA-02195, ORA-01647 (read only), ORA-01542 (offline)."""
    row = dictionary.find_tablespace(name)
    if row.contents != "PERMANENT":
        raise OracleError(2195, f"Attempt to create PERMANENT object in a {row.contents} tablespace")
    if row.status == "READ ONLY":
        raise OracleError(1647, f"tablespace '{name}' is read-only, cannot allocate space in it")
    if row.status == "OFFLINE":
        raise OracleError(1542, f"tablespace '{name}' is offline, cannot allocate space in it")
    return row
