# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion and text functions (Oracle SQL Language Reference, "Single-Row Functions")."""

from __future__ import annotations

import hashlib
import re

from oracle_simulator.sql.query import masks, types
from oracle_simulator.sql.query.function_support import (
    Function,
    FunctionContext,
    is_moment,
    moment,
    number,
    text,
)
from oracle_simulator.sql.query.types import EngineValue

# ---------------------------------------------------------------- conversion


def _to_char(context: FunctionContext, value: EngineValue, mask: str | None = None, *_nls: str) -> str:
    if isinstance(value, (int, float)):
        found = types.decode_number(value) or 0
        return masks.number_text(found) if mask is None else masks.format_number(found, mask)
    if mask is not None:
        if isinstance(value, str) and not is_moment(value):
            return masks.format_number(number(value), mask)
        return masks.format_moment(moment(value, context), mask)
    return text(value, context)


# ---------------------------------------------------------------- text


def _substr(context: FunctionContext, value: EngineValue, start: float, length: float | None = None) -> str:
    source = text(value, context)
    begin = int(start)
    begin = len(source) + begin if begin < 0 else max(begin - 1, 0)
    if begin < 0:
        return ""
    return source[begin:] if length is None else source[begin : begin + max(int(length), 0)]


def _instr(value: str, part: str, start: int = 1, occurrence: int = 1) -> int:
    position = int(start) - 1
    for _ignored in range(int(occurrence)):
        position = value.find(part, position) + 1
        if not position:
            return 0
    return position


def _pad(value: str, size: int, fill: str, left: bool) -> str:
    if len(value) >= size:
        return value[: max(int(size), 0)]
    filler = (fill * int(size))[: int(size) - len(value)]
    return filler + value if left else value + filler


def _regexp_flags(flags: str) -> int:
    return (re.IGNORECASE if "i" in flags else 0) | (re.MULTILINE if "m" in flags else 0)


def _regexp_like(value: str, pattern: str, flags: str = "") -> int:
    return int(re.search(pattern, str(value), _regexp_flags(flags)) is not None)


def _regexp_replace(value: str, pattern: str, replacement: str = "") -> str:
    return re.sub(pattern, re.sub(r"\\(\d)", r"\\g<\1>", replacement or ""), str(value))


def _regexp_substr(value: str, pattern: str, start: int = 1, occurrence: int = 1) -> str | None:
    found = [match.group() for match in re.finditer(pattern, str(value)[start - 1 :])]
    return found[occurrence - 1] if len(found) >= occurrence else None


def _concat(context: FunctionContext, *values: EngineValue) -> str:
    return "".join(text(value, context) for value in values if value is not None)


def _translate(value: str, source: str, target: str | None) -> str:
    table = {ord(ch): (target or "")[i : i + 1] or None for i, ch in reversed(list(enumerate(source)))}
    return value.translate(table)


TEXT_FUNCTIONS: dict[str, Function] = {
    "TO_CHAR": Function(_to_char, types.VARCHAR2, 1, 3, context=True),
    "TO_NCHAR": Function(_to_char, types.VARCHAR2, 1, 3, context=True),
    "SUBSTR": Function(_substr, types.VARCHAR2, 2, 3, context=True),
    "SUBSTRB": Function(_substr, types.VARCHAR2, 2, 3, context=True),
    "INSTR": Function(lambda v, *a: _instr(str(v), *a), types.NUMBER, 2, 4),
    "LENGTH": Function(lambda c, v: len(text(v, c)), types.NUMBER, 1, 1, context=True),
    "LENGTHB": Function(lambda c, v: len(text(v, c).encode()), types.NUMBER, 1, 1, context=True),
    "UPPER": Function(lambda c, v: text(v, c).upper(), types.VARCHAR2, 1, 1, context=True),
    "LOWER": Function(lambda c, v: text(v, c).lower(), types.VARCHAR2, 1, 1, context=True),
    "INITCAP": Function(lambda c, v: text(v, c).title(), types.VARCHAR2, 1, 1, context=True),
    "TRIM": Function(lambda c, v, ch=" ": text(v, c).strip(ch), types.VARCHAR2, 1, 2, context=True),
    "LTRIM": Function(lambda c, v, ch=" ": text(v, c).lstrip(ch), types.VARCHAR2, 1, 2, context=True),
    "RTRIM": Function(lambda c, v, ch=" ": text(v, c).rstrip(ch), types.VARCHAR2, 1, 2, context=True),
    "LPAD": Function(lambda c, v, n, f=" ": _pad(text(v, c), n, f, True), types.VARCHAR2, 2, 3, context=True),
    "RPAD": Function(
        lambda c, v, n, f=" ": _pad(text(v, c), n, f, False), types.VARCHAR2, 2, 3, context=True
    ),
    "REPLACE": Function(
        lambda v, old, new=None: None if v is None else str(v).replace(old, new or "") if old else v,
        types.VARCHAR2,
        2,
        3,
        nulls=True,
    ),
    "TRANSLATE": Function(_translate, types.VARCHAR2, 3, 3),
    "CONCAT": Function(_concat, types.VARCHAR2, 1, 64, context=True, nulls=True),
    "CHR": Function(lambda n: chr(int(n)), types.text_type(4), 1, 1),
    "ASCII": Function(lambda v: ord(str(v)[0]), types.NUMBER, 1, 1),
    "REGEXP_LIKE": Function(_regexp_like, types.NUMBER, 2, 3),
    "REGEXP_REPLACE": Function(_regexp_replace, types.VARCHAR2, 2, 3),
    "REGEXP_SUBSTR": Function(_regexp_substr, types.VARCHAR2, 2, 4),
    "RAWTOHEX": Function(lambda v: v.hex().upper() if isinstance(v, bytes) else str(v), types.VARCHAR2, 1, 1),
    "HEXTORAW": Function(lambda v: bytes.fromhex(str(v)), types.RAW, 1, 1),
    "STANDARD_HASH": Function(
        lambda c, v, how="SHA1": hashlib.new(str(how), text(v, c).encode()).digest(),
        types.RAW,
        1,
        2,
        context=True,
    ),
}
