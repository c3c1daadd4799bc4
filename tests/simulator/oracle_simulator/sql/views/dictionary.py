# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of the data dictionary: DBA_, ALL_, USER_ and CDB_. They need an open database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.system_tables import PrivilegeRow, TablespaceRow, UserRow
from oracle_simulator.data.tables import Table, TableColumn, TableKey
from oracle_simulator.instance.container import SEED
from oracle_simulator.instance.control_file.control import DatafileRecord, TempfileRecord
from oracle_simulator.sql.views.definition import (
    MULTITENANT,
    Needs,
    View,
    ViewColumn,
    ViewContext,
    container,
    date,
    number,
    text,
    yes_no,
)


def _tablespaces(context: ViewContext) -> list[TablespaceRow]:
    return context.open_dictionary.tablespaces()


TABLESPACES = View(
    "DBA_TABLESPACES",
    Needs.DICTIONARY,
    _tablespaces,
    [
        text("TABLESPACE_NAME", 30, lambda t: t.name),
        number("BLOCK_SIZE", lambda t: t.block_size),
        number("INITIAL_EXTENT", lambda t: 65536),
        number("NEXT_EXTENT", lambda t: None),
        number("MIN_EXTENTS", lambda t: 1),
        number("MAX_EXTENTS", lambda t: 2147483645),
        number("MAX_SIZE", lambda t: 2147483645),
        number("PCT_INCREASE", lambda t: None),
        number("MIN_EXTLEN", lambda t: 65536),
        text("STATUS", 9, lambda t: t.status),
        text("CONTENTS", 9, lambda t: t.contents, until=(18,)),
        text("CONTENTS", 21, lambda t: t.contents, since=(18,)),
        text("LOGGING", 9, lambda t: "LOGGING" if t.logging and t.contents != "TEMPORARY" else "NOLOGGING"),
        text("FORCE_LOGGING", 3, lambda t: yes_no(t.force_logging)),
        text("EXTENT_MANAGEMENT", 10, lambda t: "LOCAL"),
        text("ALLOCATION_TYPE", 9, lambda t: "SYSTEM"),
        text("PLUGGED_IN", 3, lambda t: "NO"),
        text("SEGMENT_SPACE_MANAGEMENT", 6, lambda t: "AUTO"),
        text("DEF_TAB_COMPRESSION", 8, lambda t: "DISABLED"),
        text("RETENTION", 11, lambda t: "NOGUARANTEE" if t.contents == "UNDO" else "NOT APPLY"),
        text("BIGFILE", 3, lambda t: yes_no(t.bigfile)),
        text("ENCRYPTED", 3, lambda t: yes_no(t.encryption)),
    ],
)


@dataclass(frozen=True)
class _DataFile:
    record: DatafileRecord
    tablespace: str
    increment_blocks: int
    max_blocks: int

    @property
    def available(self) -> bool:
        return self.record.online


def _data_files(context: ViewContext) -> Iterator[_DataFile]:
    dictionary = context.open_dictionary
    names = {row.number: row.name for row in dictionary.tablespaces()}
    for row in dictionary.files():
        record = context.instance.control.datafile(row.file_number)
        if record is not None:
            tablespace = names.get(row.tablespace_number, "")
            yield _DataFile(record, tablespace, row.increment_blocks, row.max_blocks)


DATA_FILES = View(
    "DBA_DATA_FILES",
    Needs.DICTIONARY,
    _data_files,
    [
        text("FILE_NAME", 513, lambda f: f.record.path),
        number("FILE_ID", lambda f: f.record.file_number),
        text("TABLESPACE_NAME", 30, lambda f: f.tablespace),
        number("BYTES", lambda f: f.record.bytes if f.available else None),
        number("BLOCKS", lambda f: f.record.blocks if f.available else None),
        text("STATUS", 9, lambda f: "AVAILABLE"),
        number("RELATIVE_FNO", lambda f: f.record.relative_file_number),
        text("AUTOEXTENSIBLE", 3, lambda f: yes_no(f.increment_blocks) if f.available else None),
        number("MAXBYTES", lambda f: f.max_blocks * f.record.block_size if f.available else None),
        number("MAXBLOCKS", lambda f: f.max_blocks if f.available else None),
        number("INCREMENT_BY", lambda f: f.increment_blocks if f.available else None),
        number("USER_BYTES", lambda f: f.record.bytes - 1048576 if f.available else None),
        number("USER_BLOCKS", lambda f: f.record.blocks - 128 if f.available else None),
        text("ONLINE_STATUS", 7, lambda f: f.record.status),
        text("LOST_WRITE_PROTECT", 7, lambda f: "OFF", since=(18,)),
    ],
)


