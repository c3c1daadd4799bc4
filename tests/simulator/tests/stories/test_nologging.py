# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads without redo: on disk at once, unknown to the redo, and corrupt in a copy that is older than they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import oracledb
import pytest

from oracle_simulator.testing import MakeDatabase, SimulatedDatabase

from ..storage.independent import walk_datafile
from .dba import Dba, codes_of

ROWS = 400


@pytest.fixture(scope="module")
def dba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dba]:
    """One database; each test works on tables of its own."""
    folder = tmp_path_factory.mktemp("nologging")
    database = SimulatedDatabase(folder / "orcl")
    database.start()
    at_work = Dba(database, folder / "kept")
    run(at_work, "CREATE TABLE source (id NUMBER PRIMARY KEY, pad VARCHAR2(60))")
    with database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO source VALUES (:1, :2)", [(n, f"row {n}") for n in range(ROWS)])
        connection.commit()
    yield at_work
    database.destroy()


def run(dba: Dba, *statements: str) -> None:
    """Statements of APP, committed."""
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def load(dba: Dba, table: str, mark: str) -> None:
    """A direct-path load of rows that can be found again in files."""
    run(dba, f"INSERT /*+ APPEND */ INTO {table} SELECT id, '{mark} ' || id || ' {mark}' FROM source")


def count(dba: Dba, table: str) -> int:
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        return int(next(iter(cursor.execute(f"SELECT COUNT(pad) FROM {table}")))[0])


def refused(dba: Dba, query: str) -> tuple[int, ...]:
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        try:
            cursor.execute(query).fetchall()
        except oracledb.Error as error:
            return codes_of(error)
    return ()


def users_file(dba: Dba) -> Path:
    return dba.database.datafile("USERS")


def unrecoverable(dba: Dba) -> int:
    ((change,),) = dba.query(f"SELECT unrecoverable_change# FROM v$datafile WHERE name = '{users_file(dba)}'")
    return int(change)


def in_redo(dba: Dba, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in dba.database.home.redo_folder.glob("redo*"))


def hot_copy(dba: Dba) -> int:
    """A good copy of USERS; its begin SCN."""
    dba.execute("ALTER TABLESPACE users BEGIN BACKUP")
    ((scn,),) = dba.query("SELECT MAX(change#) FROM v$backup WHERE status = 'ACTIVE'")
    dba.copy(users_file(dba))
    dba.execute("ALTER TABLESPACE users END BACKUP")
    return int(scn)


def restore_the_copy(dba: Dba) -> None:
    """Crash, put the copy back and recover it completely."""
    dba.crash()
    shutil.copyfile(dba.kept / "datafiles" / users_file(dba).name, users_file(dba))
    dba.start_mounted()
    dba.recover_database()
    dba.open()


@pytest.mark.covers("2.7/needs-people/ORA-01578")
def test_a_load_after_the_copy_is_lost_with_the_file(dba: Dba) -> None:
    run(dba, "CREATE TABLE quick (id NUMBER, pad VARCHAR2(60)) NOLOGGING")
    run(dba, "CREATE TABLE safe (id NUMBER, pad VARCHAR2(60))")
    begin = hot_copy(dba)
    assert unrecoverable(dba) < begin
    load(dba, "quick", "mercury")
    load(dba, "safe", "lead")
    change = unrecoverable(dba)
    assert begin < change <= dba.current_scn()
    assert any(b"mercury 7 " in block for block in walk_datafile(users_file(dba)).values())
    assert not in_redo(dba, "mercury 7 ")
    assert in_redo(dba, "lead 7 ")
    # A crash harms nothing: the rows are in the file.
    dba.crash()
    dba.database.start()
    assert (count(dba, "quick"), count(dba, "safe"), unrecoverable(dba)) == (ROWS, ROWS, change)
    # A row changed in the ordinary way afterwards is logged, but its block is not there to be changed.
    run(dba, "UPDATE quick SET pad = 'x' WHERE id = 3", "INSERT INTO quick VALUES (-1, 'y')")
    restore_the_copy(dba)
    assert count(dba, "safe") == ROWS
    assert refused(dba, "SELECT * FROM quick") == (1578, 1110, 26040)
    used = walk_datafile(users_file(dba))
    marked = [block for block in used.values() if block[14] == 0xFF]
    assert len(marked) >= 2
    assert all(set(block[20:-4]) == {0xFF} for block in marked)
    run(dba, "DROP TABLE quick")
    run(dba, "CREATE TABLE quick (id NUMBER, pad VARCHAR2(60))", "INSERT INTO quick SELECT * FROM source")
    assert count(dba, "quick") == ROWS


