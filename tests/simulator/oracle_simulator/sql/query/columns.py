# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns of tables: from their definition to the dictionary, to query types, and to what may be stored."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from oracle_simulator.data.tables import TableColumn
from oracle_simulator.errors import OracleError
from oracle_simulator.intervals import IntervalYM
from oracle_simulator.net.backend import DataType, StoredLob
from oracle_simulator.sql.parser.statements import ColumnDefinition, TypeSpecification
from oracle_simulator.sql.query import interval_texts, masks, types
from oracle_simulator.sql.query.types import SqlType

Converter = Callable[[Any], Any]

_NUMBER = Context(prec=38, rounding=ROUND_HALF_UP, Emax=999999, Emin=-999999)
"""38 digits are what Oracle promises of a NUMBER."""
_QUANTIZING = Context(prec=300, Emax=999999, Emin=-999999)
_MOST_EXPONENT = 125
_EXACT_INTEGER = 10**38
_MICROSECOND_DIGITS = 6

_TYPES: dict[str, SqlType] = {
    "VARCHAR2": types.VARCHAR2,
    "NVARCHAR2": SqlType(DataType.VARCHAR2, national=True),
    "CHAR": SqlType(DataType.CHAR),
    "NCHAR": SqlType(DataType.CHAR, national=True),
    "LONG": SqlType(DataType.LONG),
    "LONG RAW": SqlType(DataType.LONG_RAW),
    "NUMBER": types.NUMBER,
    "FLOAT": types.NUMBER,
    "DATE": types.DATE,
    "TIMESTAMP": types.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": types.TIMESTAMP_TZ,
    "TIMESTAMP WITH LOCAL TIME ZONE": SqlType(DataType.TIMESTAMP_LTZ, 11, 0, 6),
    "INTERVAL DAY TO SECOND": types.INTERVAL,
    "INTERVAL YEAR TO MONTH": types.INTERVAL_YM,
    "RAW": SqlType(DataType.RAW),
    "BINARY_DOUBLE": types.BINARY_DOUBLE,
    "BINARY_FLOAT": types.BINARY_FLOAT,
    "CLOB": types.CLOB,
    "NCLOB": types.NCLOB,
    "BLOB": types.BLOB,
    "ROWID": types.ROWID,
    "UROWID": SqlType(DataType.UROWID, 4000),
}
_SYNONYMS = {
    "VARCHAR": "VARCHAR2",
    "CHARACTER": "CHAR",
    "CHARACTER VARYING": "VARCHAR2",
    "NATIONAL CHARACTER": "NCHAR",
    "DECIMAL": "NUMBER",
    "DEC": "NUMBER",
    "NUMERIC": "NUMBER",
    "REAL": "FLOAT",
    "DOUBLE PRECISION": "FLOAT",
}
_INTEGERS = frozenset({"INTEGER", "INT", "SMALLINT", "PLS_INTEGER", "BINARY_INTEGER", "NATURAL", "POSITIVE"})
_SIZED = frozenset({"VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR", "RAW"})
_NATIONAL = frozenset({"NVARCHAR2", "NCHAR"})
_MOST_TEXT, _MOST_CHAR, _MOST_RAW = 4000, 2000, 2000
_FLOAT_BITS, _REAL_BITS = 126, 63


def table_column(definition: ColumnDefinition) -> TableColumn:
    """A column as the dictionary keeps it. Raises ORA-00902, ORA-00906, ORA-00910, ORA-01727, ORA-01728."""
    nullable = definition.nullable and not definition.primary_key
    column = column_of_specification(definition.name, definition.type)
    return replace(column, nullable=nullable, default=definition.default)


