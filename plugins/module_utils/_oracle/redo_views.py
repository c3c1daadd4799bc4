# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redo threads, online and archived logs, and archive destinations, read from the control file.

Columns: Database Reference, V$ views.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    ArchiveDestination,
    ArchivedLog,
    OnlineLog,
    RedoThread,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway


def read_threads(gateway: Gateway) -> tuple[RedoThread, ...]:
    """Return the redo threads by number."""
    rows = gateway.query(
        "SELECT thread#, status, enabled, sequence#, current_group#, last_redo_change# FROM v$thread"
        " ORDER BY thread#"
    )
    return tuple(
        RedoThread(
            number=row["thread#"],
            status=row["status"],
            enabled=row["enabled"],
            current_sequence=row["sequence#"] or 0,
            current_group=row["current_group#"] or 0,
            last_redo_scn=row["last_redo_change#"],
        )
        for row in rows
    )


def read_destinations(gateway: Gateway) -> tuple[ArchiveDestination, ...]:
    """Return the archive destinations in use, in the worst state any instance sees them in."""
    rows = gateway.query(
        "SELECT inst_id, dest_id, dest_name, status, binding, target, destination, error FROM gv$archive_dest"
        " WHERE status <> 'INACTIVE' ORDER BY dest_id, inst_id"
    )
    found: dict[int, ArchiveDestination] = {}
    for row in rows:
        known = found.get(row["dest_id"])
        if row["destination"] and (known is None or known.status == "VALID"):
            found[row["dest_id"]] = ArchiveDestination(
                dest_id=row["dest_id"],
                name=row["dest_name"],
                status=row["status"],
                binding=row["binding"],
                target=row["target"],
                path=row["destination"],
                error=row["error"] or None,
            )
    return tuple(found.values())


def read_online_logs(gateway: Gateway) -> list[OnlineLog]:
    """Return the online redo log groups by number, each with its members."""
    members: dict[int, list[str]] = {}
    for row in gateway.query("SELECT group#, type, member FROM v$logfile ORDER BY group#, member"):
        if row["type"] == "ONLINE":
            members.setdefault(row["group#"], []).append(row["member"])
    rows = gateway.query(
        "SELECT group#, thread#, sequence#, status, archived, first_change#, next_change#, bytes, blocksize"
        " FROM v$log ORDER BY group#"
    )
    return [
        OnlineLog(
            group=row["group#"],
            thread=row["thread#"],
            sequence=row["sequence#"],
            status=row["status"],
            archived=row["archived"] == "YES",
            first_scn=row["first_change#"],
            # For a current log the view shows a sentinel, which differs between releases.
            next_scn=None if row["status"] in ("CURRENT", "CLEARING_CURRENT") else row["next_change#"],
            size_bytes=row["bytes"],
            block_size=row["blocksize"],
            members=tuple(members.get(row["group#"], ())),
        )
        for row in rows
    ]


def read_archived_logs(gateway: Gateway, from_scn: int, resetlogs_id: int) -> list[ArchivedLog]:
    """Return the archived copies of one incarnation's logs that hold redo after ``from_scn``.

    Copies that are gone or not complete are there too, not ``available``. Rows age out of the control file
    (CONTROL_FILE_RECORD_KEEP_TIME): absence proves nothing.
    """
    return _archived_logs(gateway, "next_change# > :lowest", resetlogs_id, from_scn)


def read_archived_logs_from_sequence(gateway: Gateway, sequence: int, resetlogs_id: int) -> list[ArchivedLog]:
    """As :func:`read_archived_logs`, for the logs from ``sequence`` on, in every thread."""
    return _archived_logs(gateway, "sequence# >= :lowest", resetlogs_id, sequence)


def _archived_logs(gateway: Gateway, condition: str, resetlogs_id: int, lowest: int) -> list[ArchivedLog]:
    rows = gateway.query(
        "SELECT resetlogs_id, thread#, sequence#, first_change#, next_change#, dest_id, name, blocks,"
        " block_size, archived, deleted, status FROM v$archived_log"
        f" WHERE resetlogs_id = :resetlogs_id AND {condition} AND standby_dest = 'NO'"
        " ORDER BY thread#, sequence#, dest_id",
        resetlogs_id=resetlogs_id,
        lowest=lowest,
    )
    return [
        ArchivedLog(
            resetlogs_id=row["resetlogs_id"],
            thread=row["thread#"],
            sequence=row["sequence#"],
            first_scn=row["first_change#"],
            next_scn=row["next_change#"],
            dest_id=row["dest_id"],
            path=row["name"],
            blocks=row["blocks"],
            block_size=row["block_size"],
            available=(row["archived"], row["deleted"], row["status"]) == ("YES", "NO", "A")
            and row["name"] is not None,
            gone=row["archived"] == "YES" and (row["deleted"] == "YES" or row["name"] is None),
        )
        for row in rows
    ]
