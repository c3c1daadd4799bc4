# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of archived logs, archive destinations and archiver processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oracle_simulator.instance.archiving.archive_destinations import (
    DESTINATIONS,
    ArchiveDestination,
    DestinationStatus,
)
from oracle_simulator.instance.control_file.control import ArchivedLogRecord
from oracle_simulator.instance.state import InstanceState
from oracle_simulator.sql.views.definition import (
    MULTITENANT,
    Needs,
    View,
    ViewContext,
    container,
    date,
    number,
    text,
    yes_no,
)
from oracle_simulator.storage.oracle_time import decode_time

_ARCHIVERS = 30
"""V$ARCHIVE_PROCESSES has a row for every ARCn there can be."""


_DATABASE_MODE = {
    InstanceState.STARTED: "STARTED",
    InstanceState.MOUNTED: "MOUNTED",
    InstanceState.OPEN: "OPEN",
    InstanceState.OPEN_READ_ONLY: "OPEN_READ-ONLY",
}


@dataclass(frozen=True)
class _ArchivedLog:
    record: ArchivedLogRecord
    resetlogs_time: datetime | None


def _archived_logs(context: ViewContext) -> Iterator[_ArchivedLog]:
    for record in list(context.instance.control.archived_logs):
        yield _ArchivedLog(record, decode_time(record.resetlogs_id))


ARCHIVED_LOG = View(
    "V$ARCHIVED_LOG",
    Needs.CONTROL_FILE,
    _archived_logs,
    [
        number("RECID", lambda a: a.record.recid),
        number("STAMP", lambda a: a.record.stamp),
        text("NAME", 513, lambda a: a.record.name),
        number("DEST_ID", lambda a: a.record.dest_id),
        number("THREAD#", lambda a: a.record.thread),
        number("SEQUENCE#", lambda a: a.record.sequence),
        number("RESETLOGS_CHANGE#", lambda a: a.record.resetlogs_scn),
        date("RESETLOGS_TIME", lambda a: a.resetlogs_time),
        number("RESETLOGS_ID", lambda a: a.record.resetlogs_id),
        number("FIRST_CHANGE#", lambda a: a.record.first_scn),
        date("FIRST_TIME", lambda a: a.record.first_time),
        number("NEXT_CHANGE#", lambda a: a.record.next_scn),
        date("NEXT_TIME", lambda a: a.record.next_time),
        number("BLOCKS", lambda a: a.record.blocks),
        number("BLOCK_SIZE", lambda a: a.record.block_size),
        text("CREATOR", 7, lambda a: a.record.creator),
        text("REGISTRAR", 7, lambda a: a.record.registrar),
        text("STANDBY_DEST", 3, lambda a: "NO"),
        text("ARCHIVED", 3, lambda a: "YES"),
        text("APPLIED", 9, lambda a: yes_no(a.record.applied)),
        text("DELETED", 3, lambda a: yes_no(a.record.deleted)),
        text("STATUS", 1, lambda a: a.record.status),
        date("COMPLETION_TIME", lambda a: a.record.completion_time),
        text("DICTIONARY_BEGIN", 3, lambda a: "NO"),
        text("DICTIONARY_END", 3, lambda a: "NO"),
        text("END_OF_REDO", 3, lambda a: "NO"),
        number("BACKUP_COUNT", lambda a: a.record.backup_count),
        text("IS_RECOVERY_DEST_FILE", 3, lambda a: yes_no(a.record.in_recovery_area)),
        text("COMPRESSED", 3, lambda a: "NO"),
        text("FAL", 3, lambda a: "NO"),
        text("END_OF_REDO_TYPE", 10, lambda a: None),
        container(),
    ],
)


