# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle's data types as bytes: every value of a row or a bind variable.

Encoders take a Python value that is not None and return the value with its length; decoders take the
bytes inside that length. Formats: Oracle Call Interface Programmer's Guide, "Data Types" (NUMBER, DATE,
TIMESTAMP, INTERVAL), with what thin clients add for the wire.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, NamedTuple

from oracle_simulator.errors import OracleError
from oracle_simulator.intervals import IntervalYM
from oracle_simulator.net.backend import DataType
from oracle_simulator.net.wire import LENGTH_BYTE, MAX_SHORT, bytes1, sb, ub

NULL = b"\0"
LONG_NULL = NULL + sb(-1) + ub(1405)
"""A null of type LONG: the value, its indicator, and the return code "fetched column value is NULL"."""

_LONG_TRAILER = sb(0) + ub(0)
_TRUE, _FALSE = b"\x01\x01", b"\0"

_BCD = [high << 4 | low for high in range(10) for low in range(10)]


def _table(source: list[int], target: list[int]) -> bytes:
    table = bytearray(256)
    for key, value in zip(source, target, strict=True):
        table[key] = value
    return bytes(table)


# A base-100 digit d travels as d+1 in positive numbers and as 101-d in negative ones. Going through
# packed decimals lets fromhex/hex and translate do the work for all digits at once.
_BCD_TO_POSITIVE = _table(_BCD, list(range(1, 101)))
_BCD_TO_NEGATIVE = _table(_BCD, list(range(101, 1, -1)))
_POSITIVE_TO_BCD = _table(list(range(1, 101)), _BCD)
_NEGATIVE_TO_BCD = _table(list(range(101, 1, -1)), _BCD)

_MAX_PAIRS = 20
_FIRST_YEAR = -4712
_PRECISION = Context(prec=38, rounding=ROUND_HALF_UP, Emax=999999, Emin=-999999)


def encode_number(value: int | float | Decimal) -> bytes:
    """A NUMBER. Floats are taken for the decimal number they print as. ORA-01426 if out of range."""
    if isinstance(value, int):
        if value == 0:
            return b"\x01\x80"
        negative = value < 0
        digits = str(-value if negative else value)
        if len(digits) > 38:
            return _encode_decimal(Decimal(value))
        point = len(digits)
    else:
        return _encode_decimal(value if isinstance(value, Decimal) else Decimal(repr(value)))
    return _pack_number(negative, digits, point)


def _encode_decimal(value: Decimal) -> bytes:
    if not value.is_finite():
        raise OracleError(1426, "numeric overflow")
    value = _PRECISION.plus(value)
    sign, digits, exponent = value.as_tuple()
    if not value:
        return b"\x01\x80"
    return _pack_number(bool(sign), "".join(map(str, digits)), len(digits) + int(exponent))


def _pack_number(negative: bool, digits: str, point: int) -> bytes:
    """``digits`` are those of 0.d1d2d3..., the value is that times ten to the power of ``point``."""
    if point & 1:
        digits = "0" + digits
        point += 1
    if len(digits) & 1:
        digits += "0"
    pairs = bytes.fromhex(digits).rstrip(b"\0")
    exponent = 192 + (point >> 1)
    if exponent > 255:
        raise OracleError(1426, "numeric overflow")
    if exponent < 128:
        return b"\x01\x80"
    if not negative:
        return bytes((len(pairs) + 1, exponent)) + pairs.translate(_BCD_TO_POSITIVE)
    mantissa = pairs.translate(_BCD_TO_NEGATIVE) + (b"\x66" if len(pairs) < _MAX_PAIRS else b"")
    return bytes((len(mantissa) + 1, exponent ^ 0xFF)) + mantissa


