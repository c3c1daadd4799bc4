# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CAST(value AS type): which function it is, and the type it gives."""

from __future__ import annotations

from sqlglot import exp

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import DataType
from oracle_simulator.sql.parser.statements import TypeSpecification
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.columns import column_of_specification, sql_type
from oracle_simulator.sql.query.operators import call, is_day_interval, is_interval, is_zoned
from oracle_simulator.sql.query.special_functions import Node, Typed, is_moment, is_text
from oracle_simulator.sql.query.types import SqlType

_NAMES = {
    "VARCHAR": "VARCHAR2",
    "NVARCHAR": "NVARCHAR2",
    "DECIMAL": "NUMBER",
    "INT": "INTEGER",
    "BIGINT": "LONG",
    "TEXT": "CLOB",
    "DOUBLE": "BINARY_DOUBLE",
    "FLOAT": "BINARY_FLOAT",
    "BLOB": "BLOB",
}
_ZONES = {"TIMESTAMPTZ": "ZONE", "TIMESTAMPLTZ": "LOCAL"}


def _specification(target: Node) -> TypeSpecification:
    """A type of the parser's as it was written."""
    if isinstance(target.this, exp.Interval):
        is_day = str(target.this.args["unit"].this.this).upper() == "DAY"
        return TypeSpecification("INTERVAL DAY TO SECOND" if is_day else "INTERVAL YEAR TO MONTH")
    name = (
        str(target.args.get("kind") or "").upper() or str(getattr(target.this, "value", target.this)).upper()
    )
    arguments = tuple(int(str(parameter.this.this)) for parameter in target.expressions)
    if name in _ZONES or name.startswith("TIMESTAMP"):
        return TypeSpecification("TIMESTAMP", arguments, _ZONES.get(name))
    return TypeSpecification(_NAMES.get(name, name), arguments)


def cast(value: Typed, target: Node) -> Typed:
    """Raises ORA-00902 and its like for a type that is none, ORA-00932 where Oracle does not cast."""
    spec = _specification(target)
    kind = sql_type(column_of_specification("", spec))
    node, source = value
    return _converted(node, source, kind, spec), kind


def _converted(node: Node, source: SqlType | None, kind: SqlType, spec: TypeSpecification) -> Node:
    number = exp.Literal.number
    if kind.type in (DataType.VARCHAR2, DataType.CHAR):
        characters = number(kind.size // 2 if kind.national else kind.size)
        return call(
            "CAST_CHAR" if kind.type == DataType.CHAR else "CAST_TEXT", _text(node, source), characters
        )
    if kind.type == DataType.NUMBER:
        if spec.arguments or kind.scale == 0:
            return call("CAST_NUMBER", node, number(kind.precision), number(kind.scale))
        return call("TO_NUMBER", node)
    if kind.type in types.FLOAT_TYPES:
        return call("TO_BINARY_DOUBLE" if kind.type == DataType.BINARY_DOUBLE else "TO_BINARY_FLOAT", node)
    if kind.type == DataType.DATE:
        return call("TO_DATE", node)
    if kind.type == DataType.TIMESTAMP_TZ:
        return call("TO_TIMESTAMP_TZ", node)
    if kind.type == DataType.TIMESTAMP_LTZ:
        return call("LOCAL", call("TO_TIMESTAMP_TZ", node))
    if kind.type == DataType.TIMESTAMP:
        return call("TO_TIMESTAMP", node)
    if kind.type in (DataType.INTERVAL_DS, DataType.INTERVAL_YM):
        if is_text(source):
            return call("TO_DSINTERVAL" if kind.type == DataType.INTERVAL_DS else "TO_YMINTERVAL", node)
        return node
    if kind.type == DataType.RAW:
        return call("CAST_RAW", node, number(kind.size))
    if kind.type in (DataType.ROWID, DataType.UROWID):
        return node
    raise OracleError(932, f"inconsistent datatypes: expected CHAR got {kind.type.name}")


def _text(node: Node, source: SqlType | None) -> Node:
    if source is None or is_text(source):
        return node
    if is_interval(source):
        return call("INTERVAL_TO_CHAR" if is_day_interval(source) else "MONTHS_TO_CHAR", node)
    if not is_moment(source):
        return call("TO_CHAR", node)
    if is_zoned(source):
        return call("TIMESTAMP_TZ_TO_CHAR", node)
    return call("DATE_TO_CHAR" if source.type == DataType.DATE else "TIMESTAMP_TO_CHAR", node)
