# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of the database, the instance and its parameters (Oracle Database Reference, "Dynamic Performance Views")."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import Any

from oracle_simulator.instance.control_file.control import DatabaseRecord, IncarnationRecord
from oracle_simulator.instance.instance import Instance, InstanceState
from oracle_simulator.instance.redo.thread_states import instance_name
from oracle_simulator.instance.release import base_text, full_text
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

_PLATFORM_ID, _PLATFORM_NAME = 13, "Linux x86 64-bit"
_STATUS = {
    InstanceState.STARTED: "STARTED",
    InstanceState.MOUNTED: "MOUNTED",
    InstanceState.OPEN: "OPEN",
    InstanceState.OPEN_READ_ONLY: "OPEN",
    InstanceState.CLOSING: "OPEN",
}
_OPEN_MODE = {
    InstanceState.OPEN: "READ WRITE",
    InstanceState.CLOSING: "READ WRITE",
    InstanceState.OPEN_READ_ONLY: "READ ONLY",
}


@dataclass(frozen=True)
class _Database:
    instance: Instance
    record: DatabaseRecord

    @property
    def current_scn(self) -> int | None:
        if self.instance.is_open:
            return self.instance.clock.current()
        return None if self.instance.readings.current_scn_when_closed_is_null else 0

    @property
    def incarnation(self) -> int:
        state = self.instance.control
        found = state.incarnation(self.record.resetlogs_scn, self.record.resetlogs_id)
        return found.number if found else 1

    @property
    def archivelog_scn(self) -> int:
        return max((log.next_scn for log in self.instance.control.archived_logs), default=0)


def _databases(context: ViewContext) -> list[_Database]:
    return [_Database(context.instance, context.instance.control.database)]


