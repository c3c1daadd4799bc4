# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views: each can be read in its state, and what it says follows what was done."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from oracle_simulator.sql.views import Needs, find_view, view_names

from .conftest import Bench

NAMED_BY_THE_REFERENCE = [
    "V$DATABASE",
    "V$INSTANCE",
    "GV$INSTANCE",
    "V$VERSION",
    "V$PARAMETER",
    "V$PARAMETER2",
    "V$SPPARAMETER",
    "V$OPTION",
    "V$DIAG_INFO",
    "V$CONTROLFILE",
    "V$DATAFILE",
    "V$DATAFILE_HEADER",
    "V$TABLESPACE",
    "V$TEMPFILE",
    "V$BACKUP",
    "V$RECOVER_FILE",
    "V$RECOVERY_LOG",
    "V$DATAFILE_COPY",
    "V$DATABASE_BLOCK_CORRUPTION",
    "V$LOG",
    "V$LOGFILE",
    "V$THREAD",
    "V$ARCHIVED_LOG",
    "V$LOG_HISTORY",
    "V$ARCHIVE_DEST",
    "GV$ARCHIVE_DEST",
    "V$ARCHIVE_DEST_STATUS",
    "V$ARCHIVE_PROCESSES",
    "GV$ARCHIVE_PROCESSES",
    "V$RECOVERY_FILE_DEST",
    "V$RECOVERY_AREA_USAGE",
    "V$RESTORE_POINT",
    "V$DATABASE_INCARNATION",
    "V$PDBS",
    "V$CONTAINERS",
    "V$ENCRYPTION_WALLET",
    "V$ENCRYPTED_TABLESPACES",
    "V$SESSION",
    "GV$SESSION",
    "V$PROCESS",
    "DBA_TABLESPACES",
    "DBA_DATA_FILES",
    "DBA_TEMP_FILES",
    "CDB_TABLESPACES",
    "CDB_DATA_FILES",
    "DATABASE_PROPERTIES",
    "DBA_USERS",
    "DBA_TABLES",
    "ALL_TABLES",
    "USER_TABLES",
    "DBA_TAB_COLUMNS",
    "DBA_SEGMENTS",
]

# The discovery query of a backup tool, as it is published.
DISCOVERY = """
SELECT d.con_id, d.file#, d.ts#, t.name ts_name, d.name, d.status, d.enabled, d.bytes, d.block_size,
       d.creation_change#, d.unrecoverable_change#, d.last_change#, t.bigfile,
       b.status bkp_status, b.change# bkp_scn, b.time bkp_time
FROM   v$datafile d
JOIN   v$tablespace t ON t.ts# = d.ts# AND t.con_id = d.con_id
LEFT JOIN v$backup b  ON b.file# = d.file#
ORDER  BY d.con_id, d.ts#, d.file#
"""


@pytest.mark.parametrize("name", NAMED_BY_THE_REFERENCE)
def test_view_exists(name: str) -> None:
    assert find_view(name) is not None


def test_every_view_can_be_read_when_open(bench: Bench) -> None:
    sys = bench.sys
    for name in view_names():
        sys.rows(f"SELECT * FROM {name}")


def test_every_view_of_the_control_file_can_be_read_when_mounted(idle: Bench) -> None:
    idle.instance.mount()
    sys = idle.sys
    for name in view_names():
        view = find_view(name)
        assert view is not None
        if view.needs <= Needs.CONTROL_FILE:
            sys.rows(f"SELECT * FROM {name}")
        else:
            assert sys.refused(f"SELECT * FROM {name}").code == 1219


def test_discovery_tells_one_row_per_datafile_with_its_size_on_disk(bench: Bench) -> None:
    rows = bench.sys.rows(DISCOVERY)
    assert [row[3] for row in rows] == ["SYSTEM", "SYSAUX", "UNDOTBS1", "USERS", "DATA"]
    for row in rows:
        assert Path(row[4]).stat().st_size == row[7] + row[8]
        assert row[13] == "NOT ACTIVE"


def test_backup_mode_shows_in_view_and_header(bench: Bench) -> None:
    sys = bench.sys
    sys.run("ALTER TABLESPACE data BEGIN BACKUP")
    number = sys.value(
        "SELECT f.file# FROM v$datafile f JOIN v$tablespace t ON t.ts# = f.ts# WHERE t.name = 'DATA'"
    )
    status, begun, at = sys.rows("SELECT status, change#, time FROM v$backup WHERE file# = :1", number)[0]
    assert status == "ACTIVE"
    assert isinstance(at, datetime)
    sys.run("ALTER SYSTEM CHECKPOINT")
    assert sys.rows(
        "SELECT fuzzy, checkpoint_change#, error FROM v$datafile_header WHERE file# = :1", number
    ) == [("YES", begun, None)]
    sys.run("ALTER TABLESPACE data END BACKUP")
    assert sys.rows("SELECT status, change# FROM v$backup WHERE file# = :1", number) == [
        ("NOT ACTIVE", begun)
    ]


