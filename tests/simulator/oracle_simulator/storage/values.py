# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as bytes. Oracle's row format is public in parts only; this one is ours.

Each value is a tag byte, then: text and RAW a u2 length and the bytes (text in UTF-8, so that it can be
found in a block), integers a u1 length and the signed little-endian bytes, other numbers a u1 length and
their decimal text, BINARY_DOUBLE 8 bytes, dates and intervals microseconds in 8 bytes, intervals of years and
months a number of months in 4.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from oracle_simulator.intervals import IntervalYM

Value = None | str | int | Decimal | float | bytes | datetime | timedelta | IntervalYM | bool

_NULL, _TEXT, _INT, _DECIMAL, _FLOAT, _RAW, _DATE, _DATE_TZ = range(8)
_FALSE, _TRUE, _INTERVAL, _LONG_TEXT, _LONG_RAW, _MONTHS = range(8, 14)
MAX_TAG = 0xEF
"""No row begins with a byte above this one: those mark parts of rows."""

_SHORT = struct.Struct("<BH")
_LONG = struct.Struct("<BI")
_MOMENT = struct.Struct("<Bq")
_MOMENT_TZ = struct.Struct("<Bqh")
_INTERVAL_YM = struct.Struct("<Bq")
_DOUBLE = struct.Struct("<Bd")
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_NULL_BYTES = bytes((_NULL,))
_SHORT_LIMIT = 0xFFFF


def encode_row(values: Sequence[Value]) -> bytes:
    """The bytes of a row. Raises TypeError for a value no column type holds."""
    parts: list[bytes] = []
    append = parts.append
    for value in values:
        if value is None:
            append(_NULL_BYTES)
        elif isinstance(value, str):
            text = value.encode()
            size = len(text)
            head = _SHORT.pack(_TEXT, size) if size <= _SHORT_LIMIT else _LONG.pack(_LONG_TEXT, size)
            append(head + text)
        elif isinstance(value, int):
            append(_encode_bool(value) if isinstance(value, bool) else _encode_int(value))
        else:
            append(_encode_other(value))
    return b"".join(parts)


def raw_head(row_length: int) -> bytes:
    """How a row of ``row_length`` bytes begins that is one RAW value."""
    return _SHORT.pack(_RAW, row_length - _SHORT.size)


def decode_row(data: bytes, offset: int = 0) -> list[Value]:
    """The values of a row, in order. Raises ValueError (or struct.error) when the bytes are no row."""
    values: list[Value] = []
    append = values.append
    end = len(data)
    while offset < end:
        tag = data[offset]
        if tag == _TEXT:
            start = offset + 3
            offset = start + (data[offset + 1] | data[offset + 2] << 8)
            append(data[start:offset].decode())
        elif tag == _INT:
            start = offset + 2
            offset = start + data[offset + 1]
            append(int.from_bytes(data[start:offset], "little", signed=True))
        elif tag == _NULL:
            append(None)
            offset += 1
        else:
            value, offset = _decode_other(data, offset, tag)
            append(value)
    if offset != end:
        raise ValueError("row ends inside a value")
    return values


def _encode_int(value: int) -> bytes:
    size = (value.bit_length() + 8) >> 3
    return bytes((_INT, size)) + value.to_bytes(size, "little", signed=True)


def _encode_bool(value: bool) -> bytes:
    return bytes((_TRUE if value else _FALSE,))


def _encode_other(value: Decimal | float | bytes | datetime | timedelta | IntervalYM) -> bytes:
    if isinstance(value, Decimal):
        text = str(value).encode()
        return bytes((_DECIMAL, len(text))) + text
    if isinstance(value, float):
        return _DOUBLE.pack(_FLOAT, value)
    if isinstance(value, datetime):
        offset = value.utcoffset()
        naive = value.replace(tzinfo=None)
        microseconds = (naive - _EPOCH) // _MICROSECOND
        if offset is None:
            return _MOMENT.pack(_DATE, microseconds)
        return _MOMENT_TZ.pack(_DATE_TZ, microseconds, int(offset.total_seconds() // 60))
    if isinstance(value, timedelta):
        return _MOMENT.pack(_INTERVAL, value // _MICROSECOND)
    if isinstance(value, bytes):
        size = len(value)
        return (_SHORT.pack(_RAW, size) if size <= _SHORT_LIMIT else _LONG.pack(_LONG_RAW, size)) + value
    if isinstance(value, IntervalYM):
        return _INTERVAL_YM.pack(_MONTHS, value.total)
    raise TypeError(f"no column can hold a {type(value).__name__}")


def _decode_other(data: bytes, offset: int, tag: int) -> tuple[Value, int]:
    decoder = _DECODERS.get(tag)
    if decoder is None:
        raise ValueError(f"unknown value tag {tag}")
    return decoder(data, offset)


def _decode_decimal(data: bytes, offset: int) -> tuple[Value, int]:
    end = offset + 2 + data[offset + 1]
    return Decimal(data[offset + 2 : end].decode()), end


def _decode_raw(data: bytes, offset: int) -> tuple[Value, int]:
    _tag, size = _SHORT.unpack_from(data, offset)
    start = offset + _SHORT.size
    return data[start : start + size], start + size


def _decode_long(data: bytes, offset: int) -> tuple[bytes, int]:
    _tag, size = _LONG.unpack_from(data, offset)
    start = offset + _LONG.size
    return data[start : start + size], start + size


def _decode_long_text(data: bytes, offset: int) -> tuple[Value, int]:
    raw, end = _decode_long(data, offset)
    return raw.decode(), end


def _decode_date(data: bytes, offset: int) -> tuple[Value, int]:
    _tag, microseconds = _MOMENT.unpack_from(data, offset)
    return _EPOCH + timedelta(microseconds=microseconds), offset + _MOMENT.size


def _decode_date_tz(data: bytes, offset: int) -> tuple[Value, int]:
    _tag, microseconds, minutes = _MOMENT_TZ.unpack_from(data, offset)
    zone = timezone(timedelta(minutes=minutes))
    return (_EPOCH + timedelta(microseconds=microseconds)).replace(tzinfo=zone), offset + _MOMENT_TZ.size


def _decode_interval(data: bytes, offset: int) -> tuple[Value, int]:
    _tag, microseconds = _MOMENT.unpack_from(data, offset)
    return timedelta(microseconds=microseconds), offset + _MOMENT.size


def _decode_months(data: bytes, offset: int) -> tuple[Value, int]:
    _tag, months = _INTERVAL_YM.unpack_from(data, offset)
    return IntervalYM(months), offset + _INTERVAL_YM.size


def _decode_float(data: bytes, offset: int) -> tuple[Value, int]:
    return _DOUBLE.unpack_from(data, offset)[1], offset + _DOUBLE.size


_DECODERS: dict[int, Callable[[bytes, int], tuple[Value, int]]] = {
    _DECIMAL: _decode_decimal,
    _FLOAT: _decode_float,
    _RAW: _decode_raw,
    _DATE: _decode_date,
    _DATE_TZ: _decode_date_tz,
    _FALSE: lambda _data, offset: (False, offset + 1),
    _TRUE: lambda _data, offset: (True, offset + 1),
    _INTERVAL: _decode_interval,
    _LONG_TEXT: _decode_long_text,
    _LONG_RAW: _decode_long,
    _MONTHS: _decode_months,
}
