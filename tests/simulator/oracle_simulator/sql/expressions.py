# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rewriting of expressions: Oracle's meaning in the embedded engine's words, with the type of each one.

The tree is changed in place; every handler returns the node to put in place of the one it was given and its
type, or None when only the values can tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import DataType
from oracle_simulator.sql import types
from oracle_simulator.sql.catalog import ROW_ADDRESS
from oracle_simulator.sql.dialect import BIND_FUNCTION
from oracle_simulator.sql.function_support import Function
from oracle_simulator.sql.functions import scalar_functions
from oracle_simulator.sql.number_functions import interval_seconds
from oracle_simulator.sql.special_functions import (
    Node,
    Typed,
    common_type,
    first_known,
    is_moment,
    is_number,
    is_text,
    special_function,
)
from oracle_simulator.sql.types import SqlType

_INT64 = 1 << 63
_DAY_SECONDS = 86400
_CONSTANTS = frozenset({"SYSDATE", "SYSTIMESTAMP", "USER", "UID", "DBTIMEZONE", "SESSIONTIMEZONE"})


@dataclass
class Source:
    """One entry of a FROM clause. ``merged`` names columns that JOIN USING has made one with others."""

    alias: str
    columns: Mapping[str, SqlType | None]
    has_rowid: bool = False
    merged: frozenset[str] = frozenset()


@dataclass
class Scope:
    """The names that are visible in one query block."""

    sources: list[Source] = field(default_factory=list)
    parent: Scope | None = None
    aliases: Mapping[str, SqlType | None] = field(default_factory=dict)
    pseudocolumns: frozenset[str] = frozenset()


def identifier_name(identifier: Node | str | None) -> str:
    """An identifier as the dictionary keeps it."""
    if isinstance(identifier, exp.Identifier):
        name = str(identifier.this)
        return name if identifier.args.get("quoted") else name.upper()
    return str(identifier or "").upper()


