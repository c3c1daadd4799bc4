# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of datafiles, tempfiles, tablespaces and backup mode."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from oracle_simulator.instance.container import NON_CDB, ROOT
from oracle_simulator.instance.control_file.control import DatafileRecord, TablespaceRecord, TempfileRecord
from oracle_simulator.instance.headers import BackupStatus, HeaderFacts, backup_status, inspect_headers
from oracle_simulator.sql.views.definition import (
    Needs,
    View,
    ViewContext,
    container,
    date,
    nothing,
    number,
    text,
    yes_no,
)
from oracle_simulator.storage.oracle_time import decode_time


def _datafiles(context: ViewContext) -> list[DatafileRecord]:
    files = sorted(context.instance.control.datafiles, key=lambda file: file.file_number)
    return [_seen(context, file) for file in files]


def _owner(context: ViewContext, con_id: int, tablespace: TablespaceRecord | None) -> int:
    """CON_ID: shared undo is the root's and, seen from within a pluggable database, the whole CDB's."""
    inside = context.session.con_id > ROOT == con_id and not context.instance.control.local_undo
    return NON_CDB if inside and tablespace is not None and tablespace.contents == "UNDO" else con_id


def _accessible(file: DatafileRecord) -> bool:
    # V$DATAFILE has the size from the header, which it only reads of files that are online and there.
    return file.online and Path(file.path).exists()


DATAFILE = View(
    "V$DATAFILE",
    Needs.CONTROL_FILE,
    _datafiles,
    [
        number("FILE#", lambda f: f.file_number),
        number("CREATION_CHANGE#", lambda f: f.creation_scn),
        date("CREATION_TIME", lambda f: f.creation_time),
        number("TS#", lambda f: f.tablespace_number),
        number("RFILE#", lambda f: f.relative_file_number),
        text("STATUS", 7, lambda f: f.status),
        text("ENABLED", 10, lambda f: f.enabled),
        number("CHECKPOINT_CHANGE#", lambda f: f.checkpoint.scn),
        date("CHECKPOINT_TIME", lambda f: f.checkpoint.time),
        number("UNRECOVERABLE_CHANGE#", lambda f: f.unrecoverable_scn),
        date("UNRECOVERABLE_TIME", lambda f: f.unrecoverable_time),
        number("LAST_CHANGE#", lambda f: f.stop_scn),
        date("LAST_TIME", lambda f: f.stop_time),
        number("OFFLINE_CHANGE#", lambda f: f.offline_scn),
        number("ONLINE_CHANGE#", lambda f: f.online_scn),
        date("ONLINE_TIME", lambda f: f.online_time),
        number("BYTES", lambda f: f.bytes if _accessible(f) else 0),
        number("BLOCKS", lambda f: f.blocks if _accessible(f) else 0),
        number("CREATE_BYTES", lambda f: f.create_blocks * f.block_size),
        number("BLOCK_SIZE", lambda f: f.block_size),
        text("NAME", 513, lambda f: f.path),
        number("PLUGGED_IN", lambda f: 0),
        number("BLOCK1_OFFSET", lambda f: f.block_size),
        text("AUX_NAME", 513, lambda f: "NONE"),
        number("FIRST_NONLOGGED_SCN", lambda f: 0),
        date("FIRST_NONLOGGED_TIME", lambda f: None),
        number("FOREIGN_DBID", lambda f: 0),
        number("FOREIGN_CREATION_CHANGE#", lambda f: 0),
        date("FOREIGN_CREATION_TIME", lambda f: None),
        text("PLUGGED_READONLY", 3, lambda f: "NO"),
        number("PLUGIN_CHANGE#", lambda f: 0),
        number("PLUGIN_RESETLOGS_CHANGE#", lambda f: 0),
        date("PLUGIN_RESETLOGS_TIME", lambda f: None),
        container(lambda f: f.con_id),
    ],
)


