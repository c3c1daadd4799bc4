# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions of PL/SQL: the predefined names, the ones programs declare, and what handlers cannot stop."""

from __future__ import annotations

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.plsql.scopes import DeclaredException

PREDEFINED = {
    "ACCESS_INTO_NULL": 6530,
    "CASE_NOT_FOUND": 6592,
    "COLLECTION_IS_NULL": 6531,
    "CURSOR_ALREADY_OPEN": 6511,
    "DUP_VAL_ON_INDEX": 1,
    "INVALID_CURSOR": 1001,
    "INVALID_NUMBER": 1722,
    "LOGIN_DENIED": 1017,
    "NO_DATA_FOUND": 1403,
    "PROGRAM_ERROR": 6501,
    "SUBSCRIPT_BEYOND_COUNT": 6533,
    "TIMEOUT_ON_RESOURCE": 51,
    "TOO_MANY_ROWS": 1422,
    "VALUE_ERROR": 6502,
    "ZERO_DIVIDE": 1476,
}

_BEYOND_HANDLERS = frozenset({28, 600, 1012, 1013, 1089, 1092, 3113, 6550})
_MESSAGES = {
    1: "unique constraint violated",
    1403: "no data found",
    1422: "exact fetch returns more than requested number of rows",
    1476: "divisor is equal to zero",
    1722: "invalid number",
    6502: "PL/SQL: numeric or value error",
}
_NO_DATA_FOUND = 1403
_SQLCODE_NO_DATA_FOUND = 100


class UserException(OracleError):
    """An exception that a program declared and raised."""

    def __init__(self, exception: DeclaredException) -> None:
        self.exception = exception
        super().__init__(6510, "PL/SQL: unhandled user-defined exception")


def raised(name: str, found: object) -> OracleError | None:
    """The error that RAISE name is, None when nothing of that name can be raised."""
    if isinstance(found, DeclaredException):
        return OracleError(-found.code, "") if found.code < 0 else UserException(found)
    code = PREDEFINED.get(name.removeprefix("STANDARD."))
    return None if code is None else OracleError(code, _MESSAGES.get(code, name.lower().replace("_", " ")))


def handles(name: str, found: object, problem: OracleError) -> bool:
    """Whether WHEN name stops this error."""
    if problem.code in _BEYOND_HANDLERS:
        return False
    if name == "OTHERS":
        return True
    if isinstance(found, DeclaredException):
        if isinstance(problem, UserException):
            return problem.exception is found
        return found.code == -problem.code
    return PREDEFINED.get(name.removeprefix("STANDARD.")) == problem.code


def sql_code(problem: OracleError | None) -> int:
    """SQLCODE."""
    if problem is None:
        return 0
    if isinstance(problem, UserException):
        return problem.exception.code
    return _SQLCODE_NO_DATA_FOUND if problem.code == _NO_DATA_FOUND else -problem.code


def sql_errm(problem: OracleError | None) -> str:
    """SQLERRM."""
    if problem is None:
        return "ORA-0000: normal, successful completion"
    return "User-Defined Exception" if isinstance(problem, UserException) else problem.lines[0]
