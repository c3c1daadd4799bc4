# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container database over the wire: backed up container by container, restored in parts and as a whole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oracledb
import pytest

from oracle_simulator.program.local_socket import LocalError
from oracle_simulator.testing import MakeDatabase, SimulatedDatabase

from .dba import codes_of
from .load import Load

APP = [{"name": "APP"}]
SPEC = {
    "cdb": True,
    "pdbs": {
        "PDB1": {"open": "read_write", "users": APP},
        "PDB2": {"open": "read_write", "users": APP},
        "PDB3": {"users": APP},
    },
}


class Pluggable:
    """A pluggable database with a load on it."""

    def __init__(self, database: SimulatedDatabase, name: str) -> None:
        self.database = database
        self.name = name
        self.load = Load(database, service=name)

    def sql(self, *statements: str) -> list[list[Any]]:
        """As SYS in this container."""
        return self.database.sql(f"ALTER SESSION SET CONTAINER = {self.name}", *statements)

    def rows(self) -> dict[int, int]:
        with self.database.connect("APP", service=self.name) as connection, connection.cursor() as cursor:
            return dict(cursor.execute("SELECT id, n FROM t").fetchall())

    def files(self) -> list[Path]:
        return [Path(name) for (name,) in self.sql("SELECT name FROM v$datafile ORDER BY file#")]

    def assert_nothing_lost(self) -> None:
        rows = self.rows()
        assert self.load.lost(rows) == []
        assert self.load.unexpected(rows) == []


def feed(database: SimulatedDatabase, statement: str, redo: Path) -> None:
    """A recovery as SYS over the wire, each request answered with the log of that name, CANCEL when there is none."""
    with database.connect("SYS") as connection, connection.cursor() as cursor:
        while True:
            try:
                cursor.execute(statement)
                return
            except oracledb.DatabaseError as error:
                if codes_of(error)[0] != 279:
                    raise
                wanted = re.search(r"ORA-00289: suggestion : (\S+)", str(error))
                assert wanted is not None
                log = redo / Path(wanted[1]).name
                cancel = log.name in statement or not log.exists()
                statement = (
                    f"ALTER DATABASE RECOVER {'CANCEL' if cancel else f'''LOGFILE '{log}' '''}".strip()
                )


def copy_container(database: SimulatedDatabase, container: str, folder: Path) -> None:
    """A hot backup of one container: BEGIN, copy, END, tablespace by tablespace."""
    inside = f"ALTER SESSION SET CONTAINER = {container}"
    folder.mkdir(parents=True)
    found = database.sql(
        inside,
        "SELECT t.name, d.name FROM v$datafile d JOIN v$tablespace t ON t.ts# = d.ts# AND t.con_id = d.con_id "
        "WHERE d.con_id = SYS_CONTEXT('USERENV', 'CON_ID') ORDER BY d.file#",
    )
    for tablespace, path in found:
        database.sql(inside, f'ALTER TABLESPACE "{tablespace}" BEGIN BACKUP')
        shutil.copyfile(path, folder / Path(path).name)
        database.sql(inside, f'ALTER TABLESPACE "{tablespace}" END BACKUP')


@pytest.fixture
def cdb(make_database: MakeDatabase) -> Iterator[tuple[SimulatedDatabase, Pluggable, Pluggable]]:
    """A CDB with a load on each of two pluggable databases."""
    database = make_database("CDB1", SPEC)
    first, second = Pluggable(database, "PDB1"), Pluggable(database, "PDB2")
    for each in (first, second):
        each.load.create_table()
        each.load.start()
    yield database, first, second
    database.crash()
    for each in (first, second):
        each.load.stop()


def test_a_lost_pluggable_database_is_restored_while_the_other_works(
    cdb: tuple[SimulatedDatabase, Pluggable, Pluggable], tmp_path: Path
) -> None:
    database, first, second = cdb
    copy_container(database, "PDB1", tmp_path / "PDB1")
    first.load.wait_for(20)
    database.sql("ALTER SYSTEM ARCHIVE LOG CURRENT")
    first.load.wait_for(20)
    files = first.files()
    for path in files:
        path.unlink()
    database.sql("ALTER PLUGGABLE DATABASE pdb1 CLOSE ABORT")
    first.load.stop()
    with pytest.raises(LocalError) as refused:
        database.sql("ALTER PLUGGABLE DATABASE pdb1 OPEN")
    assert refused.value.code == 1157
    missing = "SELECT DISTINCT con_id, error FROM v$recover_file"
    assert database.sql(missing) == [[3, "FILE NOT FOUND"]]
    second.load.wait_for(20)
    for path in files:
        shutil.copyfile(tmp_path / "PDB1" / path.name, path)
    with pytest.raises(LocalError) as refused:
        database.sql("ALTER PLUGGABLE DATABASE pdb1 OPEN")
    assert refused.value.code == 1113
    first.sql("ALTER PLUGGABLE DATABASE RECOVER AUTOMATIC DATABASE")
    second.load.wait_for(20)
    database.sql("ALTER PLUGGABLE DATABASE pdb1 OPEN")
    assert database.sql("SELECT * FROM v$recover_file") == []
    second.load.stop()
    first.assert_nothing_lost()
    second.assert_nothing_lost()