def _headers(context: ViewContext) -> list[HeaderFacts]:
    every = inspect_headers(context.instance)
    return [replace(facts, record=_seen(context, facts.record)) for facts in every]


def _seen(context: ViewContext, file: DatafileRecord) -> DatafileRecord:
    tablespace = context.instance.control.tablespace_of(file)
    return replace(file, con_id=_owner(context, file.con_id, tablespace))


def _maybe(flag: bool | None) -> str | None:
    return None if flag is None else yes_no(flag)


DATAFILE_HEADER = View(
    "V$DATAFILE_HEADER",
    Needs.CONTROL_FILE,
    _headers,
    [
        number("FILE#", lambda f: f.record.file_number),
        text("STATUS", 7, lambda f: "ONLINE" if f.record.online else "OFFLINE"),
        text("ERROR", 18, lambda f: f.error),
        number("FORMAT", lambda f: 10 if f.header else 0),
        text("RECOVER", 3, lambda f: _maybe(f.needs_recovery)),
        text("FUZZY", 3, lambda f: _maybe(f.fuzzy)),
        number("CREATION_CHANGE#", lambda f: f.header.creation_scn if f.header else 0),
        date("CREATION_TIME", lambda f: f.header.creation_time if f.header else None),
        text("TABLESPACE_NAME", 30, lambda f: f.header.tablespace_name if f.header else None),
        number("TS#", lambda f: f.record.tablespace_number),
        number("RFILE#", lambda f: f.record.relative_file_number),
        number("RESETLOGS_CHANGE#", lambda f: f.header.resetlogs_scn if f.header else 0),
        date("RESETLOGS_TIME", lambda f: decode_time(f.header.resetlogs_id) if f.header else None),
        number("CHECKPOINT_CHANGE#", lambda f: f.header.checkpoint.scn if f.header else 0),
        date("CHECKPOINT_TIME", lambda f: f.header.checkpoint.time if f.header else None),
        number("CHECKPOINT_COUNT", lambda f: f.header.checkpoint_count if f.header else 0),
        number("BYTES", lambda f: f.header.blocks * f.header.block_size if f.header else 0),
        number("BLOCKS", lambda f: f.header.blocks if f.header else 0),
        text("NAME", 513, lambda f: f.record.path),
        text("SPACE_HEADER", 40, lambda f: "UNKNOWN"),
        text("LAST_DEALLOC_SCN", 16, lambda f: None, until=(19,)),
        text("LAST_DEALLOC_CHANGE#", 16, lambda f: None, since=(19,)),
        text("UNDO_OPT_CURRENT_CHANGE#", 40, lambda f: None),
        container(lambda f: f.record.con_id),
        text("IS_SPARSE", 3, lambda f: "NO", since=(12, 2)),
        text("ENCRYPTED", 7, lambda f: "NO", since=(19,)),
    ],
    reads_files=True,
)


def _backups(context: ViewContext) -> list[BackupStatus]:
    owners = {file.file_number: file.con_id for file in _datafiles(context)}
    return [
        replace(row, con_id=owners.get(row.file_number, row.con_id))
        for row in backup_status(context.instance)
    ]


BACKUP = View(
    "V$BACKUP",
    Needs.CONTROL_FILE,
    _backups,
    [
        number("FILE#", lambda b: b.file_number),
        text("STATUS", 18, lambda b: b.status),
        number("CHANGE#", lambda b: b.change),
        date("TIME", lambda b: b.time),
        container(lambda b: b.con_id),
    ],
    reads_files=True,
)


def _to_recover(context: ViewContext) -> list[HeaderFacts]:
    return [facts for facts in _headers(context) if facts.in_recover_file]


