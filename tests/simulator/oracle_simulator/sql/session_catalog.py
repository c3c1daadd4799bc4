# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names mean to one session: its privileges, its schema and the state of the database decide."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from oracle_simulator.data.tables import Table, table_missing
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import DatafileRecord
from oracle_simulator.instance.messages import datafile_line
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.catalog import Relation
from oracle_simulator.sql.query.mirror import relation_of
from oracle_simulator.sql.views import Needs, View, find_view

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance
    from oracle_simulator.sql.session import DatabaseSession

_DUAL = Relation("DUAL", "DUAL", (("DUMMY", types.text_type(1)),))
_PUBLIC_VIEWS = frozenset(
    {
        "DATABASE_PROPERTIES",
        "PRODUCT_COMPONENT_VERSION",
        "SESSION_PRIVS",
        "V$VERSION",
        "V$OPTION",
        "V$MYSTAT",
    }
)


def not_open_for_queries() -> OracleError:
    text = "database or pluggable database not open: queries allowed on fixed tables or views only"
    return OracleError(1219, text)


class SessionCatalog:
    """Finds relations for the query compiler, and tables for DML."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session
        self.tables: dict[str, Table] = {}

    def zone(self) -> tzinfo:
        """The session's time zone when it is asked."""
        return self._session.zone

    def view_query(self, owner: str | None, name: str) -> tuple[str, str] | None:
        data = self._session.open_data
        place = owner or self._session.schema
        row = data.dictionary.find_source(place, name, ("VIEW",)) if data is not None else None
        if row is None or data is None:
            return None
        privileges = self._session.privileges
        may = (
            place == privileges.user
            or privileges.has(data.dictionary, "SELECT ANY TABLE", "READ ANY TABLE")
            or privileges.on_object(data.dictionary, place, {name}, ("SELECT", "READ"))
        )
        return (row.owner, row.text) if may else None

    def as_owner(self, owner: str) -> AbstractContextManager[None]:
        return self._session.as_owner(owner)

    def relation(self, owner: str | None, name: str) -> Relation | None:
        if name == "DUAL" and owner in (None, "SYS"):
            return _DUAL
        table = self._find_table(owner, name) if self._session.open_data is not None else None
        if table is not None:
            if not self.may(table, "SELECT", "READ"):
                return None
            overlay = self._session.overlay
            relation = relation_of(table, overlay.name_of(table) if overlay.has(table) else None)
            self.tables[relation.engine_name] = table
            return relation
        if owner in (None, "SYS", "PUBLIC"):
            view = find_view(name, self._session.instance.version)
            if view is not None:
                return self._view(view)
        if self._session.open_data is None:
            self._session.instance.require_mounted()
            raise not_open_for_queries()
        return None

    def _view(self, view: View[Any]) -> Relation | None:
        instance = self._session.instance
        if view.needs >= Needs.CONTROL_FILE:
            instance.require_mounted()
        if view.needs >= Needs.DICTIONARY and self._session.open_data is None:
            raise not_open_for_queries()
        if not self._may_read(view):
            return None
        columns = tuple((column.name, column.type) for column in view.columns)
        return Relation(view.name, view.name, columns)

    def _may_read(self, view: View[Any]) -> bool:
        if view.name in _PUBLIC_VIEWS or view.name.startswith(("ALL_", "USER_", "NLS_", "V$NLS_")):
            return True
        session, data = self._session, self._session.open_data
        dictionary = data.dictionary if data is not None else None
        if session.privileges.has(dictionary, "SELECT ANY DICTIONARY"):
            return True
        if dictionary is None:
            return False
        behind = view.name.replace("V$", "V_$", 1)
        return session.privileges.on_object(dictionary, "SYS", {view.name, behind}, ("SELECT", "READ"))

    def _find_table(self, owner: str | None, name: str) -> Table | None:
        data = self._session.open_data
        return None if data is None else data.dictionary.get_table(owner or self._session.schema, name)

    def table_for(self, owner: str | None, name: str, privilege: str, offset: int = 0) -> Table:
        """A table to be changed. Raises ORA-00942, ORA-01031, ORA-01109 and as :func:`check_readable`."""
        data = self._session.require_open()
        table = data.dictionary.get_table(owner or self._session.schema, name)
        if table is None or not self.may(table, "SELECT", "READ", privilege):
            version = self._session.instance.version
            if owner in (None, "SYS") and find_view(name, version) is not None:
                raise OracleError(2030, "can only select from fixed tables/views", offset=offset)
            missing = table_missing()
            raise OracleError(missing.code, missing.text, offset=offset)
        if not self.may(table, privilege):
            raise OracleError(1031, "insufficient privileges", offset=offset)
        return table

    def may(self, table: Table, *wanted: str) -> bool:
        """Whether the session may use the table in one of these ways."""
        session, data = self._session, self._session.open_data
        if data is None:
            return False
        if session.privileges.user == table.owner:
            return True
        if session.privileges.has(data.dictionary, *(f"{privilege} ANY TABLE" for privilege in wanted)):
            return True
        return session.privileges.on_object(data.dictionary, table.owner, {table.name}, wanted)


def check_readable(instance: Instance, table: Table) -> None:
    """Raises ORA-00376 with ORA-01110 when a file of the table's tablespace is not online, ORA-28365 when it is
    encrypted and the keystore is closed."""
    segment_file = instance.control.datafile(table.header[0])
    if segment_file is None:
        return
    for record in instance.control.datafiles_in(table.tablespace_number, segment_file.con_id):
        if not record.online:
            raise file_unreadable(record)
        instance.keystore.require_key(record)


def file_unreadable(record: DatafileRecord) -> OracleError:
    text = f"file {record.file_number} cannot be read at this time"
    return OracleError(376, text, datafile_line(record))