@dataclass(frozen=True)
class _Destination:
    """One archive destination; ``setting`` is None for one that is not configured."""

    dest_id: int
    setting: ArchiveDestination | None
    state: DestinationStatus
    last: ArchivedLogRecord | None
    used: bool
    instance_state: InstanceState
    standby: bool

    @property
    def error(self) -> str | None:
        return self.state.error if self.setting else None

    @property
    def status(self) -> str:
        if self.setting is None:
            return "INACTIVE"
        if self.setting.state == "DEFER":
            return "DEFERRED"
        if self.state.disabled:
            return "DISABLED"
        if self.setting.state == "ALTERNATE" and not self.used:
            return "ALTERNATE"
        return "ERROR" if self.error else "VALID"

    @property
    def remote(self) -> bool:
        return self.setting is not None and self.setting.remote

    @property
    def alternate(self) -> str:
        chosen = self.setting.alternate if self.setting else None
        return f"LOG_ARCHIVE_DEST_{chosen}" if chosen else "NONE"

    @property
    def database_mode(self) -> str:
        if self.setting is None:
            return "UNKNOWN"
        if self.standby and self.instance_state is InstanceState.MOUNTED:
            return "MOUNTED-STANDBY"
        return _DATABASE_MODE.get(self.instance_state, "UNKNOWN")

    @property
    def location(self) -> str | None:
        return self.setting.location if self.setting else None

    @property
    def binding(self) -> str:
        return "MANDATORY" if self.setting and self.setting.mandatory else "OPTIONAL"


def _destinations(context: ViewContext) -> Iterator[_Destination]:
    instance = context.instance
    settings = {setting.dest_id: setting for setting in instance.archiver.destinations}
    used = {destination.dest_id for destination in instance.archiver.destinations_in_use}
    logs = list(instance.control.archived_logs) if instance.mounted else []
    standby = instance.mounted and instance.control.database.is_standby
    for dest_id in range(1, DESTINATIONS + 1):
        own = [log for log in logs if log.dest_id == dest_id]
        state = instance.archiver.destination(dest_id)
        last = own[-1] if own else None
        yield _Destination(
            dest_id, settings.get(dest_id), state, last, dest_id in used, instance.state, standby
        )


