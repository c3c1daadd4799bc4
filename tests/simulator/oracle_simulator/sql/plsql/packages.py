# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle's own packages that blocks call: procedures; functions of a query are in ``sql.package_functions``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import StoredLob
from oracle_simulator.sql.plsql.datatypes import OpenCursor

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_LEAST_USER_ERROR, _MOST_USER_ERROR = -20999, -20000
_PAUSE_S = 0.05


class Procedure(NamedTuple):
    """``parameters`` are names, OUT and IN OUT ones with a star before them; ``run`` gives the values of those.
    ``least``: how many must be given."""

    parameters: tuple[str, ...]
    run: Callable[[DatabaseSession, Sequence[Any]], Sequence[Any] | None]
    least: int


def _text(value: Any, most: int) -> str:
    return "" if value is None else str(value)[:most]


def _set_module(session: DatabaseSession, arguments: Sequence[Any]) -> None:
    session.record.module, session.record.action = _text(arguments[0], 48), _text(arguments[1], 32)


def _set_action(session: DatabaseSession, arguments: Sequence[Any]) -> None:
    session.record.action = _text(arguments[0], 32)


def _set_client_info(session: DatabaseSession, arguments: Sequence[Any]) -> None:
    session.record.client_info = _text(arguments[0], 64)


def _read_module(session: DatabaseSession, _arguments: Sequence[Any]) -> Sequence[Any]:
    return session.record.module or None, session.record.action or None


def _set_identifier(session: DatabaseSession, arguments: Sequence[Any]) -> None:
    session.record.client_identifier = _text(arguments[0], 64)


def _clear_identifier(session: DatabaseSession, _arguments: Sequence[Any]) -> None:
    session.record.client_identifier = ""


def _sleep(session: DatabaseSession, arguments: Sequence[Any]) -> None:
    end = time.monotonic() + float(arguments[0] or 0)
    while (left := end - time.monotonic()) > 0:
        if session.is_cancelled():
            raise OracleError(1013, "user requested cancel of current operation")
        if session.instance.terminated.wait(min(left, _PAUSE_S)):
            raise OracleError(1092, "ORACLE instance terminated. Disconnection forced")


def _enable_output(session: DatabaseSession, _arguments: Sequence[Any]) -> None:
    session.output.enable()


def _disable_output(session: DatabaseSession, _arguments: Sequence[Any]) -> None:
    session.output.disable()


def _put(session: DatabaseSession, arguments: Sequence[Any]) -> None:
    session.output.put(_text(arguments[0], 32767))


def _put_line(session: DatabaseSession, arguments: Sequence[Any]) -> None:
    session.output.put(_text(arguments[0], 32767))
    session.output.new_line()


def _new_line(session: DatabaseSession, _arguments: Sequence[Any]) -> None:
    session.output.new_line()


def _get_line(session: DatabaseSession, _arguments: Sequence[Any]) -> Sequence[Any]:
    lines = session.output.take(1)
    return (lines[0] if lines else None), int(not lines)


def _get_lines(session: DatabaseSession, arguments: Sequence[Any]) -> Sequence[Any]:
    lines = session.output.take(int(arguments[1] or 0))
    return lines, len(lines)


def _raise_application_error(_session: DatabaseSession, arguments: Sequence[Any]) -> None:
    code = int(arguments[0])
    if not _LEAST_USER_ERROR <= code <= _MOST_USER_ERROR:
        raise OracleError(
            21000, f"error number argument to raise_application_error of {code} is out of range"
        )
    raise OracleError(-code, _text(arguments[1], 2048))


def _write_append(_session: DatabaseSession, arguments: Sequence[Any]) -> Sequence[Any]:
    lob, amount, addition = arguments
    content = lob.content if isinstance(lob, StoredLob) else lob if lob is not None else addition[:0]
    return (content + addition[: int(amount)],)


def _append(_session: DatabaseSession, arguments: Sequence[Any]) -> Sequence[Any]:
    contents: list[Any] = [value.content if isinstance(value, StoredLob) else value for value in arguments]
    present, addition = contents
    return (addition if present is None else present + addition,)


def _create_temporary(_session: DatabaseSession, _arguments: Sequence[Any]) -> Sequence[Any]:
    return ("",)