def decode_number(data: bytes) -> int | Decimal:
    """An int if the value is integral, a Decimal otherwise."""
    first = data[0]
    if first & 0x80:
        if len(data) == 1:
            return 0
        sign, pairs, exponent = "", data[1:].translate(_POSITIVE_TO_BCD), first - 192
    else:
        mantissa = data[1:-1] if data[-1] == 0x66 else data[1:]
        sign, pairs, exponent = "-", mantissa.translate(_NEGATIVE_TO_BCD), (first ^ 0xFF) - 192
    scale = exponent - len(pairs)
    digits = sign + pairs.hex()
    if scale >= 0:
        return int(digits) * 100**scale
    number = digits[:-1] if digits[-1] == "0" else digits
    return Decimal(f"{number}E{2 * scale + len(digits) - len(number)}")


def _date_fields(value: datetime) -> bytes:
    century, year = divmod(value.year, 100)
    return bytes(
        (
            century + 100,
            year + 100,
            value.month,
            value.day,
            value.hour + 1,
            value.minute + 1,
            value.second + 1,
        )
    )


def encode_date(value: datetime) -> bytes:
    return b"\x07" + _date_fields(value)


def encode_timestamp(value: datetime) -> bytes:
    if value.microsecond == 0:
        return encode_date(value)
    return b"\x0b" + _date_fields(value) + (value.microsecond * 1000).to_bytes(4, "big")


def encode_timestamp_tz(value: datetime) -> bytes:
    """The moment in UTC, then the offset; a datetime without one is taken for UTC."""
    offset = value.utcoffset() or timedelta()
    moment = value.replace(tzinfo=None) - offset
    minutes = int(offset.total_seconds()) // 60
    sign = -1 if minutes < 0 else 1
    hours, minutes = divmod(abs(minutes), 60)
    nanoseconds = (moment.microsecond * 1000).to_bytes(4, "big")
    return b"\x0d" + _date_fields(moment) + nanoseconds + bytes((sign * hours + 20, sign * minutes + 60))


def encode_timestamp_ltz(value: datetime) -> bytes:
    """The wall time of the session: its time zone has been taken care of."""
    return encode_timestamp(value)


def decode_datetime(data: bytes) -> datetime:
    """DATE and every TIMESTAMP; aware only where the bytes name an offset. ORA-01841 for a year that Oracle does
    not know, ORA-03001 for one before Christ, which is not simulated; ValueError for what is no date."""
    microsecond = int.from_bytes(data[7:11], "big") // 1000 if len(data) >= 11 else 0
    year = (data[0] - 100) * 100 + data[1] - 100
    if year < _FIRST_YEAR or year == 0 or year > MAXYEAR:
        raise OracleError(1841, "(full) year must be between -4713 and +9999, and not be 0")
    if year < MINYEAR:
        raise OracleError(3001, "unimplemented feature (dates before the year 1)")
    value = datetime(
        year,
        data[2],
        data[3],
        data[4] - 1,
        data[5] - 1,
        data[6] - 1,
        microsecond,
    )
    if len(data) < 13:
        return value
    offset = timedelta(hours=data[11] - 20, minutes=data[12] - 60)
    return value.replace(tzinfo=UTC).astimezone(timezone(offset))