ARCHIVE_DEST = View(
    "V$ARCHIVE_DEST",
    Needs.INSTANCE,
    _destinations,
    [
        number("DEST_ID", lambda d: d.dest_id),
        text("DEST_NAME", 256, lambda d: f"LOG_ARCHIVE_DEST_{d.dest_id}"),
        text("STATUS", 9, lambda d: d.status),
        text("BINDING", 9, lambda d: d.binding),
        text("NAME_SPACE", 7, lambda d: "SYSTEM"),
        text("TARGET", 16, lambda d: "STANDBY" if d.remote else "PRIMARY"),
        text("ARCHIVER", 10, lambda d: "ARCH"),
        text("SCHEDULE", 8, lambda d: "ACTIVE" if d.setting else "INACTIVE"),
        text("DESTINATION", 256, lambda d: d.location),
        number("LOG_SEQUENCE", lambda d: d.last.sequence if d.last else 0),
        number("REOPEN_SECS", lambda d: d.setting.reopen_seconds if d.setting else 0),
        number("DELAY_MINS", lambda d: 0),
        number("MAX_CONNECTIONS", lambda d: 1),
        number("NET_TIMEOUT", lambda d: 0),
        text("PROCESS", 10, lambda d: "ARCH"),
        text("REGISTER", 3, lambda d: "YES"),
        date("FAIL_DATE", lambda d: d.state.fail_time),
        number("FAIL_SEQUENCE", lambda d: d.state.fail_sequence),
        number("FAIL_BLOCK", lambda d: 0),
        number("FAILURE_COUNT", lambda d: d.state.failures),
        number("MAX_FAILURE", lambda d: d.setting.max_failure if d.setting else 0),
        text("ERROR", 256, lambda d: d.error),
        text("ALTERNATE", 256, lambda d: d.alternate),
        text("DEPENDENCY", 256, lambda d: "NONE"),
        text("REMOTE_TEMPLATE", 256, lambda d: "NONE"),
        number("QUOTA_SIZE", lambda d: 0),
        number("QUOTA_USED", lambda d: 0),
        number("MOUNTID", lambda d: 0),
        text("TRANSMIT_MODE", 12, lambda d: "SYNCHRONOUS"),
        number("ASYNC_BLOCKS", lambda d: 0),
        text("AFFIRM", 3, lambda d: "YES" if d.setting else "NO"),
        text("TYPE", 7, lambda d: "PUBLIC"),
        text("VALID_NOW", 16, lambda d: "YES" if d.status == "VALID" else "UNKNOWN"),
        text("VALID_TYPE", 15, lambda d: d.setting.valid_for[0] if d.setting else "ALL_LOGFILES"),
        text("VALID_ROLE", 12, lambda d: d.setting.valid_for[1] if d.setting else "ALL_ROLES"),
        text("DB_UNIQUE_NAME", 30, lambda d: "NONE"),
        text("VERIFY", 3, lambda d: "NO"),
        text("COMPRESSION", 7, lambda d: "DISABLE"),
        number("APPLIED_SCN", lambda d: 0),
        container(),
        text("ENCRYPTION", 7, lambda d: "DISABLE", since=MULTITENANT),
    ],
)
ARCHIVE_DEST_STATUS = View(
    "V$ARCHIVE_DEST_STATUS",
    Needs.INSTANCE,
    _destinations,
    [
        number("DEST_ID", lambda d: d.dest_id),
        text("DEST_NAME", 256, lambda d: f"LOG_ARCHIVE_DEST_{d.dest_id}"),
        text("STATUS", 9, lambda d: d.status),
        text("TYPE", 16, lambda d: "UNKNOWN" if d.remote else "LOCAL"),
        text("DATABASE_MODE", 15, lambda d: d.database_mode),
        text("RECOVERY_MODE", 34, lambda d: "IDLE"),
        text("PROTECTION_MODE", 20, lambda d: "MAXIMUM PERFORMANCE"),
        text("DESTINATION", 256, lambda d: d.location),
        number("STANDBY_LOGFILE_COUNT", lambda d: 0),
        number("STANDBY_LOGFILE_ACTIVE", lambda d: 0),
        number("ARCHIVED_THREAD#", lambda d: d.last.thread if d.last else 0),
        number("ARCHIVED_SEQ#", lambda d: d.last.sequence if d.last else 0),
        number("APPLIED_THREAD#", lambda d: 0),
        number("APPLIED_SEQ#", lambda d: 0),
        text("ERROR", 256, lambda d: d.error),
        text("SRL", 3, lambda d: "NO"),
        text("DB_UNIQUE_NAME", 30, lambda d: "NONE"),
        text("SYNCHRONIZATION_STATUS", 22, lambda d: "CHECK CONFIGURATION"),
        text("SYNCHRONIZED", 3, lambda d: "NO"),
        text("GAP_STATUS", 24, lambda d: None),
        container(),
    ],
)


@dataclass(frozen=True)
class _ArchiveProcess:
    number: int
    status: str
    sequence: int


def _archive_processes(context: ViewContext) -> Iterator[_ArchiveProcess]:
    instance = context.instance
    running = instance.mounted and instance.archiver.status != "STOPPED"
    busy = instance.archiver.busy_with or 0 if running else 0
    started = instance.parameters.integer("log_archive_max_processes") if running else 0
    for process in range(_ARCHIVERS):
        status = "ACTIVE" if process < started else "STOPPED"
        yield _ArchiveProcess(process, status, busy if process == 0 else 0)


ARCHIVE_PROCESSES = View(
    "V$ARCHIVE_PROCESSES",
    Needs.INSTANCE,
    _archive_processes,
    [
        number("PROCESS", lambda p: p.number),
        text("STATUS", 10, lambda p: p.status),
        number("LOG_SEQUENCE", lambda p: p.sequence),
        text("STATE", 4, lambda p: "BUSY" if p.sequence else "IDLE"),
        text("ROLES", 36, lambda p: "HEART_BEAT" if p.number == 0 else None),
        container(),
    ],
)


VIEWS: tuple[View[Any], ...] = (
    ARCHIVED_LOG,
    ARCHIVE_DEST,
    ARCHIVE_DEST_STATUS,
    ARCHIVE_PROCESSES,
)
