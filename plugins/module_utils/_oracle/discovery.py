# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the database says of itself, read from control-file views: they answer when mounted and when open.

One query per question, never one per file; joins are made here, which keeps the SQL plain for every release.
Columns: Database Reference, V$ views.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import OracleRefused
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import is_set_id
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    Container,
    Database,
    Incarnation,
    Instance,
    LiveSession,
    RecoveryArea,
    Tempfile,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import iso_time
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.connection import SESSION_MODULE
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.redo_views import (
    read_archived_logs,
    read_archived_logs_from_sequence,
    read_destinations,
    read_online_logs,
    read_threads,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.release import Release
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.tablespace_views import (
    read_backup_status,
    read_tablespaces,
)

__all__ = [
    "container_name",
    "current_scn",
    "foreign_sessions",
    "read_archived_logs",
    "read_archived_logs_from_sequence",
    "read_backup_status",
    "read_database",
    "read_destinations",
    "read_instances",
    "read_online_logs",
    "read_tablespaces",
    "read_threads",
]

_PARAMETERS = frozenset(
    {
        "archive_lag_target",
        "cluster_database",
        "compatible",
        "control_file_record_keep_time",
        "control_files",
        "db_block_size",
        "db_create_file_dest",
        "db_files",
        "db_name",
        "db_recovery_file_dest",
        "db_recovery_file_dest_size",
        "db_unique_name",
        "instance_name",
        "log_archive_dest",
        "log_archive_format",
        "log_archive_min_succeed_dest",
        "remote_login_passwordfile",
        "spfile",
        "tde_configuration",
        "undo_tablespace",
        "wallet_root",
    }
)
_PARAMETER_PREFIX = "log_archive_dest_"
_NO_SUCH_VIEW = 942
_SETTLE_SECONDS = 15


def read_database(gateway: Gateway, *, sleep: Callable[[float], None] = time.sleep) -> Database:
    """Return identity and state of a mounted or open database. Raises OracleRefused (ORA-01507 if not
    mounted).
    """
    instances = _settled_instances(gateway, sleep)
    version = instances[0].version
    release = Release.of(version)
    row = gateway.query_one(
        "SELECT dbid, name, db_unique_name, log_mode, open_mode, database_role, controlfile_type,"
        " open_resetlogs, resetlogs_change#, resetlogs_time, current_scn, force_logging, platform_name"
        f"{', cdb' if release.has_containers else ''} FROM v$database"
    )
    cdb = row.get("cdb") == "YES"
    parameters = _parameters(gateway)
    is_open = row["open_mode"] != "MOUNTED"
    return Database(
        dbid=row["dbid"],
        name=row["name"],
        unique_name=row["db_unique_name"],
        log_mode=row["log_mode"],
        open_mode=row["open_mode"],
        role=row["database_role"],
        control_file_type=row["controlfile_type"],
        open_resetlogs=row["open_resetlogs"],
        resetlogs_scn=row["resetlogs_change#"],
        resetlogs_time=_iso(row["resetlogs_time"]),
        # When not open, the reference says NULL and practice says 0.
        current_scn=row["current_scn"] or None,
        force_logging=row["force_logging"],
        cdb=cdb,
        platform=row["platform_name"],
        incarnations=_incarnations(gateway),
        instances=instances,
        threads=read_threads(gateway),
        destinations=read_destinations(gateway),
        control_files=tuple(item["name"] for item in gateway.query("SELECT name FROM v$controlfile")),
        tempfiles=_tempfiles(gateway, release, cdb, is_open),
        parameters=parameters,
        wallet_status=_wallet_status(gateway),
        containers=_containers(gateway) if cdb else (),
        recovery_area=_recovery_area(gateway),
        version=version,
        block_size=int(dict(parameters).get("db_block_size") or 0),
    )


def read_instances(gateway: Gateway) -> tuple[Instance, ...]:
    """Return the running instances by number; at least one."""
    rows = gateway.query(
        "SELECT inst_id, instance_name, host_name, version, startup_time, status, archiver, log_switch_wait"
        " FROM gv$instance ORDER BY inst_id"
    )
    if not rows:
        raise OracleRefused(f"GV$INSTANCE of {gateway.target} shows no instance.")
    return tuple(
        Instance(
            number=row["inst_id"],
            name=row["instance_name"],
            host_name=row["host_name"] or "",
            version=row["version"],
            startup_time=_iso(row["startup_time"]) or "",
            status=row["status"],
            archiver=row["archiver"],
            log_switch_wait=row["log_switch_wait"],
        )
        for row in rows
    )


def current_scn(gateway: Gateway) -> int:
    """Return the SCN of an open database; raises OracleRefused if it is not open."""
    scn = gateway.query_one("SELECT current_scn FROM v$database")["current_scn"]
    if not scn:
        raise OracleRefused(f"V$DATABASE of {gateway.target} shows no current SCN: the database is not open.")
    return int(scn)


def container_name(gateway: Gateway, con_id: int) -> str | None:
    """Return the name of a pluggable database, None for the root and for databases without containers."""
    if con_id <= 1:
        return None
    return str(
        gateway.query_one("SELECT name FROM v$containers WHERE con_id = :con_id", con_id=con_id)["name"]
    )


def foreign_sessions(gateway: Gateway) -> list[LiveSession]:
    """Return the sessions of live runs on this database, on any instance, but for this very session.

    A run's sessions have this collection as module and the set id as action.
    """
    own = gateway.query_one("SELECT sid FROM v$mystat WHERE ROWNUM = 1")["sid"]
    instance = gateway.query_one("SELECT instance_number FROM v$instance")["instance_number"]
    rows = gateway.query(
        "SELECT inst_id, sid, serial#, action, machine, program FROM gv$session WHERE module = :module"
        " ORDER BY inst_id, sid",
        module=SESSION_MODULE,
    )
    return [
        LiveSession(
            instance=row["inst_id"],
            sid=row["sid"],
            serial=row["serial#"],
            action=row["action"],
            machine=row["machine"] or "",
            program=row["program"] or "",
        )
        for row in rows
        if is_set_id(row["action"] or "") and (row["inst_id"], row["sid"]) != (instance, own)
    ]


def _settled_instances(gateway: Gateway, sleep: Callable[[float], None]) -> tuple[Instance, ...]:
    """Read the instances, again for a while if one waits for the archiver: that can be a passing state."""
    instances = read_instances(gateway)
    for _second in range(_SETTLE_SECONDS):
        if not any(item.log_switch_wait == "ARCHIVE LOG" for item in instances):
            break
        sleep(1)
        instances = read_instances(gateway)
    return instances


def _incarnations(gateway: Gateway) -> tuple[Incarnation, ...]:
    rows = gateway.query(
        "SELECT resetlogs_id, resetlogs_change#, prior_resetlogs_change#, status FROM v$database_incarnation"
        " ORDER BY resetlogs_change#"
    )
    return tuple(
        Incarnation(
            resetlogs_id=row["resetlogs_id"],
            resetlogs_scn=row["resetlogs_change#"],
            prior_resetlogs_scn=row["prior_resetlogs_change#"],
            status=row["status"],
        )
        for row in rows
    )


def _parameters(gateway: Gateway) -> tuple[tuple[str, str], ...]:
    rows = gateway.query("SELECT name, value FROM v$parameter ORDER BY name")
    return tuple(
        (row["name"], str(row["value"]))
        for row in rows
        if row["value"] is not None
        and (row["name"] in _PARAMETERS or row["name"].startswith(_PARAMETER_PREFIX))
    )


def _containers(gateway: Gateway) -> tuple[Container, ...]:
    rows = gateway.query("SELECT con_id, name, open_mode FROM v$containers ORDER BY con_id")
    return tuple(Container(row["con_id"], row["name"], row["open_mode"]) for row in rows)


def _recovery_area(gateway: Gateway) -> RecoveryArea | None:
    rows = gateway.query("SELECT name, space_limit, space_used, space_reclaimable FROM v$recovery_file_dest")
    for row in rows:
        if row["name"]:
            return RecoveryArea(row["name"], row["space_limit"], row["space_used"], row["space_reclaimable"])
    return None


def _wallet_status(gateway: Gateway) -> str | None:
    try:
        rows = gateway.query("SELECT status FROM v$encryption_wallet")
    except OracleRefused as exc:
        # An account may lack the right to see keystores; then the status is not known, which is what None
        # says.
        if exc.oracle_error is not None and exc.oracle_error.code == _NO_SUCH_VIEW:
            return None
        raise
    return rows[0]["status"] if rows else None


def _tempfiles(gateway: Gateway, release: Release, cdb: bool, is_open: bool) -> tuple[Tempfile, ...]:
    rows = gateway.query(
        f"SELECT {release.columns('file#, ts#, name, bytes')} FROM v$tempfile ORDER BY file#"
    )
    if not rows:
        return ()
    columns = release.columns("ts#, name")
    names = {
        (row.get("con_id", 0), row["ts#"]): row["name"]
        for row in gateway.query(f"SELECT {columns} FROM v$tablespace")
    }
    extensible: set[str] = set()
    if is_open:
        view = "cdb_temp_files" if cdb else "dba_temp_files"
        extensible = {
            row["file_name"]
            for row in gateway.query(f"SELECT file_name, autoextensible FROM {view}")
            if row["autoextensible"] == "YES"
        }
    return tuple(
        Tempfile(
            file_number=row["file#"],
            tablespace=names.get((row.get("con_id", 0), row["ts#"]), ""),
            path=row["name"] or "",
            size_bytes=row["bytes"] or 0,
            autoextend=row["name"] in extensible,
            con_id=row.get("con_id", 0),
        )
        for row in rows
    )


def _iso(value: datetime | None) -> str | None:
    """DATEs of these views are in the database server's zone, which they do not tell: they are passed on as
    such.
    """
    return None if value is None else iso_time(value)
