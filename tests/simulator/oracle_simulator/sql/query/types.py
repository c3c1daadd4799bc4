# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values between Oracle's types, Python's and the embedded query engine's.

The engine's columns have no affinity: a value stays what it was. Every NUMBER has exactly one form, so that equal
numbers are equal to the engine: an integer of 64 bits, a float if it has a fraction and at most 15 digits, else
("wide") its decimal text; ordering and arithmetic that may meet wide numbers go through functions. DATE and
TIMESTAMP are ISO text, so that they sort; with time zone it is the local time with its offset behind. Intervals are
integers: microseconds, or months. A LOB may be empty, every other empty text is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, NamedTuple

from oracle_simulator.errors import OracleError
from oracle_simulator.intervals import IntervalYM
from oracle_simulator.net.backend import Column, DataType, StoredLob

EngineValue = None | int | float | str | bytes

_INT64 = 1 << 63
_EXACT_FLOAT_DIGITS = 15
_NARROW_DIGITS = 18
_WIDE = Context(prec=40, rounding=ROUND_HALF_UP, Emax=999999, Emin=-999999)
_LEAST_EXPONENT, _MOST_EXPONENT = -130, 125
_MICROSECOND = timedelta(microseconds=1)


class SqlType(NamedTuple):
    """A data type with its limits; ``size`` is in bytes for text and RAW."""

    type: DataType
    size: int = 0
    precision: int = 0
    scale: int = 0
    national: bool = False
    nullable: bool = True

    def column(self, name: str) -> Column:
        return Column(name, self.type, self.size, self.precision, self.scale, self.nullable, self.national)

    @property
    def is_narrow(self) -> bool:
        """Whether all its numbers are integers that the engine can order and add up by itself."""
        return self.type == DataType.NUMBER and self.scale == 0 and 0 < self.precision <= _NARROW_DIGITS


NUMBER = SqlType(DataType.NUMBER, 22, 0, -127)
INTEGER = SqlType(DataType.NUMBER, 22, 38, 0)
BINARY_DOUBLE = SqlType(DataType.BINARY_DOUBLE, 8)
BINARY_FLOAT = SqlType(DataType.BINARY_FLOAT, 4)
DATE = SqlType(DataType.DATE, 7)
TIMESTAMP = SqlType(DataType.TIMESTAMP, 11, 0, 6)
TIMESTAMP_TZ = SqlType(DataType.TIMESTAMP_TZ, 13, 0, 6)
INTERVAL = SqlType(DataType.INTERVAL_DS, 11, 2, 6)
INTERVAL_YM = SqlType(DataType.INTERVAL_YM, 5, 2)
CLOB = SqlType(DataType.CLOB, 4000)
NCLOB = SqlType(DataType.CLOB, 4000, national=True)
BLOB = SqlType(DataType.BLOB, 4000)
VARCHAR2 = SqlType(DataType.VARCHAR2, 4000)
RAW = SqlType(DataType.RAW, 2000)
ROWID = SqlType(DataType.ROWID, 18)

TEXT_TYPES = frozenset({DataType.VARCHAR2, DataType.CHAR, DataType.LONG, DataType.CLOB})
LOB_TYPES = frozenset({DataType.CLOB, DataType.BLOB})
FLOAT_TYPES = frozenset({DataType.BINARY_DOUBLE, DataType.BINARY_FLOAT})
ZONED_TYPES = frozenset({DataType.TIMESTAMP_TZ, DataType.TIMESTAMP_LTZ})
NUMBER_TYPES = frozenset({DataType.NUMBER, DataType.BINARY_DOUBLE, DataType.BINARY_FLOAT})
MOMENT_TYPES = frozenset({DataType.DATE, DataType.TIMESTAMP, DataType.TIMESTAMP_TZ, DataType.TIMESTAMP_LTZ})


def text_type(size: int) -> SqlType:
    return SqlType(DataType.VARCHAR2, size)


def encode_moment(value: datetime) -> str:
    """ISO text, the offset behind it if there is one; a zero fraction is left out, so that DATE and TIMESTAMP
    compare."""
    return value.isoformat(" ")


def encode(value: Any) -> EngineValue:
    """A Python value as the engine keeps it. An empty text is NULL."""
    kind = type(value)
    if kind is int:
        return value if -_INT64 <= value < _INT64 else encode_number(Decimal(value))
    if kind is str:
        return value or None
    if value is None or kind is float:
        return value
    if kind is bytes:
        return value or None
    if isinstance(value, datetime):
        return encode_moment(value)
    if isinstance(value, Decimal):
        return encode_number(value)
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if isinstance(value, IntervalYM):
        return value.total
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, StoredLob):
        return value.content
    return str(value)


def encode_stored(value: Any) -> EngineValue:
    """A value of a row in a block: an empty text there is an empty LOB, not NULL."""
    return value if value in ("", b"") else encode(value)


def encode_number(value: Decimal) -> EngineValue:
    """The one form of a NUMBER of at most 40 digits. Raises ORA-01426."""
    value = _WIDE.plus(value)
    if not value:
        return 0
    exponent = value.adjusted()
    if exponent > _MOST_EXPONENT:
        raise OracleError(1426, "numeric overflow")
    if exponent < _LEAST_EXPONENT:
        return 0
    if value == value.to_integral_value():
        whole = int(value)
        return whole if -_INT64 <= whole < _INT64 else str(whole)
    value = value.normalize(_WIDE)
    if len(value.as_tuple().digits) <= _EXACT_FLOAT_DIGITS:
        return float(value)
    return format(value, "f")


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
    return datetime.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else None


def _decode_zoned_moment(value: EngineValue) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _decode_date(value: EngineValue) -> datetime | None:
    if not isinstance(value, str):
        return None
    return datetime.fromisoformat(value).replace(microsecond=0, tzinfo=None)


def _decode_text(value: EngineValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return str(decode_number(value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _decode_float(value: EngineValue) -> float | None:
    return None if value is None or isinstance(value, bytes) else float(value)


def _decode_interval(value: EngineValue) -> timedelta | None:
    return timedelta(microseconds=value) if isinstance(value, (int, float)) else None


def _decode_interval_ym(value: EngineValue) -> IntervalYM | None:
    return IntervalYM(int(value)) if isinstance(value, (int, float)) else None


def _decode_raw(value: EngineValue) -> bytes | None:
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else None


_DECODERS: dict[DataType, Callable[[EngineValue], Any]] = {
    DataType.NUMBER: decode_number,
    DataType.DATE: _decode_date,
    DataType.TIMESTAMP: _decode_moment,
    DataType.TIMESTAMP_TZ: _decode_zoned_moment,
    DataType.TIMESTAMP_LTZ: _decode_zoned_moment,
    DataType.BINARY_DOUBLE: _decode_float,
    DataType.BINARY_FLOAT: _decode_float,
    DataType.INTERVAL_DS: _decode_interval,
    DataType.INTERVAL_YM: _decode_interval_ym,
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