def test_one_lost_file_of_an_open_pluggable_database(
    cdb: tuple[SimulatedDatabase, Pluggable, Pluggable], tmp_path: Path
) -> None:
    database, first, second = cdb
    copy_container(database, "PDB1", tmp_path / "PDB1")
    first.load.wait_for(20)
    ((number, name),) = first.sql(
        "SELECT d.file#, d.name FROM v$datafile d JOIN v$tablespace t ON t.ts# = d.ts# WHERE t.name = 'USERS'"
    )
    with pytest.raises(LocalError) as refused:
        database.sql(f"ALTER DATABASE DATAFILE {number} OFFLINE")
    assert refused.value.code == 1516
    Path(name).unlink()
    first.sql(f"ALTER DATABASE DATAFILE {number} OFFLINE")
    first.load.stop()
    shutil.copyfile(tmp_path / "PDB1" / Path(name).name, name)
    first.sql(
        f"ALTER DATABASE RECOVER AUTOMATIC DATAFILE {number}", f"ALTER DATABASE DATAFILE {number} ONLINE"
    )
    second.load.stop()
    first.assert_nothing_lost()
    second.assert_nothing_lost()


def test_a_crash_takes_all_open_containers_and_recovery_brings_them_back(
    cdb: tuple[SimulatedDatabase, Pluggable, Pluggable],
) -> None:
    database, first, second = cdb
    first.load.wait_for(20)
    second.load.wait_for(20)
    database.crash()
    first.load.stop()
    second.load.stop()
    first_users = database.home.datafile_folder / "PDB1" / "users01.dbf"
    first_users.rename(first_users.with_suffix(".away"))
    database.start()  # the root and the other containers do without the lost file
    modes = "SELECT name, open_mode FROM v$pdbs WHERE con_id > 2 ORDER BY con_id"
    assert database.sql(modes) == [["PDB1", "MOUNTED"], ["PDB2", "READ WRITE"], ["PDB3", "MOUNTED"]]
    second.assert_nothing_lost()
    first_users.with_suffix(".away").rename(first_users)
    with pytest.raises(LocalError) as refused:
        database.sql("ALTER PLUGGABLE DATABASE pdb1 OPEN")
    assert refused.value.code == 1113
    first.sql("ALTER PLUGGABLE DATABASE RECOVER AUTOMATIC DATABASE", "ALTER PLUGGABLE DATABASE OPEN")
    first.assert_nothing_lost()


def test_everything_lost_and_restored(
    cdb: tuple[SimulatedDatabase, Pluggable, Pluggable], tmp_path: Path
) -> None:
    database, first, second = cdb
    kept = tmp_path / "kept"
    # Closed and read-only containers are quiet: plain copies. The seed has never been anything else.
    for quiet in ("pdbseed", "PDB3"):
        shutil.copytree(database.home.datafile_folder / quiet, kept / quiet)
    for container in ("CDB$ROOT", "PDB1", "PDB2"):
        copy_container(database, container, kept / container)
    first.load.stop()
    second.load.stop()
    database.sql("ALTER SYSTEM ARCHIVE LOG CURRENT")
    database.sql(f"ALTER DATABASE BACKUP CONTROLFILE TO '{kept / 'control'}'")
    shutil.copytree(database.home.archive_folder, kept / "redo")
    files = database.sql("SELECT c.name, d.name FROM v$datafile d JOIN v$containers c ON c.con_id = d.con_id")
    database.crash()
    for folder in (database.home.datafile_folder, database.home.redo_folder, database.home.archive_folder):
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()

    for container, name in files:
        source = kept / ("pdbseed" if container == "PDB$SEED" else container)
        shutil.copyfile(source / Path(name).name, name)
    for path in database.home.control_files:
        shutil.copyfile(kept / "control", path)
    database.start("mount")
    feed(database, "ALTER DATABASE RECOVER DATABASE UNTIL CANCEL USING BACKUP CONTROLFILE", kept / "redo")
    assert database.sql("SELECT DISTINCT fuzzy FROM v$datafile_header") == [["NO"]]
    assert len(database.sql("SELECT DISTINCT checkpoint_change# FROM v$datafile_header")) == 1
    database.sql("ALTER DATABASE OPEN RESETLOGS")
    assert len(database.sql("SELECT DISTINCT resetlogs_change# FROM v$datafile_header")) == 1
    assert len(database.sql("SELECT DISTINCT con_id FROM v$tempfile")) == 5
    first.assert_nothing_lost()
    second.assert_nothing_lost()
    database.sql("ALTER PLUGGABLE DATABASE pdb3 OPEN")


