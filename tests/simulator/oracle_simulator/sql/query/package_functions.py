# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions on LOBs and RAWs, and those of Oracle's own packages that can stand in a query."""

from __future__ import annotations

import os
import random
import string

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.conversions import CONVERSIONS
from oracle_simulator.sql.query.function_support import Function, FunctionContext, text
from oracle_simulator.sql.query.types import EngineValue

_ALPHABETS = {
    "U": string.ascii_uppercase,
    "L": string.ascii_lowercase,
    "A": string.ascii_letters,
    "X": string.ascii_uppercase + string.digits,
    "P": "".join(chr(code) for code in range(32, 127)),
}


def _content(value: EngineValue) -> str | bytes:
    return value if isinstance(value, (str, bytes)) else str(value)


def _lob_substr(value: EngineValue, amount: int = 32767, offset: int = 1) -> EngineValue:
    start = int(offset) - 1
    return _content(value)[start : start + int(amount)]


def _lob_instr(value: EngineValue, pattern: EngineValue, offset: int = 1, nth: int = 1) -> int:
    content, wanted = _content(value), _content(pattern)
    position = int(offset) - 1
    for _ignored in range(int(nth)):
        if isinstance(content, str):
            position = content.find(str(wanted), position) + 1
        else:
            position = content.find(wanted if isinstance(wanted, bytes) else wanted.encode(), position) + 1
        if not position:
            return 0
    return position


def _random_value(low: float = 0, high: float = 1) -> EngineValue:
    return random.uniform(float(low), float(high))


def _random_string(kind: str, length: int) -> str:
    alphabet = _ALPHABETS.get(kind.upper(), string.ascii_uppercase)
    return "".join(random.choices(alphabet, k=int(length)))


def _cast_to_varchar2(value: EngineValue) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _unistr(value: str) -> str:
    """Raises ORA-30186 for a backslash that leads no four hexadecimal digits."""
    parts = value.split("\\")
    units = parts[0].encode("utf-16-be")
    for part in parts[1:]:
        try:
            units += bytes.fromhex(part[:4]) + part[4:].encode("utf-16-be")
        except ValueError:
            raise OracleError(30186, "'\\' must be followed by four hexadecimal characters") from None
    return units.decode("utf-16-be", "replace")


def _to_clob(context: FunctionContext, value: EngineValue) -> str:
    return text(value, context)


def _to_blob(value: EngineValue) -> bytes:
    return value if isinstance(value, bytes) else bytes.fromhex(str(value))


_NVARCHAR2 = types.VARCHAR2._replace(national=True)

PACKAGE_FUNCTIONS: dict[str, Function] = {
    "TO_NUMBER": CONVERSIONS["TO_NUMBER"],
    "TO_BINARY_DOUBLE": CONVERSIONS["TO_BINARY_DOUBLE"],
    "TO_BINARY_FLOAT": CONVERSIONS["TO_BINARY_FLOAT"],
    "TO_CLOB": Function(_to_clob, types.CLOB, 1, 1, context=True),
    "TO_NCLOB": Function(_to_clob, types.NCLOB, 1, 1, context=True),
    "TO_BLOB": Function(_to_blob, types.BLOB, 1, 1),
    "EMPTY_CLOB": Function(lambda: "", types.CLOB, 0, 0, gives_empty=True),
    "EMPTY_BLOB": Function(lambda: b"", types.BLOB, 0, 0, gives_empty=True),
    "UNISTR": Function(_unistr, _NVARCHAR2, 1, 1),
    "SYS_GUID": Function(lambda: os.urandom(16), types.RAW._replace(size=16), 0, 0),
    "DBMS_LOB.GETLENGTH": Function(lambda v: len(_content(v)), types.NUMBER, 1, 1),
    "DBMS_LOB.SUBSTR": Function(_lob_substr, None, 1, 3),
    "DBMS_LOB.INSTR": Function(_lob_instr, types.NUMBER, 2, 4),
    "DBMS_RANDOM.VALUE": Function(_random_value, types.NUMBER, 0, 2),
    "DBMS_RANDOM.STRING": Function(_random_string, types.VARCHAR2, 2, 2),
    "UTL_RAW.CAST_TO_RAW": Function(
        lambda c, v: v if isinstance(v, bytes) else text(v, c).encode(), types.RAW, 1, 1, context=True
    ),
    "UTL_RAW.CAST_TO_VARCHAR2": Function(_cast_to_varchar2, types.VARCHAR2, 1, 1),
    "UTL_RAW.LENGTH": Function(lambda v: len(_content(v)), types.NUMBER, 1, 1),
}
