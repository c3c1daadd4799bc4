# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators by the types of their operands: what Oracle's +, <, ORDER BY are to the embedded engine.

Every function takes rewritten operands and gives the node to put in place of the operator, with its type. Where
all numbers are known to be small integers the engine's own operators do; elsewhere decimal ones.
"""

from __future__ import annotations

from sqlglot import exp

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import DataType
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.special_functions import Node, Typed, is_moment, is_number, is_text
from oracle_simulator.sql.query.types import SqlType

_SAFE_DIGITS = 18
_DAY = "86400000000"
_NOT_COMPARABLE = frozenset({DataType.CLOB, DataType.BLOB, DataType.LONG, DataType.LONG_RAW})
_EQUALITIES: tuple[type[Node], ...] = (exp.EQ, exp.NEQ)


def call(name: str, *arguments: Node) -> exp.Anonymous:
    """A call of one of our functions."""
    return exp.Anonymous(this="ORA_" + name.replace(".", "_"), expressions=list(arguments))


def is_day_interval(kind: SqlType | None) -> bool:
    return kind is not None and kind.type == DataType.INTERVAL_DS


def is_interval(kind: SqlType | None) -> bool:
    return kind is not None and kind.type in (DataType.INTERVAL_DS, DataType.INTERVAL_YM)


def is_zoned(kind: SqlType | None) -> bool:
    return kind is not None and kind.type in types.ZONED_TYPES


def _is_float(kind: SqlType | None) -> bool:
    return kind is not None and kind.type in types.FLOAT_TYPES


def _digits(side: Typed) -> int | None:
    """How many digits an integer operand can have, None if it may be no small integer."""
    node, kind = side
    if isinstance(node, exp.Literal) and not node.args.get("is_string") and str(node.this).isdigit():
        return len(str(node.this))
    return kind.precision if kind is not None and kind.is_narrow else None


# ---------------------------------------------------------------- arithmetic


def add(left: Typed, right: Typed) -> Typed:
    if is_moment(left[1]):
        return _moved(left, right, 1)
    if is_moment(right[1]):
        return _moved(right, left, 1)
    return _sum(exp.Add, "ADD", left, right)


def subtract(left: Typed, right: Typed) -> Typed:
    if is_moment(left[1]) and is_moment(right[1]):
        if _is_date(left[1]) and _is_date(right[1]):
            return call("DAYS_BETWEEN", left[0], right[0]), types.NUMBER
        return call("MICROSECONDS_BETWEEN", left[0], right[0]), types.INTERVAL
    if is_moment(left[1]):
        return _moved(left, right, -1)
    return _sum(exp.Sub, "SUBTRACT", left, right)


def _is_date(kind: SqlType | None) -> bool:
    return kind is not None and kind.type == DataType.DATE


def _sum(native: type[Node], name: str, left: Typed, right: Typed) -> Typed:
    for kind in (left[1], right[1]):
        if is_interval(kind):
            return native(this=left[0], expression=right[0]), kind
    if _is_float(left[1]) or _is_float(right[1]):
        return native(this=_number(left), expression=_number(right)), types.BINARY_DOUBLE
    a, b = _digits(left), _digits(right)
    if a is not None and b is not None and max(a, b) < _SAFE_DIGITS:
        return native(this=left[0], expression=right[0]), types.NUMBER
    return call(name, left[0], right[0]), types.NUMBER


def multiply(left: Typed, right: Typed) -> Typed:
    for interval, factor in ((left, right), (right, left)):
        if is_interval(interval[1]):
            return call("ROUND", call("MULTIPLY", interval[0], factor[0])), interval[1]
    if _is_float(left[1]) or _is_float(right[1]):
        return exp.Mul(this=_number(left), expression=_number(right)), types.BINARY_DOUBLE
    a, b = _digits(left), _digits(right)
    if a is not None and b is not None and a + b <= _SAFE_DIGITS:
        return exp.Mul(this=left[0], expression=right[0]), types.NUMBER
    return call("MULTIPLY", left[0], right[0]), types.NUMBER


def divide(left: Typed, right: Typed) -> Typed:
    if is_interval(left[1]):
        return call("ROUND", call("DIVIDE", left[0], right[0])), left[1]
    if _is_float(left[1]) or _is_float(right[1]):
        return exp.Div(this=_number(left), expression=_number(right)), types.BINARY_DOUBLE
    return call("DIVIDE", left[0], right[0]), types.NUMBER


def negate(operand: Typed) -> Typed:
    node, kind = operand
    if is_number(kind) and not _is_float(kind) and not isinstance(node, exp.Literal):
        return call("NEGATE", node), types.NUMBER
    return exp.Neg(this=node), kind


def _number(side: Typed) -> Node:
    return call("TO_NUMBER", side[0]) if is_text(side[1]) else side[0]


def _moved(start: Typed, amount: Typed, sign: int) -> Typed:
    """A date or timestamp plus days, or plus an interval. Days make a DATE of a timestamp."""
    node, kind = start
    step, step_kind = amount
    if step_kind is not None and step_kind.type == DataType.INTERVAL_YM:
        return call("MOVE_MONTHS", node, step if sign > 0 else exp.Neg(this=exp.Paren(this=step))), kind
    if is_moment(step_kind):
        raise OracleError(975, "date + date not allowed")
    if is_day_interval(step_kind):
        moved = call("MOVE", node, step if sign > 0 else exp.Neg(this=exp.Paren(this=step)))
        if _is_date(kind):
            return call("TO_DATE", moved), types.DATE
        return moved, kind
    factor = exp.Literal.number(_DAY)
    microseconds = call("MULTIPLY", step, factor if sign > 0 else exp.Neg(this=factor))
    return call("TO_DATE", call("MOVE_SECONDS", node, microseconds)), types.DATE


# ---------------------------------------------------------------- comparisons


def compare(operator: type[Node], left: Typed, right: Typed) -> Node:
    """``left operator right`` for =, !=, <, <=, > and >=. Raises ORA-00932 for LOBs."""
    for kind in (left[1], right[1]):
        if kind is not None and kind.type in _NOT_COMPARABLE:
            raise OracleError(932, f"inconsistent datatypes: expected - got {kind.type.name}")
    if operator is exp.EQ and (by_address := _same_row(left, right)) is not None:
        return by_address
    a, b = alike(left, right)
    if operator in _EQUALITIES or not _may_be_wide(left, right):
        return operator(this=a, expression=b)
    through_function = operator(this=call("COMPARE", a.copy(), b.copy()), expression=exp.Literal.number(0))
    if a.find(exp.Select) or b.find(exp.Select):
        return through_function
    is_wide = exp.or_(_is_wide(a), _is_wide(b), copy=False)
    direct = operator(this=a, expression=b)
    return exp.Case(ifs=[exp.If(this=is_wide, true=through_function)], default=direct)


def _may_be_wide(left: Typed, right: Typed) -> bool:
    if _digits(left) is not None and _digits(right) is not None:
        return False
    kinds = [kind for kind in (left[1], right[1]) if kind is not None]
    return any(kind.type == DataType.NUMBER for kind in kinds) and all(map(is_number, kinds))


def _is_wide(node: Node) -> Node:
    kind = exp.Anonymous(this="TYPEOF", expressions=[node.copy()])
    return exp.EQ(this=kind, expression=exp.Literal.string("text"))


def _same_row(left: Typed, right: Typed) -> Node | None:
    """``ROWID = value`` as a look-up by the row's address."""
    for (node, kind), (other, _other_kind) in ((left, right), (right, left)):
        if kind == types.ROWID and isinstance(node, exp.Anonymous) and node.this == "ORA_ROWID":
            address, data_object = node.expressions
            return exp.EQ(this=address, expression=call("ROW_ADDRESS", other, data_object))
    return None