def encode_interval_ds(value: timedelta) -> bytes:
    sign = -1 if value < timedelta() else 1
    value = abs(value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return b"\x0b" + struct.pack(
        ">IBBBI",
        sign * value.days + 2**31,
        sign * hours + 60,
        sign * minutes + 60,
        sign * seconds + 60,
        sign * value.microseconds * 1000 + 2**31,
    )


def decode_interval_ds(data: bytes) -> timedelta:
    days, hours, minutes, seconds, nanoseconds = struct.unpack(">IBBBI", data)
    return timedelta(
        days=days - 2**31,
        hours=hours - 60,
        minutes=minutes - 60,
        seconds=seconds - 60,
        microseconds=(nanoseconds - 2**31) / 1000,
    )


def encode_interval_ym(value: IntervalYM) -> bytes:
    return b"\x05" + struct.pack(">IB", value.years + 2**31, value.months + 60)


def decode_interval_ym(data: bytes) -> IntervalYM:
    years, months = struct.unpack(">IB", data)
    return IntervalYM((years - 2**31) * 12 + months - 60)


def _sortable(data: bytes) -> bytes:
    """IEEE bytes as Oracle stores them, so that they sort like the numbers they stand for."""
    if data[0] & 0x80:
        return bytes(byte ^ 0xFF for byte in data)
    return bytes((data[0] | 0x80,)) + data[1:]


def _ieee(data: bytes) -> bytes:
    if data[0] & 0x80:
        return bytes((data[0] & 0x7F,)) + data[1:]
    return bytes(byte ^ 0xFF for byte in data)


def encode_binary_double(value: float) -> bytes:
    return b"\x08" + _sortable(struct.pack(">d", value))


def encode_binary_float(value: float) -> bytes:
    return b"\x04" + _sortable(struct.pack(">f", value))


def decode_binary_double(data: bytes) -> float:
    return float(struct.unpack(">d", _ieee(data))[0])


def decode_binary_float(data: bytes) -> float:
    return float(struct.unpack(">f", _ieee(data))[0])


def encode_boolean(value: bool) -> bytes:
    return _TRUE if value else _FALSE


def decode_boolean(data: bytes) -> bool:
    return data != b"\0"


def encode_text(value: str) -> bytes:
    data = value.encode()
    length = len(data)
    return LENGTH_BYTE[length] + data if length <= MAX_SHORT else bytes1(data)


def encode_national_text(value: str) -> bytes:
    return bytes1(value.encode("utf-16-be"))


def encode_national_long(value: str) -> bytes:
    return bytes1(value.encode("utf-16-be")) + _LONG_TRAILER if value else LONG_NULL


def encode_raw(value: bytes) -> bytes:
    return bytes1(bytes(value))


def encode_long(value: str | bytes) -> bytes:
    """LONG and LONG RAW: only they have an indicator and a return code behind the value."""
    if not value:
        return LONG_NULL
    return bytes1(value.encode() if isinstance(value, str) else bytes(value)) + _LONG_TRAILER


_ROWID = re.compile(r"[A-Za-z0-9+/]{18}")
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class RowidParts(NamedTuple):
    """An extended rowid: object (6 digits in base 64), file (3), block (6) and row (3)."""

    data_object: int
    file: int
    block: int
    row: int


def rowid_parts(value: str) -> RowidParts:
    """ORA-01410 for a text that is no rowid."""
    if not _ROWID.fullmatch(value):
        raise OracleError(1410, "invalid ROWID")
    parts = []
    for start, end in ((0, 6), (6, 9), (9, 15), (15, 18)):
        number = 0
        for character in value[start:end]:
            number = number * 64 + _BASE64.index(character)
        parts.append(number)
    return RowidParts(*parts)


def rowid_fields(parts: RowidParts) -> bytes:
    """A rowid without its length, as it also stands in ERROR."""
    return ub(parts.data_object) + ub(parts.file) + b"\0" + ub(parts.block) + ub(parts.row)


def encode_rowid(value: str) -> bytes:
    return b"\x0d" + rowid_fields(rowid_parts(value))


def encode_urowid(value: str) -> bytes:
    """A physical rowid in the form of a universal one."""
    data = struct.pack(">BIHIH", 1, *rowid_parts(value))
    return bytes1(data) + bytes1(data)


ENCODERS: dict[DataType, Callable[[Any], bytes]] = {
    DataType.VARCHAR2: encode_text,
    DataType.CHAR: encode_text,
    DataType.LONG: encode_long,
    DataType.LONG_RAW: encode_long,
    DataType.RAW: encode_raw,
    DataType.NUMBER: encode_number,
    DataType.BINARY_FLOAT: encode_binary_float,
    DataType.BINARY_DOUBLE: encode_binary_double,
    DataType.DATE: encode_date,
    DataType.TIMESTAMP: encode_timestamp,
    DataType.TIMESTAMP_TZ: encode_timestamp_tz,
    DataType.TIMESTAMP_LTZ: encode_timestamp_ltz,
    DataType.INTERVAL_DS: encode_interval_ds,
    DataType.INTERVAL_YM: encode_interval_ym,
    DataType.BOOLEAN: encode_boolean,
    DataType.ROWID: encode_rowid,
    DataType.UROWID: encode_urowid,
}
"""For all types but LOBs and cursors, which need a place to keep their content."""

NATIONAL_ENCODERS: dict[DataType, Callable[[Any], bytes]] = {
    DataType.VARCHAR2: encode_national_text,
    DataType.CHAR: encode_national_text,
    DataType.LONG: encode_national_long,
}
"""Text in the national character set, AL16UTF16."""

DECODERS: dict[DataType, Callable[[bytes], Any]] = {
    DataType.VARCHAR2: bytes.decode,
    DataType.CHAR: bytes.decode,
    DataType.LONG: bytes.decode,
    DataType.ROWID: bytes.decode,
    DataType.LONG_RAW: bytes,
    DataType.RAW: bytes,
    DataType.NUMBER: decode_number,
    DataType.BINARY_FLOAT: decode_binary_float,
    DataType.BINARY_DOUBLE: decode_binary_double,
    DataType.DATE: decode_datetime,
    DataType.TIMESTAMP: decode_datetime,
    DataType.TIMESTAMP_TZ: decode_datetime,
    DataType.TIMESTAMP_LTZ: decode_datetime,
    DataType.INTERVAL_DS: decode_interval_ds,
    DataType.INTERVAL_YM: decode_interval_ym,
    DataType.BOOLEAN: decode_boolean,
    DataType.UROWID: bytes.decode,
}

TEXT_TYPES = frozenset((DataType.VARCHAR2, DataType.CHAR, DataType.LONG, DataType.CLOB))
LOB_TYPES = frozenset((DataType.CLOB, DataType.BLOB))
LONG_TYPES = frozenset((DataType.LONG, DataType.LONG_RAW))

_BUFFER_SIZES = {
    DataType.NUMBER: 22,
    DataType.DATE: 7,
    DataType.TIMESTAMP: 11,
    DataType.TIMESTAMP_TZ: 13,
    DataType.TIMESTAMP_LTZ: 11,
    DataType.INTERVAL_DS: 11,
    DataType.INTERVAL_YM: 5,
    DataType.CURSOR: 4,
    DataType.UROWID: 5263,
    DataType.BINARY_DOUBLE: 8,
    DataType.BINARY_FLOAT: 4,
    DataType.BOOLEAN: 4,
    DataType.CLOB: 4000,
    DataType.BLOB: 4000,
    DataType.ROWID: 18,
    DataType.LONG: 0,
    DataType.LONG_RAW: 0,
}


def buffer_size(data_type: DataType, size: int) -> int:
    """The bytes a client reserves for a column. Never 0 but for LONG: clients take a column of size 0 for
    one that is always null and read none of its bytes."""
    return _BUFFER_SIZES.get(data_type, size or 4000)


_FAMILIES: dict[DataType, type] = {
    DataType.VARCHAR2: str,
    DataType.CHAR: str,
    DataType.LONG: str,
    DataType.CLOB: str,
    DataType.RAW: bytes,
    DataType.LONG_RAW: bytes,
    DataType.BLOB: bytes,
    DataType.NUMBER: float,
    DataType.BINARY_FLOAT: float,
    DataType.BINARY_DOUBLE: float,
    DataType.DATE: datetime,
    DataType.TIMESTAMP: datetime,
    DataType.TIMESTAMP_TZ: datetime,
    DataType.TIMESTAMP_LTZ: datetime,
    DataType.ROWID: str,
    DataType.UROWID: str,
}


def require_convertible(source: DataType, target: DataType) -> None:
    """Whether a ``source`` column may be sent as ``target``, as clients ask for with LOBs. ORA-00932 where
    Oracle would not convert, or we do not."""
    if source != target and (source not in _FAMILIES or _FAMILIES[source] is not _FAMILIES.get(target)):
        raise OracleError(932, f"inconsistent datatypes: expected {target.name} got {source.name}")
