# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is connected: the records behind V$SESSION, and killing sessions."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import NON_CDB
from oracle_simulator.instance.wall_clock import WallClock
from oracle_simulator.net.backend import AdminMode, ClientInfo, SessionStatistics

if TYPE_CHECKING:
    from collections.abc import Callable

    from oracle_simulator.instance.recovery.media_recovery import RecoverySession

_FIRST_USER_SID = 20
_MOST_SESSIONS = 400


@dataclass(eq=False)
class SessionRecord:
    """One session as others see it. Written by its own thread; ``killed`` and ``leaving`` (it is
    disconnected when its transaction has ended) also by others."""

    sid: int
    serial: int
    user: str
    mode: AdminMode = AdminMode.NORMAL
    background: str | None = None
    client: ClientInfo = field(default_factory=ClientInfo)
    logon_time: datetime | None = None
    schema: str = ""
    module: str = ""
    action: str = ""
    client_info: str = ""
    client_identifier: str = ""
    date_format: str = "DD-MON-RR"
    timestamp_format: str = "DD-MON-RR HH.MI.SSXFF AM"
    timestamp_tz_format: str = "DD-MON-RR HH.MI.SSXFF AM TZR"
    time_zone: str = "+00:00"
    in_call: bool = False
    last_call: float = field(default_factory=time.monotonic)
    killed: OracleError | None = None
    leaving: bool = False
    recovery: RecoverySession | None = None
    con_id: int = NON_CDB
    instance_number: int = 1
    service_name: str = "SYS$USERS"
    statistics: SessionStatistics = field(default_factory=SessionStatistics)
    blocker: Callable[[], int | None] = lambda: None
    in_transaction: Callable[[], bool] = lambda: False
    interrupt: Callable[[], None] = lambda: None
    abandon: Callable[[], None] = lambda: None

    @property
    def status(self) -> str:
        if self.killed is not None:
            return "KILLED"
        return "ACTIVE" if self.in_call or self.background else "INACTIVE"

    @property
    def os_user(self) -> str:
        return self.client.os_user if not self.background else "oracle"

    @property
    def process_id(self) -> str:
        return self.client.process_id

    @property
    def machine(self) -> str:
        return self.client.machine

    @property
    def terminal(self) -> str:
        return self.client.terminal

    @property
    def shown_program(self) -> str:
        return f"oracle ({self.background})" if self.background else self.client.program

    @property
    def seconds_since_last_call(self) -> int:
        return int(time.monotonic() - self.last_call)

    @property
    def blocking_session(self) -> int | None:
        return self.blocker()

    @property
    def event(self) -> str:
        if self.background:
            return "rdbms ipc message"
        if self.blocker() is not None:
            return "enq: TX - row lock contention"
        return "CPU" if self.in_call else "SQL*Net message from client"


class SessionRegistry:
    """All user sessions of an instance. Its own lock, never held while anything else is waited for."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._sessions: dict[int, SessionRecord] = {}
        self._serials: dict[int, int] = {}
        self.restricted = False

    def add(
        self,
        user: str,
        mode: AdminMode,
        client: ClientInfo,
        con_id: int = NON_CDB,
        instance_number: int = 1,
    ) -> SessionRecord:
        """Register a session in a container and an instance. Raises ORA-00018."""
        with self._changed:
            sid = next(
                (
                    n
                    for n in range(_FIRST_USER_SID, _FIRST_USER_SID + _MOST_SESSIONS)
                    if n not in self._sessions
                ),
                None,
            )
            if sid is None:
                raise OracleError(18, "maximum number of sessions exceeded")
            serial = self._serials[sid] = self._serials.get(sid, 0) + 1
            record = SessionRecord(
                sid,
                serial,
                user,
                mode,
                client=client,
                logon_time=self._clock.second(),
                schema=user,
                module=client.program,
                con_id=con_id,
                service_name=(client.service_name or "SYS$USERS").upper(),
                instance_number=instance_number,
            )
            self._sessions[sid] = record
            return record

    def remove(self, record: SessionRecord) -> None:
        with self._changed:
            if self._sessions.get(record.sid) is record:
                del self._sessions[record.sid]
            self._changed.notify_all()

    def records(self) -> list[SessionRecord]:
        with self._changed:
            return list(self._sessions.values())

    def find(self, sid: int, serial: int) -> SessionRecord | None:
        with self._changed:
            record = self._sessions.get(sid)
            return record if record is not None and record.serial == serial else None

    def kill(self, record: SessionRecord, error: OracleError) -> None:
        """Let the session's running statement, or its next one, fail with ``error``; undo its transaction."""
        record.killed = record.killed or error
        record.interrupt()
        record.abandon()

    def wait_until_gone(self, wanted: Callable[[SessionRecord], bool], cancelled: Callable[[], bool]) -> None:
        """Wait until no session satisfies ``wanted``, or ``cancelled`` says to stop waiting."""
        with self._changed:
            while any(wanted(record) for record in self._sessions.values()) and not cancelled():
                self._changed.wait(0.25)