def test_sqlplus_shows_and_shuts_the_container_it_is_in(make_database: MakeDatabase) -> None:
    database = make_database("CDB1", SPEC)
    script = (
        "SHOW CON_NAME\nALTER SESSION SET CONTAINER = pdb1;\nSHOW CON_NAME\nSHUTDOWN IMMEDIATE\nSHOW PDBS\n"
    )
    ran = subprocess.run(
        [str(database.home.bin / "sqlplus"), "-S", "/", "as", "sysdba"],
        input=script,
        text=True,
        capture_output=True,
        env={"ORACLE_SID": database.sid, "PATH": os.environ["PATH"]},
        timeout=60,
        check=False,
    )
    words = ran.stdout.split()
    assert (words.count("CDB$ROOT"), words.count("MOUNTED")) == (1, 1)
    assert "Pluggable Database closed." in ran.stdout
    assert database.running
    assert database.sql("SELECT name FROM v$pdbs WHERE open_mode = 'READ WRITE'") == [["PDB2"]]


def test_a_new_control_file_finds_the_containers_again(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("CDB1", SPEC)
    script = tmp_path / "control.sql"
    database.sql(f"ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '{script}' NORESETLOGS")
    text = re.sub(r"^(--|STARTUP|RECOVER).*$", "", script.read_text(encoding="utf-8"), flags=re.M)
    create, *rest = [each.strip() for each in text.split(";") if each.strip()]
    database.crash()
    for path in database.home.control_files:
        path.unlink()
    database.start("nomount")
    database.sql(create)
    assert ["_###_UNKNOWN_PDB_#_3"] in database.sql("SELECT name FROM v$pdbs")
    database.sql("ALTER DATABASE RECOVER DATABASE")
    assert "ALTER PLUGGABLE DATABASE ALL OPEN" in rest
    assert 'ALTER SESSION SET CONTAINER = "PDB$SEED"' in rest
    rest.remove("ALTER SYSTEM ARCHIVE LOG ALL")  # ORA-00271: nothing was switched since
    database.sql(*rest)
    assert len(database.sql("SELECT DISTINCT con_id FROM v$tempfile")) == 5
    modes = "SELECT name, open_mode FROM v$pdbs WHERE con_id > 2 ORDER BY con_id"
    assert database.sql(modes) == [[f"PDB{number}", "READ WRITE"] for number in (1, 2, 3)]


def test_a_pluggable_database_made_after_the_backup_is_not_in_the_redo(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("CDB1", SPEC)
    kept = tmp_path / "kept"
    copy_container(database, "CDB$ROOT", kept / "CDB$ROOT")
    database.sql("ALTER PLUGGABLE DATABASE ALL CLOSE IMMEDIATE")
    shutil.copytree(database.home.datafile_folder, kept / "files")
    database.sql(f"ALTER DATABASE BACKUP CONTROLFILE TO '{kept / 'control'}'")
    database.sql(
        "CREATE PLUGGABLE DATABASE late ADMIN USER adm IDENTIFIED BY x FILE_NAME_CONVERT = ('pdbseed', 'late')",
        "ALTER PLUGGABLE DATABASE late OPEN",
        "ALTER SYSTEM ARCHIVE LOG CURRENT",
    )
    database.crash()
    for folder in ("pdbseed", "PDB1", "PDB2", "PDB3"):
        shutil.copytree(kept / "files" / folder, database.home.datafile_folder / folder, dirs_exist_ok=True)
    for path in (kept / "CDB$ROOT").iterdir():
        shutil.copyfile(path, database.home.datafile_folder / path.name)
    for path in database.home.control_files:
        shutil.copyfile(kept / "control", path)
    database.start("mount")
    recover = "ALTER DATABASE RECOVER AUTOMATIC DATABASE USING BACKUP CONTROLFILE UNTIL CANCEL"
    with pytest.raises(LocalError) as refused:
        database.sql(recover)
    assert [line[:9] for line in refused.value.lines][:3] == ["ORA-00283", "ORA-01244", "ORA-01110"]
    unnamed = database.sql("SELECT file#, name FROM v$datafile WHERE name LIKE '%UNNAMED%' ORDER BY file#")
    assert database.sql("SELECT name FROM v$pdbs WHERE con_id = 6") == [["LATE"]]
    with pytest.raises(LocalError) as refused:
        database.sql(f"ALTER DATABASE CREATE DATAFILE {unnamed[0][0]} AS '{tmp_path / 'again.dbf'}'")
    assert refused.value.code == 1178
