# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""INSERT. One plan per text; rows of binds and constants go to the transaction without the query engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from oracle_simulator.data.tables import Table
from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.catalog import CompiledQuery
from oracle_simulator.sql.query.columns import Converter, converter
from oracle_simulator.sql.query.compile import QueryCompiler
from oracle_simulator.sql.query.dialect import BIND_FUNCTION, SimulatorOracle
from oracle_simulator.sql.query.expressions import Node, identifier_name, position_of
from oracle_simulator.sql.query.queries import final_types, run
from oracle_simulator.sql.returning import ChangedRow, Returning
from oracle_simulator.sql.session_catalog import SessionCatalog

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_NUMBER = re.compile(r"[+-]?\d+")


@dataclass(frozen=True)
class InsertPlan:
    """An INSERT ready to run.

    A row of the table is made from an input row (bind values, then ``constants``, then the values of
    ``query``): ``steps`` holds for each column of the table a converter and an index into the input.
    ``from_query`` is INSERT ... SELECT: as many rows as the query gives, behind whose columns come
    ``constants`` and the values of ``defaults``. ``direct``: by direct path, as the hint APPEND asks for.
    """

    table: Table
    steps: tuple[tuple[Converter, int], ...]
    constants: tuple[Any, ...]
    bind_count: int
    query: CompiledQuery | None = None
    query_tables: tuple[Table, ...] = ()
    from_query: bool = False
    defaults: CompiledQuery | None = None
    returning: Returning | None = None
    direct: bool = False

    @property
    def same_for_all_rows(self) -> bool:
        """Whether the expressions depend neither on binds nor on tables."""
        return self.query is not None and not self.query.bind_count and not self.query_tables

    @property
    def reads_tables(self) -> bool:
        return bool(self.query_tables)

    def convert(self, inputs: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Table rows from complete input rows."""
        steps = self.steps
        return [[convert(row[index]) for convert, index in steps] for row in inputs]

    def with_constants(self, inputs: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        constants = self.constants
        return [(*row, *constants) for row in inputs] if constants else inputs


@dataclass
class _Sources:
    """Where the columns' values come from, while the plan is made."""

    bind_count: int
    constants: list[Any]
    expressions: list[Node]

    def constant(self, value: Any) -> tuple[str, int]:
        self.constants.append(value)
        return "constant", len(self.constants) - 1

    def expression(self, node: Node) -> tuple[str, int]:
        self.expressions.append(node)
        return "expression", len(self.expressions) - 1

    def index(self, place: tuple[str, int]) -> int:
        kind, number = place
        if kind == "bind":
            return number
        return self.bind_count + number + (len(self.constants) if kind == "expression" else 0)


def plan_insert(
    tree: exp.Insert,
    compiler: QueryCompiler,
    catalog: SessionCatalog,
    bind_count: int,
    returned: Callable[[Table], Returning | None],
) -> InsertPlan:
    """Make the plan. Raises ORA-00904, ORA-00913, ORA-00942, ORA-00947, ORA-00957, ORA-03001."""
    target = tree.this
    table_node = target.this if isinstance(target, exp.Schema) else target
    if not isinstance(table_node, exp.Table):
        raise OracleError(903, "invalid table name")
    owner = identifier_name(table_node.args["db"]) if table_node.args.get("db") else None
    table = catalog.table_for(owner, identifier_name(table_node.this), "INSERT", position_of(table_node))
    columns = _target_columns(table, target)
    returning = returned(table)
    source = tree.expression
    if isinstance(source, exp.Values):
        plan = _plan_values(table, columns, source, compiler, catalog, bind_count, returning)
        return replace(plan, direct=_hinted(tree, "APPEND_VALUES"))
    if isinstance(source, (exp.Select, exp.SetOperation, exp.Subquery)):
        plan = _plan_select(table, columns, source, compiler, catalog, bind_count)
        return replace(plan, direct=_hinted(tree, "APPEND"))
    raise OracleError(926, "missing VALUES keyword")


def _hinted(tree: exp.Insert, name: str) -> bool:
    hint = tree.args.get("hint")
    return hint is not None and name in hint.sql("oracle").upper().replace("*", " ").split()


def _target_columns(table: Table, target: Node) -> list[int]:
    if not isinstance(target, exp.Schema):
        return list(range(len(table.columns)))
    positions: list[int] = []
    for identifier in target.expressions:
        name = identifier_name(identifier if isinstance(identifier, exp.Identifier) else identifier.this)
        if name not in table.column_names:
            raise OracleError(904, f'"{name}": invalid identifier', offset=position_of(identifier))
        position = table.column_names.index(name)
        if position in positions:
            raise OracleError(957, "duplicate column name", offset=position_of(identifier))
        positions.append(position)
    return positions


def _check_count(columns: Sequence[int], given: int) -> None:
    if given < len(columns):
        raise OracleError(947, "not enough values")
    if given > len(columns):
        raise OracleError(913, "too many values")


def _plan_values(
    table: Table,
    columns: list[int],
    values: exp.Values,
    compiler: QueryCompiler,
    catalog: SessionCatalog,
    bind_count: int,
    returning: Returning | None,
) -> InsertPlan:
    if len(values.expressions) != 1:
        raise OracleError(933, "SQL command not properly ended")
    row = values.expressions[0]
    items = (
        list(row.expressions)
        if isinstance(row, exp.Tuple)
        else [row.this if isinstance(row, exp.Paren) else row]
    )
    _check_count(columns, len(items))
    given = dict(zip(columns, items, strict=True))
    sources = _Sources(bind_count, [], [])
    places = [_place(table, position, given.get(position), sources) for position in range(len(table.columns))]
    query = _expression_query(sources.expressions, compiler) if sources.expressions else None
    steps = tuple(
        (converter(column, catalog.zone), sources.index(place))
        for column, place in zip(table.columns, places, strict=True)
    )
    tables = tuple(catalog.tables[relation.engine_name] for relation in query.tables) if query else ()
    constants = tuple(sources.constants)
    return InsertPlan(table, steps, constants, bind_count, query, tables, returning=returning)


def _place(table: Table, position: int, node: Node | None, sources: _Sources) -> tuple[str, int]:
    if node is None or (isinstance(node, (exp.Var, exp.Column)) and node.name.upper() == "DEFAULT"):
        default = table.columns[position].default
        if default is None:
            return sources.constant(None)
        found = SimulatorOracle().parse(f"SELECT {default} FROM DUAL")[0]
        assert found is not None  # the dictionary holds only defaults that were parsed before
        return _place_expression(found.expressions[0], sources)
    return _place_expression(node, sources)


def _place_expression(node: Node, sources: _Sources) -> tuple[str, int]:
    if isinstance(node, exp.Anonymous) and str(node.this).upper() == BIND_FUNCTION:
        return "bind", int(str(node.expressions[0].this))
    if isinstance(node, exp.Null):
        return sources.constant(None)
    if isinstance(node, exp.Literal):
        value = str(node.this)
        if node.args.get("is_string"):
            return sources.constant(value)
        if _NUMBER.fullmatch(value):
            return sources.constant(int(value))
    return sources.expression(node)


def _expression_query(expressions: Sequence[Node], compiler: QueryCompiler) -> CompiledQuery:
    dual = exp.Table(this=exp.Identifier(this="DUAL"))
    return compiler.compile(exp.Select(expressions=list(expressions), from_=exp.From(this=dual)))


def _plan_select(
    table: Table,
    columns: list[int],
    source: Node,
    compiler: QueryCompiler,
    catalog: SessionCatalog,
    bind_count: int,
) -> InsertPlan:
    query = compiler.compile(source)
    _check_count(columns, len(query.columns))
    tables = tuple(catalog.tables[relation.engine_name] for relation in query.tables)
    given = {position: number for number, position in enumerate(columns)}
    # What the query does not give are defaults, put behind its columns.
    sources = _Sources(len(query.columns), [], [])
    places = [
        ("bind", given[position]) if position in given else _place(table, position, None, sources)
        for position in range(len(table.columns))
    ]
    defaults = _expression_query(sources.expressions, compiler) if sources.expressions else None
    steps = tuple(
        (converter(column, catalog.zone), sources.index(place))
        for column, place in zip(table.columns, places, strict=True)
    )
    constants = tuple(sources.constants)
    return InsertPlan(table, steps, constants, bind_count, query, tables, True, defaults)


def execute_insert(
    session: DatabaseSession, plan: InsertPlan, rows: Sequence[Sequence[Any]]
) -> list[ChangedRow]:
    """Run the plan once per row of binds; the rows inserted.

    An array of rows is as many executions: on an error the good ones before the bad one stay.
    """
    if any(len(row) < plan.bind_count for row in rows):
        raise OracleError(1008, "not all variables bound")
    inputs: Sequence[Sequence[Any]] = rows
    if plan.from_query:
        found = [values for row in rows for values in _query_values(session, plan, row)]
        inputs = plan.with_constants(found)
        if plan.defaults is not None:
            defaults = _values_of(session, plan.defaults, (), ())[0]
            inputs = [(*row, *defaults) for row in inputs]
    elif plan.same_for_all_rows:
        # SYSDATE and its like: one value for the whole statement.
        values = _query_values(session, plan, ())[0]
        inputs = [(*row[: plan.bind_count], *plan.constants, *values) for row in rows]
    elif plan.query is not None:
        inputs = [
            (*row[: plan.bind_count], *plan.constants, *_query_values(session, plan, row)[0]) for row in rows
        ]
    else:
        inputs = plan.with_constants(rows)
    table_rows = plan.convert(inputs)
    transaction, overlay = session.transaction, session.overlay
    mark = transaction.savepoint()
    overlay.touch(plan.table, ())
    try:
        insert = transaction.load if plan.direct else transaction.insert_many
        rowids = insert(plan.table, table_rows, session.is_cancelled)
    except OracleError:
        if plan.from_query:
            transaction.rollback_to(mark)
        overlay.touch_all()
        raise
    overlay.touch(plan.table, rowids)
    return list(map(ChangedRow, rowids, table_rows))


def _query_values(session: DatabaseSession, plan: InsertPlan, row: Sequence[Any]) -> list[list[Any]]:
    assert plan.query is not None
    return _values_of(session, plan.query, plan.query_tables, row)


def _values_of(
    session: DatabaseSession, query: CompiledQuery, tables: Sequence[Table], row: Sequence[Any]
) -> list[list[Any]]:
    encoded = [types.encode(value) for value in row[: query.bind_count]]
    found = run(session, query, tables, encoded)
    decoders = [types.decoder(kind.type) for kind in final_types(query, found)]
    return [types.decode_row(values, decoders) for values in found]
