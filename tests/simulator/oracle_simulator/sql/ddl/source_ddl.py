# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CREATE and DROP of what is stored as its text: procedures, functions, packages and views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.data import sources
from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.plsql.parser import parse_unit
from oracle_simulator.sql.query.queries import prepare

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def _create(session: DatabaseSession, statement: st.CreateSource) -> bool:
    """Keep the unit, with what the compiler says of it; whether it has errors."""
    owner = statement.schema or session.schema
    dictionary = session.require_open().dictionary
    is_view = statement.type == "VIEW"
    what = "VIEW" if is_view else "PROCEDURE"
    own = (f"CREATE {what}",) if owner == session.user else ()
    session.privileges.require(dictionary, *own, f"CREATE ANY {what}")
    if is_view:
        prepare(session, statement.text, ())  # raises what is wrong with it
    errors = "" if is_view else _compilation_errors(statement.text)
    row = sources.source_row(owner, statement.name, statement.type, statement.text, errors)
    sources.create_source(dictionary, row, statement.replace, session.is_cancelled)
    session.database.changed()
    return bool(errors)


def _compilation_errors(text: str) -> str:
    try:
        parse_unit(text)
    except OracleError as problem:
        return problem.message
    return ""


def _drop(session: DatabaseSession, statement: st.DropSource) -> None:
    owner = statement.schema or session.schema
    dictionary = session.require_open().dictionary
    if owner != session.user:
        what = "VIEW" if statement.type == "VIEW" else "PROCEDURE"
        session.privileges.require(dictionary, f"DROP ANY {what}")
    sources.drop_source(dictionary, owner, statement.name, statement.type, session.is_cancelled)
    session.database.changed()


HANDLERS = {st.CreateSource: _create, st.DropSource: _drop}