RECOVER_FILE = View(
    "V$RECOVER_FILE",
    Needs.CONTROL_FILE,
    _to_recover,
    [
        number("FILE#", lambda f: f.file_number),
        text("ONLINE", 7, lambda f: "ONLINE" if f.record.online else "OFFLINE"),
        text("ONLINE_STATUS", 7, lambda f: "ONLINE" if f.record.online else "OFFLINE"),
        text("ERROR", 18, lambda f: f.recovery_error),
        number("CHANGE#", lambda f: f.header.checkpoint.scn if f.header else 0),
        date("TIME", lambda f: f.header.checkpoint.time if f.header else None),
        container(lambda f: f.record.con_id),
    ],
    reads_files=True,
)


def _tempfiles(context: ViewContext) -> list[TempfileRecord]:
    return sorted(context.instance.control.tempfiles, key=lambda file: file.file_number)


TEMPFILE = View(
    "V$TEMPFILE",
    Needs.CONTROL_FILE,
    _tempfiles,
    [
        number("FILE#", lambda f: f.file_number),
        number("CREATION_CHANGE#", lambda f: f.creation_scn),
        date("CREATION_TIME", lambda f: f.creation_time),
        number("TS#", lambda f: f.tablespace_number),
        number("RFILE#", lambda f: f.relative_file_number),
        text("STATUS", 7, lambda f: f.status),
        text("ENABLED", 10, lambda f: "READ WRITE"),
        number("BYTES", lambda f: f.bytes),
        number("BLOCKS", lambda f: f.blocks),
        number("CREATE_BYTES", lambda f: f.bytes),
        number("BLOCK_SIZE", lambda f: f.block_size),
        text("NAME", 513, lambda f: f.path),
        container(lambda f: f.con_id),
    ],
)


def _tablespaces(context: ViewContext) -> list[TablespaceRecord]:
    control = context.instance.control
    every = sorted(control.tablespaces, key=lambda each: (each.con_id, each.number))
    return [replace(each, con_id=_owner(context, each.con_id, each)) for each in every]


TABLESPACE = View(
    "V$TABLESPACE",
    Needs.CONTROL_FILE,
    _tablespaces,
    [
        number("TS#", lambda t: t.number),
        text("NAME", 30, lambda t: t.name),
        text("INCLUDED_IN_DATABASE_BACKUP", 3, lambda t: "YES"),
        text("BIGFILE", 3, lambda t: yes_no(t.bigfile)),
        text("FLASHBACK_ON", 3, lambda t: "YES"),
        text("ENCRYPT_IN_BACKUP", 3, lambda t: None),
        container(lambda t: t.con_id),
    ],
)

DATAFILE_COPY = View(
    "V$DATAFILE_COPY",
    Needs.CONTROL_FILE,
    nothing,
    [
        number("RECID", lambda r: r),
        text("NAME", 513, lambda r: r),
        number("FILE#", lambda r: r),
        number("CHECKPOINT_CHANGE#", lambda r: r),
        number("ABSOLUTE_FUZZY_CHANGE#", lambda r: r),
        number("RECOVERY_FUZZY_CHANGE#", lambda r: r),
        number("MARKED_CORRUPT", lambda r: r),
        text("SCANNED", 3, lambda r: r),
        text("STATUS", 1, lambda r: r),
        container(),
    ],
)
DATABASE_BLOCK_CORRUPTION = View(
    "V$DATABASE_BLOCK_CORRUPTION",
    Needs.CONTROL_FILE,
    nothing,
    [
        number("FILE#", lambda r: r),
        number("BLOCK#", lambda r: r),
        number("BLOCKS", lambda r: r),
        number("CORRUPTION_CHANGE#", lambda r: r),
        text("CORRUPTION_TYPE", 9, lambda r: r),
        container(),
    ],
)

VIEWS: tuple[View[Any], ...] = (
    DATAFILE,
    DATAFILE_HEADER,
    BACKUP,
    RECOVER_FILE,
    TEMPFILE,
    TABLESPACE,
    DATAFILE_COPY,
    DATABASE_BLOCK_CORRUPTION,
)