def column_of_specification(name: str, spec: TypeSpecification) -> TableColumn:
    """A column, or a variable, of a data type as written. Raises ORA-00902, ORA-00906, ORA-00910, ORA-01727,
    ORA-01728, ORA-30088."""
    kind = _SYNONYMS.get(spec.name, spec.name)
    size, precision, scale = 0, None, None
    if kind in _SIZED:
        size = _text_size(kind, spec)
    elif kind in _INTEGERS:
        kind, precision, scale, size = "NUMBER", 38, 0, 22
    elif kind == "NUMBER":
        precision, scale = _number_limits(spec)
        size = 22
    elif kind == "FLOAT":
        bits = _REAL_BITS if spec.name == "REAL" else _FLOAT_BITS
        precision, size = (spec.arguments or (bits,))[0], 22
    elif kind == "TIMESTAMP":
        suffix = {"ZONE": " WITH TIME ZONE", "LOCAL": " WITH LOCAL TIME ZONE"}.get(spec.time_zone or "", "")
        kind, size, scale = kind + suffix, 11, _fraction_digits((spec.arguments or (6,))[0])
    elif kind in ("INTERVAL DAY TO SECOND", "INTERVAL YEAR TO MONTH"):
        precision, scale = (*spec.arguments, None, None)[:2]
        precision = 2 if precision is None else precision
        scale = _fraction_digits(6 if scale is None else scale) if kind == "INTERVAL DAY TO SECOND" else None
        size = 11 if scale is not None else 5
    elif kind not in _TYPES:
        raise OracleError(902, "invalid datatype")
    else:
        size = _TYPES[kind].size
    return TableColumn(name, kind, size, precision, scale)


def _fraction_digits(digits: int | None) -> int:
    if digits is None or not 0 <= digits <= 9:
        raise OracleError(30088, "datetime/interval precision is out of range")
    return digits


def _text_size(name: str, spec: TypeSpecification) -> int:
    if not spec.arguments:
        if name in ("CHAR", "NCHAR"):
            return 2 if name == "NCHAR" else 1
        raise OracleError(906, "missing left parenthesis")
    size = spec.arguments[0] or 0
    if size < 1:
        raise OracleError(1723, "zero-length columns are not allowed")
    if name in _NATIONAL:
        size *= 2
    if size > {"CHAR": _MOST_CHAR, "NCHAR": _MOST_CHAR, "RAW": _MOST_RAW}.get(name, _MOST_TEXT):
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
    type_name = next(
        (
            text
            for text, known in _TYPES.items()
            if (known.type, known.national) == (kind.type, kind.national)
        ),
        "VARCHAR2",
    )
    if type_name == "NUMBER" and kind.scale == -127:
        return TableColumn(name, type_name, 22)
    if type_name in ("NUMBER", "INTERVAL DAY TO SECOND"):
        return TableColumn(name, type_name, kind.size, kind.precision, kind.scale)
    if type_name == "INTERVAL YEAR TO MONTH":
        return TableColumn(name, type_name, kind.size, kind.precision)
    if kind.type in types.MOMENT_TYPES and kind.type != DataType.DATE:
        return TableColumn(name, type_name, kind.size, None, kind.scale)
    if type_name in ("CHAR", "NCHAR"):
        type_name = "VARCHAR2" if type_name == "CHAR" else "NVARCHAR2"
    return TableColumn(name, type_name, max(1, kind.size))


def sql_type(column: TableColumn) -> SqlType:
    """The type of a column in queries."""
    kind = _TYPES[column.type]._replace(nullable=column.nullable)
    if column.type == "FLOAT":
        return kind._replace(precision=column.precision or _FLOAT_BITS)
    if kind.type == DataType.NUMBER:
        if column.precision is None and column.scale is None:
            return kind
        return kind._replace(precision=column.precision or 38, scale=column.scale or 0)
    if column.type in _SIZED:
        return kind._replace(size=column.size)
    if column.scale is not None:
        kind = kind._replace(scale=column.scale)
    return kind if column.precision is None else kind._replace(precision=column.precision)