def quoted(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def position_of(node: Node) -> int:
    """Where the node began in the (rewritten) text, 0 if unknown."""
    for found in node.find_all(exp.Identifier):
        start = found.meta.get("start")
        if isinstance(start, int):
            return start
    return 0


def call(name: str, *arguments: Node) -> exp.Anonymous:
    return exp.Anonymous(this=f"ORA_{name}", expressions=list(arguments))


def text_literal(value: str) -> exp.Literal:
    return exp.Literal(this=value, is_string=True)


class ExpressionRewriter:
    """Rewrites the expressions of one statement. Nested queries go to ``query``, which returns the types of
    their columns."""

    def __init__(
        self,
        bind_types: Sequence[SqlType | None],
        query: Callable[[Node, Scope], list[tuple[str, SqlType | None]]],
    ) -> None:
        self.bind_count = 0
        self._bind_types = bind_types
        self._query = query
        self._functions: Mapping[str, Function] = scalar_functions()
        self._handlers: dict[type[Node], Callable[[Node, Scope], Typed]] = {
            exp.Column: self._column,
            exp.Pseudocolumn: self._column,
            exp.Identifier: self._identifier,
            exp.Literal: self._literal,
            exp.RawString: lambda node, scope: (text_literal(str(node.this)), types.VARCHAR2),
            exp.National: lambda node, scope: (text_literal(str(node.this)), types.VARCHAR2),
            exp.Anonymous: self._function,
            exp.Add: self._add,
            exp.Sub: self._subtract,
            exp.Mul: self._arithmetic,
            exp.Div: self._divide,
            exp.Neg: self._same_type,
            exp.Paren: self._same_type,
            exp.Distinct: self._distinct,
            exp.DPipe: self._concatenate,
            exp.Case: self._case,
            exp.Cast: self._cast,
            exp.Extract: self._extract,
            exp.Trim: self._trim,
            exp.Interval: self._interval,
            exp.DateStrToDate: self._date_literal,
            exp.StrToTime: self._timestamp_literal,
            exp.CurrentTimestamp: self._now,
            exp.CurrentDate: lambda node, scope: (call("SYSDATE"), types.DATE),
            exp.Systimestamp: lambda node, scope: (call("SYSTIMESTAMP"), types.TIMESTAMP_TZ),
            exp.Localtimestamp: lambda node, scope: (call("LOCALTIMESTAMP"), types.TIMESTAMP),
            exp.CurrentUser: lambda node, scope: (call("USER"), types.text_type(128)),
            exp.Subquery: self._subquery,
            exp.Select: self._scalar_query,
            exp.Union: self._scalar_query,
            exp.Except: self._scalar_query,
            exp.Intersect: self._scalar_query,
            exp.In: self._in,
            exp.Between: self._between,
            exp.EQ: self._compare,
            exp.NEQ: self._compare,
            exp.LT: self._compare,
            exp.LTE: self._compare,
            exp.GT: self._compare,
            exp.GTE: self._compare,
            exp.Like: self._like,
            exp.Count: self._count,
            exp.Sum: self._aggregate_number,
            exp.Avg: self._aggregate_number,
            exp.Min: self._same_type,
            exp.Max: self._same_type,
            exp.Lag: self._same_type,
            exp.Lead: self._same_type,
            exp.RowNumber: lambda node, scope: (node, types.NUMBER),
            exp.GroupConcat: self._list_aggregate,
            exp.Window: self._same_type,
        }

    def visit(self, node: Node, scope: Scope) -> Typed:
        """Rewrite one expression."""
        handler = self._handlers.get(type(node))
        if handler is not None:
            return handler(node, scope)
        self.visit_children(node, scope)
        return node, None

    def visit_children(self, node: Node, scope: Scope) -> dict[str, SqlType | None]:
        """Rewrite what is below a node; the types by argument name."""
        kinds: dict[str, SqlType | None] = {}
        for name, value in list(node.args.items()):
            if isinstance(value, Node):
                changed, kinds[name] = self.visit(value, scope)
                node.set(name, changed)
            elif isinstance(value, list):
                items = [self.visit(item, scope)[0] if isinstance(item, Node) else item for item in value]
                node.set(name, items)
        return kinds

    # ------------------------------------------------------------ names and literals

    def _column(self, node: Node, scope: Scope) -> Typed:
        name = identifier_name(node.this)
        qualifier = identifier_name(node.args["table"]) if node.args.get("table") else None
        found = self._find(name, qualifier, scope, node)
        if found is not None:
            return found
        if qualifier is None:
            if name == "ROWNUM":
                return exp.Window(this=exp.RowNumber()), types.NUMBER
            if name in _CONSTANTS:
                return call(name), self._functions[name].result
        shown = f'"{qualifier}"."{name}"' if qualifier else f'"{name}"'
        raise OracleError(904, f"{shown}: invalid identifier", offset=position_of(node))

    def _find(self, name: str, qualifier: str | None, scope: Scope, node: Node) -> Typed | None:
        level: Scope | None = scope
        while level is not None:
            matches = [
                source
                for source in level.sources
                if (qualifier is None or source.alias == qualifier)
                and (name in source.columns or (name == "ROWID" and source.has_rowid))
            ]
            unmerged = [source for source in matches if name not in source.merged]
            if len(unmerged) > 1:
                raise OracleError(918, "column ambiguously defined", offset=position_of(node))
            if matches:
                source = (unmerged or matches)[0]
                if name == "ROWID" and name not in source.columns:
                    address = exp.Column(this=quoted(ROW_ADDRESS), table=quoted(source.alias))
                    return call("ROWID", address), types.ROWID
                return exp.Column(this=quoted(name), table=quoted(source.alias)), source.columns[name]
            if qualifier is None and name in level.aliases:
                return exp.Column(this=quoted(name)), level.aliases[name]
            if qualifier is None and name in level.pseudocolumns:
                return exp.Column(this=quoted(name)), types.NUMBER
            level = level.parent
        return None

    def _identifier(self, node: Node, scope: Scope) -> Typed:
        return quoted(identifier_name(node)), None

    def _literal(self, node: Node, scope: Scope) -> Typed:
        value = str(node.this)
        if node.args.get("is_string"):
            if not value:
                return exp.Null(), None
            return node, SqlType(DataType.CHAR, len(value.encode()))
        if value.isdigit() and int(value) >= _INT64:
            return text_literal(value), types.NUMBER
        return node, types.NUMBER

    def bind(self, position: int) -> Typed:
        """The engine's parameter for a bind variable."""
        self.bind_count = max(self.bind_count, position + 1)
        kind = self._bind_types[position] if position < len(self._bind_types) else None
        return exp.Var(this=f"?{position + 1}"), kind

    # ------------------------------------------------------------ functions

    def _arguments(self, node: Node, scope: Scope) -> tuple[list[Node], list[SqlType | None]]:
        visited = [self.visit(argument, scope) for argument in node.expressions]
        return [argument for argument, _ignored in visited], [kind for _ignored, kind in visited]

    def _function(self, node: Node, scope: Scope) -> Typed:
        name = str(node.this).upper()
        if name == BIND_FUNCTION:
            return self.bind(int(node.expressions[0].this))
        offset = position_of(node)
        arguments, kinds = self._arguments(node, scope)
        special = special_function(name, arguments, kinds)
        if special is not None:
            return special
        function = self._functions.get(name)
        if function is None:
            raise OracleError(904, f'"{name}": invalid identifier', offset=offset)
        if len(arguments) < function.least:
            raise OracleError(938, "not enough arguments for function", offset=offset)
        if len(arguments) > function.most:
            raise OracleError(939, "too many arguments for function", offset=offset)
        if name == "TO_CHAR" and is_moment(kinds[0]):
            name = "DATE_TO_CHAR" if kinds[0] == types.DATE else "TIMESTAMP_TO_CHAR"
        result = function.result
        if name in ("TRUNC", "ROUND"):
            result = types.DATE if is_moment(kinds[0]) else types.NUMBER if is_number(kinds[0]) else None
        return call(name, *arguments), result

    def _trim(self, node: Node, scope: Scope) -> Typed:
        value, _ignored = self.visit(node.this, scope)
        name = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get(str(node.args.get("position") or ""), "TRIM")
        characters = node.args.get("expression")
        extra = [self.visit(characters, scope)[0]] if characters is not None else []
        return call(name, value, *extra), types.VARCHAR2

    def _extract(self, node: Node, scope: Scope) -> Typed:
        value, _ignored = self.visit(node.expression, scope)
        return call("EXTRACT", text_literal(str(node.this.this).upper()), value), types.NUMBER

    def _count(self, node: Node, scope: Scope) -> Typed:
        if not isinstance(node.this, exp.Star):
            self.visit_children(node, scope)
        return node, types.NUMBER

    def _aggregate_number(self, node: Node, scope: Scope) -> Typed:
        self.visit_children(node, scope)
        return node, types.NUMBER

    def _list_aggregate(self, node: Node, scope: Scope) -> Typed:
        value: Node = node.this
        key: Node = exp.Null()
        descending = False
        if isinstance(value, exp.Order):
            ordered = value.expressions[0]
            key = self.visit(ordered.this, scope)[0]
            descending = bool(ordered.args.get("desc"))
            value = value.this
        separator = node.args.get("separator")
        visited = self.visit(separator, scope)[0] if separator is not None else exp.Null()
        direction = exp.Literal.number(int(descending))
        return call("LISTAGG", self.visit(value, scope)[0], visited, key, direction), types.VARCHAR2

    # ------------------------------------------------------------ operators

    def _same_type(self, node: Node, scope: Scope) -> Typed:
        return node, self.visit_children(node, scope).get("this")

    def _distinct(self, node: Node, scope: Scope) -> Typed:
        arguments, kinds = self._arguments(node, scope)
        node.set("expressions", arguments)
        return node, first_known(kinds)

    def _arithmetic(self, node: Node, scope: Scope) -> Typed:
        kinds = self.visit_children(node, scope)
        self._text_operands_to_numbers(node, kinds)
        result = types.INTERVAL if types.INTERVAL in kinds.values() else types.NUMBER
        return node, result

    def _text_operands_to_numbers(self, node: Node, kinds: Mapping[str, SqlType | None]) -> None:
        for name in ("this", "expression"):
            if is_text(kinds.get(name)):
                node.set(name, call("TO_NUMBER", node.args[name]))

    def _divide(self, node: Node, scope: Scope) -> Typed:
        left, kind = self.visit(node.this, scope)
        right, _ignored = self.visit(node.expression, scope)
        if kind == types.INTERVAL:
            return exp.Div(this=left, expression=right), types.INTERVAL
        return call("DIVIDE", left, right), types.NUMBER

    def _add(self, node: Node, scope: Scope) -> Typed:
        kinds = self.visit_children(node, scope)
        left, right = kinds.get("this"), kinds.get("expression")
        if is_moment(left):
            return self._moved(node.this, left, node.expression, right, 1)
        if is_moment(right):
            return self._moved(node.expression, right, node.this, left, 1)
        self._text_operands_to_numbers(node, kinds)
        return node, types.INTERVAL if types.INTERVAL in (left, right) else types.NUMBER

    def _subtract(self, node: Node, scope: Scope) -> Typed:
        kinds = self.visit_children(node, scope)
        left, right = kinds.get("this"), kinds.get("expression")
        if is_moment(left) and is_moment(right):
            if types.DATE in (left, right):
                return call("DAYS_BETWEEN", node.this, node.expression), types.NUMBER
            return call("SECONDS_BETWEEN", node.this, node.expression), types.INTERVAL
        if is_moment(left):
            return self._moved(node.this, left, node.expression, right, -1)
        self._text_operands_to_numbers(node, kinds)
        return node, types.INTERVAL if types.INTERVAL in (left, right) else types.NUMBER

    def _moved(
        self, start: Node, kind: SqlType | None, amount: Node, amount_kind: SqlType | None, sign: int
    ) -> Typed:
        unit = sign if amount_kind == types.INTERVAL else sign * _DAY_SECONDS
        factor = exp.Literal(this=f"{abs(unit)}.0", is_string=False)
        seconds: Node = exp.Mul(this=exp.Paren(this=amount), expression=factor)
        if unit < 0:
            seconds = exp.Neg(this=exp.Paren(this=seconds))
        return call("ADD_SECONDS", start, seconds), kind if kind == types.DATE else types.TIMESTAMP

    def _concatenate(self, node: Node, scope: Scope) -> Typed:
        parts: list[Node] = []
        size = 0
        for part in node.flatten() if isinstance(node, exp.DPipe) else (node,):
            visited, kind = self.visit(part, scope)
            if kind is not None and kind.type == DataType.DATE:
                visited, kind = call("DATE_TO_CHAR", visited), types.text_type(75)
            parts.append(visited)
            size += kind.size if kind is not None and is_text(kind) else 40
        return call("CONCAT", *parts), types.text_type(min(size, 4000))

    def _case(self, node: Node, scope: Scope) -> Typed:
        kinds: list[SqlType | None] = []
        operand = node.args.get("this")
        if operand is not None:
            node.set("this", self.visit(operand, scope)[0])
        for branch in node.args.get("ifs") or []:
            branch.set("this", self.visit(branch.this, scope)[0])
            value, kind = self.visit(branch.args["true"], scope)
            branch.set("true", value)
            kinds.append(kind)
        default = node.args.get("default")
        if default is not None:
            value, kind = self.visit(default, scope)
            node.set("default", value)
            kinds.append(kind)
        return node, common_type(kinds)

    def _cast(self, node: Node, scope: Scope) -> Typed:
        value, kind = self.visit(node.this, scope)
        target = node.args["to"]
        name = str(target.this.value if hasattr(target.this, "value") else target.this).upper()
        size = int(str(target.expressions[0].this)) if target.expressions else 4000
        if "CHAR" in name or name == "TEXT":
            return call("DATE_TO_CHAR" if is_moment(kind) else "TO_CHAR", value), types.text_type(size)
        if name == "DATE":
            return call("TO_DATE", value), types.DATE
        if name.startswith("TIMESTAMP"):
            return call("TO_TIMESTAMP", value), types.TIMESTAMP
        if name in ("DOUBLE", "FLOAT", "BINARY_DOUBLE"):
            return call("TO_NUMBER", value), types.BINARY_DOUBLE
        return call("TO_NUMBER", value), types.NUMBER

    def _interval(self, node: Node, scope: Scope) -> Typed:
        unit, amount = node.args.get("unit"), node.this
        if (
            unit is None
            or not isinstance(amount, exp.Literal)
            or not re.fullmatch(r"[\d.]+", str(amount.this))
        ):
            raise OracleError(1867, "the interval is invalid")
        seconds = interval_seconds(str(amount.this), str(unit.this))
        return exp.Literal(this=str(seconds), is_string=False), types.INTERVAL

    def _date_literal(self, node: Node, scope: Scope) -> Typed:
        return call("TO_DATE", text_literal(str(node.this.this)), text_literal("YYYY-MM-DD")), types.DATE

    def _timestamp_literal(self, node: Node, scope: Scope) -> Typed:
        mask = text_literal("YYYY-MM-DD HH24:MI:SS.FF")
        return call("TO_TIMESTAMP", text_literal(str(node.this.this)), mask), types.TIMESTAMP

    def _now(self, node: Node, scope: Scope) -> Typed:
        if node.args.get("sysdate"):
            return call("SYSDATE"), types.DATE
        return call("SYSTIMESTAMP"), types.TIMESTAMP_TZ

    # ------------------------------------------------------------ comparisons

    def _compare(self, node: Node, scope: Scope) -> Typed:
        kinds = self.visit_children(node, scope)
        left, right = self._alike(
            (node.this, kinds.get("this")), (node.args["expression"], kinds.get("expression"))
        )
        node.set("this", left)
        node.set("expression", right)
        return node, None

    def _alike(self, left: Typed, right: Typed) -> tuple[Node, Node]:
        """Both sides in one type, as Oracle's implicit conversion does it."""
        return self._towards(left, right[1]), self._towards(right, left[1])

    def _towards(self, side: Typed, other: SqlType | None) -> Node:
        node, kind = side
        if is_text(kind) and is_number(other):
            return call("TO_NUMBER", node)
        if is_text(kind) and is_moment(other):
            return call("TO_DATE" if other == types.DATE else "TO_TIMESTAMP", node)
        padded = (
            kind is not None and kind.type == DataType.CHAR and not isinstance(node, (exp.Literal, exp.Var))
        )
        return call("RTRIM", node) if padded and is_text(other) else node

    def _between(self, node: Node, scope: Scope) -> Typed:
        kinds = self.visit_children(node, scope)
        for name in ("low", "high"):
            node.set(name, self._towards((node.args[name], kinds.get(name)), kinds.get("this")))
        return node, None

    def _in(self, node: Node, scope: Scope) -> Typed:
        value, kind = self.visit(node.this, scope)
        node.set("this", value)
        query = node.args.get("query")
        if query is not None:
            self._query(query.this if isinstance(query, exp.Subquery) else query, Scope(parent=scope))
        else:
            items = [self._towards(self.visit(item, scope), kind) for item in node.expressions]
            node.set("expressions", items)
        return node, None

    def _like(self, node: Node, scope: Scope) -> Typed:
        self.visit_children(node, scope)
        return node, None

    # ------------------------------------------------------------ nested queries

    def _subquery(self, node: Node, scope: Scope) -> Typed:
        columns = self._query(node.this, Scope(parent=scope))
        return node, columns[0][1] if columns else None

    def _scalar_query(self, node: Node, scope: Scope) -> Typed:
        columns = self._query(node, Scope(parent=scope))
        return node, columns[0][1] if columns else None