@dataclass(frozen=True)
class _TempFile:
    record: TempfileRecord
    tablespace: str


def _temp_files(context: ViewContext) -> Iterator[_TempFile]:
    names = {row.number: row.name for row in context.open_dictionary.tablespaces()}
    own = context.open_dictionary.con_id
    for record in [file for file in context.instance.control.tempfiles if file.con_id == own]:
        yield _TempFile(record, names.get(record.tablespace_number, ""))


TEMP_FILES = View(
    "DBA_TEMP_FILES",
    Needs.DICTIONARY,
    _temp_files,
    [
        text("FILE_NAME", 513, lambda f: f.record.path),
        number("FILE_ID", lambda f: f.record.file_number),
        text("TABLESPACE_NAME", 30, lambda f: f.tablespace),
        number("BYTES", lambda f: f.record.bytes),
        number("BLOCKS", lambda f: f.record.blocks),
        text("STATUS", 9, lambda f: f.record.status),
        number("RELATIVE_FNO", lambda f: f.record.relative_file_number),
        text("AUTOEXTENSIBLE", 3, lambda f: yes_no(f.record.autoextend_blocks)),
        number("MAXBYTES", lambda f: f.record.max_blocks * f.record.block_size),
        number("MAXBLOCKS", lambda f: f.record.max_blocks),
        number("INCREMENT_BY", lambda f: f.record.autoextend_blocks),
        number("USER_BYTES", lambda f: f.record.bytes - 1048576),
        number("USER_BLOCKS", lambda f: f.record.blocks - 128),
        text("SHARED", 13, lambda f: "SHARED", since=(12, 2)),
        number("INST_ID", lambda f: None, since=(12, 2)),
    ],
)


def _properties(context: ViewContext) -> list[tuple[str, str]]:
    return sorted(context.open_dictionary.properties().items())


PROPERTIES = View(
    "DATABASE_PROPERTIES",
    Needs.DICTIONARY,
    _properties,
    [
        text("PROPERTY_NAME", 128, lambda p: p[0]),
        text("PROPERTY_VALUE", 4000, lambda p: p[1]),
        text("DESCRIPTION", 4000, lambda p: None),
    ],
)


def _users(context: ViewContext) -> list[UserRow]:
    return context.open_dictionary.users()


def _own_user(context: ViewContext) -> list[UserRow]:
    return [user for user in _users(context) if user.name == context.session.user]


_USER_COLUMNS: list[Any] = [
    text("USERNAME", 128, lambda u: u.name),
    number("USER_ID", lambda u: u.user_id),
    text("ACCOUNT_STATUS", 32, lambda u: "LOCKED" if u.locked else "OPEN"),
    text("DEFAULT_TABLESPACE", 30, lambda u: u.default_tablespace),
    text("TEMPORARY_TABLESPACE", 30, lambda u: u.temporary_tablespace),
    date("CREATED", lambda u: u.created),
    text("PROFILE", 128, lambda u: "DEFAULT"),
    text("AUTHENTICATION_TYPE", 8, lambda u: "PASSWORD"),
    text("PASSWORD_VERSIONS", 17, lambda u: "12C "),
    text("COMMON", 3, lambda u: yes_no(u.common), since=MULTITENANT),
    text("ORACLE_MAINTAINED", 1, lambda u: "N", since=MULTITENANT),
]
USERS = View("DBA_USERS", Needs.DICTIONARY, _users, _USER_COLUMNS)


@dataclass(frozen=True)
class _TableInfo:
    dictionary: Dictionary
    table: Table
    tablespace: str
    block_size: int

    @property
    def bytes(self) -> int:
        return self.blocks * self.block_size

    @property
    def blocks(self) -> int:
        with self.dictionary.instance.latch:
            return sum(1 for _ignored in self.dictionary.segment(self.table).used_blocks())


