# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CREATE and DROP of procedures, functions and packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.data import sources
from oracle_simulator.errors import OracleError
from oracle_simulator.sql import statements as st
from oracle_simulator.sql.plsql.parser import parse_unit

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def _create(session: DatabaseSession, statement: st.CreateSource) -> bool:
    """Keep the unit, with what the compiler says of it; whether it has errors."""
    owner = statement.schema or session.schema
    dictionary = session.require_open().dictionary
    own = ("CREATE PROCEDURE",) if owner == session.user else ()
    session.privileges.require(dictionary, *own, "CREATE ANY PROCEDURE")
    try:
        parse_unit(statement.text)
        errors = ""
    except OracleError as problem:
        errors = problem.message
    row = sources.source_row(owner, statement.name, statement.type, statement.text, errors)
    sources.create_source(dictionary, row, statement.replace, session.is_cancelled)
    session.database.changed()
    return bool(errors)


def _drop(session: DatabaseSession, statement: st.DropSource) -> None:
    owner = statement.schema or session.schema
    dictionary = session.require_open().dictionary
    if owner != session.user:
        session.privileges.require(dictionary, "DROP ANY PROCEDURE")
    sources.drop_source(dictionary, owner, statement.name, statement.type, session.is_cancelled)
    session.database.changed()


HANDLERS = {st.CreateSource: _create, st.DropSource: _drop}
