# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of the database, the instance and its parameters (Oracle Database Reference, "Dynamic Performance Views")."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oracle_simulator.instance.control import DatabaseRecord, IncarnationRecord
from oracle_simulator.instance.instance import Instance, InstanceState
from oracle_simulator.sql.views.definition import (
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
_BANNER = "Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production"
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
    def current_scn(self) -> int:
        return self.instance.clock.current() if self.instance.is_open else 0

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
        text("DATABASE_ROLE", 16, lambda d: "PRIMARY"),
        number("ARCHIVELOG_CHANGE#", lambda d: d.archivelog_scn),
        text("ARCHIVELOG_COMPRESSION", 8, lambda d: "DISABLED"),
        text("SWITCHOVER_STATUS", 20, lambda d: "NOT ALLOWED"),
        text("DATAGUARD_BROKER", 8, lambda d: "DISABLED"),
        text("GUARD_STATUS", 7, lambda d: "NONE"),
        text("SUPPLEMENTAL_LOG_DATA_MIN", 8, lambda d: "NO"),
        text("FORCE_LOGGING", 39, lambda d: yes_no(d.record.force_logging)),
        number("PLATFORM_ID", lambda d: _PLATFORM_ID),
        text("PLATFORM_NAME", 101, lambda d: _PLATFORM_NAME),
        number("RECOVERY_TARGET_INCARNATION#", lambda d: d.incarnation),
        number("LAST_OPEN_INCARNATION#", lambda d: d.incarnation),
        number("CURRENT_SCN", lambda d: d.current_scn),
        text("FLASHBACK_ON", 18, lambda d: "NO"),
        text("DB_UNIQUE_NAME", 30, lambda d: d.instance.parameters.db_unique_name),
        text("FS_FAILOVER_STATUS", 22, lambda d: "DISABLED"),
        text("PRIMARY_DB_UNIQUE_NAME", 30, lambda d: None),
        text("CDB", 3, lambda d: yes_no(d.instance.control.containers)),
        container(),
    ],
)


@dataclass(frozen=True)
class _Instance:
    instance: Instance
    restricted: bool

    @property
    def thread(self) -> int:
        return self.instance.control.thread.thread if self.instance.mounted else 0

    @property
    def archiver(self) -> str:
        if not self.instance.mounted:
            return "STOPPED"
        return self.instance.archiver.status

    @property
    def host(self) -> str:
        return platform.node()


def _instances(context: ViewContext) -> list[_Instance]:
    return [_Instance(context.instance, context.sessions.restricted)]


def version_text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


INSTANCE = View(
    "V$INSTANCE",
    Needs.INSTANCE,
    _instances,
    [
        number("INSTANCE_NUMBER", lambda i: 1),
        text("INSTANCE_NAME", 16, lambda i: i.instance.home.sid),
        text("HOST_NAME", 64, lambda i: i.host),
        text("VERSION", 17, lambda i: f"{i.instance.version[0]}.0.0.0.0"),
        text("VERSION_LEGACY", 17, lambda i: f"{i.instance.version[0]}.0.0.0.0"),
        text("VERSION_FULL", 17, lambda i: version_text(i.instance.version)),
        date("STARTUP_TIME", lambda i: i.instance.startup_time),
        text("STATUS", 12, lambda i: _STATUS.get(i.instance.state, "STARTED")),
        text("PARALLEL", 3, lambda i: "NO"),
        number("THREAD#", lambda i: i.thread),
        text("ARCHIVER", 7, lambda i: i.archiver),
        text("LOG_SWITCH_WAIT", 15, lambda i: i.instance.log_switch_wait),
        text("LOGINS", 10, lambda i: "RESTRICTED" if i.restricted else "ALLOWED"),
        text("SHUTDOWN_PENDING", 3, lambda i: yes_no(i.instance.state is InstanceState.CLOSING)),
        text("DATABASE_STATUS", 17, lambda i: "ACTIVE"),
        text("INSTANCE_ROLE", 18, lambda i: "PRIMARY_INSTANCE" if i.instance.mounted else "UNKNOWN"),
        text("ACTIVE_STATE", 9, lambda i: "NORMAL"),
        text("BLOCKED", 3, lambda i: "NO"),
        container(),
        text("INSTANCE_MODE", 11, lambda i: "REGULAR"),
        text("EDITION", 7, lambda i: "EE"),
        text("FAMILY", 80, lambda i: None),
        text("DATABASE_TYPE", 15, lambda i: "SINGLE"),
    ],
)


def _banner(context: ViewContext) -> list[str]:
    return [version_text(context.instance.version)]