def _tables(context: ViewContext) -> Iterator[_TableInfo]:
    dictionary = context.open_dictionary
    tablespaces = {row.number: row for row in dictionary.tablespaces()}
    for table in dictionary.tables():
        row = tablespaces[table.tablespace_number]
        yield _TableInfo(dictionary, table, row.name, row.block_size)


Mine = Callable[[ViewContext], Iterable[Any]]


def _mine(records: Mine) -> Mine:
    def own(context: ViewContext) -> Iterator[Any]:
        owner = context.session.schema or context.session.user
        return (record for record in records(context) if record.table.owner == owner)

    return own


_TABLE_COLUMNS: list[Any] = [
    text("OWNER", 128, lambda t: t.table.owner),
    text("TABLE_NAME", 128, lambda t: t.table.name),
    text("TABLESPACE_NAME", 30, lambda t: t.tablespace),
    text("STATUS", 8, lambda t: "VALID"),
    number("NUM_ROWS", lambda t: None),
    text("LOGGING", 3, lambda t: yes_no(t.table.logging)),
    text("TEMPORARY", 1, lambda t: "N"),
    text("PARTITIONED", 3, lambda t: "NO"),
]
TABLES = View("DBA_TABLES", Needs.DICTIONARY, _tables, _TABLE_COLUMNS)

_SEGMENT_COLUMNS: list[Any] = [
    text("OWNER", 128, lambda t: t.table.owner),
    text("SEGMENT_NAME", 128, lambda t: t.table.name),
    text("SEGMENT_TYPE", 18, lambda t: "TABLE"),
    text("TABLESPACE_NAME", 30, lambda t: t.tablespace),
    number("HEADER_FILE", lambda t: t.table.header[0]),
    number("HEADER_BLOCK", lambda t: t.table.header[1]),
    number("BYTES", lambda t: t.bytes),
    number("BLOCKS", lambda t: t.blocks),
]
SEGMENTS = View("DBA_SEGMENTS", Needs.DICTIONARY, _tables, _SEGMENT_COLUMNS)

_OBJECT_COLUMNS: list[Any] = [
    text("OWNER", 128, lambda t: t.table.owner),
    text("OBJECT_NAME", 128, lambda t: t.table.name),
    number("OBJECT_ID", lambda t: t.table.object_id),
    number("DATA_OBJECT_ID", lambda t: t.table.data_object_id),
    text("OBJECT_TYPE", 23, lambda t: "TABLE"),
    date("CREATED", lambda t: t.table.created),
    date("LAST_DDL_TIME", lambda t: t.table.created),
    text("STATUS", 7, lambda t: "VALID"),
]
OBJECTS = View("DBA_OBJECTS", Needs.DICTIONARY, _tables, _OBJECT_COLUMNS)


@dataclass(frozen=True)
class _ColumnInfo:
    table: Table
    position: int
    column: TableColumn


def _columns(context: ViewContext) -> Iterator[_ColumnInfo]:
    for table in context.open_dictionary.tables():
        for position, column in enumerate(table.columns, 1):
            yield _ColumnInfo(table, position, column)


_COLUMN_COLUMNS: list[Any] = [
    text("OWNER", 128, lambda c: c.table.owner),
    text("TABLE_NAME", 128, lambda c: c.table.name),
    text("COLUMN_NAME", 128, lambda c: c.column.name),
    text("DATA_TYPE", 128, lambda c: c.column.type),
    number("DATA_LENGTH", lambda c: c.column.size),
    number("DATA_PRECISION", lambda c: c.column.precision),
    number("DATA_SCALE", lambda c: c.column.scale),
    text("NULLABLE", 1, lambda c: "Y" if c.column.nullable else "N"),
    number("COLUMN_ID", lambda c: c.position),
    text("DATA_DEFAULT", 4000, lambda c: c.column.default),
]
TAB_COLUMNS = View("DBA_TAB_COLUMNS", Needs.DICTIONARY, _columns, _COLUMN_COLUMNS)


@dataclass(frozen=True)
class _KeyInfo:
    table: Table
    key: TableKey


def _keys(context: ViewContext) -> Iterator[_KeyInfo]:
    for table in context.open_dictionary.tables():
        for key in table.keys:
            yield _KeyInfo(table, key)


