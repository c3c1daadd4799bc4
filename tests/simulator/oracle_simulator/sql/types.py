# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle's data types inside the embedded engine, and the way in and out of it.

The engine's columns have no affinity: a value stays what it was. Numbers are integers or, with a fraction,
floats of at most 15 digits; what fits neither (an SCN above 2^63) travels as text, which the engine sorts
above every number. DATE and TIMESTAMP are ISO text, so that they sort; intervals are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from oracle_simulator.net.backend import Column, DataType

EngineValue = None | int | float | str | bytes

_INT64 = 1 << 63
_EXACT_FLOAT_DIGITS = 15


class SqlType(NamedTuple):
    """A data type with its limits; ``size`` is in bytes for text and RAW."""

    type: DataType
    size: int = 0
    precision: int = 0
    scale: int = 0

    def column(self, name: str, nullable: bool = True) -> Column:
        return Column(name, self.type, self.size, self.precision, self.scale, nullable)


NUMBER = SqlType(DataType.NUMBER, 22, 0, -127)
INTEGER = SqlType(DataType.NUMBER, 22, 38, 0)
BINARY_DOUBLE = SqlType(DataType.BINARY_DOUBLE, 8)
DATE = SqlType(DataType.DATE, 7)
TIMESTAMP = SqlType(DataType.TIMESTAMP, 11, 0, 6)
TIMESTAMP_TZ = SqlType(DataType.TIMESTAMP_TZ, 13, 0, 6)
INTERVAL = SqlType(DataType.INTERVAL_DS, 11, 2, 6)
VARCHAR2 = SqlType(DataType.VARCHAR2, 4000)
RAW = SqlType(DataType.RAW, 2000)
ROWID = SqlType(DataType.VARCHAR2, 18)

TEXT_TYPES = frozenset({DataType.VARCHAR2, DataType.CHAR, DataType.LONG, DataType.CLOB})
NUMBER_TYPES = frozenset({DataType.NUMBER, DataType.BINARY_DOUBLE, DataType.BINARY_FLOAT})
MOMENT_TYPES = frozenset({DataType.DATE, DataType.TIMESTAMP, DataType.TIMESTAMP_TZ, DataType.TIMESTAMP_LTZ})


def text_type(size: int) -> SqlType:
    return SqlType(DataType.VARCHAR2, size)


def encode_moment(value: datetime) -> str:
    """ISO text without time zone; a zero fraction is left out, so that DATE and TIMESTAMP compare."""
    return value.replace(tzinfo=None).isoformat(" ")


def encode(value: Any) -> EngineValue:
    """A Python value as the engine keeps it. An empty text is NULL."""
    kind = type(value)
    if kind is int:
        return value if -_INT64 <= value < _INT64 else str(value)
    if kind is str:
        return value or None
    if value is None or kind is float:
        return value
    if kind is bytes:
        return value or None
    if isinstance(value, datetime):
        return encode_moment(value)
    if isinstance(value, Decimal):
        return _encode_decimal(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, bytearray):
        return bytes(value)
    return str(value)


def _encode_decimal(value: Decimal) -> EngineValue:
    if value == value.to_integral_value():
        return encode(int(value))
    if len(value.as_tuple().digits) <= _EXACT_FLOAT_DIGITS:
        return float(value)
    return format(value.normalize(), "f")


def decode_number(value: EngineValue) -> int | Decimal | None:
    """Back to an exact number: floats carry 15 significant digits, the rest is rounding noise."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        number = Decimal(format(value, ".15g"))
    else:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return None
    return int(number) if number == number.to_integral_value() else number


def _decode_moment(value: EngineValue) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _decode_date(value: EngineValue) -> datetime | None:
    return datetime.fromisoformat(value).replace(microsecond=0) if isinstance(value, str) else None


def _decode_text(value: EngineValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return str(decode_number(value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _decode_float(value: EngineValue) -> float | None:
    return None if value is None or isinstance(value, bytes) else float(value)


def _decode_interval(value: EngineValue) -> timedelta | None:
    return timedelta(seconds=value) if isinstance(value, (int, float)) else None


def _decode_raw(value: EngineValue) -> bytes | None:
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else None


_DECODERS: dict[DataType, Callable[[EngineValue], Any]] = {
    DataType.NUMBER: decode_number,
    DataType.DATE: _decode_date,
    DataType.TIMESTAMP: _decode_moment,
    DataType.TIMESTAMP_TZ: _decode_moment,
    DataType.TIMESTAMP_LTZ: _decode_moment,
    DataType.BINARY_DOUBLE: _decode_float,
    DataType.BINARY_FLOAT: _decode_float,
    DataType.INTERVAL_DS: _decode_interval,
    DataType.RAW: _decode_raw,
    DataType.BLOB: _decode_raw,
    DataType.LONG_RAW: _decode_raw,
}


def decoder(data_type: DataType) -> Callable[[EngineValue], Any]:
    """The way back from the engine for one column."""
    return _DECODERS.get(data_type, _decode_text)


def decode_row(row: Sequence[EngineValue], decoders: Sequence[Callable[[EngineValue], Any]]) -> list[Any]:
    return [decode(value) for decode, value in zip(decoders, row, strict=True)]


def type_of_value(value: EngineValue) -> SqlType | None:
    """The type an expression of unknown type must have, from a value it gave."""
    if isinstance(value, (int, float)):
        return NUMBER
    if isinstance(value, str):
        return VARCHAR2
    return RAW if isinstance(value, bytes) else None
