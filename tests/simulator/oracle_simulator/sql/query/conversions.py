# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CAST: what it makes of a value (SQL Reference, CAST)."""

from __future__ import annotations

import struct
from decimal import ROUND_HALF_UP, Context, Decimal

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import masks, types
from oracle_simulator.sql.query.function_support import Function, FunctionContext, number, text
from oracle_simulator.sql.query.types import EngineValue

_QUANTIZING = Context(prec=300, Emax=999999, Emin=-999999)


def _cast_text(context: FunctionContext, value: EngineValue, characters: int) -> str:
    """Longer text is cut off, as CAST does it."""
    return text(value, context)[: int(characters)]


def _cast_char(context: FunctionContext, value: EngineValue, characters: int) -> str:
    return _cast_text(context, value, characters).ljust(int(characters))


def _cast_number(value: EngineValue, precision: int, scale: int) -> EngineValue:
    """Raises ORA-01438, ORA-01722."""
    rounded = number(value).quantize(Decimal(1).scaleb(-int(scale)), ROUND_HALF_UP, _QUANTIZING)
    if rounded.copy_abs() >= Decimal(10) ** (int(precision) - int(scale)):
        raise OracleError(1438, "value larger than specified precision allowed for this column")
    return types.encode_number(rounded)


def _to_number(value: EngineValue, mask: str | None = None, *_nls: str) -> EngineValue:
    return types.encode(masks.read_number(value, mask)) if isinstance(value, str) else value


def _to_double(value: EngineValue) -> float:
    return float(number(value)) if isinstance(value, str) else float(value or 0)


def _to_float(value: EngineValue) -> float:
    return float(struct.unpack("<f", struct.pack("<f", _to_double(value)))[0])


def _to_raw(value: EngineValue, size: int = 2000) -> bytes:
    """Raises ORA-01465."""
    if isinstance(value, bytes):
        return value[: int(size)]
    try:
        return bytes.fromhex(str(value))[: int(size)]
    except ValueError:
        raise OracleError(1465, "invalid hex number") from None


CONVERSIONS: dict[str, Function] = {
    "CAST_TEXT": Function(_cast_text, types.VARCHAR2, 2, 2, context=True),
    "CAST_CHAR": Function(_cast_char, types.VARCHAR2, 2, 2, context=True),
    "CAST_NUMBER": Function(_cast_number, types.NUMBER, 3, 3),
    "CAST_RAW": Function(_to_raw, types.RAW, 1, 2),
    "TO_NUMBER": Function(_to_number, types.NUMBER, 1, 3),
    "TO_BINARY_DOUBLE": Function(_to_double, types.BINARY_DOUBLE, 1, 1),
    "TO_BINARY_FLOAT": Function(_to_float, types.BINARY_FLOAT, 1, 1),
}
