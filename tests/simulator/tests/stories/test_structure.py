# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The structure of the database changes after the backup: what recovery makes of new, dropped and grown files."""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path

import pytest

from .dba import Dba, Refused


@pytest.fixture
def backed_up(dba: Dba) -> Dba:
    """A database under load with a complete backup."""
    dba.start_load()
    dba.rolling_windows()
    dba.archive_log_current()
    dba.keep_archived_logs()
    dba.backup_control_file()
    return dba


def new_path(dba: Dba, name: str = "later01.dbf") -> Path:
    """Where a new file goes."""
    return dba.database.home.datafile_folder / name


def make_later(dba: Dba) -> int:
    """A tablespace made after the backup, with a row; its file number."""
    path = new_path(dba)
    dba.execute(f"CREATE TABLESPACE later DATAFILE '{path}' SIZE 2M")
    add_row(dba, "CREATE TABLE news (id NUMBER PRIMARY KEY) TABLESPACE later", 1)
    return int(dba.query(f"SELECT file# FROM v$datafile WHERE name = '{path}'")[0][0])


def add_row(dba: Dba, create: str | None, row: int) -> None:
    """A committed row in APP's table NEWS, which is made first if asked."""
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        if create:
            cursor.execute(create)
        cursor.execute("INSERT INTO news VALUES (:1)", [row])
        connection.commit()


def news(dba: Dba) -> list[int]:
    """The rows of NEWS."""
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        return [row[0] for row in cursor.execute("SELECT id FROM news ORDER BY id")]


def test_a_file_without_a_backup_is_made_again_from_redo(backed_up: Dba) -> None:
    dba = backed_up
    number = make_later(dba)
    dba.three_more_switches()
    dba.crash()
    new_path(dba).unlink()
    dba.start_mounted()
    assert dba.refusal("ALTER DATABASE OPEN")[:2] == (1157, 1110)
    dba.execute(f"ALTER DATABASE CREATE DATAFILE {number}")
    dba.execute(f"ALTER DATABASE RECOVER AUTOMATIC DATAFILE {number}")
    dba.open()
    assert news(dba) == [1]
    assert not dba.load.lost(dba.rows())


def test_an_older_control_file_meets_a_new_file_in_the_redo(backed_up: Dba) -> None:
    dba = backed_up
    make_later(dba)
    dba.archive_log_current()
    dba.keep_archived_logs()
    dba.crash()
    new_path(dba).unlink()
    dba.lose_everything()
    dba.put_datafiles_back()
    dba.put_control_file_back()
    dba.start_mounted()
    with pytest.raises(Refused) as refused:
        dba.recover_until_cancel()
    assert refused.value.codes[:3] == (283, 1244, 1110)
    ((unnamed,),) = dba.query("SELECT name FROM v$datafile WHERE name LIKE '%UNNAMED%'")
    assert re.search(r"UNNAMED\d{5}$", unnamed)
    dba.execute(f"ALTER DATABASE CREATE DATAFILE '{unnamed}' AS '{new_path(dba)}'")
    dba.recover_until_cancel()
    dba.open_resetlogs()
    assert news(dba) == [1]
    assert not dba.load.lost(dba.rows(), dba.owed)


def test_a_dropped_tablespace_comes_back_with_a_point_in_time(backed_up: Dba) -> None:
    dba = backed_up
    dba.load.stop()
    scn = dba.current_scn()
    dba.execute("ALTER DATABASE DEFAULT TABLESPACE sysaux")
    dba.execute("DROP TABLESPACE users INCLUDING CONTENTS AND DATAFILES")
    assert not dba.database.datafile("USERS").exists()
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    dba.keep_archived_logs()
    dba.shut_down()
    for path, tablespace in dba.files.values():
        if tablespace != "USERS":
            path.unlink()
    dba.lose_control_files()
    dba.put_datafiles_back()
    dba.put_control_file_back()
    dba.start_mounted()
    dba.feed(f"ALTER DATABASE RECOVER DATABASE UNTIL CHANGE {scn + 1} USING BACKUP CONTROLFILE")
    dba.open_resetlogs()
    assert not dba.load.lost(dba.rows())


def test_recovery_goes_through_a_dropped_tablespace(backed_up: Dba) -> None:
    dba = backed_up
    make_later(dba)
    dba.execute("DROP TABLESPACE later INCLUDING CONTENTS AND DATAFILES")
    dba.more_load()
    for step in (Dba.crash, Dba.lose_datafiles, Dba.put_datafiles_back, Dba.start_mounted):
        step(dba)
    dba.recover_database()
    dba.open()
    assert not dba.load.lost(dba.rows())
    assert dba.query("SELECT name FROM v$tablespace WHERE name = 'LATER'") == []


def test_a_file_that_has_grown_since_grows_again(backed_up: Dba) -> None:
    dba = backed_up
    users = dba.database.datafile("USERS")
    before = users.stat().st_size
    dba.execute(f"ALTER DATABASE DATAFILE '{users}' RESIZE 6M")
    dba.more_load()
    for step in (Dba.crash, Dba.lose_datafiles, Dba.put_datafiles_back, Dba.start_mounted):
        step(dba)
    assert users.stat().st_size == before
    dba.recover_database()
    dba.open()
    assert users.stat().st_size == (6 << 20) + 8192
    assert not dba.load.lost(dba.rows())


def test_an_old_backup_is_rolled_through_resetlogs(backed_up: Dba) -> None:
    dba = backed_up
    dba.load.stop()
    add_row(dba, "CREATE TABLE news (id NUMBER PRIMARY KEY)", 1)
    scn = dba.current_scn()
    add_row(dba, None, 2)
    for step in (Dba.crash, Dba.lose_datafiles, Dba.put_datafiles_back, Dba.start_mounted):
        step(dba)
    dba.execute(f"ALTER DATABASE RECOVER AUTOMATIC DATABASE UNTIL CHANGE {scn + 1}")
    dba.open_resetlogs()
    add_row(dba, None, 3)
    incarnation = dba.incarnation()
    for step in (Dba.crash, Dba.lose_datafiles, Dba.put_datafiles_back, Dba.start_mounted):
        step(dba)
    dba.recover_database()
    dba.open()
    assert dba.incarnation() == incarnation
    assert news(dba) == [1, 3]
    assert not dba.load.lost(dba.rows())


def test_a_point_in_time_may_be_given_as_a_time(backed_up: Dba) -> None:
    dba = backed_up
    dba.load.stop()
    add_row(dba, "CREATE TABLE news (id NUMBER PRIMARY KEY)", 1)
    time.sleep(1.1)  # redo is dated to the second
    moment = datetime.now().strftime("%Y-%m-%d:%H:%M:%S")
    time.sleep(1.1)
    add_row(dba, None, 2)
    for step in (Dba.crash, Dba.lose_datafiles, Dba.put_datafiles_back, Dba.start_mounted):
        step(dba)
    dba.execute(f"ALTER DATABASE RECOVER AUTOMATIC DATABASE UNTIL TIME '{moment}'")
    dba.open_resetlogs()
    assert news(dba) == [1]
    assert not dba.load.lost(dba.rows())


def test_a_lost_row_set_is_noticed_by_these_tests(backed_up: Dba) -> None:
    dba = backed_up
    dba.load.stop()
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE t SET n = 0 WHERE id = 7")
        connection.commit()
    assert dba.load.lost(dba.rows()) == [7]
