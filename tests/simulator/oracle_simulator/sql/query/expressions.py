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
from datetime import timedelta
from decimal import Decimal

from sqlglot import exp

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import DataType
from oracle_simulator.sql.query import interval_texts, operators, types
from oracle_simulator.sql.query.casts import cast
from oracle_simulator.sql.query.catalog import ROW_ADDRESS
from oracle_simulator.sql.query.dialect import BIND_FUNCTION
from oracle_simulator.sql.query.function_support import Function
from oracle_simulator.sql.query.functions import scalar_functions
from oracle_simulator.sql.query.operators import call, is_day_interval, is_interval, is_zoned, towards
from oracle_simulator.sql.query.special_functions import (
    Node,
    Typed,
    common_type,
    first_known,
    is_moment,
    is_number,
    is_text,
    special_function,
)
from oracle_simulator.sql.query.types import SqlType

_SAFE_DIGITS = 18
_CONSTANTS = frozenset(
    {
        "SYSDATE",
        "SYSTIMESTAMP",
        "USER",
        "UID",
        "DBTIMEZONE",
        "SESSIONTIMEZONE",
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
        "LOCALTIMESTAMP",
    }
)
_ZONE_SUFFIX = re.compile(r"(.*\S)\s*((?:[+-]\d{1,2}:\d{2})|[A-Za-z]\w*(?:/\w+)*)\s*")


@dataclass
class Source:
    """One entry of a FROM clause. ``data_object`` is that of a table, whose rows have rowids; ``merged`` names
    columns that JOIN USING has made one with others."""

    alias: str
    columns: Mapping[str, SqlType | None]
    data_object: int | None = None
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


def text_literal(value: str) -> exp.Literal:
    return exp.Literal(this=value, is_string=True)


_OF_FIRST_ARGUMENT = frozenset({"DBMS_LOB.SUBSTR", "SUBSTR", "REPLACE", "UPPER", "LOWER", "LPAD", "RPAD"})


def _as_seen(node: Node, kind: SqlType | None) -> Typed:
    """A column as queries see it: in the session's time zone if the database's is of no interest to it."""
    if kind is not None and kind.type == DataType.TIMESTAMP_LTZ:
        return call("LOCAL", node), kind
    return node, kind


def _national_type(value: str) -> SqlType:
    return SqlType(DataType.CHAR, 2 * len(value), national=True)


