# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which views can be read in which state of the instance (Oracle Database Reference; one row of it per view)."""

from __future__ import annotations

import pytest

from .conftest import Bench

OF_THE_INSTANCE = (
    "V$INSTANCE V$PARAMETER V$SPPARAMETER V$VERSION V$OPTION V$DIAG_INFO V$SESSION V$PROCESS V$ARCHIVE_DEST"
    " V$ARCHIVE_PROCESSES GV$INSTANCE GV$ARCHIVE_DEST GV$ARCHIVE_PROCESSES"
)
OF_THE_CONTROL_FILE = (
    "V$DATABASE V$DATAFILE V$DATAFILE_HEADER V$TABLESPACE V$TEMPFILE V$BACKUP V$LOG V$LOGFILE V$ARCHIVED_LOG"
    " V$LOG_HISTORY V$THREAD V$RECOVER_FILE V$RECOVERY_LOG V$RECOVERY_FILE_DEST V$RESTORE_POINT"
    " V$DATABASE_INCARNATION V$PDBS V$CONTAINERS V$DATAFILE_COPY V$DATABASE_BLOCK_CORRUPTION"
)
OF_THE_DICTIONARY = (
    "DBA_TABLESPACES DBA_DATA_FILES DBA_TEMP_FILES CDB_TABLESPACES CDB_DATA_FILES ALL_TABLES"
    " DATABASE_PROPERTIES"
)


def refusals(bench: Bench, views: str) -> set[int]:
    """The codes with which views are refused."""
    return {bench.sys.refused(f"SELECT * FROM {view}").code for view in views.split()}


def read(bench: Bench, views: str) -> None:
    for view in views.split():
        bench.sys.rows(f"SELECT * FROM {view}")


@pytest.mark.covers(
    "1.1/nomount/readable",
    "1.1/nomount/control-file-views",
    "1.1/nomount/control-files",
    "1.1/mounted/readable",
    "1.1/mounted/dictionary",
    "1.1/open/readable",
)
def test_what_can_be_read_grows_from_nomount_to_open(idle: Bench) -> None:
    read(idle, OF_THE_INSTANCE)
    assert refusals(idle, OF_THE_CONTROL_FILE) == {1507}
    assert refusals(idle, OF_THE_DICTIONARY) == {1507}
    assert idle.sys.rows("SELECT name FROM v$controlfile") == []
    named = idle.sys.value("SELECT value FROM v$parameter WHERE name = 'control_files'")
    idle.instance.mount()
    assert idle.sys.rows("SELECT name FROM v$controlfile") == [(name,) for name in named.split(", ")]
    read(idle, OF_THE_INSTANCE)
    read(idle, OF_THE_CONTROL_FILE)
    assert refusals(idle, OF_THE_DICTIONARY) == {1219}
    idle.instance.open(read_only=True)
    read(idle, f"{OF_THE_INSTANCE} {OF_THE_CONTROL_FILE} {OF_THE_DICTIONARY}")
    idle.restart()
    read(idle, f"{OF_THE_INSTANCE} {OF_THE_CONTROL_FILE} {OF_THE_DICTIONARY}")


def test_current_scn_of_a_closed_database_is_a_reading(idle: Bench) -> None:
    idle.instance.mount()
    assert idle.sys.value("SELECT current_scn FROM v$database") == 0
    idle.instance.readings = idle.instance.readings.chosen(["current_scn_when_closed_is_null=true"])
    assert idle.sys.value("SELECT current_scn FROM v$database") is None
