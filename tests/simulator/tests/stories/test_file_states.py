# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are offline, moved or suspended: what the views say, and what becomes of the rows."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oracledb
import pytest

from oracle_simulator.program.local_socket import LocalError
from oracle_simulator.testing import MakeDatabase, SimulatedDatabase

from ..storage.independent import walk_datafile
from .dba import Dba, wait_until


@pytest.fixture(scope="module")
def dba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dba]:
    """One database; each test leaves tablespace APP online and read write."""
    folder = tmp_path_factory.mktemp("states")
    database = SimulatedDatabase(folder / "orcl")
    database.start()
    at_work = Dba(database, folder / "kept")
    first, second = (database.home.datafile_folder / f"app0{n}.dbf" for n in (1, 2))
    at_work.execute(f"CREATE TABLESPACE app DATAFILE '{first}' SIZE 2M, '{second}' SIZE 2M")
    at_work.load.create_table("APP")
    yield at_work
    at_work.load.stop()
    database.destroy()


def app_files(dba: Dba) -> list[int]:
    found = dba.query("SELECT file# FROM v$datafile WHERE name LIKE '%app0%' ORDER BY file#")
    return [int(number) for (number,) in found]


def datafile(dba: Dba, number: int) -> dict[str, Any]:
    """The row of V$DATAFILE as a dictionary."""
    with dba.session.cursor() as cursor:
        (row,) = cursor.execute("SELECT * FROM v$datafile WHERE file# = :1", [number])
        return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def header_row(dba: Dba, number: int) -> tuple[Any, ...]:
    (row,) = dba.query(
        f"SELECT status, error, recover, fuzzy, checkpoint_change# FROM v$datafile_header WHERE file# = {number}"
    )
    return row


def to_recover(dba: Dba, number: int) -> list[tuple[Any, ...]]:
    return dba.query(f"SELECT online_status, error FROM v$recover_file WHERE file# = {number}")


def backup_status(dba: Dba, number: int) -> str:
    ((status,),) = dba.query(f"SELECT status FROM v$backup WHERE file# = {number}")
    return str(status)


def test_offline_normal_needs_no_recovery_and_says_so(dba: Dba) -> None:
    one, _two = app_files(dba)
    dba.execute("ALTER TABLESPACE app OFFLINE NORMAL")
    row = datafile(dba, one)
    assert (row["STATUS"], row["ENABLED"], row["BYTES"], row["BLOCKS"]) == ("OFFLINE", "DISABLED", 0, 0)
    assert row["LAST_CHANGE#"] == row["CHECKPOINT_CHANGE#"]
    assert row["CREATE_BYTES"] == 2 << 20
    assert header_row(dba, one) == ("OFFLINE", "OFFLINE NORMAL", "NO", "NO", row["CHECKPOINT_CHANGE#"])
    assert to_recover(dba, one) == [("OFFLINE", "OFFLINE NORMAL")]
    assert backup_status(dba, one) == "OFFLINE NORMAL"
    assert dba.refusal("ALTER TABLESPACE app BEGIN BACKUP") == (1128, 1110)
    stopped = row["LAST_CHANGE#"]
    dba.execute("ALTER TABLESPACE app ONLINE")
    row = datafile(dba, one)
    assert (row["STATUS"], row["ENABLED"], row["LAST_CHANGE#"]) == ("ONLINE", "READ WRITE", None)
    assert row["OFFLINE_CHANGE#"] == stopped < row["ONLINE_CHANGE#"]
    assert row["BYTES"] == 2 << 20
    assert row["ONLINE_TIME"] is not None


def test_offline_immediate_needs_recovery(dba: Dba) -> None:
    one, two = app_files(dba)
    dba.load.start()
    dba.execute("ALTER TABLESPACE app OFFLINE IMMEDIATE")
    dba.load.stop()
    row = datafile(dba, one)
    assert (row["STATUS"], row["ENABLED"], row["BYTES"]) == ("RECOVER", "DISABLED", 0)
    assert row["LAST_CHANGE#"] > row["CHECKPOINT_CHANGE#"]
    status, error, recover, _fuzzy, _scn = header_row(dba, one)
    assert (status, error, recover) == ("OFFLINE", None, "YES")
    assert to_recover(dba, one) == [("OFFLINE", None)]
    assert dba.refusal("ALTER TABLESPACE app ONLINE")[:2] == (1113, 1110)
    dba.execute("ALTER DATABASE RECOVER AUTOMATIC TABLESPACE app")
    assert datafile(dba, two)["STATUS"] == "OFFLINE"
    dba.execute("ALTER TABLESPACE app ONLINE")
    assert not dba.load.lost(dba.rows())


