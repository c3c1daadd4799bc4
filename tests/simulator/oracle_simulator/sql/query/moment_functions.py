# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions on dates, timestamps and intervals."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.intervals import IntervalYM
from oracle_simulator.sql.query import arithmetic, interval_texts, masks, types
from oracle_simulator.sql.query.function_support import (
    Function,
    FunctionContext,
    aware,
    is_moment,
    moment,
    number,
    text,
)
from oracle_simulator.sql.query.time_zones import time_zone
from oracle_simulator.sql.query.types import EngineValue

_DAY = Decimal(86_400_000_000)
_MICROSECOND = timedelta(microseconds=1)


def _moved(start: datetime, microseconds: int) -> datetime:
    try:
        return start + timedelta(microseconds=microseconds)
    except OverflowError:
        text = "(full) year must be between -4713 and +9999, and not be 0"
        raise OracleError(1841, text) from None


def _move(context: FunctionContext, value: EngineValue, microseconds: EngineValue) -> str:
    return types.encode_moment(_moved(moment(value, context), int(number(microseconds))))


def _move_seconds(context: FunctionContext, value: EngineValue, microseconds: EngineValue) -> str:
    """To the nearest second: what adding days comes to."""
    start = moment(value, context).replace(microsecond=0, tzinfo=None)
    return types.encode_moment(_moved(start, round(number(microseconds) / 1_000_000) * 1_000_000))


def _move_months(context: FunctionContext, value: EngineValue, months: int) -> str:
    start = moment(value, context)
    year, month = divmod(start.year * 12 + start.month - 1 + int(months), 12)
    try:
        return types.encode_moment(start.replace(year=year, month=month + 1))
    except ValueError:
        raise OracleError(1839, "date not valid for month specified") from None


def _microseconds_between(context: FunctionContext, left: EngineValue, right: EngineValue) -> int:
    a, b = moment(left, context), moment(right, context)
    if a.tzinfo is not None or b.tzinfo is not None:
        a, b = aware(a, context), aware(b, context)
    return (a - b) // _MICROSECOND


def _days_between(context: FunctionContext, left: EngineValue, right: EngineValue) -> EngineValue:
    microseconds = _microseconds_between(context, left, right)
    return types.encode_number(arithmetic.CONTEXT.divide(Decimal(microseconds), _DAY))


def _utc(context: FunctionContext, value: EngineValue) -> str:
    """The form in which moments with time zones compare."""
    return types.encode_moment(aware(moment(value, context), context).astimezone(UTC).replace(tzinfo=None))


def _local(context: FunctionContext, value: EngineValue) -> str:
    """A TIMESTAMP WITH LOCAL TIME ZONE as the session sees it."""
    return types.encode_moment(aware(moment(value, context), context).astimezone(context.zone))


def _at_time_zone(context: FunctionContext, value: EngineValue, zone: str) -> str:
    return types.encode_moment(aware(moment(value, context), context).astimezone(time_zone(zone)))


def _from_tz(context: FunctionContext, value: EngineValue, zone: str) -> str:
    return types.encode_moment(moment(value, context).replace(tzinfo=time_zone(zone)))


def _zoned(context: FunctionContext, value: EngineValue) -> str:
    return types.encode_moment(aware(moment(value, context), context))


def _add_months(context: FunctionContext, value: EngineValue, months: float) -> str:
    start = moment(value, context).replace(microsecond=0, tzinfo=None)
    index = start.year * 12 + start.month - 1 + int(months)
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    ends = start.day == calendar.monthrange(start.year, start.month)[1]
    return types.encode_moment(
        start.replace(year=year, month=month + 1, day=last if ends else min(start.day, last))
    )


