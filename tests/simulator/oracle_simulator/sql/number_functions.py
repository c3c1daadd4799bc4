# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions of numbers and dates, and what arithmetic on dates and intervals turns into."""

from __future__ import annotations

import calendar
import hashlib
import math
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.sql import types
from oracle_simulator.sql.function_support import Function, FunctionContext, is_moment, moment, number, text
from oracle_simulator.sql.types import EngineValue

# ---------------------------------------------------------------- numbers


def _round(context: FunctionContext, value: EngineValue, argument: Any = None) -> EngineValue:
    if is_moment(value):
        rounded = moment(value, context) + timedelta(hours=12)
        return types.encode_moment(rounded.replace(hour=0, minute=0, second=0, microsecond=0))
    places = Decimal(1).scaleb(-int(argument or 0))
    return types.encode(number(value).quantize(places, ROUND_HALF_UP))


def _trunc(context: FunctionContext, value: EngineValue, argument: Any = None) -> EngineValue:
    if is_moment(value):
        return types.encode_moment(_trunc_moment(moment(value, context), str(argument or "DD").upper()))
    places = Decimal(1).scaleb(-int(argument or 0))
    return types.encode(number(value).quantize(places, ROUND_DOWN))


def _trunc_moment(value: datetime, unit: str) -> datetime:
    day = value.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit in ("DD", "DDD", "J"):
        return day
    if unit in ("HH", "HH24", "HH12"):
        return day.replace(hour=value.hour)
    if unit == "MI":
        return day.replace(hour=value.hour, minute=value.minute)
    if unit in ("MM", "MON", "MONTH"):
        return day.replace(day=1)
    if unit in ("YYYY", "YEAR", "YY", "Y"):
        return day.replace(month=1, day=1)
    if unit == "Q":
        return day.replace(month=(value.month - 1) // 3 * 3 + 1, day=1)
    if unit == "IW":
        return day - timedelta(days=day.weekday())
    raise OracleError(1899, "bad precision specifier")


def _divide(left: EngineValue, right: EngineValue) -> EngineValue:
    divisor = number(right)
    if not divisor:
        raise OracleError(1476, "divisor is equal to zero")
    return types.encode(Decimal(format(number(left) / divisor, ".15g")))


def _mod(left: EngineValue, right: EngineValue) -> EngineValue:
    divisor = number(right)
    return types.encode(number(left) % divisor) if divisor else left


def _power(left: EngineValue, right: EngineValue) -> EngineValue:
    return types.encode(number(left) ** number(right))


def _floor(value: EngineValue) -> EngineValue:
    return types.encode(number(value).to_integral_value(ROUND_FLOOR))


def _ceil(value: EngineValue) -> EngineValue:
    return types.encode(-(-number(value)).to_integral_value(ROUND_FLOOR))


def _sign(value: EngineValue) -> int:
    found = number(value)
    return (found > 0) - (found < 0)


def _ora_hash(context: FunctionContext, value: EngineValue, most: int = 4294967295, seed: int = 0) -> int:
    digest = hashlib.blake2b(f"{seed}:{text(value, context)}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (int(most) + 1)


# ---------------------------------------------------------------- dates


def _add_seconds(context: FunctionContext, value: EngineValue, seconds: float) -> str:
    start = moment(value, context)
    moved = start + timedelta(seconds=round(float(seconds), 6))
    if not start.microsecond and abs(seconds - round(seconds)) < 1e-4:
        moved = (moved + timedelta(milliseconds=500)).replace(microsecond=0)
    return types.encode_moment(moved)


def _seconds_between(context: FunctionContext, left: EngineValue, right: EngineValue) -> float:
    return (moment(left, context) - moment(right, context)).total_seconds()


def _days_between(context: FunctionContext, left: EngineValue, right: EngineValue) -> EngineValue:
    return types.encode(Decimal(format(_seconds_between(context, left, right) / 86400, ".15g")))


def _add_months(context: FunctionContext, value: EngineValue, months: float) -> str:
    start = moment(value, context)
    index = start.year * 12 + start.month - 1 + int(months)
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    ends = start.day == calendar.monthrange(start.year, start.month)[1]
    return types.encode_moment(
        start.replace(year=year, month=month + 1, day=last if ends else min(start.day, last))
    )


def _months_between(context: FunctionContext, left: EngineValue, right: EngineValue) -> EngineValue:
    a, b = moment(left, context), moment(right, context)
    months = (a.year - b.year) * 12 + a.month - b.month
    return types.encode(Decimal(format(months + (a.day - b.day) / 31, ".15g")))


def _last_day(context: FunctionContext, value: EngineValue) -> str:
    day = moment(value, context)
    return types.encode_moment(day.replace(day=calendar.monthrange(day.year, day.month)[1]))


def _extract(context: FunctionContext, part: str, value: EngineValue) -> EngineValue:
    found = moment(value, context)
    if part == "SECOND":
        return types.encode(Decimal(found.second) + Decimal(found.microsecond) / 1000000)
    return int(getattr(found, part.lower()))


_INTERVAL_SECONDS = {"DAY": 86400, "HOUR": 3600, "MINUTE": 60, "SECOND": 1}


def interval_seconds(amount: EngineValue, unit: str) -> float:
    """NUMTODSINTERVAL and INTERVAL literals, in seconds. Raises ORA-01760."""
    factor = _INTERVAL_SECONDS.get(unit.upper())
    if factor is None:
        raise OracleError(1760, "illegal argument for function")
    return float(number(amount)) * factor


NUMBER_FUNCTIONS: dict[str, Function] = {
    "ORA_HASH": Function(_ora_hash, types.NUMBER, 1, 3, context=True),
    "ROUND": Function(_round, None, 1, 2, context=True),
    "TRUNC": Function(_trunc, None, 1, 2, context=True),
    "DIVIDE": Function(_divide, types.NUMBER, 2, 2),
    "MOD": Function(_mod, types.NUMBER, 2, 2),
    "REMAINDER": Function(_mod, types.NUMBER, 2, 2),
    "POWER": Function(_power, types.NUMBER, 2, 2),
    "SQRT": Function(lambda v: math.sqrt(float(number(v))), types.NUMBER, 1, 1),
    "FLOOR": Function(_floor, types.NUMBER, 1, 1),
    "CEIL": Function(_ceil, types.NUMBER, 1, 1),
    "SIGN": Function(_sign, types.NUMBER, 1, 1),
    "ABS": Function(lambda v: types.encode(abs(number(v))), types.NUMBER, 1, 1),
    "ADD_SECONDS": Function(_add_seconds, None, 2, 2, context=True),
    "SECONDS_BETWEEN": Function(_seconds_between, types.INTERVAL, 2, 2, context=True),
    "DAYS_BETWEEN": Function(_days_between, types.NUMBER, 2, 2, context=True),
    "ADD_MONTHS": Function(_add_months, types.DATE, 2, 2, context=True),
    "MONTHS_BETWEEN": Function(_months_between, types.NUMBER, 2, 2, context=True),
    "LAST_DAY": Function(_last_day, types.DATE, 1, 1, context=True),
    "EXTRACT": Function(_extract, types.NUMBER, 2, 2, context=True),
    "NUMTODSINTERVAL": Function(interval_seconds, types.INTERVAL, 2, 2),
}
