# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of sessions, processes and what concerns the session itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from oracle_simulator.instance.release import base_text
from oracle_simulator.sql.session_registry import SessionRecord
from oracle_simulator.sql.views.definition import (
    Needs,
    View,
    ViewContext,
    container,
    date,
    number,
    text,
)

_BACKGROUND = ("PMON", "DBW0", "LGWR", "CKPT", "SMON", "ARC0", "ARC1", "ARC2", "ARC3")


def _sessions(context: ViewContext) -> list[SessionRecord]:
    background = [
        SessionRecord(
            sid=index, serial=1, user="SYS", background=name, logon_time=context.instance.startup_time
        )
        for index, name in enumerate(_BACKGROUND, 1)
    ]
    return [*background, *_users_here(context)]


def _users_here(context: ViewContext) -> list[SessionRecord]:
    return [each for each in context.sessions.records() if each.instance_number == context.instance_number]


SESSION = View(
    "V$SESSION",
    Needs.INSTANCE,
    _sessions,
    [
        text("SADDR", 16, lambda s: f"{s.sid:016X}"),
        number("SID", lambda s: s.sid),
        number("SERIAL#", lambda s: s.serial),
        number("AUDSID", lambda s: s.sid),
        text("PADDR", 16, lambda s: f"{s.sid:016X}"),
        number("USER#", lambda s: 0),
        text("USERNAME", 128, lambda s: None if s.background else s.user),
        number("COMMAND", lambda s: 0),
        text("STATUS", 8, lambda s: s.status),
        text("SERVER", 9, lambda s: s.client.server),
        text("SCHEMANAME", 128, lambda s: s.schema or s.user),
        text("OSUSER", 128, lambda s: s.os_user),
        text("PROCESS", 24, lambda s: s.process_id),
        text("MACHINE", 64, lambda s: s.machine),
        text("TERMINAL", 30, lambda s: s.terminal),
        text("PROGRAM", 84, lambda s: s.shown_program),
        text("TYPE", 10, lambda s: "BACKGROUND" if s.background else "USER"),
        text("SQL_ID", 13, lambda s: None),
        text("MODULE", 64, lambda s: s.module),
        text("ACTION", 64, lambda s: s.action),
        text("CLIENT_INFO", 64, lambda s: s.client_info),
        text("CLIENT_IDENTIFIER", 64, lambda s: s.client_identifier),
        date("LOGON_TIME", lambda s: s.logon_time),
        number("LAST_CALL_ET", lambda s: s.seconds_since_last_call),
        text("FAILED_OVER", 3, lambda s: "NO"),
        number("BLOCKING_SESSION", lambda s: s.blocking_session),
        text("EVENT", 64, lambda s: s.event),
        text("SERVICE_NAME", 64, lambda s: "SYS$BACKGROUND" if s.background else s.service_name),
        container(lambda s: s.con_id),
    ],
)


SESSION_CONNECT_INFO = View(
    "V$SESSION_CONNECT_INFO",
    Needs.INSTANCE,
    _users_here,
    [
        number("SID", lambda s: s.sid),
        number("SERIAL#", lambda s: s.serial),
        text("AUTHENTICATION_TYPE", 26, lambda s: "DATABASE" if s.client.address else "OS"),
        text("OSUSER", 128, lambda s: s.os_user),
        text(
            "NETWORK_SERVICE_BANNER",
            4000,
            lambda s: "TCP/IP NT Protocol Adapter" if s.client.address else None,
        ),
        text("CLIENT_CHARSET", 40, lambda s: "AL32UTF8"),
        text("CLIENT_CONNECTION", 13, lambda s: "Heterogeneous"),
        text("CLIENT_DRIVER", 30, lambda s: s.client.driver[:30]),
        container(lambda s: s.con_id),
    ],
)

PROCESS = View(
    "V$PROCESS",
    Needs.INSTANCE,
    _sessions,
    [
        text("ADDR", 16, lambda s: f"{s.sid:016X}"),
        number("PID", lambda s: s.sid),
        text("SPID", 24, lambda s: str(os.getpid())),
        text("PNAME", 5, lambda s: s.background),
        text("USERNAME", 15, lambda s: "oracle"),
        text("PROGRAM", 48, lambda s: s.shown_program),
        text("BACKGROUND", 1, lambda s: "1" if s.background else None),
        container(),
    ],
)


@dataclass(frozen=True)
class _Transaction:
    id: int
    owner: str


def _transactions(context: ViewContext) -> Iterator[_Transaction]:
    if context.transactions is not None:
        here = {str(session.sid) for session in _users_here(context)}
        for transaction in context.transactions.active():
            if transaction.owner.name in here:
                yield _Transaction(transaction.id, transaction.owner.name)


TRANSACTION = View(
    "V$TRANSACTION",
    Needs.INSTANCE,
    _transactions,
    [
        number("XIDUSN", lambda t: 1),
        number("XIDSLOT", lambda t: t.id & 0xFF),
        number("XIDSQN", lambda t: t.id >> 8),
        text("STATUS", 16, lambda t: "ACTIVE"),
        text("SES_ADDR", 16, lambda t: f"{int(t.owner):016X}" if t.owner.isdigit() else None),
        container(),
    ],
)


def _nls(context: ViewContext) -> list[tuple[str, str]]:
    session = context.session
    return [
        ("NLS_LANGUAGE", "AMERICAN"),
        ("NLS_TERRITORY", "AMERICA"),
        ("NLS_CHARACTERSET", "AL32UTF8"),
        ("NLS_NCHAR_CHARACTERSET", "AL16UTF16"),
        ("NLS_CALENDAR", "GREGORIAN"),
        ("NLS_DATE_FORMAT", session.date_format),
        ("NLS_TIMESTAMP_FORMAT", session.timestamp_format),
        ("NLS_DATE_LANGUAGE", "AMERICAN"),
        ("NLS_NUMERIC_CHARACTERS", ".,"),
        ("NLS_SORT", "BINARY"),
        ("NLS_COMP", "BINARY"),
        ("NLS_LENGTH_SEMANTICS", "BYTE"),
        ("NLS_RDBMS_VERSION", base_text(context.instance.version)),
    ]


_NLS_COLUMNS: list[Any] = [text("PARAMETER", 128, lambda p: p[0]), text("VALUE", 64, lambda p: p[1])]
NLS_PARAMETERS = View("V$NLS_PARAMETERS", Needs.INSTANCE, _nls, [*_NLS_COLUMNS, container()])
NLS_SESSION_PARAMETERS = View("NLS_SESSION_PARAMETERS", Needs.INSTANCE, _nls, _NLS_COLUMNS)

VIEWS: tuple[View[Any], ...] = (
    SESSION,
    SESSION_CONNECT_INFO,
    PROCESS,
    TRANSACTION,
    NLS_PARAMETERS,
    NLS_SESSION_PARAMETERS,
    NLS_SESSION_PARAMETERS.named("NLS_DATABASE_PARAMETERS"),
    NLS_SESSION_PARAMETERS.named("NLS_INSTANCE_PARAMETERS"),
)