_INDEX_COLUMNS: list[Any] = [
    text("OWNER", 128, lambda k: k.table.owner),
    text("INDEX_NAME", 128, lambda k: k.key.name),
    text("INDEX_TYPE", 27, lambda k: "NORMAL"),
    text("TABLE_OWNER", 128, lambda k: k.table.owner),
    text("TABLE_NAME", 128, lambda k: k.table.name),
    text("UNIQUENESS", 9, lambda k: "NONUNIQUE" if k.key.kind == "I" else "UNIQUE"),
    text("STATUS", 8, lambda k: "VALID"),
]
INDEXES = View("DBA_INDEXES", Needs.DICTIONARY, _keys, _INDEX_COLUMNS)


def _privileges(context: ViewContext) -> Iterator[PrivilegeRow]:
    for user in context.open_dictionary.users():
        for row in context.open_dictionary.privileges_of(user.name):
            if row.object is None:
                yield row


SYS_PRIVS = View(
    "DBA_SYS_PRIVS",
    Needs.DICTIONARY,
    _privileges,
    [
        text("GRANTEE", 128, lambda p: p.grantee),
        text("PRIVILEGE", 40, lambda p: p.privilege),
        text("ADMIN_OPTION", 3, lambda p: "NO"),
        text("COMMON", 3, lambda p: yes_no(p.common)),
    ],
)


def _own_privileges(context: ViewContext) -> list[PrivilegeRow]:
    return [row for row in _privileges(context) if row.grantee == context.session.user]


SESSION_PRIVS = View(
    "SESSION_PRIVS", Needs.DICTIONARY, _own_privileges, [text("PRIVILEGE", 40, lambda p: p.privilege)]
)


def _variants(name: str, view: View[Any]) -> list[View[Any]]:
    """ALL_ and USER_ beside the DBA_ view of things that belong to tables."""
    own = View(f"USER_{name}", view.needs, _mine(view.records), view.columns).without("OWNER")
    return [view, view.named(f"ALL_{name}"), own]


@dataclass(frozen=True)
class _Owned:
    """A record of a container's dictionary."""

    con_id: int
    record: Any


def _of_all_containers(name: str, view: View[Any]) -> View[Any]:
    """The CDB_ view over a DBA_ view: the rows of every container that is open just now, with CON_ID. Those of
    the seed are left out unless EXCLUDE_SEED_CDB_VIEW is FALSE (Oracle Database Reference)."""

    def records(context: ViewContext) -> Iterator[_Owned]:
        hidden = context.instance.parameters.get("exclude_seed_cdb_view").upper() != "FALSE"
        for dictionary in context.dictionaries:
            if dictionary.con_id == SEED and hidden:
                continue
            for record in view.records(replace(context, dictionary=dictionary)):
                yield _Owned(dictionary.con_id, record)

    columns = [_inner(column) for column in view.columns]
    owner = container(lambda owned: owned.con_id)
    return View(name, view.needs, records, [*columns, owner], since=MULTITENANT)


def _inner(column: ViewColumn[Any]) -> ViewColumn[Any]:
    return replace(column, value=lambda owned: column.value(owned.record))


VIEWS: tuple[View[Any], ...] = (
    TABLESPACES,
    _of_all_containers("CDB_TABLESPACES", TABLESPACES),
    TABLESPACES.named("USER_TABLESPACES"),
    DATA_FILES,
    _of_all_containers("CDB_DATA_FILES", DATA_FILES),
    TEMP_FILES,
    _of_all_containers("CDB_TEMP_FILES", TEMP_FILES),
    PROPERTIES,
    _of_all_containers("CDB_PROPERTIES", PROPERTIES),
    USERS,
    _of_all_containers("CDB_USERS", USERS),
    _of_all_containers("CDB_TABLES", TABLES),
    _of_all_containers("CDB_SYS_PRIVS", SYS_PRIVS),
    USERS.named("ALL_USERS"),
    View("USER_USERS", Needs.DICTIONARY, _own_user, _USER_COLUMNS),
    *_variants("TABLES", TABLES),
    *_variants("SEGMENTS", SEGMENTS),
    *_variants("OBJECTS", OBJECTS),
    *_variants("TAB_COLUMNS", TAB_COLUMNS),
    *_variants("INDEXES", INDEXES),
    SYS_PRIVS,
    SESSION_PRIVS,
)
