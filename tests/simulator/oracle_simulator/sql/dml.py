# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""INSERT, UPDATE and DELETE: one plan per text, run with the binds of each execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Bind, Result
from oracle_simulator.sql.change import ChangePlan, execute_change, plan_change
from oracle_simulator.sql.compile import QueryCompiler
from oracle_simulator.sql.dialect import BoundText, parse_query
from oracle_simulator.sql.insert import InsertPlan, execute_insert, plan_insert
from oracle_simulator.sql.queries import bind_types, compile_text
from oracle_simulator.sql.returning import split_returning
from oracle_simulator.sql.session_catalog import SessionCatalog
from oracle_simulator.sql.statements import Dml

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def execute_dml(
    session: DatabaseSession, statement: Dml, binds: Sequence[Bind], rows: Sequence[Sequence[Any]]
) -> Result:
    """Run a DML statement once per row of binds."""
    session.require_open()
    session.instance.require_open_read_write()
    transaction = session.transaction  # made anew, with its overlay, before the plan is looked up
    assert transaction is not None
    kinds = bind_types(binds)

    def plan() -> InsertPlan | ChangePlan:
        # Looked up for each execution that reads tables: the one before may have left rows to be seen.
        key = ("dml", statement.text, kinds)
        return session.cached(key, lambda: compile_text(session, statement.text, kinds, _build))

    executions = rows or [()]
    first = plan()
    if isinstance(first, InsertPlan) and not first.reads_tables:
        inserted = execute_insert(session, first, executions)
        changed = [inserted] if first.from_query else [[row] for row in inserted]
    else:
        changed = [_execute_once(session, plan(), row) for row in executions]
    returned = first.returning.values(changed) if first.returning is not None else {}
    return Result(row_count=sum(map(len, changed)), out_values=returned)


def _execute_once(
    session: DatabaseSession, plan: InsertPlan | ChangePlan, row: Sequence[Any]
) -> list[list[Any]]:
    if isinstance(plan, InsertPlan):
        return execute_insert(session, plan, [row])
    return execute_change(session, plan, row)


def _build(compiler: QueryCompiler, bound: BoundText, catalog: SessionCatalog) -> InsertPlan | ChangePlan:
    text, columns, binds = split_returning(bound.text)
    tree = parse_query(BoundText(text, bound.names, bound.shifts))
    if isinstance(tree, exp.Insert):
        return plan_insert(tree, compiler, catalog, len(bound.names), (columns, binds))
    if isinstance(tree, (exp.Update, exp.Delete)):
        return plan_change(tree, compiler, catalog, len(bound.names), (columns, binds))
    raise OracleError(3001, "unimplemented feature (MERGE)")