def _to_char_of(kind: SqlType | None) -> str:
    """The function that TO_CHAR is for a type."""
    if kind is None:
        return "TO_CHAR"
    if kind.type == DataType.DATE:
        return "DATE_TO_CHAR"
    if is_zoned(kind):
        return "TIMESTAMP_TZ_TO_CHAR"
    if is_interval(kind):
        return "INTERVAL_TO_CHAR" if is_day_interval(kind) else "MONTHS_TO_CHAR"
    return "TIMESTAMP_TO_CHAR" if is_moment(kind) else "TO_CHAR"


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
            exp.National: lambda node, scope: (text_literal(str(node.this)), _national_type(str(node.this))),
            exp.Dot: self._dotted,
            exp.AtTimeZone: self._at_time_zone,
            exp.Anonymous: self._function,
            exp.Add: self._add,
            exp.Sub: self._subtract,
            exp.Mul: self._multiply,
            exp.Div: self._divide,
            exp.Neg: self._negate,
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
            exp.CurrentDate: lambda node, scope: (call("CURRENT_DATE"), types.DATE),
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
            exp.Min: self._extreme,
            exp.Max: self._extreme,
            exp.Lag: self._same_type,
            exp.Lead: self._same_type,
            exp.RowNumber: lambda node, scope: (node, types.NUMBER),
            exp.GroupConcat: self._list_aggregate,
            exp.Window: self._window,
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
                and (name in source.columns or (name == "ROWID" and source.data_object is not None))
            ]
            unmerged = [source for source in matches if name not in source.merged]
            if len(unmerged) > 1:
                raise OracleError(918, "column ambiguously defined", offset=position_of(node))
            if matches:
                source = (unmerged or matches)[0]
                if name == "ROWID" and name not in source.columns:
                    address = exp.Column(this=quoted(ROW_ADDRESS), table=quoted(source.alias))
                    data_object = exp.Literal.number(source.data_object or 0)
                    return call("ROWID", address, data_object), types.ROWID
                return _as_seen(
                    exp.Column(this=quoted(name), table=quoted(source.alias)), source.columns[name]
                )
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
        if value.isdigit() and len(value) < _SAFE_DIGITS:
            return node, types.NUMBER
        number = types.encode_number(Decimal(value))
        if isinstance(number, str):
            return text_literal(number), types.NUMBER
        return exp.Literal.number(repr(number)), types.NUMBER

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
        if name in ("TO_CHAR", "TO_NCHAR"):
            return call(_to_char_of(kinds[0]), *arguments), function.result
        result = function.result
        if name in ("TRUNC", "ROUND"):
            result = types.DATE if is_moment(kinds[0]) else types.NUMBER if is_number(kinds[0]) else None
        elif name in _OF_FIRST_ARGUMENT and kinds[0] is not None:
            result = types.VARCHAR2._replace(national=kinds[0].national) if is_text(kinds[0]) else types.RAW
            if kinds[0].type in types.LOB_TYPES and name not in ("DBMS_LOB.SUBSTR", "TO_CHAR"):
                result = kinds[0]
        return call(name, *arguments), result

    def _dotted(self, node: Node, scope: Scope) -> Typed:
        """A function of a package."""
        called = node.expression
        if not isinstance(called, exp.Anonymous):
            raise OracleError(904, f"{node.sql()}: invalid identifier".upper(), offset=position_of(node))
        package = node.this.sql().upper().replace('"', "")
        named = exp.Anonymous(this=f"{package}.{called.this}", expressions=called.expressions)
        return self._function(named, scope)

    def _at_time_zone(self, node: Node, scope: Scope) -> Typed:
        value, _ignored = self.visit(node.this, scope)
        zone, _ignored = self.visit(node.args["zone"], scope)
        return call("AT_TIME_ZONE", value, zone), types.TIMESTAMP_TZ

    def _trim(self, node: Node, scope: Scope) -> Typed:
        value, _ignored = self.visit(node.this, scope)
        name = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get(str(node.args.get("position") or ""), "TRIM")
        characters = node.args.get("expression")
        extra = [self.visit(characters, scope)[0]] if characters is not None else []
        return call(name, value, *extra), types.VARCHAR2

    def _extract(self, node: Node, scope: Scope) -> Typed:
        value, kind = self.visit(node.expression, scope)
        name = "EXTRACT"
        if is_interval(kind):
            name = "EXTRACT_FROM_INTERVAL" if is_day_interval(kind) else "EXTRACT_FROM_MONTHS"
        return call(name, text_literal(str(node.this.this).upper()), value), types.NUMBER

    def _count(self, node: Node, scope: Scope) -> Typed:
        if not isinstance(node.this, exp.Star):
            self.visit_children(node, scope)
        return node, types.NUMBER

    def _aggregate_number(self, node: Node, scope: Scope) -> Typed:
        """SUM and AVG: exact ones but for binary numbers, intervals and small integers."""
        value, kind = self.visit(node.this, scope)
        if kind is not None and (kind.type in types.FLOAT_TYPES or is_interval(kind)):
            node.set("this", value)
            return node, kind
        if isinstance(node, exp.Sum) and kind is not None and kind.is_narrow:
            node.set("this", value)
            return node, types.NUMBER
        return call("SUM" if isinstance(node, exp.Sum) else "AVG", value), types.NUMBER

    def _extreme(self, node: Node, scope: Scope) -> Typed:
        """MIN and MAX."""
        value, kind = self.visit(node.this, scope)
        in_window = isinstance(node.parent, exp.Window)
        if kind is not None and kind.type == DataType.NUMBER and not kind.is_narrow and not in_window:
            return call("MIN" if isinstance(node, exp.Min) else "MAX", value), kind
        node.set("this", value)
        return node, kind

    def _window(self, node: Node, scope: Scope) -> Typed:
        return node, self.visit_children(node, scope).get("this")

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

    def _operands(self, node: Node, scope: Scope) -> tuple[Typed, Typed]:
        return self.visit(node.this, scope), self.visit(node.expression, scope)

    def _add(self, node: Node, scope: Scope) -> Typed:
        return operators.add(*self._operands(node, scope))

    def _subtract(self, node: Node, scope: Scope) -> Typed:
        return operators.subtract(*self._operands(node, scope))

    def _multiply(self, node: Node, scope: Scope) -> Typed:
        return operators.multiply(*self._operands(node, scope))

    def _divide(self, node: Node, scope: Scope) -> Typed:
        return operators.divide(*self._operands(node, scope))

    def _negate(self, node: Node, scope: Scope) -> Typed:
        return operators.negate(self.visit(node.this, scope))

    def _concatenate(self, node: Node, scope: Scope) -> Typed:
        parts: list[Node] = []
        size, national, is_lob = 0, False, False
        for part in node.flatten() if isinstance(node, exp.DPipe) else (node,):
            visited, kind = self.visit(part, scope)
            if kind is not None and not is_text(kind):
                visited, kind = call(_to_char_of(kind), visited), types.text_type(75)
            national = national or (kind is not None and kind.national)
            is_lob = is_lob or (kind is not None and kind.type == DataType.CLOB)
            parts.append(visited)
            size += kind.size if kind is not None and is_text(kind) else 40
        if is_lob:
            return call("CONCAT", *parts), types.CLOB._replace(national=national)
        return call("CONCAT", *parts), types.text_type(min(size, 4000))._replace(national=national)

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
        return cast(self.visit(node.this, scope), node.args["to"])

    def _interval(self, node: Node, scope: Scope) -> Typed:
        unit, amount = node.args.get("unit"), node.this
        if unit is None or not isinstance(amount, exp.Literal):
            raise OracleError(1867, "the interval is invalid", offset=position_of(node))
        first, last = (unit.this, unit.expression) if isinstance(unit, exp.IntervalSpan) else (unit, None)
        value = interval_texts.read_literal(
            str(amount.this), str(first.this).upper(), str(last.this).upper() if last is not None else None
        )
        kind = types.INTERVAL if isinstance(value, timedelta) else types.INTERVAL_YM
        return exp.Literal.number(str(types.encode(value))), kind

    def _date_literal(self, node: Node, scope: Scope) -> Typed:
        return call("TO_DATE", text_literal(str(node.this.this)), text_literal("YYYY-MM-DD")), types.DATE

    def _timestamp_literal(self, node: Node, scope: Scope) -> Typed:
        mask = text_literal("YYYY-MM-DD HH24:MI:SS.FF")
        value = str(node.this.this)
        zoned = (
            _ZONE_SUFFIX.fullmatch(value)
            if value.count("-") > 2 or value[-1:].isalpha() or "+" in value
            else None
        )
        if zoned is None:
            return call("TO_TIMESTAMP", text_literal(value), mask), types.TIMESTAMP
        moment = call("TO_TIMESTAMP", text_literal(zoned[1]), mask)
        return call("FROM_TZ", moment, text_literal(zoned[2])), types.TIMESTAMP_TZ

    def _now(self, node: Node, scope: Scope) -> Typed:
        if node.args.get("sysdate"):
            return call("SYSDATE"), types.DATE
        return call("CURRENT_TIMESTAMP"), types.TIMESTAMP_TZ

    # ------------------------------------------------------------ comparisons

    def _compare(self, node: Node, scope: Scope) -> Typed:
        left, right = self._operands(node, scope)
        return operators.compare(type(node), left, right), None

    def _between(self, node: Node, scope: Scope) -> Typed:
        node_and_kind = self.visit(node.this, scope)
        again = (node_and_kind[0].copy(), node_and_kind[1])
        low = operators.compare(exp.GTE, node_and_kind, self.visit(node.args["low"], scope))
        high = operators.compare(exp.LTE, again, self.visit(node.args["high"], scope))
        return exp.Paren(this=exp.And(this=low, expression=high)), None

    def _in(self, node: Node, scope: Scope) -> Typed:
        value, kind = self.visit(node.this, scope)
        node.set("this", value)
        query = node.args.get("query")
        if query is not None:
            self._query(query.this if isinstance(query, exp.Subquery) else query, Scope(parent=scope))
        else:
            items = [towards(self.visit(item, scope), kind) for item in node.expressions]
            if is_zoned(kind):
                node.set("this", call("UTC", value))
                items = [call("UTC", item) for item in items]
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