def _copy(_session: DatabaseSession, arguments: Sequence[Any]) -> Sequence[Any]:
    contents: list[Any] = [value.content if isinstance(value, StoredLob) else value for value in arguments]
    present, copied, amount, target_offset, source_offset = contents
    start, first = int(target_offset or 1) - 1, int(source_offset or 1) - 1
    part = copied[first : first + int(amount)]
    present = part[:0] if present is None else present
    present = present.ljust(start, b"\0" if isinstance(part, bytes) else " ")
    return (present[:start] + part + present[start + len(part) :],)


def _return_result(session: DatabaseSession, arguments: Sequence[Any]) -> None:
    cursor = arguments[0]
    if not isinstance(cursor, OpenCursor):
        raise OracleError(29481, "Implicit results cannot be returned to client.")
    session.implicit_results.append(cursor.result)


def _nothing(_session: DatabaseSession, _arguments: Sequence[Any]) -> None:
    """Accepted: there is nothing here that it could change."""


def _procedure(
    parameters: str,
    run: Callable[[DatabaseSession, Sequence[Any]], Sequence[Any] | None],
    least: int | None = None,
) -> Procedure:
    names = tuple(parameters.split())
    return Procedure(names, run, len(names) if least is None else least)


PROCEDURES: dict[str, Procedure] = {
    "DBMS_APPLICATION_INFO.SET_MODULE": _procedure("MODULE_NAME ACTION_NAME", _set_module),
    "DBMS_APPLICATION_INFO.SET_ACTION": _procedure("ACTION_NAME", _set_action),
    "DBMS_APPLICATION_INFO.SET_CLIENT_INFO": _procedure("CLIENT_INFO", _set_client_info),
    "DBMS_APPLICATION_INFO.READ_MODULE": _procedure("*MODULE_NAME *ACTION_NAME", _read_module),
    "DBMS_SESSION.SET_IDENTIFIER": _procedure("CLIENT_ID", _set_identifier),
    "DBMS_SESSION.CLEAR_IDENTIFIER": _procedure("", _clear_identifier),
    "DBMS_SESSION.RESET_PACKAGE": _procedure("", _nothing),
    "DBMS_SESSION.SLEEP": _procedure("SECONDS", _sleep),
    "DBMS_LOCK.SLEEP": _procedure("SECONDS", _sleep),
    "DBMS_OUTPUT.ENABLE": _procedure("BUFFER_SIZE", _enable_output, 0),
    "DBMS_OUTPUT.DISABLE": _procedure("", _disable_output),
    "DBMS_OUTPUT.PUT": _procedure("A", _put),
    "DBMS_OUTPUT.PUT_LINE": _procedure("A", _put_line),
    "DBMS_OUTPUT.NEW_LINE": _procedure("", _new_line),
    "DBMS_OUTPUT.GET_LINE": _procedure("*LINE *STATUS", _get_line),
    "DBMS_OUTPUT.GET_LINES": _procedure("*LINES *NUMLINES", _get_lines),
    "DBMS_LOB.WRITEAPPEND": _procedure("*LOB_LOC AMOUNT BUFFER", _write_append),
    "DBMS_LOB.APPEND": _procedure("*DEST_LOB SRC_LOB", _append),
    "DBMS_LOB.COPY": _procedure("*DEST_LOB SRC_LOB AMOUNT DEST_OFFSET SRC_OFFSET", _copy, 3),
    "DBMS_SQL.RETURN_RESULT": _procedure("RC TO_CLIENT", _return_result, 1),
    "DBMS_LOB.CREATETEMPORARY": _procedure("*LOB_LOC CACHE DUR", _create_temporary, 2),
    "DBMS_LOB.FREETEMPORARY": _procedure("*LOB_LOC", lambda _session, _arguments: (None,)),
    "DBMS_RANDOM.SEED": _procedure("VAL", _nothing),
    "DBMS_STATS.GATHER_TABLE_STATS": _procedure("OWNNAME TABNAME", _nothing),
    "RAISE_APPLICATION_ERROR": _procedure("NUM MSG KEEPERRORSTACK", _raise_application_error, 2),
}
