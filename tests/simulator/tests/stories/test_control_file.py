# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loss of all control files, and recovery to a point in time: which incarnation comes of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from oracle_simulator.program.local_socket import LocalError
from oracle_simulator.storage.control_file import ControlFileImage, load_control_file, write_control_file
from oracle_simulator.testing import SMALL, MakeDatabase

from .dba import Dba


def create_statement(script: Path) -> str:
    """The CREATE CONTROLFILE statement of a trace script."""
    found = re.search(r"^CREATE CONTROLFILE.*?(?=;)", script.read_text(), re.S | re.M)
    assert found is not None, script.read_text()
    return found[0]


def test_a_new_control_file_recovers_completely_in_the_same_incarnation(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    spec = {"tablespaces": [*SMALL["tablespaces"], {"name": "OLD", "size": "2M"}]}
    dba = Dba(make_database(spec=spec), tmp_path / "kept")
    old = dba.database.datafile("OLD")
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE ledger (id NUMBER PRIMARY KEY) TABLESPACE old")
        cursor.execute("INSERT INTO ledger VALUES (1992)")
        connection.commit()
    dba.execute("ALTER TABLESPACE old READ ONLY")
    dba.start_load()
    dba.rolling_windows()
    dba.archive_log_current()
    script = dba.kept / "create_controlfile.sql"
    dba.execute(f"ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '{script}' REUSE NORESETLOGS")
    incarnation = dba.incarnation()
    dba.more_load()
    dba.crash()
    dba.lose_everything_but_redo()
    dba.put_datafiles_back()

    dba.database.start("nomount")
    statement = create_statement(script)
    assert str(old) not in statement
    dba.execute(statement)
    dba.recover_database()
    dba.refusal("ALTER SYSTEM ARCHIVE LOG ALL")  # ORA-00271 when all are archived
    dba.open()
    assert dba.incarnation() == incarnation
    assert not dba.load.lost(dba.rows())

    ((missing,),) = dba.query("SELECT name FROM v$datafile WHERE name LIKE '%MISSING%'")
    dba.execute(f"ALTER DATABASE RENAME FILE '{missing}' TO '{old}'")
    dba.execute("ALTER TABLESPACE old ONLINE")
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT id FROM ledger").fetchall() == [(1992,)]
    assert dba.query("SELECT enabled FROM v$datafile WHERE name LIKE '%old01.dbf'") == [("READ ONLY",)]


def test_a_point_in_time_is_a_new_incarnation_with_the_rows_of_that_scn(dba: Dba) -> None:
    dba.start_load()
    dba.rolling_windows()
    dba.load.stop()
    scn, rows = dba.current_scn(), dba.rows()
    before = dba.incarnation()
    dba.load.start()
    dba.more_load()
    dba.crash()
    assert dba.load.acknowledged != rows
    dba.lose_datafiles()
    dba.put_datafiles_back()
    dba.start_mounted()
    until = scn + 1  # UNTIL CHANGE stops before its SCN
    dba.execute(f"ALTER DATABASE RECOVER AUTOMATIC DATABASE UNTIL CHANGE {until}")
    assert dba.refusal("ALTER DATABASE OPEN")[0] == 1589
    dba.open_resetlogs()
    assert dba.rows() == rows
    assert dba.incarnation() == until + 1
    incarnations = dba.query(
        "SELECT resetlogs_change#, status FROM v$database_incarnation ORDER BY incarnation#"
    )
    assert incarnations == [(before, "PARENT"), (until + 1, "CURRENT")]
    assert dba.query("SELECT sequence# FROM v$log WHERE status = 'CURRENT'") == [(1,)]
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE t SET n = -1 WHERE id = 0")
        connection.commit()
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    dba.database.crash()
    dba.database.start()
    assert dba.rows()[0] == -1


def test_after_complete_recovery_resetlogs_is_not_allowed(dba: Dba) -> None:
    for step in (Dba.start_load, Dba.rolling_windows, Dba.crash, Dba.lose_datafiles, Dba.put_datafiles_back):
        step(dba)
    dba.start_mounted()
    dba.recover_database()
    assert dba.refusal("ALTER DATABASE OPEN RESETLOGS")[0] == 1139
    assert 264 in dba.refusal("ALTER DATABASE RECOVER DATABASE")
    dba.open()
    assert not dba.load.lost(dba.rows())


def test_one_lost_file_comes_back_while_the_rest_is_open(dba: Dba) -> None:
    dba.start_load()
    dba.rolling_windows()
    dba.load.stop()
    ((number, path),) = [(n, path) for n, (path, name) in dba.files.items() if name == "USERS"]
    dba.execute(f"ALTER DATABASE DATAFILE {number} OFFLINE")
    path.unlink()
    path.write_bytes((dba.kept / "datafiles" / path.name).read_bytes())
    assert dba.refusal(f"ALTER DATABASE DATAFILE {number} ONLINE")[:2] == (1113, 1110)
    dba.execute(f"ALTER DATABASE RECOVER AUTOMATIC DATAFILE {number}")
    dba.execute(f"ALTER DATABASE DATAFILE {number} ONLINE")
    assert not dba.load.lost(dba.rows())
    dba.load.start()


def control_images(dba: Dba) -> list[ControlFileImage]:
    """The newest image of each copy."""
    return [load_control_file(path) for path in dba.database.home.control_files]


def test_a_crash_between_two_copies_is_no_inconsistency(dba: Dba) -> None:
    dba.database.crash()
    newest = max(control_images(dba), key=lambda image: image.sequence)
    first, second = dba.database.home.control_files
    write_control_file([second], newest.state, newest.sequence, dbid=newest.dbid, db_name=newest.db_name)
    further = newest.sequence + 1
    write_control_file([first], newest.state, further, dbid=newest.dbid, db_name=newest.db_name)
    dba.start_mounted()
    assert [image.sequence for image in control_images(dba)] == [further, further]
    dba.open()


def test_an_older_copy_is_an_inconsistency(dba: Dba) -> None:
    dba.cp_control_file()
    for _switch in range(3):
        dba.archive_log_current()
    dba.shut_down()
    shutil.copyfile(dba.kept / "control.ctl", dba.database.home.control_files[1])
    with pytest.raises(LocalError, match="ORA-00214"):
        dba.start_mounted()
