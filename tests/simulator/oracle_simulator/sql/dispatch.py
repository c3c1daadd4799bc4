# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which function runs which statement, and which statements commit first."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Bind, Result
from oracle_simulator.sql import dml, transaction_control
from oracle_simulator.sql.ddl import (
    administration,
    container_statements,
    database_statements,
    key_management,
    object_ddl,
    pluggable_lifetime,
    recovery,
    redo_statements,
    source_ddl,
    tablespace_statements,
)
from oracle_simulator.sql.ddl.containers import in_container
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.plsql.block import execute_block
from oracle_simulator.sql.query.known_since import check_known
from oracle_simulator.sql.query.queries import execute_query

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

Handler = Callable[["DatabaseSession", Any], Any]
"""What it gives is whether something was created with compilation errors."""

_NO_COMMIT: tuple[type[st.Statement], ...] = (
    st.Commit,
    st.Rollback,
    st.Savepoint,
    st.SetTransaction,
    st.LockTable,
    st.SwitchLogfile,
    st.ArchiveLog,
    st.Checkpoint,
    st.KillSession,
    st.SetParameters,
    st.RestrictedSession,
    st.AlterSessionSet,
    st.AlterSessionOther,
    st.RecoverContinue,
    st.RecoverCancel,
    st.NotSupported,
)


@functools.lru_cache(maxsize=1)
def _handlers() -> dict[type[st.Statement], Handler]:
    found: dict[type[st.Statement], Handler] = {}
    for module in (
        transaction_control,
        administration,
        database_statements,
        tablespace_statements,
        object_ddl,
        recovery,
        container_statements,
        pluggable_lifetime,
        redo_statements,
        source_ddl,
        key_management,
    ):
        found.update(module.HANDLERS)
    return found


def dispatch(
    session: DatabaseSession,
    statement: st.Statement,
    text: str,
    binds: Sequence[Bind],
    rows: Sequence[Sequence[Any]],
    collect_errors: bool = False,
) -> Result:
    """Run one parsed statement. ``collect_errors``: array DML goes on behind a row that fails."""
    check_known(statement, session.instance.version)
    if isinstance(statement, st.Query):
        return execute_query(session, text, binds, rows)
    if isinstance(statement, st.Dml):
        return dml.execute_dml(session, statement, binds, rows, collect_errors)
    if isinstance(statement, st.PlsqlBlock):
        return execute_block(session, statement.text, binds, rows)
    if isinstance(statement, st.NotSupported):
        raise OracleError(3001, f"unimplemented feature ({statement.what})")
    statement = in_container(session, statement)
    if not isinstance(statement, _NO_COMMIT):
        session.end_transaction(commit=True)
    has_errors = bool(_handlers()[type(statement)](session, statement))
    told = isinstance(statement, st.AlterSessionSet) and any(
        name in ("current_schema", "container") for name, _value in statement.settings
    )
    schema = session.schema if told else None
    return Result(current_schema=schema, has_errors=has_errors)
