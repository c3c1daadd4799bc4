# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the statements of a block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Bind, Result
from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.control_flow import Leave, Returned
from oracle_simulator.sql.plsql.datatypes import CollectionOf, OpenCursor, PlType, Record, RecordOf
from oracle_simulator.sql.plsql.declarations import declare, resolve_type
from oracle_simulator.sql.plsql.exceptions import handles, raised
from oracle_simulator.sql.plsql.expressions import Evaluator, matching, split_arguments, sql_kind
from oracle_simulator.sql.plsql.program_units import Units
from oracle_simulator.sql.plsql.routine_calls import RoutineCalls
from oracle_simulator.sql.plsql.scopes import Cell, DeclaredCursor, Scope
from oracle_simulator.sql.plsql.tokens import compile_error
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.queries import execute_query
from oracle_simulator.sql.views import find_view

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_NOT_LOCATED = frozenset({28, 1012, 1013, 1089, 1092, 3113, 6550})


class Interpreter:
    """Runs one block, and whatever it calls, for one session."""

    def __init__(self, session: DatabaseSession) -> None:
        self.session = session
        self.units = Units(self)
        self.evaluator = Evaluator(self)
        self.calls = RoutineCalls(self)
        self.current_error: OracleError | None = None
        self._place = 0
        self._row_count: int | None = None

    def sql_attribute(self, name: str) -> Any:
        """SQL%ROWCOUNT and its like."""
        count = self._row_count
        if name == "ISOPEN":
            return False
        if count is None or name == "ROWCOUNT":
            return count
        return count > 0 if name == "FOUND" else count == 0

    # ------------------------------------------------------------ blocks

    def run_block(self, block: tree.Block, scope: Scope) -> None:
        """Run a block with its handlers. Raises what no handler stops."""
        inner = scope.inner()
        try:
            declare(self, block.declarations, inner)
            self._run_all(block.body, inner)
        except OracleError as problem:
            handler = next(
                (
                    handler
                    for handler in block.handlers
                    if any(handles(name, inner.find(name), problem) for name in handler.names)
                ),
                None,
            )
            if handler is None or self.session.is_cancelled():
                raise
            outer, self.current_error = self.current_error, problem
            try:
                self._run_all(handler.body, inner)
            finally:
                self.current_error = outer

    def _run_all(self, statements: Sequence[tree.Statement], scope: Scope) -> None:
        for statement in statements:
            self._run(statement, scope)

    @contextlib.contextmanager
    def located(self, scope: Scope) -> Iterator[None]:
        """Errors that leave the block say where they come from (ORA-06512)."""
        outer = self._place
        try:
            yield
        except OracleError as problem:
            if problem.code in _NOT_LOCATED:
                raise
            line = scope.source.count("\n", 0, self._place) + 1
            where = f'at "{scope.unit}", line {line}' if scope.unit else f"at line {line}"
            problem.more = (*problem.more, (6512, where))
            raise
        finally:
            self._place = outer

    def _run(self, statement: tree.Statement, scope: Scope) -> None:
        if self.session.is_cancelled():
            raise OracleError(1013, "user requested cancel of current operation")
        self._place = statement.start
        evaluator = self.evaluator
        match statement:
            case tree.Assign(_, target, value):
                evaluator.assign(target, evaluator.value(value, scope), scope)
            case tree.Call(_, call):
                self.calls.statement(call, scope)
            case tree.Sql():
                self._sql(statement, scope)
            case tree.If(_, branches, default):
                for condition, body in branches:
                    if evaluator.condition(condition, scope):
                        return self._run_all(body, scope)
                self._run_all(default, scope)
            case tree.Case():
                self._case(statement, scope)
            case tree.Loop() | tree.RangeLoop() | tree.QueryLoop():
                self._loop(statement, scope)
            case tree.Exit(_, condition, label, continues):
                if condition is None or evaluator.condition(condition, scope):
                    raise Leave(label, continues)
            case tree.Return(_, value):
                raise Returned(None if value is None else evaluator.value(value, scope))
            case tree.Raise(_, name):
                self._raise(name, scope)
            case tree.Block():
                self.run_block(statement, scope)
            case tree.ExecuteImmediate():
                self._execute_immediate(statement, scope)
            case tree.Open() | tree.Fetch() | tree.Close():
                self._cursor_statement(statement, scope)
        return None

    def _case(self, statement: tree.Case, scope: Scope) -> None:
        for value, body in statement.branches:
            if statement.operand is None:
                applies = self.evaluator.condition(value, scope)
            else:
                applies = self.evaluator.value(statement.operand, scope) == self.evaluator.value(value, scope)
            if applies:
                return self._run_all(body, scope)
        if statement.default is None:
            raise OracleError(6592, "CASE not found while executing CASE statement")
        return self._run_all(statement.default, scope)

    def _raise(self, name: str | None, scope: Scope) -> None:
        if name is None:
            if self.current_error is None:
                raise OracleError(6550, "PLS-00367: a RAISE statement with no exception name")
            raise self.current_error
        error = raised(name, scope.find(name))
        if error is None:
            message = f"PLS-00201: identifier '{name}' must be declared"
            raise compile_error(scope.source, self._place, message)
        raise error

    # ------------------------------------------------------------ loops

    def _loop(self, loop: tree.Loop | tree.RangeLoop | tree.QueryLoop, scope: Scope) -> None:
        for inner in self._rounds(loop, scope):
            if self.session.is_cancelled():
                raise OracleError(1013, "user requested cancel of current operation")
            try:
                self._run_all(loop.body, inner)
            except Leave as leave:
                if leave.label not in (None, loop.label):
                    raise
                if not leave.continues:
                    return

    def _rounds(self, loop: tree.Loop | tree.RangeLoop | tree.QueryLoop, scope: Scope) -> Iterator[Scope]:
        """The scope of each round."""
        if isinstance(loop, tree.Loop):
            while loop.condition is None or self.evaluator.condition(loop.condition, scope):
                yield scope
            return
        inner = scope.inner()
        if isinstance(loop, tree.RangeLoop):
            low, high = (self.evaluator.value(bound, scope) for bound in (loop.low, loop.high))
            if low is None or high is None:
                raise OracleError(6502, "PL/SQL: numeric or value error")
            numbers = range(round(low), round(high) + 1)
            for number in reversed(numbers) if loop.reverse else numbers:
                inner.names = {loop.variable: Cell(PlType(), number, constant=True)}
                yield inner
            return
        result = self._loop_query(loop, scope)
        kind = _record_type(result)
        for row in result.rows:
            values = dict(zip(kind.fields, row, strict=True))
            inner.names = {loop.variable: Cell(kind, Record(kind, values), constant=True)}
            yield inner

    def _loop_query(self, loop: tree.QueryLoop, scope: Scope) -> Result:
        if not loop.is_cursor:
            return self.query(loop.query, scope)
        tokens = loop.query.tokens
        declared = scope.find(tokens[0].word)
        if not isinstance(declared, DeclaredCursor):
            message = f"PLS-00201: identifier '{tokens[0].text.upper()}' must be declared"
            raise compile_error(scope.source, tokens[0].start, message)
        arguments = split_arguments(tokens[2 : matching(tokens, 1)]) if len(tokens) > 1 else []
        return self._declared_query(declared, arguments, scope)

    # ------------------------------------------------------------ SQL

    def query(self, expression: tree.Expression, scope: Scope) -> Result:
        """Run a query with PL/SQL's variables in it."""
        sql = self.evaluator.substitute(expression.tokens, scope, self._columns(expression, scope))
        return execute_query(self.session, sql.text, sql.binds, [sql.values])

    def _columns(self, expression: tree.Expression, scope: Scope) -> frozenset[str]:
        """The columns of all tables and views that a statement names: they hide variables."""
        data = self.session.open_data
        found: set[str] = set()
        for place, token in enumerate(expression.tokens):
            if token.kind != "name":
                continue
            owner = self.session.schema
            if place > 1 and expression.tokens[place - 1].word == ".":
                owner = expression.tokens[place - 2].word
            table = data.dictionary.get_table(owner, token.word) if data is not None else None
            if table is not None:
                found.update(table.column_names)
            elif (view := find_view(token.word)) is not None:
                found.update(column.name for column in view.columns)
        return frozenset(found)

    def _sql(self, statement: tree.Sql, scope: Scope) -> None:
        tokens = statement.statement.tokens
        if tokens[0].word in ("SELECT", "WITH"):
            result = self.query(statement.statement, scope)
            self._into(result, statement.into, statement.bulk, scope)
            return
        sql = self.evaluator.substitute(tokens, scope, self._columns(statement.statement, scope))
        text, binds, values = sql.text, list(sql.binds), list(sql.values)
        first_out = len(binds)
        if statement.into:
            text += " INTO " + ", ".join(f":O{number}" for number in range(len(statement.into)))
            binds += [self._out_bind(target, scope) for target in statement.into]
            values += [None] * len(statement.into)
        result = self.dispatch(text, binds, values)
        self._row_count = result.row_count
        for number, target in enumerate(statement.into):
            returned = result.out_values.get(first_out + number, [])
            if statement.bulk:
                self.evaluator.assign(target, returned, scope)
            elif returned:
                self.evaluator.assign(target, returned[0], scope)

    def dispatch(self, text: str, binds: Sequence[Bind] = (), values: Sequence[Any] = ()) -> Result:
        """Run a statement of SQL for the block."""
        return self.session.run(text, binds, [values] if binds else [])

    def _out_bind(self, target: tree.Expression, scope: Scope) -> Bind:
        cell, after = self.evaluator.target_cell(target, scope)
        kind: PlType | None = cell.type
        if after < len(target.tokens):
            found = self.evaluator.reference(target.tokens, 0, scope)
            kind = found.type if found is not None else None
        if isinstance(kind, CollectionOf):
            kind = kind.element
        scalar = kind.kind if kind is not None and kind.kind is not None else types.VARCHAR2
        return Bind(scalar.type, scalar.size, national=scalar.national)

    def _into(self, result: Result, targets: Sequence[tree.Expression], bulk: bool, scope: Scope) -> None:
        """SELECT INTO. Raises ORA-01403, ORA-01422, ORA-00947."""
        if bulk:
            rows = list(result.rows)
            self._row_count = len(rows)
            self._assign_bulk(rows, targets, scope)
            return
        row = next(result.rows, None)
        self._row_count = 0 if row is None else 1
        if row is None:
            raise OracleError(1403, "no data found")
        if next(result.rows, None) is not None:
            raise OracleError(1422, "exact fetch returns more than requested number of rows")
        self._assign_row(row, targets, scope)

    def _assign_row(self, row: Sequence[Any], targets: Sequence[tree.Expression], scope: Scope) -> None:
        if len(targets) == 1 and len(row) > 1:
            cell, after = self.evaluator.target_cell(targets[0], scope)
            if isinstance(cell.type, RecordOf) and after == len(targets[0].tokens):
                names = zip(cell.type.fields, row, strict=False)
                cell.assign(Record(cell.type, dict(names)))
                return
        if len(targets) != len(row):
            raise OracleError(6504, "PL/SQL: Return types of Result Set variables or query do not match")
        for target, value in zip(targets, row, strict=True):
            self.evaluator.assign(target, value, scope)

    def _assign_bulk(
        self, rows: Sequence[Sequence[Any]], targets: Sequence[tree.Expression], scope: Scope
    ) -> None:
        for number, target in enumerate(targets):
            self.evaluator.assign(target, [row[number] for row in rows], scope)

    def _execute_immediate(self, statement: tree.ExecuteImmediate, scope: Scope) -> None:
        text = str(self.evaluator.value(statement.text, scope) or "")
        binds, values = self._using(statement.using, scope)
        result = self.dispatch(text, binds, values)
        for place, value in result.out_values.items():
            self.evaluator.assign(statement.using[place], value, scope)
        if result.columns is not None:
            if statement.into:
                self._into(result, statement.into, False, scope)
            return
        self._row_count = result.row_count

    def _using(self, arguments: Sequence[tree.Expression], scope: Scope) -> tuple[list[Bind], list[Any]]:
        binds: list[Bind] = []
        values: list[Any] = []
        for argument in arguments:
            value, kind = self.evaluator.typed_value(argument, scope)
            sql = kind.kind if kind is not None and kind.kind is not None else None
            if sql is None:
                sql = sql_kind(value, None)
            binds.append(Bind(sql.type, sql.size, national=sql.national))
            values.append(value)
        return binds, values

    # ------------------------------------------------------------ cursors

    def _cursor_statement(self, statement: tree.Open | tree.Fetch | tree.Close, scope: Scope) -> None:
        if isinstance(statement, tree.Open):
            self._open(statement, scope)
            return
        declared = scope.find(statement.cursor.tokens[0].word)
        value = declared.open if isinstance(declared, DeclaredCursor) else None
        if not isinstance(declared, DeclaredCursor):
            value = self.evaluator.value(statement.cursor, scope)
        if isinstance(value, Result):
            value = OpenCursor(value)
            self.evaluator.target_cell(statement.cursor, scope)[0].value = value
        if not isinstance(value, OpenCursor) or not value.is_open:
            raise OracleError(1001, "invalid cursor")
        if isinstance(statement, tree.Close):
            value.is_open = False
        elif statement.bulk:
            self._assign_bulk(list(value.result.rows), statement.into, scope)
        else:
            row = value.next_row()
            if row is not None:
                self._assign_row(row, statement.into, scope)

    def _open(self, statement: tree.Open, scope: Scope) -> None:
        tokens = statement.cursor.tokens
        declared = scope.find(tokens[0].word)
        if isinstance(declared, DeclaredCursor):
            if isinstance(declared.open, OpenCursor) and declared.open.is_open:
                raise OracleError(6511, "PL/SQL: cursor already open")
            arguments = split_arguments(tokens[2 : matching(tokens, 1)]) if len(tokens) > 1 else []
            declared.open = OpenCursor(self._declared_query(declared, arguments, scope))
            return
        assert statement.query is not None  # the parser wants FOR with every other cursor
        if statement.is_text:
            text = str(self.evaluator.value(statement.query, scope) or "")
            binds, values = self._using(statement.arguments, scope)
            result = execute_query(self.session, text, binds, [values])
        else:
            result = self.query(statement.query, scope)
        self.evaluator.assign(statement.cursor, OpenCursor(result), scope)

    def _declared_query(
        self, cursor: DeclaredCursor, arguments: Sequence[tree.Expression], scope: Scope
    ) -> Result:
        inner = scope.inner()
        for number, parameter in enumerate(cursor.declaration.parameters):
            kind = resolve_type(self, parameter.type, scope, unsized=True)
            given = arguments[number] if number < len(arguments) else parameter.default
            value = self.evaluator.value(given, scope) if given is not None else None
            inner.names[parameter.name] = Cell(kind, kind.convert(value), constant=True)
        return self.query(cursor.declaration.query, inner)

    def run_top(self, block: tree.Block, scope: Scope) -> None:
        """Run an anonymous block, which RETURN may leave."""
        with contextlib.suppress(Returned), self.located(scope):
            self.run_block(block, scope)


def _record_type(result: Result) -> RecordOf:
    return RecordOf({column.name: PlType() for column in result.columns or ()})
