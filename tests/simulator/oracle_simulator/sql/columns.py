# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns of tables: from their definition to the dictionary, to query types, and to what may be stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from oracle_simulator.data.tables import TableColumn
from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import DataType
from oracle_simulator.sql import masks, types
from oracle_simulator.sql.statements import ColumnDefinition, TypeSpecification
from oracle_simulator.sql.types import SqlType

Converter = Callable[[Any], Any]

_TYPES: dict[str, DataType] = {
    "VARCHAR2": DataType.VARCHAR2,
    "CHAR": DataType.CHAR,
    "NUMBER": DataType.NUMBER,
    "DATE": DataType.DATE,
    "TIMESTAMP": DataType.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": DataType.TIMESTAMP_TZ,
    "TIMESTAMP WITH LOCAL TIME ZONE": DataType.TIMESTAMP_LTZ,
    "RAW": DataType.RAW,
    "BINARY_DOUBLE": DataType.BINARY_DOUBLE,
    "BINARY_FLOAT": DataType.BINARY_FLOAT,
    "CLOB": DataType.CLOB,
    "BLOB": DataType.BLOB,
}
_SYNONYMS = {
    "VARCHAR": "VARCHAR2",
    "NVARCHAR2": "VARCHAR2",
    "NCHAR": "CHAR",
    "CHARACTER": "CHAR",
    "NCLOB": "CLOB",
    "DECIMAL": "NUMBER",
    "DEC": "NUMBER",
    "NUMERIC": "NUMBER",
}
_INTEGERS = frozenset({"INTEGER", "INT", "SMALLINT"})
_MOST_TEXT, _MOST_CHAR, _MOST_RAW, _MOST_LOB = 4000, 2000, 2000, 4000


def table_column(definition: ColumnDefinition) -> TableColumn:
    """A column as the dictionary keeps it. Raises ORA-00902, ORA-00906, ORA-00910, ORA-01727, ORA-01728."""
    spec = definition.type
    name = _SYNONYMS.get(spec.name, spec.name)
    size, precision, scale = 0, None, None
    if name in ("VARCHAR2", "CHAR", "RAW"):
        size = _text_size(name, spec)
    elif name in _INTEGERS:
        name, precision, scale = "NUMBER", 38, 0
    elif name == "NUMBER":
        precision, scale = _number_limits(spec)
        size = 22
    elif name == "FLOAT":
        name, size = "NUMBER", 22
    elif name == "TIMESTAMP":
        suffix = {"ZONE": " WITH TIME ZONE", "LOCAL": " WITH LOCAL TIME ZONE"}.get(spec.time_zone or "", "")
        name, size, scale = name + suffix, 11, (spec.arguments or (6,))[0]
    elif name == "DATE":
        size = 7
    elif name in ("CLOB", "BLOB"):
        size = _MOST_LOB
    elif name not in _TYPES:
        raise OracleError(902, "invalid datatype")
    nullable = definition.nullable and not definition.primary_key
    return TableColumn(definition.name, name, size, precision, scale, nullable, definition.default)


def _text_size(name: str, spec: TypeSpecification) -> int:
    if not spec.arguments:
        if name == "CHAR":
            return 1
        raise OracleError(906, "missing left parenthesis")
    size = spec.arguments[0] or 0
    if size < 1:
        raise OracleError(1723, "zero-length columns are not allowed")
    if size > {"CHAR": _MOST_CHAR, "RAW": _MOST_RAW}.get(name, _MOST_TEXT):
        raise OracleError(910, "specified length too long for its datatype")
    return size


def _number_limits(spec: TypeSpecification) -> tuple[int | None, int | None]:
    if not spec.arguments:
        return None, None
    precision = spec.arguments[0]
    scale = spec.arguments[1] if len(spec.arguments) > 1 else 0
    if precision is not None and not 1 <= precision <= 38:
        raise OracleError(1727, "numeric precision specifier is out of range (1 to 38)")
    if scale is not None and not -84 <= scale <= 127:
        raise OracleError(1728, "numeric scale specifier is out of range (-84 to 127)")
    return precision, scale