def _months_between(context: FunctionContext, left: EngineValue, right: EngineValue) -> EngineValue:
    a, b = moment(left, context), moment(right, context)
    months = Decimal((a.year - b.year) * 12 + a.month - b.month)
    if a.day == b.day or all(t.day == calendar.monthrange(t.year, t.month)[1] for t in (a, b)):
        return types.encode_number(months)
    into_day = Decimal(a.hour * 3600 + a.minute * 60 + a.second) - (b.hour * 3600 + b.minute * 60 + b.second)
    days = a.day - b.day + into_day / 86400
    return types.encode_number(arithmetic.CONTEXT.add(months, arithmetic.CONTEXT.divide(days, Decimal(31))))


def _last_day(context: FunctionContext, value: EngineValue) -> str:
    day = moment(value, context).replace(microsecond=0, tzinfo=None)
    return types.encode_moment(day.replace(day=calendar.monthrange(day.year, day.month)[1]))


def _extract(context: FunctionContext, part: str, value: EngineValue) -> EngineValue:
    found = moment(value, context)
    if part == "SECOND":
        return types.encode_number(Decimal(found.second) + Decimal(found.microsecond) / 1_000_000)
    offset = int((found.utcoffset() or timedelta()).total_seconds()) // 60
    if part == "TIMEZONE_HOUR":
        return int(offset / 60)
    if part == "TIMEZONE_MINUTE":
        return offset - 60 * int(offset / 60)
    if part not in ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE"):
        raise OracleError(907, "missing right parenthesis")
    return int(getattr(found, part.lower()))