def test_one_file_offline_bars_the_normal_way_but_not_the_temporary_one(dba: Dba) -> None:
    one, two = app_files(dba)
    dba.execute(f"ALTER DATABASE DATAFILE {two} OFFLINE")
    row = datafile(dba, two)
    assert (row["STATUS"], row["ENABLED"], row["BYTES"]) == ("RECOVER", "READ WRITE", 0)
    assert row["LAST_CHANGE#"] > row["CHECKPOINT_CHANGE#"]
    assert dba.refusal("ALTER TABLESPACE app OFFLINE NORMAL") == (1191, 1110)
    dba.execute("ALTER TABLESPACE app OFFLINE TEMPORARY")
    assert to_recover(dba, one) == [("OFFLINE", "OFFLINE NORMAL")]
    assert to_recover(dba, two) == [("OFFLINE", None)]
    assert dba.refusal("ALTER TABLESPACE app ONLINE")[:2] == (1113, 1110)
    dba.execute(f"ALTER DATABASE RECOVER AUTOMATIC DATAFILE {two}")
    dba.execute("ALTER TABLESPACE app ONLINE")
    assert [datafile(dba, number)["STATUS"] for number in (one, two)] == ["ONLINE", "ONLINE"]
    assert not dba.load.lost(dba.rows())


def test_a_file_that_is_not_there_has_no_size(dba: Dba) -> None:
    one, _two = app_files(dba)
    path = Path(datafile(dba, one)["NAME"])
    dba.shut_down()
    path.rename(path.with_suffix(".away"))
    dba.start_mounted()
    row = datafile(dba, one)
    assert (row["STATUS"], row["BYTES"], row["BLOCKS"]) == ("ONLINE", 0, 0)
    assert to_recover(dba, one) == [("ONLINE", "FILE NOT FOUND")]
    path.with_suffix(".away").rename(path)
    dba.open()
    assert datafile(dba, one)["BYTES"] == 2 << 20


def test_a_file_moves_under_load_and_its_old_name_is_gone(dba: Dba) -> None:
    one, _two = app_files(dba)
    old = Path(datafile(dba, one)["NAME"])
    new = old.with_name("moved app.dbf")
    dba.load.start()
    assert dba.refusal(f"ALTER DATABASE MOVE DATAFILE {one} TO '{dba.database.datafile('USERS')}'") == (1523,)
    there = old.with_name("there.dbf")
    there.write_bytes(b"precious")
    assert dba.refusal(f"ALTER DATABASE MOVE DATAFILE {one} TO '{there}'") == (1119, 27038)
    assert there.read_bytes() == b"precious"
    assert dba.refusal(f"ALTER DATABASE MOVE DATAFILE {one} TO '/nowhere/x.dbf'") == (1119, 27040)
    dba.execute(f"ALTER DATABASE MOVE DATAFILE '{old}' TO '{new}'")
    assert (old.exists(), new.exists(), datafile(dba, one)["NAME"]) == (False, True, str(new))
    dba.load.wait_for(50)
    dba.execute(f"ALTER DATABASE MOVE DATAFILE {one} TO '{there}' REUSE KEEP")
    assert new.exists()
    dba.load.wait_for(20)
    dba.crash()
    dba.database.start()
    assert not dba.load.lost(dba.rows())
    assert not dba.load.unexpected(dba.rows())
    dba.execute("ALTER SYSTEM CHECKPOINT")
    walk_datafile(there)
    dba.execute(f"ALTER DATABASE MOVE DATAFILE {one} TO '{old}'")
    new.unlink()


@pytest.mark.parametrize("moves", [True, False])
def test_moving_in_backup_mode_under_both_readings(make_database: MakeDatabase, moves: bool) -> None:
    database = make_database(spec={"readings": {"moves_datafile_in_backup_mode": moves}})
    users, new = database.datafile("USERS"), database.home.datafile_folder / "elsewhere.dbf"
    database.sql("ALTER TABLESPACE users BEGIN BACKUP")
    move = f"ALTER DATABASE MOVE DATAFILE '{users}' TO '{new}'"
    if moves:
        database.sql(move)
    else:
        with pytest.raises(LocalError, match="ORA-01150"):
            database.sql(move)
    assert new.exists() is moves
    assert users.exists() is not moves
    assert database.sql("SELECT COUNT(*) FROM v$backup WHERE status = 'ACTIVE'") == [[1]]
    database.sql("ALTER TABLESPACE users END BACKUP")


def test_nothing_is_written_while_suspended(dba: Dba) -> None:
    dba.load.start()
    dba.execute("ALTER SYSTEM SUSPEND")
    assert dba.query("SELECT database_status FROM v$instance") == [("SUSPENDED",)]
    assert dba.load.stalled()
    folder = dba.database.home.datafile_folder
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    snapshot = {path: path.stat().st_mtime_ns for path in before}
    switch = threading.Thread(target=lambda: dba.database.sql("ALTER SYSTEM SWITCH LOGFILE"))
    switch.start()
    assert dba.load.stalled()
    assert {path: path.stat().st_mtime_ns for path in before} == snapshot
    assert {path: path.read_bytes() for path in before} == before
    dba.execute("ALTER SYSTEM RESUME")
    switch.join(60)
    dba.load.wait_for(20)
    dba.load.stop()
    assert dba.query("SELECT database_status FROM v$instance") == [("ACTIVE",)]
    assert not dba.load.lost(dba.rows())