def converter(column: TableColumn, zone: Callable[[], tzinfo] = lambda: UTC) -> Converter:
    """What turns a Python value into one the column can store. ``zone`` gives the session's time zone, for values
    without one.

    The function raises ORA-01438, ORA-01722, ORA-01858 or ORA-00932. Nulls and lengths are checked by the
    table.
    """
    kind = _TYPES[column.type].type
    if column.type == "FLOAT":
        return _float_converter(column)
    if kind == DataType.NUMBER:
        return _number_converter(column)
    if kind == DataType.CHAR:
        size = column.size // 2 if column.type in _NATIONAL else column.size
        return lambda value: _padded(_to_text(value), size)
    if kind == DataType.CLOB:
        return _to_clob
    if kind in (DataType.VARCHAR2, DataType.LONG, DataType.ROWID, DataType.UROWID):
        return _to_text
    if kind == DataType.DATE:
        return _to_date
    if kind in types.ZONED_TYPES:
        return _zoned_converter(zone, kind == DataType.TIMESTAMP_LTZ, column.scale)
    if kind == DataType.TIMESTAMP:
        return lambda value: _rounded(_to_timestamp(value), column.scale)
    if kind == DataType.BLOB:
        return _to_blob
    if kind in (DataType.RAW, DataType.LONG_RAW):
        return _to_raw
    if kind == DataType.INTERVAL_DS:
        return _to_interval
    if kind == DataType.INTERVAL_YM:
        return _to_interval_ym
    return _to_single if kind == DataType.BINARY_FLOAT else _to_double


def _rounded(value: datetime | None, digits: int | None) -> datetime | None:
    if value is None or digits is None or digits >= _MICROSECOND_DIGITS or not value.microsecond:
        return value
    unit = 10 ** (_MICROSECOND_DIGITS - digits)
    microseconds = (value.microsecond + unit // 2) // unit * unit
    return value.replace(microsecond=0) + timedelta(microseconds=microseconds)


def _zoned_converter(zone: Callable[[], tzinfo], normalised: bool, digits: int | None) -> Converter:
    def convert(value: Any) -> datetime | None:
        aware = isinstance(value, datetime) and value.tzinfo is not None
        moment = value if aware else _to_timestamp(value)
        if moment is None:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone())
        return _rounded(moment.astimezone(UTC) if normalised else moment, digits)

    return convert


def _to_clob(value: Any) -> str | None:
    if isinstance(value, StoredLob):
        value = value.content
    return value if isinstance(value, str) else _to_text(value)


def _to_blob(value: Any) -> bytes | None:
    if isinstance(value, StoredLob):
        value = value.content
    return value if isinstance(value, bytes) else _to_raw(value)


def _to_interval(value: Any) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return interval_texts.read_day_to_second(value)
    raise OracleError(932, "inconsistent datatypes: expected INTERVAL DAY TO SECOND got NUMBER")


def _to_interval_ym(value: Any) -> IntervalYM | None:
    if value is None or isinstance(value, IntervalYM):
        return value
    if isinstance(value, str):
        return interval_texts.read_year_to_month(value)
    raise OracleError(932, "inconsistent datatypes: expected INTERVAL YEAR TO MONTH got NUMBER")


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
    if isinstance(value, timedelta):
        return interval_texts.day_to_second_text(value)
    if isinstance(value, StoredLob):
        return _to_text(value.content)
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


def _to_single(value: Any) -> float | None:
    """A BINARY_FLOAT: rounded to its 24 bits. Values beyond its range become infinite, as on Oracle."""
    number = _to_double(value)
    if number is None:
        return None
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def _float_converter(column: TableColumn) -> Converter:
    """FLOAT(b): a NUMBER of that many binary digits, that is b * 0.30103 decimal ones."""
    context = Context(prec=math.ceil((column.precision or _FLOAT_BITS) * 0.30103), rounding=ROUND_HALF_UP)

    def convert(value: Any) -> int | Decimal | None:
        if value is None or value == "":
            return None
        number = context.plus(_to_decimal(value))
        return int(number) if number == number.to_integral_value() else number.normalize()

    return convert


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
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if is_whole and (scale is None or scale >= 0):
            if whole_limit is not None and not -whole_limit < value < whole_limit:
                raise _too_large()
            if -_EXACT_INTEGER < value < _EXACT_INTEGER:
                return value
        if value is None or value == "":
            return None
        number = _NUMBER.plus(_to_decimal(value))
        if number.adjusted() > _MOST_EXPONENT and number:
            raise OracleError(1426, "numeric overflow")
        if step is not None:
            number = number.quantize(step, ROUND_HALF_UP, _QUANTIZING)
            if whole_limit is not None and number.copy_abs() >= whole_limit:
                raise _too_large()
        return int(number) if number == number.to_integral_value() else number.normalize(_NUMBER)

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