def test_force_logging_overrules_the_table(dba: Dba) -> None:
    run(dba, "CREATE TABLE forced (id NUMBER, pad VARCHAR2(60)) NOLOGGING")
    before = unrecoverable(dba)
    hot_copy(dba)
    dba.execute("ALTER DATABASE FORCE LOGGING")
    assert dba.query("SELECT force_logging FROM v$database") == [("YES",)]
    load(dba, "forced", "iron")
    dba.execute("ALTER DATABASE NO FORCE LOGGING")
    dba.execute("ALTER TABLESPACE users FORCE LOGGING")
    assert dba.refusal("ALTER TABLESPACE users FORCE LOGGING") == (12922,)
    assert dba.query("SELECT force_logging FROM dba_tablespaces WHERE tablespace_name = 'USERS'") == [
        ("YES",)
    ]
    run(dba, "CREATE TABLE forced2 NOLOGGING AS SELECT * FROM source")
    dba.execute("ALTER TABLESPACE users NO FORCE LOGGING")
    assert unrecoverable(dba) == before
    restore_the_copy(dba)
    assert (count(dba, "forced"), count(dba, "forced2")) == (ROWS, ROWS)


def test_create_table_as_select_follows_the_attribute(dba: Dba) -> None:
    dba.execute("ALTER TABLESPACE users NOLOGGING")
    run(dba, "CREATE TABLE copied AS SELECT id, 'zinc ' || id pad FROM source")
    dba.execute("ALTER TABLESPACE users LOGGING")
    assert not in_redo(dba, "zinc 7")
    assert dba.query("SELECT logging FROM dba_tables WHERE table_name = 'COPIED'") == [("NO",)]
    assert count(dba, "copied") == ROWS
    change = unrecoverable(dba)
    run(dba, "ALTER TABLE copied LOGGING", "INSERT INTO copied VALUES (-1, 'tin')")
    load(dba, "copied", "copper")
    assert unrecoverable(dba) == change
    assert in_redo(dba, "copper 7 ")
    assert count(dba, "copied") == 2 * ROWS + 1


def test_a_loaded_table_is_out_of_reach_until_the_commit(dba: Dba) -> None:
    run(dba, "CREATE TABLE held (id NUMBER, pad VARCHAR2(60)) NOLOGGING")
    with dba.database.connect("APP") as one, dba.database.connect("APP") as two:
        first, second = one.cursor(), two.cursor()
        first.execute("INSERT /*+ APPEND */ INTO held SELECT * FROM source")
        for statement in ("SELECT * FROM held", "UPDATE held SET id = 1", "INSERT INTO held VALUES (1, 'x')"):
            with pytest.raises(oracledb.DatabaseError, match="ORA-12838"):
                first.execute(statement)
        assert list(second.execute("SELECT COUNT(*) FROM held")) == [(0,)]
        two.call_timeout = 300
        with pytest.raises(oracledb.DatabaseError):
            second.execute("INSERT INTO held VALUES (1, 'x')")
        one.rollback()
    assert count(dba, "held") == 0
    run(dba, "INSERT INTO held SELECT * FROM source")
    assert count(dba, "held") == ROWS


def test_alter_table_writes_the_rows_anew(dba: Dba) -> None:
    run(dba, "CREATE TABLE wide AS SELECT * FROM source")
    run(dba, "ALTER TABLE wide ADD (born DATE, kind VARCHAR2(9) DEFAULT 'plain' NOT NULL)")
    run(dba, "ALTER TABLE wide MOVE TABLESPACE sysaux", "UPDATE wide SET kind = 'moved' WHERE id = 5")
    assert refused(dba, "ALTER TABLE wide ADD kind NUMBER") == (1430,)
    assert refused(dba, "ALTER TABLE wide ADD more NUMBER NOT NULL") == (1758,)
    dba.crash()
    dba.database.start()
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        rows = list(cursor.execute("SELECT kind, COUNT(*), COUNT(born) FROM wide GROUP BY kind ORDER BY 1"))
    assert rows == [("moved", 1, 0), ("plain", ROWS - 1, 0)]
    place = "SELECT tablespace_name FROM dba_tables WHERE table_name = 'WIDE'"
    assert dba.query(place) == [("SYSAUX",)]


def test_without_archivelog_nothing_is_logged_and_nothing_noted(make_database: MakeDatabase) -> None:
    database = make_database(spec={"archive_mode": False})
    with database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE t AS SELECT level n, 'silver ' || level pad FROM dual CONNECT BY level < 50"
        )
        cursor.execute("SELECT COUNT(*) FROM t")
        assert cursor.fetchone() == (49,)
    assert not any(b"silver 7" in path.read_bytes() for path in database.home.redo_folder.glob("redo*"))
    database.crash()
    database.start()
    assert database.sql("SELECT MAX(unrecoverable_change#) FROM v$datafile") == [[0]]
    with database.connect("APP") as connection, connection.cursor() as cursor:
        assert list(cursor.execute("SELECT COUNT(*) FROM t")) == [(49,)]