def test_a_closed_database_is_not_opened_again_by_its_instance(dba: Dba) -> None:
    dba.load.stop()
    with dba.database.connect("APP"):
        assert dba.refusal("ALTER DATABASE CLOSE") == (1093,)
    wait_until(
        lambda: dba.query("SELECT COUNT(*) FROM v$session WHERE username = 'APP'") == [(0,)], "APP is there"
    )
    assert dba.refusal("ALTER DATABASE DISMOUNT") == (1154,)
    dba.execute("ALTER DATABASE CLOSE")
    assert dba.query("SELECT open_mode FROM v$database") == [("MOUNTED",)]
    assert dba.query("SELECT DISTINCT fuzzy FROM v$datafile_header") == [("NO",)]
    with pytest.raises(oracledb.DatabaseError, match="ORA-01033"):
        dba.database.connect("APP")
    assert dba.refusal("ALTER DATABASE OPEN") == (16196,)
    dba.execute("ALTER DATABASE DISMOUNT")
    assert dba.refusal("ALTER DATABASE MOUNT") == (750,)
    assert dba.query("SELECT status FROM v$instance") == [("STARTED",)]
    dba.shut_down()
    dba.database.start()
    assert not dba.load.lost(dba.rows())


def test_a_lost_file_is_made_again_elsewhere(dba: Dba) -> None:
    one, two = app_files(dba)
    old = Path(datafile(dba, two)["NAME"])
    new = old.with_name("app02b.dbf")
    dba.crash()
    shutil.move(old, old.with_suffix(".away"))
    dba.start_mounted()
    assert dba.refusal("ALTER DATABASE CREATE DATAFILE 1") == (1180,)
    dba.execute(f"ALTER DATABASE CREATE DATAFILE {two} AS '{new}'")
    dba.execute(f"ALTER DATABASE RECOVER AUTOMATIC DATAFILE {two}")
    dba.open()
    assert datafile(dba, two)["NAME"] == str(new)
    assert one != two
    assert not dba.load.lost(dba.rows())


def test_undo_moves_to_another_tablespace(dba: Dba) -> None:
    path = dba.database.home.datafile_folder / "undo2.dbf"
    switch = "ALTER SYSTEM SET undo_tablespace = undo2"
    assert dba.refusal(switch) == (2097, 30012)
    dba.execute(f"CREATE UNDO TABLESPACE undo2 DATAFILE '{path}' SIZE 2M")
    assert dba.refusal("ALTER SYSTEM SET undo_tablespace = users") == (2097, 30012)
    assert dba.refusal("DROP TABLESPACE undotbs1 INCLUDING CONTENTS AND DATAFILES") == (30013,)
    dba.execute(switch)
    assert dba.refusal("ALTER TABLESPACE undo2 OFFLINE") == (30042,)
    dba.execute("DROP TABLESPACE undotbs1 INCLUDING CONTENTS AND DATAFILES")
    # The parameter file still names the old one: the next start fails, as after a restore with an old pfile.
    dba.shut_down()
    dba.start_mounted()
    with pytest.raises(oracledb.DatabaseError), dba.session.cursor() as cursor:
        cursor.execute("ALTER DATABASE OPEN")
    wait_until(lambda: not dba.database.running, "the instance is up")
    assert "ORA-30012" in dba.database.home.alert_log.read_text(encoding="utf-8")
    dba.crash()
    pfile = dba.database.home.parameter_file
    pfile.write_text(pfile.read_text(encoding="utf-8").replace("UNDOTBS1", "UNDO2"), encoding="utf-8")
    dba.database.start()


def test_sorts_need_a_tempfile(dba: Dba) -> None:
    ((tempfile,),) = dba.query("SELECT name FROM v$tempfile")
    dba.execute(f"ALTER DATABASE TEMPFILE '{tempfile}' DROP INCLUDING DATAFILES")
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        small = "SELECT a.id FROM t a ORDER BY 1"
        large = "SELECT a.id FROM t a, t b WHERE b.id < 2 ORDER BY 1"
        assert len(cursor.execute(small).fetchall()) == 300
        with pytest.raises(oracledb.DatabaseError, match="ORA-25153"):
            cursor.execute(large).fetchall()
        dba.execute(f"ALTER TABLESPACE temp ADD TEMPFILE '{tempfile}' SIZE 2M")
        assert len(cursor.execute(large).fetchall()) == 600
        dba.shut_down()
    Path(tempfile).unlink()
    dba.database.start()
    assert Path(tempfile).exists()