def column_of_type(name: str, kind: SqlType | None) -> TableColumn:
    """The column of CREATE TABLE ... AS SELECT for a column of a query."""
    kind = kind or types.VARCHAR2
    names = {number: text for text, number in _TYPES.items()}
    type_name = names.get(kind.type, "VARCHAR2")
    if type_name == "NUMBER" and kind.scale == -127:
        return TableColumn(name, type_name, 22)
    if type_name == "NUMBER":
        return TableColumn(name, type_name, 22, kind.precision, kind.scale)
    if type_name == "CHAR":
        type_name = "VARCHAR2"
    return TableColumn(name, type_name, max(1, kind.size))


def sql_type(column: TableColumn) -> SqlType:
    """The type of a column in queries."""
    kind = _TYPES[column.type]
    if kind == DataType.NUMBER:
        if column.precision is None and column.scale is None:
            return types.NUMBER
        return SqlType(kind, 22, column.precision or 38, column.scale or 0)
    if kind in (DataType.CLOB, DataType.BLOB):
        # Small enough to travel inline: LOB columns read like text and RAW.
        inline = DataType.VARCHAR2 if kind == DataType.CLOB else DataType.RAW
        return SqlType(inline, _MOST_LOB if kind == DataType.CLOB else _MOST_RAW)
    return SqlType(kind, column.size, 0, column.scale or 0)


def converter(column: TableColumn) -> Converter:
    """What turns a Python value into one the column can store.

    The function raises ORA-01438, ORA-01722, ORA-01858 or ORA-00932. Nulls and lengths are checked by the
    table.
    """
    kind = _TYPES[column.type]
    if kind == DataType.NUMBER:
        return _number_converter(column)
    if kind == DataType.CHAR:
        return lambda value: _padded(_to_text(value), column.size)
    if kind in (DataType.VARCHAR2, DataType.CLOB):
        return _to_text
    if kind == DataType.DATE:
        return _to_date
    if kind in types.MOMENT_TYPES:
        return _to_timestamp
    if kind in (DataType.RAW, DataType.BLOB):
        return _to_raw
    return _to_double


def _to_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, (int, float, Decimal)):
        return masks.number_text(value)
    if isinstance(value, datetime):
        return masks.format_moment(value, "DD-MON-RR")
    if isinstance(value, bytes):
        return value.hex().upper() or None
    return str(value) or None


def _padded(value: str | None, size: int) -> str | None:
    return None if value is None else value.ljust(size)


def _to_date(value: Any) -> datetime | None:
    moment = _to_timestamp(value)
    return moment.replace(microsecond=0) if moment is not None and moment.microsecond else moment


def _to_timestamp(value: Any) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None) if value.tzinfo is not None else value
    if isinstance(value, str):
        return masks.read_moment(value, "DD-MON-RR", datetime.now())
    raise OracleError(932, "inconsistent datatypes: expected DATE got NUMBER")


def _to_raw(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value or None
    if isinstance(value, str):
        try:
            return bytes.fromhex(value) or None
        except ValueError:
            raise OracleError(1465, "invalid hex number") from None
    raise OracleError(932, "inconsistent datatypes: expected BINARY got NUMBER")


def _to_double(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise OracleError(1722, "invalid number") from None


def _number_converter(column: TableColumn) -> Converter:
    precision, scale = column.precision, column.scale
    unlimited = precision is None and scale is None
    whole_limit = None if precision is None else 10 ** max(precision - (scale or 0), 0)
    step = None if unlimited else Decimal(1).scaleb(-(scale or 0))

    def convert(value: Any) -> int | Decimal | None:
        if isinstance(value, int) and not isinstance(value, bool) and (scale is None or scale >= 0):
            if whole_limit is not None and not -whole_limit < value < whole_limit:
                raise _too_large()
            return value
        if value is None or value == "":
            return None
        number = _to_decimal(value)
        if step is not None:
            number = number.quantize(step, ROUND_HALF_UP)
            if whole_limit is not None and abs(number) >= whole_limit:
                raise _too_large()
        return int(number) if number == number.to_integral_value() else number.normalize()

    return convert


def _too_large() -> OracleError:
    return OracleError(1438, "value larger than specified precision allowed for this column")


def _to_decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        return Decimal(format(value, ".15g"))
    if isinstance(value, (int, bool)):
        return Decimal(int(value))
    if isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            raise OracleError(1722, "invalid number") from None
        if number.is_finite():
            return number
        raise OracleError(1722, "invalid number")
    raise OracleError(932, "inconsistent datatypes: expected NUMBER got DATE")
