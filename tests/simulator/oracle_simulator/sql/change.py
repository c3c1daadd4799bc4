# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UPDATE and DELETE: rows are found by a query, locked, looked at again, and then changed.

``WHERE key = :bind`` on a unique key skips the query when the session has nothing pending in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from oracle_simulator.data.tables import Table
from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.catalog import ROW_ADDRESS, CompiledQuery
from oracle_simulator.sql.query.columns import Converter, converter
from oracle_simulator.sql.query.compile import QueryCompiler, engine_sql
from oracle_simulator.sql.query.dialect import BIND_FUNCTION
from oracle_simulator.sql.query.expressions import Node, identifier_name, position_of, quoted
from oracle_simulator.sql.query.queries import final_types, run
from oracle_simulator.sql.query.types import EngineValue, SqlType
from oracle_simulator.sql.returning import ChangedRow, Returning
from oracle_simulator.sql.session_catalog import SessionCatalog, check_readable

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_MOST_RESTARTS = 1000


@dataclass(frozen=True)
class KeyLookup:
    """``WHERE key = :bind``: which unique key of the table, and which bind."""

    key_number: int
    bind: int
    convert: Converter


@dataclass(frozen=True)
class Assignment:
    """SET column = value: the value is bind ``bind``, else column ``result`` of the query."""

    position: int
    convert: Converter
    bind: int | None
    result: int | None


@dataclass(frozen=True)
class ChangePlan:
    """An UPDATE or DELETE ready to run.

    ``query`` gives for each row its address, all columns of the table, and the values of the assignments
    that are expressions.
    """

    table: Table
    query: CompiledQuery
    tables: tuple[Table, ...]
    assignments: tuple[Assignment, ...] | None
    bind_count: int
    lookup: KeyLookup | None = None
    returning: Returning | None = None

    @property
    def only_binds(self) -> bool:
        return all(assignment.bind is not None for assignment in self.assignments or ())


def plan_change(
    tree: exp.Update | exp.Delete,
    compiler: QueryCompiler,
    catalog: SessionCatalog,
    bind_count: int,
    returned: Callable[[Table], Returning | None],
) -> ChangePlan:
    """Make the plan. Raises ORA-00904, ORA-00942, ORA-01031, ORA-01733, ORA-03001."""
    node = tree.this or (tree.args.get("tables") or [None])[0]
    if not isinstance(node, exp.Table):
        raise OracleError(903, "invalid table name")
    privilege = "UPDATE" if isinstance(tree, exp.Update) else "DELETE"
    owner = identifier_name(node.args["db"]) if node.args.get("db") else None
    table = catalog.table_for(owner, identifier_name(node.this), privilege, position_of(node))
    where = tree.args.get("where")
    lookup = _key_lookup(table, where.this if where is not None else None)
    assignments: list[Assignment] | None = None
    expressions: list[Node] = []
    if isinstance(tree, exp.Update):
        assignments = _assignments(table, tree, expressions, catalog)
    query = _row_query(table, node, where, expressions, compiler)
    tables = tuple(catalog.tables[relation.engine_name] for relation in query.tables)
    returning = returned(table)
    final = None if assignments is None else tuple(assignments)
    return ChangePlan(table, query, tables, final, bind_count, lookup, returning)


def _assignments(
    table: Table, tree: exp.Update, expressions: list[Node], catalog: SessionCatalog
) -> list[Assignment]:
    found: list[Assignment] = []
    if not tree.expressions:
        raise OracleError(971, "missing SET keyword")
    for item in tree.expressions:
        if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
            raise OracleError(3001, "unimplemented feature (SET of several columns from a query)")
        name = identifier_name(item.this.this)
        if name not in table.column_names:
            raise OracleError(904, f'"{name}": invalid identifier', offset=position_of(item.this))
        position = table.column_names.index(name)
        if any(other.position == position for other in found):
            raise OracleError(957, "duplicate column name", offset=position_of(item.this))
        bind = _bind_of(item.expression)
        result = None
        if bind is None:
            result = 1 + len(table.columns) + len(expressions)
            expressions.append(item.expression)
        found.append(Assignment(position, converter(table.columns[position], catalog.zone), bind, result))
    return found


def _bind_of(node: Node) -> int | None:
    if isinstance(node, exp.Anonymous) and str(node.this).upper() == BIND_FUNCTION:
        return int(str(node.expressions[0].this))
    return None