def alike(left: Typed, right: Typed) -> tuple[Node, Node]:
    """Both sides in one type, as Oracle's implicit conversion does it."""
    a, b = towards(left, right[1]), towards(right, left[1])
    if is_zoned(left[1]) or is_zoned(right[1]):
        return call("UTC", a), call("UTC", b)
    return a, b


def towards(side: Typed, other: SqlType | None) -> Node:
    """One side in the type of the other, where Oracle converts it."""
    node, kind = side
    if is_text(kind) and is_number(other):
        return call("TO_NUMBER", node)
    if is_text(kind) and is_moment(other):
        assert other is not None
        target = "TO_TIMESTAMP_TZ" if is_zoned(other) else "TO_DATE" if _is_date(other) else "TO_TIMESTAMP"
        return call(target, node)
    padded = kind is not None and kind.type == DataType.CHAR and not isinstance(node, (exp.Literal, exp.Var))
    return call("RTRIM", node) if padded and is_text(other) else node


def sort_keys(node: Node, kind: SqlType | None) -> list[Node]:
    """What to sort by to have the rows in Oracle's order."""
    if is_zoned(kind):
        return [call("UTC", node)]
    if kind is None or kind.type != DataType.NUMBER or kind.is_narrow or isinstance(node, exp.Literal):
        return [node]
    near = exp.Case(ifs=[exp.If(this=_is_wide(node), true=call("APPROXIMATE", node.copy()))], default=node)
    return [near, exp.Collate(this=node.copy(), expression=exp.Var(this="ORA_NUMBER"))]