DATABASE = View(
    "V$DATABASE",
    Needs.CONTROL_FILE,
    _databases,
    [
        number("DBID", lambda d: d.record.dbid),
        text("NAME", 9, lambda d: d.record.name),
        date("CREATED", lambda d: d.record.created),
        number("RESETLOGS_CHANGE#", lambda d: d.record.resetlogs_scn),
        date("RESETLOGS_TIME", lambda d: decode_time(d.record.resetlogs_id)),
        number("PRIOR_RESETLOGS_CHANGE#", lambda d: d.record.prior_resetlogs_scn),
        date("PRIOR_RESETLOGS_TIME", lambda d: decode_time(d.record.prior_resetlogs_id)),
        text("LOG_MODE", 12, lambda d: d.record.log_mode),
        number("CHECKPOINT_CHANGE#", lambda d: d.record.checkpoint.scn),
        number("ARCHIVE_CHANGE#", lambda d: d.archivelog_scn),
        text("CONTROLFILE_TYPE", 7, lambda d: d.record.control_file_type),
        date("CONTROLFILE_CREATED", lambda d: d.record.controlfile_created or d.record.created),
        number("CONTROLFILE_SEQUENCE#", lambda d: d.record.sequence),
        number("CONTROLFILE_CHANGE#", lambda d: d.record.controlfile_scn),
        date("CONTROLFILE_TIME", lambda d: d.record.controlfile_time),
        text("OPEN_RESETLOGS", 11, lambda d: d.record.open_resetlogs),
        date("VERSION_TIME", lambda d: d.record.created),
        text("OPEN_MODE", 20, lambda d: _OPEN_MODE.get(d.instance.state, "MOUNTED")),
        text("PROTECTION_MODE", 20, lambda d: "MAXIMUM PERFORMANCE"),
        text("PROTECTION_LEVEL", 20, lambda d: "MAXIMUM PERFORMANCE"),
        text("REMOTE_ARCHIVE", 8, lambda d: "ENABLED"),
        number("ACTIVATION#", lambda d: d.record.dbid),
        number("SWITCHOVER#", lambda d: d.record.dbid),
        text("DATABASE_ROLE", 16, lambda d: "PHYSICAL STANDBY" if d.record.is_standby else "PRIMARY"),
        number("ARCHIVELOG_CHANGE#", lambda d: d.archivelog_scn),
        text("ARCHIVELOG_COMPRESSION", 8, lambda d: "DISABLED"),
        text("SWITCHOVER_STATUS", 20, lambda d: "NOT ALLOWED"),
        text("DATAGUARD_BROKER", 8, lambda d: "DISABLED"),
        text("GUARD_STATUS", 7, lambda d: "NONE"),
        text("SUPPLEMENTAL_LOG_DATA_MIN", 8, lambda d: "NO"),
        text("SUPPLEMENTAL_LOG_DATA_PK", 3, lambda d: "NO"),
        text("SUPPLEMENTAL_LOG_DATA_UI", 3, lambda d: "NO"),
        text("FORCE_LOGGING", 3, lambda d: yes_no(d.record.force_logging), until=(18,)),
        text("FORCE_LOGGING", 39, lambda d: yes_no(d.record.force_logging), since=(18,)),
        number("PLATFORM_ID", lambda d: _PLATFORM_ID),
        text("PLATFORM_NAME", 101, lambda d: _PLATFORM_NAME),
        number("RECOVERY_TARGET_INCARNATION#", lambda d: d.incarnation),
        number("LAST_OPEN_INCARNATION#", lambda d: d.incarnation),
        number("CURRENT_SCN", lambda d: d.current_scn),
        text("FLASHBACK_ON", 18, lambda d: "NO"),
        text("SUPPLEMENTAL_LOG_DATA_FK", 3, lambda d: "NO"),
        text("SUPPLEMENTAL_LOG_DATA_ALL", 3, lambda d: "NO"),
        text("DB_UNIQUE_NAME", 30, lambda d: d.instance.parameters.db_unique_name),
        number("STANDBY_BECAME_PRIMARY_SCN", lambda d: 0),
        text("FS_FAILOVER_STATUS", 22, lambda d: "DISABLED"),
        text("FS_FAILOVER_CURRENT_TARGET", 30, lambda d: None),
        number("FS_FAILOVER_THRESHOLD", lambda d: 0),
        text("FS_FAILOVER_OBSERVER_PRESENT", 7, lambda d: None),
        text("FS_FAILOVER_OBSERVER_HOST", 512, lambda d: None),
        text("CONTROLFILE_CONVERTED", 3, lambda d: "NO"),
        text("PRIMARY_DB_UNIQUE_NAME", 30, lambda d: None),
        text("SUPPLEMENTAL_LOG_DATA_PL", 3, lambda d: "NO"),
        number("MIN_REQUIRED_CAPTURE_CHANGE#", lambda d: None),
        text("CDB", 3, lambda d: yes_no(d.instance.control.containers), since=MULTITENANT),
        container(),
        text("PENDING_ROLE_CHANGE_TASKS", 512, lambda d: "NOT APPLICABLE", since=MULTITENANT),
        number("CON_DBID", lambda d: d.record.dbid, since=MULTITENANT),
        text("FORCE_FULL_DB_CACHING", 3, lambda d: "NO", since=(12, 1, 0, 2)),
    ],
)


@dataclass(frozen=True)
class _Instance:
    instance: Instance
    restricted: bool
    number: int

    @property
    def name(self) -> str:
        return instance_name(self.instance.home.sid, self.number)

    @property
    def thread(self) -> int:
        return self.number if self.instance.mounted else 0

    @property
    def parallel(self) -> bool:
        return self.instance.parameters.get("cluster_database").upper() == "TRUE"

    @property
    def log_switch_wait(self) -> str | None:
        writer = self.instance.redo.find_writer(self.number)
        return writer.switch_wait if writer is not None else None

    @property
    def archiver(self) -> str:
        if not self.instance.mounted:
            return "STOPPED"
        return self.instance.archiver.status

    @property
    def host(self) -> str:
        return platform.node()


def _instances(context: ViewContext) -> list[_Instance]:
    return [_Instance(context.instance, context.sessions.restricted, context.instance_number)]


