# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions of numbers and dates, and what arithmetic on dates and intervals turns into."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import arithmetic, types
from oracle_simulator.sql.query.function_support import (
    Function,
    FunctionContext,
    is_moment,
    moment,
    number,
    text,
)
from oracle_simulator.sql.query.types import EngineValue

_QUANTIZING = Context(prec=300, Emax=999999, Emin=-999999)

# ---------------------------------------------------------------- numbers


def _round(context: FunctionContext, value: EngineValue, argument: Any = None) -> EngineValue:
    if is_moment(value):
        rounded = moment(value, context).replace(tzinfo=None) + timedelta(hours=12)
        return types.encode_moment(rounded.replace(hour=0, minute=0, second=0, microsecond=0))
    places = Decimal(1).scaleb(-int(argument or 0))
    return types.encode_number(number(value).quantize(places, ROUND_HALF_UP, _QUANTIZING))


def _trunc(context: FunctionContext, value: EngineValue, argument: Any = None) -> EngineValue:
    if is_moment(value):
        return types.encode_moment(
            _trunc_moment(moment(value, context).replace(tzinfo=None), str(argument or "DD").upper())
        )
    places = Decimal(1).scaleb(-int(argument or 0))
    return types.encode_number(number(value).quantize(places, ROUND_DOWN, _QUANTIZING))


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


def _mod(left: EngineValue, right: EngineValue) -> EngineValue:
    divisor = number(right)
    return types.encode_number(_QUANTIZING.remainder(number(left), divisor)) if divisor else left


def _power(left: EngineValue, right: EngineValue) -> EngineValue:
    return types.encode_number(arithmetic.CONTEXT.power(number(left), number(right)))


def _floor(value: EngineValue) -> EngineValue:
    return types.encode_number(number(value).to_integral_value(ROUND_FLOOR))


def _ceil(value: EngineValue) -> EngineValue:
    return types.encode_number(number(value).to_integral_value(ROUND_CEILING))


def _sign(value: EngineValue) -> int:
    found = number(value)
    return (found > 0) - (found < 0)


def _ora_hash(context: FunctionContext, value: EngineValue, most: int = 4294967295, seed: int = 0) -> int:
    digest = hashlib.blake2b(f"{seed}:{text(value, context)}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (int(most) + 1)


NUMBER_FUNCTIONS: dict[str, Function] = {
    "ORA_HASH": Function(_ora_hash, types.NUMBER, 1, 3, context=True),
    "ROUND": Function(_round, None, 1, 2, context=True),
    "TRUNC": Function(_trunc, None, 1, 2, context=True),
    "MOD": Function(_mod, types.NUMBER, 2, 2),
    "REMAINDER": Function(_mod, types.NUMBER, 2, 2),
    "POWER": Function(_power, types.NUMBER, 2, 2),
    "SQRT": Function(lambda v: types.encode_number(arithmetic.CONTEXT.sqrt(number(v))), types.NUMBER, 1, 1),
    "FLOOR": Function(_floor, types.NUMBER, 1, 1),
    "CEIL": Function(_ceil, types.NUMBER, 1, 1),
    "SIGN": Function(_sign, types.NUMBER, 1, 1),
    "ABS": Function(lambda v: types.encode_number(number(v).copy_abs()), types.NUMBER, 1, 1),
}
