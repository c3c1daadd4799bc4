# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""INSERT, UPDATE and DELETE: one plan per text, run with the binds of each execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from oracle_simulator.data.tables import Table
from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import BatchError, Bind, Result
from oracle_simulator.sql.change import ChangePlan, execute_change, plan_change
from oracle_simulator.sql.insert import InsertPlan, execute_insert, plan_insert
from oracle_simulator.sql.parser.statements import Dml
from oracle_simulator.sql.query.compile import QueryCompiler
from oracle_simulator.sql.query.dialect import BoundText, parse_query
from oracle_simulator.sql.query.functions import rowid_text
from oracle_simulator.sql.query.queries import bind_types, compile_text
from oracle_simulator.sql.query.types import SqlType
from oracle_simulator.sql.returning import ChangedRow, Returning, returning_clause, split_returning
from oracle_simulator.sql.session_catalog import SessionCatalog

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def execute_dml(
    session: DatabaseSession,
    statement: Dml,
    binds: Sequence[Bind],
    rows: Sequence[Sequence[Any]],
    collect_errors: bool = False,
) -> Result:
    """Run a DML statement once per row of binds. An error ends it, the rows before stay changed and its
    ``row_counts`` say how many those are; with ``collect_errors`` it only leaves that row out."""
    session.require_open()
    session.instance.require_open_read_write()
    execution = _Execution(session, statement, bind_types(binds))
    executions = rows or [()]
    changed, errors = execution.run(executions, collect_errors)
    plan = execution.plan()
    returned = (
        plan.returning.values(session, changed, executions, binds) if plan.returning is not None else {}
    )
    counts = [len(each) for each in changed]
    last = next((each[-1] for each in reversed(changed) if each), None)
    rowid = rowid_text(last.address, plan.table.data_object_id) if last is not None else None
    return Result(
        row_count=sum(counts),
        out_values=returned,
        row_counts=counts,
        batch_errors=errors,
        last_rowid=rowid,
    )


class _Execution:
    """One statement with all its rows of binds."""

    def __init__(self, session: DatabaseSession, statement: Dml, kinds: tuple[SqlType | None, ...]) -> None:
        self._session = session
        self._text = statement.text
        self._kinds = kinds
        self._transaction = session.transaction  # made anew, with its overlay, before a plan is looked up

    def plan(self) -> InsertPlan | ChangePlan:
        """Looked up for each execution that reads tables: the one before may have left rows to be seen."""
        session, text, kinds = self._session, self._text, self._kinds

        def build(
            compiler: QueryCompiler, bound: BoundText, catalog: SessionCatalog
        ) -> InsertPlan | ChangePlan:
            return _build(compiler, bound, catalog, kinds)

        return session.cached(("dml", text, kinds), lambda: compile_text(session, text, kinds, build))

    def run(
        self, rows: Sequence[Sequence[Any]], collect_errors: bool
    ) -> tuple[list[list[ChangedRow]], list[BatchError]]:
        """The changed rows of each execution, and the errors that were to be collected."""
        plan = self.plan()
        if len(rows) > 1 and isinstance(plan, InsertPlan) and not plan.reads_tables and not plan.from_query:
            mark = self._transaction.savepoint()
            try:
                return [[row] for row in execute_insert(self._session, plan, rows)], []
            except OracleError:
                if self._session.is_cancelled():
                    raise
                # One of many rows is bad: again, one by one, to find out which.
                self._transaction.rollback_to(mark)
                self._session.overlay.touch_all()
        return self._one_by_one(rows, collect_errors)

    def _one_by_one(
        self, rows: Sequence[Sequence[Any]], collect_errors: bool
    ) -> tuple[list[list[ChangedRow]], list[BatchError]]:
        changed: list[list[ChangedRow]] = []
        errors: list[BatchError] = []
        for number, row in enumerate(rows):
            try:
                changed.append(self._once(row))
            except OracleError as problem:
                if not collect_errors or self._session.is_cancelled():
                    problem.row_counts = [len(each) for each in changed]
                    raise
                errors.append(BatchError(number, problem))
                changed.append([])
        return changed, errors

    def _once(self, row: Sequence[Any]) -> list[ChangedRow]:
        plan = self.plan()
        if isinstance(plan, InsertPlan):
            return execute_insert(self._session, plan, [row])
        return execute_change(self._session, plan, row)


def _build(
    compiler: QueryCompiler,
    bound: BoundText,
    catalog: SessionCatalog,
    kinds: tuple[SqlType | None, ...],
) -> InsertPlan | ChangePlan:
    text, columns, binds = split_returning(bound.text)
    tree = parse_query(BoundText(text, bound.names, bound.shifts))

    def returned(table: Table) -> Returning | None:
        return returning_clause(columns, binds, table, catalog, kinds)

    if isinstance(tree, exp.Insert):
        return plan_insert(tree, compiler, catalog, len(bound.names), returned)
    if isinstance(tree, (exp.Update, exp.Delete)):
        return plan_change(tree, compiler, catalog, len(bound.names), returned)
    raise OracleError(3001, "unimplemented feature (MERGE)")
