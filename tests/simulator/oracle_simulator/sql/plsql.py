# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few anonymous blocks that drivers and monitoring send. Anything else is ORA-06550."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Bind, Result
from oracle_simulator.sql.dialect import rewrite_binds

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_BLOCK = re.compile(r"\s*(?:BEGIN\s+(?P<body>.*?)\s*END\s*;|CALL\s+(?P<call>.*?);?)\s*/?\s*$", re.I | re.S)
_CALL = re.compile(r"\s*(?P<name>[A-Za-z_][\w$#.]*)\s*(?:\((?P<arguments>.*)\))?\s*$", re.S)
_ARGUMENT = re.compile(
    r"\s*(?:\w+\s*=>\s*)?(?:'((?:[^']|'')*)'|:(\w+)|([-+]?\d+(?:\.\d+)?)|(NULL))\s*(?:,|$)", re.I
)
_STATEMENTS = re.compile(r"((?:'(?:[^']|'')*'|[^';])*);", re.S)


def execute_block(
    session: DatabaseSession, text: str, binds: Sequence[Bind], rows: Sequence[Sequence[Any]]
) -> Result:
    """Run a block of calls to known procedures. Raises ORA-06550 with PLS-00201 for others."""
    found = _BLOCK.match(text)
    if found is None:
        raise _not_understood(text)
    names = list(dict.fromkeys(rewrite_binds(text).names))
    for row in rows or [()]:
        values = dict(zip(names, row, strict=False))
        for call in _calls(found):
            _run(session, call.strip(), values)
    return Result()


def _calls(found: re.Match[str]) -> list[str]:
    if found["call"] is not None:
        return [found["call"]]
    return [statement for statement in _STATEMENTS.findall(found["body"] or "") if statement.strip()]


def _run(session: DatabaseSession, call: str, binds: dict[str, Any]) -> None:
    if call.upper() == "NULL":
        return
    found = _CALL.match(call)
    if found is None:
        raise _not_understood(call)
    name = found["name"].upper().removeprefix("SYS.")
    arguments = [_argument(match, binds) for match in _ARGUMENT.finditer(found["arguments"] or "")]
    record = session.record
    match name, arguments:
        case "DBMS_APPLICATION_INFO.SET_MODULE", [module, action]:
            record.module, record.action = _text(module, 48), _text(action, 32)
        case "DBMS_APPLICATION_INFO.SET_ACTION", [action]:
            record.action = _text(action, 32)
        case "DBMS_APPLICATION_INFO.SET_CLIENT_INFO", [info]:
            record.client_info = _text(info, 64)
        case "DBMS_SESSION.SET_IDENTIFIER", [identifier]:
            record.client_identifier = _text(identifier, 64)
        case "DBMS_SESSION.CLEAR_IDENTIFIER", []:
            record.client_identifier = ""
        case "DBMS_LOCK.SLEEP" | "DBMS_SESSION.SLEEP", [seconds]:
            _sleep(session, float(seconds))
        case "DBMS_OUTPUT.ENABLE" | "DBMS_OUTPUT.DISABLE", _:
            return
        case "COMMIT", []:
            session.end_transaction(commit=True)
        case "ROLLBACK", []:
            session.end_transaction(commit=False)
        case _:
            raise _not_understood(name)


def _argument(found: re.Match[str], binds: dict[str, Any]) -> Any:
    literal, bind, number, _null = found.groups()
    if literal is not None:
        return literal.replace("''", "'")
    if bind is not None:
        return binds.get(bind.upper())
    return number


def _text(value: Any, most: int) -> str:
    return "" if value is None else str(value)[:most]


def _sleep(session: DatabaseSession, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if session.is_cancelled():
            raise OracleError(1013, "user requested cancel of current operation")
        if session.instance.terminated.wait(min(left, 0.05)):
            raise OracleError(1092, "ORACLE instance terminated. Disconnection forced")


def _not_understood(what: str) -> OracleError:
    word = re.split(r"[\s(;]", what.strip(), maxsplit=1)[0]
    return OracleError(
        6550,
        f"line 1, column 7:\nPLS-00201: identifier '{word.upper()}' must be declared",
        (6550, "line 1, column 7:\nPL/SQL: Statement ignored"),
    )