def _row_query(
    table: Table, node: exp.Table, where: Node | None, expressions: list[Node], compiler: QueryCompiler
) -> CompiledQuery:
    alias = identifier_name(node.args["alias"].this) if node.args.get("alias") else table.name
    source = node.copy()
    source.set("alias", exp.TableAlias(this=quoted(alias)))
    columns: list[Node] = [exp.Column(this=quoted(name), table=quoted(alias)) for name in table.column_names]
    select = exp.Select(expressions=[*columns, *expressions], from_=exp.From(this=source))
    if where is not None:
        select.set("where", where.copy())
    compiled = compiler.compile(select)
    address = exp.Alias(
        this=exp.Column(this=quoted(ROW_ADDRESS), table=quoted(alias)), alias=quoted(ROW_ADDRESS)
    )
    select.set("expressions", [address, *select.expressions])
    titles = ((ROW_ADDRESS, types.NUMBER), *compiled.columns)
    return CompiledQuery(engine_sql(select), titles, compiled.relations, None, compiled.bind_count)


def _key_lookup(table: Table, condition: Node | None) -> KeyLookup | None:
    if not isinstance(condition, exp.EQ) or not isinstance(condition.this, exp.Column):
        return None
    bind = _bind_of(condition.expression)
    name = identifier_name(condition.this.this)
    for number, (key, positions) in enumerate(table.unique_keys):
        if bind is not None and key.columns == (name,):
            return KeyLookup(number, bind, converter(table.columns[positions[0]]))
    return None


def execute_change(session: DatabaseSession, plan: ChangePlan, row: Sequence[Any]) -> list[ChangedRow]:
    """Run the plan with one row of binds; the rows as they are afterwards (deleted ones: as they were)."""
    check_readable(session.instance, plan.table)
    if len(row) < plan.bind_count:
        raise OracleError(1008, "not all variables bound")
    mark = session.transaction.savepoint()
    try:
        return _change_rows(session, plan, row)
    except OracleError:
        session.transaction.rollback_to(mark)
        session.overlay.touch_all()
        raise


def _change_rows(session: DatabaseSession, plan: ChangePlan, row: Sequence[Any]) -> list[ChangedRow]:
    transaction, table = session.transaction, plan.table
    results: list[ChangedRow] = []
    for address, current, given in _locked_rows(session, plan, row):
        session.overlay.touch(table, (address,))
        if plan.assignments is None:
            transaction.delete(table, address, session.is_cancelled)
            results.append(ChangedRow(address, current))
            continue
        new = list(current)
        for assignment in plan.assignments:
            value = row[assignment.bind] if assignment.bind is not None else given[assignment.result or 0]
            new[assignment.position] = assignment.convert(value)
        transaction.update(table, address, new, session.is_cancelled)
        results.append(ChangedRow(address, new))
    return results


LockedRow = tuple[int, list[Any], Sequence[Any]]
"""Address, the row as it is now, and the decoded row of the query."""


def _locked_rows(session: DatabaseSession, plan: ChangePlan, row: Sequence[Any]) -> list[LockedRow]:
    found = _by_key(session, plan, row)
    if found is not None:
        return found
    values = [types.encode(value) for value in row[: plan.query.bind_count]]
    for _attempt in range(_MOST_RESTARTS):
        rows = run(session, plan.query, plan.tables, values)
        locked = _lock(session, plan, rows)
        if locked is not None:
            kinds = final_types(plan.query, rows)
            return [
                (address, current, _decode(kinds, given, len(plan.table.columns)))
                for address, current, given in locked
            ]
    raise OracleError(8177, "can't serialize access for this transaction")


def _decode(kinds: Sequence[SqlType], row: Sequence[EngineValue], width: int) -> list[Any]:
    # Only the expressions are used; the columns themselves come from the locked row.
    skipped: list[Any] = [None] * (width + 1)
    given = zip(kinds[width + 1 :], row[width + 1 :], strict=True)
    return [*skipped, *(types.decoder(kind.type)(value) for kind, value in given)]


def _lock(
    session: DatabaseSession, plan: ChangePlan, rows: Sequence[Sequence[EngineValue]]
) -> list[tuple[int, list[Any], Sequence[EngineValue]]] | None:
    """Lock the rows of a query; None when one of them has changed since, so that the query must run again."""
    width = len(plan.table.columns)
    locked = []
    for found in rows:
        address = int(found[0] or 0)
        current = session.transaction.lock_row(plan.table, address, session.is_cancelled)
        if current is None or [types.encode_stored(value) for value in current] != list(found[1 : width + 1]):
            return None
        locked.append((address, current, found))
    return locked


def _by_key(session: DatabaseSession, plan: ChangePlan, row: Sequence[Any]) -> list[LockedRow] | None:
    """The row of a unique key without the query engine, None when that is not possible."""
    lookup, table = plan.lookup, plan.table
    if lookup is None or not plan.only_binds:
        return None
    data = session.require_open()
    if session.transaction.uses(table):
        return None
    key = lookup.convert(row[lookup.bind])
    if key is None:
        return []
    while True:
        with session.instance.latch:
            address = data.transactions.index_of(table).holder(lookup.key_number, (key,))
        if address is None:
            return []
        current = session.transaction.lock_row(table, address, session.is_cancelled)
        position = table.unique_keys[lookup.key_number][1][0]
        if current is not None and current[position] == key:
            return [(address, current, ())]