INSTANCE = View(
    "V$INSTANCE",
    Needs.INSTANCE,
    _instances,
    [
        number("INSTANCE_NUMBER", lambda i: i.number),
        text("INSTANCE_NAME", 16, lambda i: i.name),
        text("HOST_NAME", 64, lambda i: i.host),
        text("VERSION", 17, lambda i: base_text(i.instance.version)),
        text("VERSION_LEGACY", 17, lambda i: base_text(i.instance.version), since=(18,)),
        text("VERSION_FULL", 17, lambda i: full_text(i.instance.version), since=(18,)),
        date("STARTUP_TIME", lambda i: i.instance.startup_time),
        text("STATUS", 12, lambda i: _STATUS.get(i.instance.state, "STARTED")),
        text("PARALLEL", 3, lambda i: yes_no(i.parallel)),
        number("THREAD#", lambda i: i.thread),
        text("ARCHIVER", 7, lambda i: i.archiver),
        text("LOG_SWITCH_WAIT", 15, lambda i: i.log_switch_wait),
        text("LOGINS", 10, lambda i: "RESTRICTED" if i.restricted else "ALLOWED"),
        text("SHUTDOWN_PENDING", 3, lambda i: yes_no(i.instance.shutdown_pending is not None)),
        text(
            "DATABASE_STATUS", 17, lambda i: "SUSPENDED" if i.instance.disk.suspension.suspended else "ACTIVE"
        ),
        text("INSTANCE_ROLE", 18, lambda i: "PRIMARY_INSTANCE" if i.instance.mounted else "UNKNOWN"),
        text("ACTIVE_STATE", 9, lambda i: "NORMAL"),
        text("BLOCKED", 3, lambda i: "NO"),
        container(),
        text("INSTANCE_MODE", 11, lambda i: "REGULAR", since=MULTITENANT),
        text("EDITION", 7, lambda i: "EE", since=MULTITENANT),
        text("FAMILY", 80, lambda i: None, since=MULTITENANT),
        text("DATABASE_TYPE", 15, lambda i: "RAC" if i.parallel else "SINGLE", since=(12, 2)),
    ],
)


def _incarnations(context: ViewContext) -> list[IncarnationRecord]:
    return context.instance.control.incarnations


DATABASE_INCARNATION = View(
    "V$DATABASE_INCARNATION",
    Needs.CONTROL_FILE,
    _incarnations,
    [
        number("INCARNATION#", lambda i: i.number),
        number("RESETLOGS_CHANGE#", lambda i: i.resetlogs_scn),
        date("RESETLOGS_TIME", lambda i: decode_time(i.resetlogs_id)),
        number("PRIOR_RESETLOGS_CHANGE#", lambda i: i.prior_resetlogs_scn),
        date("PRIOR_RESETLOGS_TIME", lambda i: decode_time(i.prior_resetlogs_id)),
        text("STATUS", 7, lambda i: i.status),
        number("RESETLOGS_ID", lambda i: i.resetlogs_id),
        number("PRIOR_INCARNATION#", lambda i: i.prior_number),
        text("FLASHBACK_DATABASE_ALLOWED", 26, lambda i: "NO"),
        container(),
    ],
)


def _diagnostics(context: ViewContext) -> list[tuple[str, str]]:
    home = context.instance.home
    trace = home.trace_folder / f"{home.sid}_ora_{os.getpid()}.trc"
    return [
        ("Diag Enabled", "TRUE"),
        ("ADR Base", str(home.root)),
        ("ADR Home", str(home.root / "diag")),
        ("Diag Trace", str(home.trace_folder)),
        ("Diag Alert", str(home.trace_folder)),
        ("Default Trace File", str(trace)),
        ("Active Problem Count", "0"),
        ("Active Incident Count", "0"),
    ]


DIAG_INFO = View(
    "V$DIAG_INFO",
    Needs.INSTANCE,
    _diagnostics,
    [text("NAME", 64, lambda d: d[0]), text("VALUE", 512, lambda d: d[1]), container()],
)


VIEWS: tuple[View[Any], ...] = (
    DATABASE,
    INSTANCE,
    DATABASE_INCARNATION,
    DIAG_INFO,
)