VERSION = View(
    "V$VERSION",
    Needs.INSTANCE,
    _banner,
    [
        text("BANNER", 80, lambda v: _BANNER),
        text("BANNER_FULL", 160, lambda v: f"{_BANNER}\nVersion {v}"),
        text("BANNER_LEGACY", 80, lambda v: _BANNER),
        container(),
    ],
)

PRODUCT_COMPONENT_VERSION = View(
    "PRODUCT_COMPONENT_VERSION",
    Needs.INSTANCE,
    _banner,
    [
        text("PRODUCT", 80, lambda v: "Oracle Database 19c Enterprise Edition "),
        text("VERSION", 80, lambda v: "19.0.0.0.0"),
        text("VERSION_FULL", 80, lambda v: v),
        text("STATUS", 80, lambda v: "Production"),
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


@dataclass(frozen=True)
class _Parameter:
    number: int
    name: str
    value: str | None
    default: bool
    ordinal: int = 1

    @property
    def type(self) -> int:
        value = self.value or ""
        return 1 if value.upper() in ("TRUE", "FALSE") else 3 if value.isdigit() else 2


def _parameters(context: ViewContext) -> Iterator[_Parameter]:
    parameters = context.instance.parameters
    for index, name in enumerate(parameters.names(), 1):
        yield _Parameter(index, name, parameters.get(name) or None, parameters.is_default(name))


def _parameter_values(context: ViewContext) -> Iterator[_Parameter]:
    parameters = context.instance.parameters
    for index, name in enumerate(parameters.names(), 1):
        values = parameters.values(name) or (None,)
        for ordinal, value in enumerate(values, 1):
            yield _Parameter(index, name, value, parameters.is_default(name), ordinal)


_PARAMETER_COLUMNS: list[Any] = [
    number("NUM", lambda p: p.number),
    text("NAME", 80, lambda p: p.name),
    number("TYPE", lambda p: p.type),
    text("VALUE", 4000, lambda p: p.value),
    text("DISPLAY_VALUE", 4000, lambda p: p.value),
    text("ISDEFAULT", 9, lambda p: "TRUE" if p.default else "FALSE"),
    text("ISSES_MODIFIABLE", 5, lambda p: "FALSE"),
    text("ISSYS_MODIFIABLE", 9, lambda p: "IMMEDIATE"),
    text("ISMODIFIED", 10, lambda p: "FALSE"),
    text("ISADJUSTED", 5, lambda p: "FALSE"),
    text("DESCRIPTION", 255, lambda p: None),
    container(),
]
PARAMETER = View("V$PARAMETER", Needs.INSTANCE, _parameters, _PARAMETER_COLUMNS)
PARAMETER2 = View(
    "V$PARAMETER2",
    Needs.INSTANCE,
    _parameter_values,
    [*_PARAMETER_COLUMNS, number("ORDINAL", lambda p: p.ordinal)],
)
SPPARAMETER = View(
    "V$SPPARAMETER",
    Needs.INSTANCE,
    _parameter_values,
    [
        text("SID", 80, lambda p: "*"),
        text("NAME", 80, lambda p: p.name),
        text("VALUE", 255, lambda p: None),
        text("DISPLAY_VALUE", 255, lambda p: None),
        text("ISSPECIFIED", 6, lambda p: "FALSE"),
        number("ORDINAL", lambda p: 0),
        container(),
    ],
)
OPTION = View(
    "V$OPTION",
    Needs.INSTANCE,
    lambda _context: ("Partitioning", "Real Application Clusters", "Flashback Database"),
    [text("PARAMETER", 64, lambda o: o), text("VALUE", 64, lambda o: "FALSE"), container()],
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


def _control_files(context: ViewContext) -> list[Path]:
    return list(context.instance.parameters.control_files) if context.instance.mounted else []


def _blocks_of(path: Path) -> int:
    try:
        return path.stat().st_size // 16384 - 1
    except OSError:
        return 0


CONTROLFILE = View(
    "V$CONTROLFILE",
    Needs.INSTANCE,
    _control_files,
    [
        text("STATUS", 7, lambda p: None),
        text("NAME", 513, str),
        text("IS_RECOVERY_DEST_FILE", 3, lambda p: "NO"),
        number("BLOCK_SIZE", lambda p: 16384),
        number("FILE_SIZE_BLKS", _blocks_of),
        container(),
    ],
)

VIEWS: tuple[View[Any], ...] = (
    DATABASE,
    INSTANCE,
    VERSION,
    PRODUCT_COMPONENT_VERSION,
    DATABASE_INCARNATION,
    PARAMETER,
    PARAMETER.named("V$SYSTEM_PARAMETER"),
    PARAMETER2,
    SPPARAMETER,
    OPTION,
    DIAG_INFO,
    CONTROLFILE,
)
