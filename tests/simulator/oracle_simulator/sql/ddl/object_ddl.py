# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables, indexes, users and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oracle_simulator.data import table_ddl, table_rebuild, users
from oracle_simulator.data.tables import PRIMARY_KEY, UNIQUE_KEY, Table, TableColumn, TableKey, table_missing
from oracle_simulator.errors import OracleError
from oracle_simulator.net.verifier import make_verifier
from oracle_simulator.sql.ddl.common_users import (
    check_changed_user,
    check_dropped_user,
    check_new_user,
    is_common,
)
from oracle_simulator.sql.ddl.password_change import require_length
from oracle_simulator.sql.ddl.password_users import change_password, grant_administration
from oracle_simulator.sql.ddl.privileges import ADMINISTRATIVE_PRIVILEGES
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.query.columns import column_of_type, converter, table_column
from oracle_simulator.sql.query.queries import execute_query, prepare
from oracle_simulator.sql.views import find_view

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def _owner(session: DatabaseSession, schema: str | None, *privileges: str) -> str:
    """The owner of a new object, for whom the session must be allowed to create it."""
    owner = schema or session.schema
    dictionary = session.require_open().dictionary
    own = privileges if owner == session.user else ()
    session.privileges.require(dictionary, *own, *(p.replace(" ", " ANY ", 1) for p in privileges))
    return owner


def _create_table(session: DatabaseSession, statement: st.CreateTable) -> None:
    owner = _owner(session, statement.schema, "CREATE TABLE")
    dictionary = session.require_open().dictionary
    if statement.query is not None:
        query = prepare(session, statement.query, ()).query
        columns = [column_of_type(name, kind) for name, kind in query.columns]
        keys: list[TableKey] = []
    else:
        columns = [table_column(column) for column in statement.columns]
        keys = _keys(statement)
    names = {column.name for column in columns}
    if len({name.upper() for name in names}) < len(names):
        raise OracleError(3001, "unimplemented feature (columns that differ in upper and lower case only)")
    table = table_ddl.create_table(
        dictionary,
        owner,
        statement.name,
        columns,
        keys,
        statement.tablespace,
        session.is_cancelled,
        statement.logging,
    )
    session.database.changed()
    if statement.query is not None:
        _fill(session, table, columns, statement.query)


def _keys(statement: st.CreateTable) -> list[TableKey]:
    keys: list[TableKey] = []
    for column in statement.columns:
        if column.primary_key:
            keys.append(TableKey(PRIMARY_KEY, (column.name,), column.constraint_name or ""))
        elif column.unique:
            keys.append(TableKey(UNIQUE_KEY, (column.name,), column.constraint_name or ""))
    for key in statement.keys:
        keys.append(TableKey(PRIMARY_KEY if key.primary else UNIQUE_KEY, key.columns, key.name or ""))
    if sum(key.kind == PRIMARY_KEY for key in keys) > 1:
        raise OracleError(2260, "table can have only one primary key")
    return keys


def _fill(session: DatabaseSession, table: Table, columns: list[TableColumn], query: str) -> None:
    """The rows of CREATE TABLE ... AS SELECT, by direct path."""
    converters = [converter(column) for column in columns]
    found = execute_query(session, query, (), ()).rows
    rows = [[convert(value) for convert, value in zip(converters, row, strict=True)] for row in found]
    session.transaction.load(table, rows, session.is_cancelled)
    session.end_transaction(commit=True)


def _table_logging(session: DatabaseSession, statement: st.TableLogging) -> None:
    owner = _table_owner(session, statement.schema, statement.name, "ALTER ANY TABLE")
    dictionary = session.require_open().dictionary
    table_ddl.set_logging(dictionary, owner, statement.name, statement.logging, session.is_cancelled)
    session.database.changed()


def _add_columns(session: DatabaseSession, statement: st.AddColumns) -> None:
    owner = _table_owner(session, statement.schema, statement.name, "ALTER ANY TABLE")
    dictionary = session.require_open().dictionary
    if any(column.primary_key or column.unique for column in statement.columns):
        raise OracleError(3001, "unimplemented feature (ALTER TABLE ADD with a key)")
    columns = [table_column(column) for column in statement.columns]
    defaults = [
        None
        if column.default is None
        else converter(column)(_first_value(session, f"SELECT {column.default} FROM DUAL"))
        for column in columns
    ]
    table_rebuild.add_columns(dictionary, owner, statement.name, columns, defaults, session.is_cancelled)
    session.database.changed()


def _first_value(session: DatabaseSession, query: str) -> Any:
    return next(iter(execute_query(session, query, (), ()).rows))[0]


def _move_table(session: DatabaseSession, statement: st.MoveTable) -> None:
    owner = _table_owner(session, statement.schema, statement.name, "ALTER ANY TABLE")
    dictionary = session.require_open().dictionary
    table_rebuild.move_table(dictionary, owner, statement.name, statement.tablespace, session.is_cancelled)
    session.database.changed()


