# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RETURNING ... INTO: values of the changed rows, for binds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlglot import exp

from oracle_simulator.data.tables import Table
from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Bind, StoredLob
from oracle_simulator.sql.lob_columns import LobOrigin
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.bind_values import bind_value
from oracle_simulator.sql.query.catalog import CompiledQuery
from oracle_simulator.sql.query.columns import sql_type
from oracle_simulator.sql.query.compile import QueryCompiler
from oracle_simulator.sql.query.dialect import BIND_FUNCTION, BoundText, parse_query
from oracle_simulator.sql.query.expressions import Node, identifier_name
from oracle_simulator.sql.query.functions import rowid_text
from oracle_simulator.sql.query.queries import final_types, run
from oracle_simulator.sql.query.types import SqlType
from oracle_simulator.sql.session_catalog import SessionCatalog

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_CLAUSE = re.compile(
    rf"\bRETURN(?:ING)?\b(?P<columns>[^']*?)\bINTO\b(?P<binds>(?:\s*,?\s*{BIND_FUNCTION}\(\d+\))+)\s*$",
    re.IGNORECASE,
)
_BIND = re.compile(rf"{BIND_FUNCTION}\((\d+)\)")


class ChangedRow(NamedTuple):
    """A row that a statement inserted, updated or deleted: its address, and its values afterwards (before, for
    a deleted one)."""

    address: int
    values: list[Any]


@dataclass(frozen=True)
class Returning:
    """``items`` are positions of columns, or queries (``None`` is the rowid) over the statement's binds and,
    behind them, the columns of a row; ``binds`` are where their values go."""

    table: Table
    items: tuple[int | CompiledQuery | None, ...]
    binds: tuple[int, ...]
    bind_count: int

    def values(
        self,
        session: DatabaseSession,
        executions: Sequence[Sequence[ChangedRow]],
        given: Sequence[Sequence[Any]],
        binds: Sequence[Bind],
    ) -> dict[int, Any]:
        """Values by bind from the changed rows of each execution: a list, or a list per execution."""
        found: dict[int, Any] = {}
        for item, place in zip(self.items, self.binds, strict=True):
            lists = [
                [bind_value(self._value(session, item, row, inputs), binds[place]) for row in rows]
                for rows, inputs in zip(executions, given, strict=True)
            ]
            found[place] = lists[0] if len(lists) == 1 else lists
        return found

    def _value(
        self,
        session: DatabaseSession,
        item: int | CompiledQuery | None,
        row: ChangedRow,
        given: Sequence[Any],
    ) -> Any:
        table = self.table
        if item is None:
            return rowid_text(row.address, table.data_object_id)
        if isinstance(item, int):
            value = row.values[item]
            if table.columns[item].type in ("CLOB", "NCLOB", "BLOB") and value is not None:
                name = table.columns[item].name
                return StoredLob(
                    value, LobOrigin(table.owner, table.name, table.data_object_id, row.address, name)
                )
            return value
        inputs = [*given, *[None] * (self.bind_count - len(given)), *row.values]
        encoded = [types.encode(value) for value in inputs[: item.bind_count]]
        rows = run(session, item, (), encoded)
        kind = final_types(item, rows)[0]
        return types.decoder(kind.type)(rows[0][0])


def split_returning(text: str) -> tuple[str, str, tuple[int, ...]]:
    """A statement without its RETURNING clause, the clause's columns as text, and its binds.

    The clause is taken off before parsing: the parser knows only one INTO target.
    """
    found = _CLAUSE.search(text)
    if found is None:
        return text, "", ()
    binds = tuple(int(number) for number in _BIND.findall(found["binds"]))
    return text[: found.start()], found["columns"], binds


def returning_clause(
    columns: str,
    binds: tuple[int, ...],
    table: Table,
    catalog: SessionCatalog,
    bind_types: Sequence[SqlType | None],
) -> Returning | None:
    """The clause for a table. Raises ORA-00904, ORA-00947."""
    if not binds:
        return None
    select = parse_query(BoundText(f"SELECT {columns} FROM DUAL", (), ()))
    if len(binds) != len(select.expressions):
        raise OracleError(947, "not enough values")
    count = len(bind_types)
    kinds = [*bind_types, *map(sql_type, table.columns)]
    items = [_item(node.unnest(), table, count, catalog, kinds) for node in select.expressions]
    return Returning(table, tuple(items), binds, count)


def _item(
    node: Node, table: Table, bind_count: int, catalog: SessionCatalog, kinds: Sequence[SqlType | None]
) -> int | CompiledQuery | None:
    if isinstance(node, (exp.Column, exp.Pseudocolumn)):
        return _position(node, table)
    select = exp.Select(expressions=[node], from_=exp.From(this=exp.Table(this=exp.Identifier(this="DUAL"))))
    for column in list(select.find_all(exp.Column)):
        position = _position(column, table)
        if position is None:
            raise OracleError(3001, "unimplemented feature (RETURNING an expression of ROWID)")
        place = exp.Literal.number(bind_count + position)
        column.replace(exp.Anonymous(this=BIND_FUNCTION, expressions=[place]))
    return QueryCompiler(catalog, kinds).compile(select)


def _position(column: Node, table: Table) -> int | None:
    name = identifier_name(column.this)
    if name == "ROWID":
        return None
    if name not in table.column_names:
        raise OracleError(904, f'"{name}": invalid identifier')
    return table.column_names.index(name)
