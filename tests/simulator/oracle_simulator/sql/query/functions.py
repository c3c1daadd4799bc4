# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle's SQL functions, as functions of the embedded engine (``ORA_<NAME>``).

Values come and go in the engine's form (see ``types``). Unless a function says otherwise, a NULL argument
gives NULL, and an empty text is NULL.
"""

from __future__ import annotations

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.arithmetic import ARITHMETIC
from oracle_simulator.sql.query.conversions import CONVERSIONS
from oracle_simulator.sql.query.function_support import Function, FunctionContext
from oracle_simulator.sql.query.moment_functions import MOMENT_FUNCTIONS, MOMENT_OPERATORS
from oracle_simulator.sql.query.number_functions import NUMBER_FUNCTIONS
from oracle_simulator.sql.query.package_functions import PACKAGE_FUNCTIONS
from oracle_simulator.sql.query.text_functions import TEXT_FUNCTIONS

# ---------------------------------------------------------------- the session

_ROWID_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _rowid_part(value: int, width: int) -> str:
    return "".join(_ROWID_DIGITS[value >> 6 * place & 63] for place in range(width - 1, -1, -1))


_UNCOMMITTED = 0xFFFF
"""In place of the file, which has 16 bits on the wire: rows get their blocks when they are committed."""


def rowid_text(address: int, data_object_id: int) -> str:
    """The 18 characters of a rowid from a row's address (file, block, slot) and the object it belongs to."""
    if address < 0:
        address = _UNCOMMITTED << 48 | -address
    file_number, block, slot = address >> 48, address >> 16 & 0xFFFFFFFF, address & 0xFFFF
    return (
        _rowid_part(data_object_id, 6)
        + _rowid_part(file_number, 3)
        + _rowid_part(block, 6)
        + _rowid_part(slot, 3)
    )


def row_address(rowid: str, data_object_id: int) -> int:
    """The address in a rowid, 0 (where no row is) if it is one of another object. Raises ORA-01410."""
    if len(rowid) != 18 or not set(rowid) <= set(_ROWID_DIGITS):
        raise OracleError(1410, "invalid ROWID")
    if rowid[:6] != _rowid_part(data_object_id, 6):
        return 0
    file, block, slot = (_rowid_number(rowid[start:end]) for start, end in ((6, 9), (9, 15), (15, 18)))
    if file == _UNCOMMITTED:
        return -(block << 16 | slot)
    return file << 48 | block << 16 | slot


def _rowid_number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number << 6 | _ROWID_DIGITS.index(digit)
    return number


def _sys_context(context: FunctionContext, namespace: str, name: str, _length: int = 0) -> str | None:
    if namespace.upper() == "USERENV":
        return context.user_environment(name.upper())
    return context.context_value(namespace.upper(), name.upper())


_SESSION_FUNCTIONS: dict[str, Function] = {
    "ROWIDTOCHAR": Function(lambda value: value, types.text_type(18), 1, 1),
    "CHARTOROWID": Function(lambda value: value, types.ROWID, 1, 1),
    "SYS_CONTEXT": Function(_sys_context, types.text_type(4000), 2, 3, context=True),
    "USERENV": Function(
        lambda c, name: c.user_environment(name.upper()), types.text_type(64), 1, 1, context=True
    ),
    "SYSDATE": Function(
        lambda c: types.encode_moment(c.now.replace(microsecond=0)), types.DATE, 0, 0, context=True
    ),
    "SYSTIMESTAMP": Function(
        lambda c: types.encode_moment(c.now.astimezone()), types.TIMESTAMP_TZ, 0, 0, context=True
    ),
    "CURRENT_TIMESTAMP": Function(
        lambda c: types.encode_moment(c.now.astimezone(c.zone)), types.TIMESTAMP_TZ, 0, 0, context=True
    ),
    "CURRENT_DATE": Function(
        lambda c: types.encode_moment(c.now.astimezone(c.zone).replace(microsecond=0, tzinfo=None)),
        types.DATE,
        0,
        0,
        context=True,
    ),
    "LOCALTIMESTAMP": Function(
        lambda c: types.encode_moment(c.now.astimezone(c.zone).replace(tzinfo=None)),
        types.TIMESTAMP,
        0,
        0,
        context=True,
    ),
    "USER": Function(lambda c: c.user_environment("SESSION_USER"), types.text_type(128), 0, 0, context=True),
    "UID": Function(
        lambda c: int(c.user_environment("SESSION_USERID") or 0), types.NUMBER, 0, 0, context=True
    ),
    "DBTIMEZONE": Function(lambda: "+00:00", types.text_type(6), 0, 0),
    "SESSIONTIMEZONE": Function(
        lambda c: c.user_environment("TIME_ZONE"), types.text_type(75), 0, 0, context=True
    ),
}


_OPERATORS: dict[str, Function] = {
    **ARITHMETIC,
    **MOMENT_OPERATORS,
    **CONVERSIONS,
    "ROWID": Function(rowid_text, types.ROWID, 2, 2),
    "ROW_ADDRESS": Function(row_address, types.NUMBER, 2, 2),
}


def scalar_functions() -> dict[str, Function]:
    """All scalar functions by Oracle name; those of a package as PACKAGE.FUNCTION."""
    return {
        **TEXT_FUNCTIONS,
        **NUMBER_FUNCTIONS,
        **MOMENT_FUNCTIONS,
        **PACKAGE_FUNCTIONS,
        **_SESSION_FUNCTIONS,
    }


def all_functions() -> dict[str, Function]:
    """The scalar functions, and what operators turn into, which no user can call by name."""
    return {**scalar_functions(), **_OPERATORS}
