# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of the control file itself: its copies, and the sections of its records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oracle_simulator.sql.views.definition import (
    Needs,
    View,
    ViewContext,
    container,
    number,
    text,
    yes_no,
)

_BLOCK_SIZE = 16384


@dataclass(frozen=True)
class _ControlFile:
    path: Path
    in_recovery_area: bool


def _control_files(context: ViewContext) -> Iterator[_ControlFile]:
    instance = context.instance
    for path in instance.parameters.control_files if instance.mounted else ():
        yield _ControlFile(path, instance.recovery_area.holds(path))


def _blocks_of(file: _ControlFile) -> int:
    try:
        return file.path.stat().st_size // _BLOCK_SIZE - 1
    except OSError:
        return 0


CONTROLFILE = View(
    "V$CONTROLFILE",
    Needs.INSTANCE,
    _control_files,
    [
        text("STATUS", 7, lambda c: None),
        text("NAME", 513, lambda c: str(c.path)),
        text("IS_RECOVERY_DEST_FILE", 3, lambda c: yes_no(c.in_recovery_area)),
        number("BLOCK_SIZE", lambda p: _BLOCK_SIZE),
        number("FILE_SIZE_BLKS", _blocks_of),
        container(),
    ],
)


@dataclass(frozen=True)
class _Section:
    """A kind of records. ``recids`` are those of circular records, which are reused."""

    type: str
    record_size: int
    room: int
    used: int
    recids: Sequence[int] = ()


def _sections(context: ViewContext) -> Iterator[_Section]:
    control = context.instance.control
    database = control.database
    logs, history = control.archived_logs, control.log_history
    yield _Section("DATABASE", 316, 1, 1)
    yield _Section("REDO THREAD", 256, database.max_instances, len(control.threads))
    yield _Section("REDO LOG", 72, database.max_logfiles, len(control.redo_groups))
    yield _Section("DATAFILE", 520, database.max_datafiles, len(control.datafiles))
    yield _Section("TABLESPACE", 180, database.max_datafiles, len(control.tablespaces))
    yield _Section("TEMPORARY FILENAME", 56, database.max_datafiles, len(control.tempfiles))
    yield _Section(
        "LOG HISTORY", 56, control.log_history_records, len(history), [each.recid for each in history]
    )
    yield _Section(
        "ARCHIVED LOG", 584, control.archived_log_records, len(logs), [each.recid for each in logs]
    )
    yield _Section("DATABASE INCARNATION", 56, 292, len(control.incarnations))


CONTROLFILE_RECORD_SECTION = View(
    "V$CONTROLFILE_RECORD_SECTION",
    Needs.CONTROL_FILE,
    _sections,
    [
        text("TYPE", 28, lambda s: s.type),
        number("RECORD_SIZE", lambda s: s.record_size),
        number("RECORDS_TOTAL", lambda s: s.room),
        number("RECORDS_USED", lambda s: s.used),
        number("FIRST_INDEX", lambda s: min(1, len(s.recids))),
        number("LAST_INDEX", lambda s: len(s.recids)),
        number("LAST_RECID", lambda s: max(s.recids, default=0)),
        container(),
    ],
)

VIEWS: tuple[View[Any], ...] = (CONTROLFILE, CONTROLFILE_RECORD_SECTION)
