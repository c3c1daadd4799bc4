# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tablespaces, datafiles and their backup mode, read from the control file and the files' headers.

One query per view, never one per file; joins are made here. Columns: Database Reference, V$ views.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.classify import (
    OFFLINE_NORMAL,
    classify_tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    BackupStatus,
    Database,
    Datafile,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.release import Release


def read_tablespaces(gateway: Gateway, database: Database) -> list[Tablespace]:
    """Return all tablespaces with their datafiles, in the order of container and number, and how to back them
    up.
    """
    release = Release.of(database.version)
    rows = gateway.query(f"SELECT {release.columns('ts#, name, bigfile')} FROM v$tablespace")
    names = {(row.get("con_id", 0), row["ts#"]): row for row in rows}
    contents = _contents(gateway, database)
    temporary = {(item.con_id, item.tablespace) for item in database.tempfiles}
    containers = {container.con_id: container for container in database.containers}
    files: dict[tuple[int, int], list[Datafile]] = {key: [] for key in names}
    for datafile in _datafiles(gateway, release, names):
        files[(datafile.con_id, datafile.tablespace_number)].append(datafile)
    result = []
    for key in sorted(names):
        con_id, number = key
        name = names[key]["name"]
        content = contents.get((con_id, name))
        container = containers.get(con_id)
        is_temporary = content == "TEMPORARY" or (not files[key] and (con_id, name) in temporary)
        method, reason = classify_tablespace(
            files[key],
            temporary=is_temporary,
            container_open_mode=container.open_mode if container and con_id > 1 else None,
        )
        result.append(
            Tablespace(
                name=name,
                number=number,
                con_id=con_id,
                container=container.name if container else None,
                bigfile=names[key]["bigfile"] == "YES",
                temporary=is_temporary,
                undo=None if content is None else content == "UNDO",
                block_size=files[key][0].block_size if files[key] else database.block_size,
                datafiles=tuple(files[key]),
                method=method,
                reason=reason,
            )
        )
    return result


def read_backup_status(
    gateway: Gateway, file_numbers: Collection[int] | None = None
) -> dict[int, BackupStatus]:
    """Return V$BACKUP by file number, of all files when ``file_numbers`` is None."""
    return {
        row["file#"]: BackupStatus(row["status"], row["change#"] or 0, _utc(row["time"]))
        for row in gateway.query("SELECT file#, status, change#, time FROM v$backup ORDER BY file#")
        if file_numbers is None or row["file#"] in file_numbers
    }


def _contents(gateway: Gateway, database: Database) -> dict[tuple[int, str], str]:
    """Return DBA_TABLESPACES.CONTENTS, which no control-file view has; nothing while the database is not
    open.
    """
    if database.open_mode == "MOUNTED":
        return {}
    if database.cdb:
        rows = gateway.query("SELECT con_id, tablespace_name, contents FROM cdb_tablespaces")
    else:
        rows = gateway.query("SELECT tablespace_name, contents FROM dba_tablespaces")
    return {(row.get("con_id", 0), row["tablespace_name"]): row["contents"] for row in rows}


def _datafiles(
    gateway: Gateway, release: Release, tablespaces: Mapping[tuple[int, int], Mapping[str, Any]]
) -> list[Datafile]:
    columns = release.columns(
        "file#, ts#, name, status, enabled, bytes, block_size, creation_change#, unrecoverable_change#,"
        " last_change#, checkpoint_change#"
    )
    rows = gateway.query(f"SELECT {columns} FROM v$datafile ORDER BY file#")
    status = read_backup_status(gateway)
    headers = {
        row["file#"]: row
        for row in gateway.query(
            "SELECT file#, error, recover, fuzzy, checkpoint_change# FROM v$datafile_header ORDER BY file#"
        )
    }
    recover = {row["file#"]: row for row in gateway.query("SELECT file#, error FROM v$recover_file")}
    return [
        _datafile(
            row,
            tablespaces[(row.get("con_id", 0), row["ts#"])],
            status.get(row["file#"], BackupStatus("NOT ACTIVE", 0, None)),
            headers.get(row["file#"], {}),
            recover.get(row["file#"]),
        )
        for row in rows
    ]


def _datafile(
    row: Mapping[str, Any],
    tablespace: Mapping[str, Any],
    backup: BackupStatus,
    header: Mapping[str, Any],
    recover: Mapping[str, Any] | None,
) -> Datafile:
    return Datafile(
        file_number=row["file#"],
        con_id=row.get("con_id", 0),
        tablespace_number=row["ts#"],
        tablespace=tablespace["name"],
        path=row["name"],
        status=row["status"],
        enabled=row["enabled"],
        size_bytes=row["bytes"] or 0,
        block_size=row["block_size"],
        bigfile=tablespace["bigfile"] == "YES",
        creation_scn=row["creation_change#"],
        unrecoverable_scn=row["unrecoverable_change#"] or 0,
        last_scn=row["last_change#"],
        checkpoint_scn=row["checkpoint_change#"],
        backup_status=backup.status,
        backup_scn=backup.scn,
        backup_time=backup.time,
        header_error=header.get("error"),
        header_fuzzy=header.get("fuzzy"),
        header_recover=header.get("recover"),
        header_checkpoint_scn=header.get("checkpoint_change#"),
        recover_error=None if recover is None else recover["error"],
        # Files that were taken offline normally have a row too.
        needs_recovery=recover is not None and recover["error"] != OFFLINE_NORMAL,
    )


def _utc(value: datetime | None) -> datetime | None:
    """A DATE of the server's clock in UTC, taking the server's zone to be this host's: we run beside the
    database.
    """
    return None if value is None else value.astimezone(timezone.utc)
