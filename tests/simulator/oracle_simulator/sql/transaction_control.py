# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""COMMIT, ROLLBACK, SAVEPOINT, SET TRANSACTION and LOCK TABLE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def _commit(session: DatabaseSession, statement: st.Commit) -> None:
    session.end_transaction(commit=True)


def _rollback(session: DatabaseSession, statement: st.Rollback) -> None:
    if statement.savepoint is None:
        session.end_transaction(commit=False)
        return
    mark = session.savepoints.get(statement.savepoint)
    if mark is None:
        raise OracleError(
            1086, f"savepoint '{statement.savepoint}' never established in this session or is invalid"
        )
    session.transaction.rollback_to(mark)
    session.savepoints = {name: at for name, at in session.savepoints.items() if at <= mark}
    session.overlay.touch_all()


def _savepoint(session: DatabaseSession, statement: st.Savepoint) -> None:
    session.savepoints[statement.name] = session.transaction.savepoint()


def _set_transaction(session: DatabaseSession, statement: st.SetTransaction) -> None:
    if session.in_transaction:
        raise OracleError(1453, "SET TRANSACTION must be first statement of transaction")
    if statement.fixed:
        # Without undo nothing is known of the past: better refused than silently READ COMMITTED.
        raise OracleError(3001, "unimplemented feature (transactions that see one moment)")


def _lock_table(session: DatabaseSession, statement: st.LockTable) -> None:
    raise OracleError(3001, "unimplemented feature (LOCK TABLE)")


HANDLERS = {
    st.Commit: _commit,
    st.Rollback: _rollback,
    st.Savepoint: _savepoint,
    st.SetTransaction: _set_transaction,
    st.LockTable: _lock_table,
}
