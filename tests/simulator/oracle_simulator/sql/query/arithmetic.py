# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle's decimal arithmetic: 40 digits, where the engine would give binary fractions and 64 bits."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.function_support import Function, number
from oracle_simulator.sql.query.types import EngineValue

CONTEXT = Context(prec=40, rounding=ROUND_HALF_UP, Emax=999999, Emin=-999999)
_SAFE = 1 << 62


def add(left: EngineValue, right: EngineValue) -> EngineValue:
    if isinstance(left, int) and isinstance(right, int):
        return types.encode(left + right)
    return types.encode_number(CONTEXT.add(number(left), number(right)))


def subtract(left: EngineValue, right: EngineValue) -> EngineValue:
    if isinstance(left, int) and isinstance(right, int):
        return types.encode(left - right)
    return types.encode_number(CONTEXT.subtract(number(left), number(right)))


def multiply(left: EngineValue, right: EngineValue) -> EngineValue:
    if isinstance(left, int) and isinstance(right, int):
        return types.encode(left * right)
    return types.encode_number(CONTEXT.multiply(number(left), number(right)))


def divide(left: EngineValue, right: EngineValue) -> EngineValue:
    """Raises ORA-01476."""
    try:
        return types.encode_number(CONTEXT.divide(number(left), number(right)))
    except (DivisionByZero, InvalidOperation):
        raise OracleError(1476, "divisor is equal to zero") from None


def negate(value: EngineValue) -> EngineValue:
    return -value if isinstance(value, int) else types.encode_number(number(value).copy_negate())


def compare(left: EngineValue, right: EngineValue) -> int:
    """-1, 0 or 1."""
    a, b = number(left), number(right)
    return (a > b) - (a < b)


def approximate(value: EngineValue) -> EngineValue:
    """What a wide number sorts by among others."""
    return float(value) if isinstance(value, str) else value


def collate(left: str, right: str) -> int:
    """The order of two texts of which both are wide numbers (the engine asks about nothing else)."""
    try:
        a, b = Decimal(left), Decimal(right)
    except InvalidOperation:
        return (left > right) - (left < right)
    return (a > b) - (a < b)


ARITHMETIC: dict[str, Function] = {
    "ADD": Function(add, types.NUMBER, 2, 2),
    "SUBTRACT": Function(subtract, types.NUMBER, 2, 2),
    "MULTIPLY": Function(multiply, types.NUMBER, 2, 2),
    "DIVIDE": Function(divide, types.NUMBER, 2, 2),
    "NEGATE": Function(negate, types.NUMBER, 1, 1),
    "COMPARE": Function(compare, types.NUMBER, 2, 2),
    "APPROXIMATE": Function(approximate, types.NUMBER, 1, 1),
}
"""What operators turn into: names that no user can write."""