def _extract_from_interval(part: str, value: int) -> EngineValue:
    sign = -1 if value < 0 else 1
    seconds, micro = divmod(abs(value), 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if part == "SECOND":
        return types.encode_number(sign * (Decimal(second) + Decimal(micro) / 1_000_000))
    return sign * {"DAY": days, "HOUR": hour, "MINUTE": minute}[part]


def _extract_from_months(part: str, value: int) -> EngineValue:
    interval = IntervalYM(value)
    return interval.years if part == "YEAR" else interval.months


_UNITS = {
    "DAY": _DAY,
    "HOUR": Decimal(3_600_000_000),
    "MINUTE": Decimal(60_000_000),
    "SECOND": Decimal(1_000_000),
}


def _numtodsinterval(amount: EngineValue, unit: str) -> EngineValue:
    factor = _UNITS.get(unit.strip().upper())
    if factor is None:
        raise OracleError(1760, "illegal argument for function")
    return round(number(amount) * factor)


def _numtoyminterval(amount: EngineValue, unit: str) -> EngineValue:
    factor = {"YEAR": 12, "MONTH": 1}.get(unit.strip().upper())
    if factor is None:
        raise OracleError(1760, "illegal argument for function")
    return round(number(amount) * factor)


def _read(context: FunctionContext, value: EngineValue, mask: str) -> datetime:
    if is_moment(value):
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            pass  # not ISO after all: the mask decides
    return masks.read_moment(text(value, context), mask, context.now)


def _to_date(context: FunctionContext, value: EngineValue, mask: str | None = None, *_nls: str) -> str:
    found = _read(context, value, mask or context.date_format)
    return types.encode_moment(found.replace(microsecond=0, tzinfo=None))


def _to_timestamp(context: FunctionContext, value: EngineValue, mask: str | None = None, *_nls: str) -> str:
    return types.encode_moment(_read(context, value, mask or context.timestamp_format).replace(tzinfo=None))


def _to_timestamp_tz(
    context: FunctionContext, value: EngineValue, mask: str | None = None, *_nls: str
) -> str:
    return types.encode_moment(aware(_read(context, value, mask or context.timestamp_tz_format), context))


def _date_to_char(context: FunctionContext, value: EngineValue, mask: str | None = None, *_nls: str) -> str:
    return masks.format_moment(moment(value, context), mask or context.date_format)


def _timestamp_to_char(
    context: FunctionContext, value: EngineValue, mask: str | None = None, *_nls: str
) -> str:
    return masks.format_moment(moment(value, context), mask or context.timestamp_format)


def _timestamp_tz_to_char(
    context: FunctionContext, value: EngineValue, mask: str | None = None, *_nls: str
) -> str:
    return masks.format_moment(aware(moment(value, context), context), mask or context.timestamp_tz_format)


def _interval_to_char(value: EngineValue, *_mask: str) -> str:
    return interval_texts.day_to_second_text(timedelta(microseconds=int(number(value))))


def _to_dsinterval(value: Any) -> EngineValue:
    return types.encode(interval_texts.read_day_to_second(str(value)))


def _to_yminterval(value: Any) -> EngineValue:
    return types.encode(interval_texts.read_year_to_month(str(value)))


MOMENT_FUNCTIONS: dict[str, Function] = {
    "ADD_MONTHS": Function(_add_months, types.DATE, 2, 2, context=True),
    "MONTHS_BETWEEN": Function(_months_between, types.NUMBER, 2, 2, context=True),
    "LAST_DAY": Function(_last_day, types.DATE, 1, 1, context=True),
    "NUMTODSINTERVAL": Function(_numtodsinterval, types.INTERVAL, 2, 2),
    "NUMTOYMINTERVAL": Function(_numtoyminterval, types.INTERVAL_YM, 2, 2),
    "TO_DSINTERVAL": Function(_to_dsinterval, types.INTERVAL, 1, 1),
    "TO_YMINTERVAL": Function(_to_yminterval, types.INTERVAL_YM, 1, 1),
    "FROM_TZ": Function(_from_tz, types.TIMESTAMP_TZ, 2, 2, context=True),
    "TO_DATE": Function(_to_date, types.DATE, 1, 3, context=True),
    "TO_TIMESTAMP": Function(_to_timestamp, types.TIMESTAMP, 1, 3, context=True),
    "TO_TIMESTAMP_TZ": Function(_to_timestamp_tz, types.TIMESTAMP_TZ, 1, 3, context=True),
}

MOMENT_OPERATORS: dict[str, Function] = {
    "DATE_TO_CHAR": Function(_date_to_char, types.VARCHAR2, 1, 3, context=True),
    "TIMESTAMP_TO_CHAR": Function(_timestamp_to_char, types.VARCHAR2, 1, 3, context=True),
    "TIMESTAMP_TZ_TO_CHAR": Function(_timestamp_tz_to_char, types.VARCHAR2, 1, 3, context=True),
    "INTERVAL_TO_CHAR": Function(_interval_to_char, types.VARCHAR2, 1, 3),
    "MONTHS_TO_CHAR": Function(lambda v, *_m: str(IntervalYM(int(v))), types.VARCHAR2, 1, 3),
    "MOVE": Function(_move, None, 2, 2, context=True),
    "MOVE_SECONDS": Function(_move_seconds, types.DATE, 2, 2, context=True),
    "MOVE_MONTHS": Function(_move_months, None, 2, 2, context=True),
    "MICROSECONDS_BETWEEN": Function(_microseconds_between, types.INTERVAL, 2, 2, context=True),
    "DAYS_BETWEEN": Function(_days_between, types.NUMBER, 2, 2, context=True),
    "UTC": Function(_utc, None, 1, 1, context=True),
    "LOCAL": Function(_local, None, 1, 1, context=True),
    "ZONED": Function(_zoned, types.TIMESTAMP_TZ, 1, 1, context=True),
    "AT_TIME_ZONE": Function(_at_time_zone, types.TIMESTAMP_TZ, 2, 2, context=True),
    "EXTRACT": Function(_extract, types.NUMBER, 2, 2, context=True),
    "EXTRACT_FROM_INTERVAL": Function(_extract_from_interval, types.NUMBER, 2, 2),
    "EXTRACT_FROM_MONTHS": Function(_extract_from_months, types.NUMBER, 2, 2),
}
"""What operators and clauses turn into: names that no user can write."""