def _drop_table(session: DatabaseSession, statement: st.DropTable) -> None:
    owner = _table_owner(session, statement.schema, statement.name, "DROP ANY TABLE")
    dictionary = session.require_open().dictionary
    table_ddl.drop_table(dictionary, owner, statement.name, session.is_cancelled)
    session.database.changed()


def _truncate_table(session: DatabaseSession, statement: st.TruncateTable) -> None:
    owner = _table_owner(session, statement.schema, statement.name, "DROP ANY TABLE")
    dictionary = session.require_open().dictionary
    table_ddl.truncate_table(dictionary, owner, statement.name, session.is_cancelled)
    session.database.changed()


def _table_owner(session: DatabaseSession, schema: str | None, name: str, privilege: str) -> str:
    dictionary = session.require_open().dictionary
    owner = schema or session.schema
    if dictionary.get_table(owner, name) is None:
        raise table_missing()
    if owner != session.user:
        session.privileges.require(dictionary, privilege)
    return owner


def _create_index(session: DatabaseSession, statement: st.CreateIndex) -> None:
    table_owner = _table_owner(session, statement.table_schema, statement.table, "CREATE ANY INDEX")
    dictionary = session.require_open().dictionary
    table_ddl.create_index(
        dictionary,
        statement.name,
        table_owner,
        statement.table,
        statement.columns,
        statement.unique,
        session.is_cancelled,
    )
    session.database.changed()


def _user(session: DatabaseSession, statement: st.UserStatement) -> None:
    dictionary = session.require_open().dictionary
    if statement.password is not None:
        require_length(statement.password)
    verifier = make_verifier(statement.password) if statement.password is not None else None
    if statement.create:
        session.privileges.require(dictionary, "CREATE USER")
        assert verifier is not None  # the grammar wants IDENTIFIED BY
        users.create_user(
            dictionary,
            statement.name,
            verifier,
            statement.default_tablespace,
            statement.temporary_tablespace,
            bool(statement.locked),
            session.is_cancelled,
            check_new_user(session, statement),
        )
        return
    check_changed_user(session, statement)
    if statement.name != session.user or (statement.locked, statement.container_data) != (None, None):
        session.privileges.require(dictionary, "ALTER USER")
    if statement.name != "SYS":
        users.alter_user(
            dictionary,
            statement.name,
            verifier,
            statement.default_tablespace,
            statement.temporary_tablespace,
            statement.locked,
            session.is_cancelled,
            statement.container_data,
        )
    if verifier is not None:
        change_password(session.instance.home, statement.name, verifier)


def _drop_user(session: DatabaseSession, statement: st.DropUser) -> None:
    dictionary = session.require_open().dictionary
    session.privileges.require(dictionary, "DROP USER")
    check_dropped_user(session, statement.name)
    if any(record.user == statement.name for record in session.registry.records()):
        raise OracleError(1940, "cannot drop a user that is currently connected")
    users.drop_user(dictionary, statement.name, statement.cascade, session.is_cancelled)
    grant_administration(session.instance.home, statement.name, None, ADMINISTRATIVE_PRIVILEGES, revoke=True)
    session.database.changed()


def _grant(session: DatabaseSession, statement: st.Grant) -> None:
    dictionary = session.require_open().dictionary
    target = _grant_target(session, statement.target) if statement.target else None
    administrative = [p for p in statement.privileges if p in ADMINISTRATIVE_PRIVILEGES]
    others = [p for p in statement.privileges if p not in ADMINISTRATIVE_PRIVILEGES]
    if target is None:
        session.privileges.require(dictionary, "GRANT ANY PRIVILEGE")
    elif target[0] != session.user:
        session.privileges.require(dictionary, "GRANT ANY OBJECT PRIVILEGE")
    for grantee in statement.grantees if administrative else ():
        row = dictionary.find_user(grantee)
        if row is None:
            raise OracleError(1917, f"user or role '{grantee}' does not exist")
        verifier = (row.salt, row.pw_key, row.rounds)
        grant_administration(
            session.instance.home, grantee, verifier, administrative, revoke=statement.revoke
        )
    if others:
        change = users.revoke if statement.revoke else users.grant
        common = is_common(session, statement.container, "CURRENT")
        change(dictionary, others, statement.grantees, target, session.is_cancelled, common)
    session.database.changed()


def _grant_target(session: DatabaseSession, target: tuple[str | None, str]) -> tuple[str, str]:
    owner, name = target
    dictionary = session.require_open().dictionary
    if dictionary.get_table(owner or session.schema, name) is not None:
        return owner or session.schema, name
    if owner in (None, "SYS") and find_view(name, session.instance.version) is not None:
        if name.startswith(("V$", "GV$")):
            raise OracleError(2030, "can only select from fixed tables/views")
        return "SYS", name
    raise table_missing()


HANDLERS = {
    st.CreateTable: _create_table,
    st.TableLogging: _table_logging,
    st.AddColumns: _add_columns,
    st.MoveTable: _move_table,
    st.DropTable: _drop_table,
    st.TruncateTable: _truncate_table,
    st.CreateIndex: _create_index,
    st.UserStatement: _user,
    st.DropUser: _drop_user,
    st.Grant: _grant,
}