def test_the_current_log_ends_above_every_64_bit_number(bench: Bench) -> None:
    sys = bench.sys
    assert sys.value("SELECT next_change# FROM v$log WHERE status = 'CURRENT'") == 9295429630892703743
    assert sys.value("SELECT COUNT(*) FROM v$log WHERE status = 'CURRENT' AND next_change# > :1", 10**15) == 1
    assert sys.value("SELECT COUNT(*) FROM v$log WHERE next_change# = 9295429630892703743") == 1


def test_current_scn_moves_with_every_commit(bench: Bench) -> None:
    client, sys = bench.connect(), bench.sys
    client.run("CREATE TABLE t (id NUMBER)")
    before = sys.value("SELECT current_scn FROM v$database")
    client.run("INSERT INTO t VALUES (1)")
    client.commit()
    assert sys.value("SELECT current_scn FROM v$database") > before


def test_archived_logs_cover_what_was_switched(bench: Bench) -> None:
    sys = bench.sys
    sequence = sys.value("SELECT sequence# FROM v$log WHERE status = 'CURRENT'")
    sys.run("ALTER SYSTEM ARCHIVE LOG CURRENT")
    ((name, blocks, size, first, following, archived),) = sys.rows(
        "SELECT name, blocks, block_size, first_change#, next_change#, archived FROM v$archived_log"
        " WHERE sequence# = :1 AND standby_dest = 'NO' AND deleted = 'NO' AND status = 'A'",
        sequence,
    )
    assert Path(name).stat().st_size == (blocks + 1) * size
    assert first < following
    assert archived == "YES"
    assert sys.rows("SELECT status, error FROM v$archive_dest WHERE dest_id = 1") == [("VALID", None)]


def test_new_files_appear_in_control_file_and_dictionary(bench: Bench, tmp_path: Path) -> None:
    sys = bench.sys
    sys.run(
        f"CREATE TABLESPACE more DATAFILE '{tmp_path}/more01.dbf' SIZE 2M AUTOEXTEND ON NEXT 1M MAXSIZE 5M"
    )
    sys.run(f"ALTER TABLESPACE more ADD DATAFILE '{tmp_path}/more02.dbf' SIZE 3M")
    query = """
        SELECT d.name, d.bytes, f.autoextensible FROM v$datafile d
        JOIN v$tablespace t ON t.ts# = d.ts# JOIN dba_data_files f ON f.file_id = d.file#
        WHERE t.name = 'MORE' ORDER BY d.file#"""
    assert sys.rows(query) == [
        (f"{tmp_path}/more01.dbf", 2 << 20, "YES"),
        (f"{tmp_path}/more02.dbf", 3 << 20, "NO"),
    ]
    sys.run("DROP TABLESPACE more INCLUDING CONTENTS AND DATAFILES")
    assert sys.rows(query) == []
    assert list(tmp_path.glob("more*")) == []


def test_an_offline_file_has_no_size_and_is_to_be_recovered(bench: Bench) -> None:
    sys = bench.sys
    number = sys.value("SELECT file_id FROM dba_data_files WHERE tablespace_name = 'DATA'")
    sys.run(f"ALTER DATABASE DATAFILE {number} OFFLINE")
    assert sys.rows("SELECT status, bytes FROM v$datafile WHERE file# = :1", number) == [("RECOVER", 0)]
    assert sys.value("SELECT COUNT(*) FROM v$recover_file WHERE file# = :1", number) == 1
    assert sys.refused(f"ALTER DATABASE DATAFILE {number} ONLINE").codes[0] == 1113
    sys.run(f"ALTER DATABASE RECOVER DATAFILE {number}")
    sys.run(f"ALTER DATABASE DATAFILE {number} ONLINE")
    assert sys.rows("SELECT * FROM v$recover_file") == []


def test_a_missing_file_is_named_by_its_error(bench: Bench) -> None:
    sys = bench.sys
    path = sys.value("SELECT file_name FROM dba_data_files WHERE tablespace_name = 'DATA'")
    bench.database.shutdown("immediate")
    Path(path).unlink()
    bench.nomount()
    bench.instance.mount()
    assert bench.sys.rows("SELECT name, error FROM v$datafile_header WHERE error IS NOT NULL") == [
        (path, "FILE NOT FOUND")
    ]
    assert bench.sys.value("SELECT error FROM v$recover_file") == "FILE NOT FOUND"
