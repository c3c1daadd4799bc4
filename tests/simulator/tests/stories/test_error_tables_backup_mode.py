# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup mode: what its statements do, what they refuse, and what is refused because of them."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from oracle_simulator.program.local_socket import LocalError
from oracle_simulator.testing import SMALL

from ..storage.independent import datafile_header
from .catalogue.scene import Scene
from .dba import Refused, wait_until
from .refusals import Case, check, header_of, parameters, refusal, standing

SPEC: Mapping[str, Any] = {
    "tablespaces": [
        *SMALL["tablespaces"],
        {"name": "OLD", "size": "2M", "read_only": True},
        {"name": "TWO", "files": [{"size": "2M"}, {"size": "2M"}]},
        {"name": "AWAY", "size": "2M"},
        {"name": "HALF", "files": [{"size": "2M"}, {"size": "2M"}]},
    ],
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An open database with a read-only tablespace, one that is offline, and one with a file offline."""
    made = Scene(tmp_path_factory.mktemp("backup_mode"), SPEC)
    made.database.start()
    made.execute("ALTER TABLESPACE away OFFLINE")
    made.execute("ALTER DATABASE DATAFILE '{datafiles}/half02.dbf' OFFLINE".format_map(made.words))
    yield made
    made.database.destroy()


@pytest.fixture
def mounted(scene: Scene) -> Iterator[Scene]:
    """The same database, mounted."""
    scene.forget_sessions()
    scene.database.shutdown()
    scene.database.start("mount")
    yield scene
    scene.execute("ALTER DATABASE OPEN")


def active(scene: Scene) -> set[str]:
    """Names of the files in backup mode; V$BACKUP and the headers on disk agree about them."""
    shown = scene.query(
        "SELECT d.name FROM v$backup b JOIN v$datafile d ON d.file# = b.file# WHERE b.status = 'ACTIVE'"
    )
    names = {Path(name).name for (name,) in shown}
    assert names == {path.name for path in scene.datafiles() if datafile_header(path).in_backup}
    return names


def change_of(scene: Scene, tablespace: str) -> int:
    """V$BACKUP.CHANGE# of a tablespace's first file."""
    return scene.number(f"SELECT change# FROM v$backup WHERE file# = {scene.file_number(tablespace)}")


BEGUN = ("ALTER TABLESPACE users BEGIN BACKUP",)
ENDED = ("ALTER TABLESPACE users END BACKUP",)
USERS_FILE = "ORA-01110: data file 4: '{datafiles}/users01.dbf'"
REFUSED = (
    Case(
        ("2.1/tablespace-begin/ORA-00959",),
        "ALTER TABLESPACE nowhere BEGIN BACKUP",
        ("ORA-00959: tablespace 'NOWHERE' does not exist",),
    ),
    Case(
        ("2.1/tablespace-begin/ORA-01642", "4.1/read-only/ORA-01642-begin", "2.7/already-done/ORA-01642"),
        "ALTER TABLESPACE old BEGIN BACKUP",
        ("ORA-01642: begin backup not needed for read only tablespace 'OLD'",),
    ),
    Case(
        ("2.1/tablespace-end/ORA-01642", "4.1/read-only/ORA-01642-end"),
        "ALTER TABLESPACE old END BACKUP",
        ("ORA-01642: begin backup not needed for read only tablespace 'OLD'",),
    ),
    Case(
        ("2.1/tablespace-begin/ORA-01128", "4.1/offline-file/ORA-01128"),
        "ALTER TABLESPACE half BEGIN BACKUP",
        (
            "ORA-01128: cannot start online backup - file 10 is offline",
            "ORA-01110: data file 10: '{datafiles}/half02.dbf'",
        ),
    ),
    Case(
        ("2.1/tablespace-begin/ORA-01128",),
        "ALTER TABLESPACE away BEGIN BACKUP",
        (
            "ORA-01128: cannot start online backup - file 8 is offline",
            "ORA-01110: data file 8: '{datafiles}/away01.dbf'",
        ),
    ),
    Case(
        ("2.1/tablespace-begin/ORA-03217", "4.1/temporary/ORA-03217"),
        "ALTER TABLESPACE temp BEGIN BACKUP",
        ("ORA-03217: invalid option for alter of TEMPORARY TABLESPACE",),
    ),
    Case(
        ("2.1/tablespace-begin/ORA-01146", "4.1/already-in-backup/ORA-01146", "2.7/already-done/ORA-01146"),
        "ALTER TABLESPACE users BEGIN BACKUP",
        ("ORA-01146: cannot start online backup - file 4 is already in backup", USERS_FILE),
        BEGUN,
        ENDED,
    ),
    Case(
        ("2.1/database-begin/ORA-01146",),
        "ALTER DATABASE BEGIN BACKUP",
        ("ORA-01146: cannot start online backup - file 4 is already in backup", USERS_FILE),
        BEGUN,
        ENDED,
    ),
    Case(
        ("2.1/database-begin/bars-tablespace-begin",),
        "ALTER TABLESPACE users BEGIN BACKUP",
        ("ORA-01146: cannot start online backup - file 4 is already in backup", USERS_FILE),
        ("ALTER DATABASE BEGIN BACKUP",),
        ("ALTER DATABASE END BACKUP",),
    ),
    Case(
        ("2.1/tablespace-end/ORA-01142", "4.1/not-in-backup/ORA-01142", "2.7/already-done/ORA-01142"),
        "ALTER TABLESPACE users END BACKUP",
        ("ORA-01142: cannot end online backup - none of the files are in backup", USERS_FILE),
    ),
    Case(
        ("2.1/database-end/ORA-01142", "2.7/already-done/ORA-01142"),
        "ALTER DATABASE END BACKUP",
        ("ORA-01142: cannot end online backup - none of the files are in backup",),
    ),
    Case(
        ("2.1/tablespace-end/ORA-01140", "4.1/not-in-backup/ORA-01140", "2.7/already-done/ORA-01140"),
        "ALTER TABLESPACE away END BACKUP",
        (
            "ORA-01140: cannot end online backup - all files are offline or readonly",
            "ORA-01110: data file 8: '{datafiles}/away01.dbf'",
        ),
    ),
    Case(
        ("2.1/datafile-end/ORA-01199", "4.1/not-in-backup/ORA-01199"),
        "ALTER DATABASE DATAFILE 4 END BACKUP",
        ("ORA-01199: file 4 is not in online backup mode", USERS_FILE),
    ),
    Case(
        ("2.1/database-begin/bars-offline", "4.1/in-backup/ORA-01150-offline"),
        "ALTER TABLESPACE users OFFLINE NORMAL",
        ("ORA-01150: cannot prevent writes - file 4 has online backup set", USERS_FILE),
        BEGUN,
        ENDED,
    ),
    Case(
        ("2.1/database-begin/bars-offline", "4.1/in-backup/ORA-01150-read-only"),
        "ALTER TABLESPACE users READ ONLY",
        ("ORA-01150: cannot prevent writes - file 4 has online backup set", USERS_FILE),
        ("ALTER DATABASE BEGIN BACKUP",),
        ("ALTER DATABASE END BACKUP",),
    ),
)


@pytest.mark.parametrize("case", parameters(REFUSED))
def test_a_statement_is_refused_and_nothing_has_happened(scene: Scene, case: Case) -> None:
    check(scene, case)
    assert active(scene) == set()


@pytest.mark.covers(
    "2.1/tablespace-begin/ORA-01109", "2.1/tablespace-end/ORA-01109", "2.1/database-begin/ORA-01109"
)
@pytest.mark.covers("2.7/wrong-place/ORA-01109")
def test_backup_mode_begins_on_an_open_database(mounted: Scene) -> None:
    for statement in (
        "ALTER TABLESPACE users BEGIN BACKUP",
        "ALTER TABLESPACE users END BACKUP",
        "ALTER DATABASE BEGIN BACKUP",
    ):
        check(mounted, Case((), statement, ("ORA-01109: database not open",)))


@pytest.mark.covers("2.1/tablespace-begin/freezes", "2.1/tablespace-end/writes-record")
def test_the_header_stands_still_until_the_end(scene: Scene) -> None:
    scene.execute("ALTER TABLESPACE users BEGIN BACKUP")
    begun = change_of(scene, "USERS")
    assert active(scene) == {"users01.dbf"}
    header = header_of(scene, "USERS")
    assert (header.checkpoint, header.begin_backup) == (begun, begun)
    scene.execute("ALTER SYSTEM CHECKPOINT")
    assert header_of(scene, "USERS").checkpoint == begun
    assert (header_of(scene, "TWO").checkpoint or 0) > begun
    scene.execute("ALTER TABLESPACE users END BACKUP")
    header = header_of(scene, "USERS")
    assert not header.in_backup
    # to the checkpoint of the database, without making a new one
    assert header.checkpoint == header_of(scene, "TWO").checkpoint
    assert (change_of(scene, "USERS"), header.begin_backup) == (begun, begun)
    assert active(scene) == set()


@pytest.mark.covers("2.1/database-begin/skips", "2.1/database-end/open")
def test_the_whole_database_is_what_can_be_written(scene: Scene) -> None:
    scene.execute("ALTER DATABASE BEGIN BACKUP")
    begun = active(scene)
    assert begun == {
        "system01.dbf",
        "sysaux01.dbf",
        "undotbs01.dbf",
        "users01.dbf",
        "two01.dbf",
        "two02.dbf",
        "half01.dbf",
    }
    scene.execute("ALTER DATABASE END BACKUP")
    assert active(scene) == set()


@pytest.mark.covers("4.1/shutdown/ORA-01149", "2.1/database-begin/bars-shutdown")
def test_no_orderly_shutdown_in_backup_mode(scene: Scene) -> None:
    scene.execute("ALTER DATABASE BEGIN BACKUP")
    before = standing(scene)
    with pytest.raises(LocalError) as refused:
        scene.database.shutdown()
    system = scene.path_of("SYSTEM")
    assert str(refused.value).splitlines() == [
        "ORA-01149: cannot shutdown - file 1 has online backup set",
        f"ORA-01110: data file 1: '{system}'",
    ]
    assert standing(scene) == before
    scene.execute("ALTER DATABASE END BACKUP")


@pytest.mark.covers("4.1/not-in-backup/ORA-01260")
@pytest.mark.parametrize("as_error", [True, False])
def test_a_file_added_in_the_window_was_not_in_backup(scene: Scene, as_error: bool) -> None:
    scene.database.readings(partial_end_backup_is_an_error=as_error)
    added = f"two0{3 + as_error}.dbf"
    scene.execute("ALTER TABLESPACE two BEGIN BACKUP")
    scene.execute(f"ALTER TABLESPACE two ADD DATAFILE '{scene.words['datafiles']}/{added}' SIZE 2M")
    assert added not in active(scene)
    if as_error:
        assert refusal(scene, "ALTER TABLESPACE two END BACKUP") == (
            "ORA-01260: warning: END BACKUP succeeded but some files found not to be in backup mode",
        )
    else:
        scene.execute("ALTER TABLESPACE two END BACKUP")
    assert active(scene) == set()


@pytest.mark.covers("2.1/datafile-end/open")
def test_one_file_is_ended_on_an_open_database_or_is_not(scene: Scene) -> None:
    scene.database.readings(end_backup_of_datafile_when_open=False)
    scene.execute("ALTER TABLESPACE two BEGIN BACKUP")
    two = f"'{scene.words['datafiles']}/two01.dbf'"
    check(
        scene,
        Case(
            (),
            f"ALTER DATABASE DATAFILE {two} END BACKUP",
            ("ORA-01531: a database already open by the instance",),
        ),
    )
    scene.database.readings(end_backup_of_datafile_when_open=True)
    scene.execute(f"ALTER DATABASE DATAFILE {two} END BACKUP")
    assert "two01.dbf" not in active(scene)
    assert "two02.dbf" in active(scene)
    scene.execute("ALTER DATABASE END BACKUP")


@pytest.mark.covers("2.1/tablespace-begin/ORA-01232", "4.1/turning-read-only/ORA-01232")
def test_a_tablespace_turning_read_only_is_not_begun(scene: Scene) -> None:
    client = scene.session("APP")
    with client.cursor() as cursor:
        cursor.execute("CREATE TABLE busy (id NUMBER) TABLESPACE users")
        cursor.execute("INSERT INTO busy VALUES (1)")

    def turn() -> None:
        try:
            scene.database.sql("ALTER TABLESPACE users READ ONLY")
        except LocalError as error:
            assert error.code == 1150, str(error)  # it came while the question below was asked
            turn()

    turning = threading.Thread(target=turn)
    turning.start()

    def refused() -> tuple[int, ...]:
        try:
            scene.execute("ALTER TABLESPACE users BEGIN BACKUP")
        except Refused as no:
            return no.codes
        scene.execute("ALTER TABLESPACE users END BACKUP")
        return ()

    assert wait_until(refused, "the tablespace never turned read only") == (1232, 1110)
    assert refusal(scene, "ALTER TABLESPACE users BEGIN BACKUP") == (
        "ORA-01232: cannot start online backup - file 4 is being made read-only",
        USERS_FILE.format_map(scene.words),
    )
    assert active(scene) == set()
    client.commit()
    turning.join(60)
    assert scene.query("SELECT DISTINCT enabled FROM v$datafile WHERE file# = 4") == [("READ ONLY",)]
    scene.execute("ALTER TABLESPACE users READ WRITE")


@pytest.mark.covers(
    "2.1/database-end/mounted", "4.1/crash-in-backup/ORA-10873", "4.1/crash-in-backup/end-backup"
)
def test_a_crash_leaves_the_files_in_backup_mode(scene: Scene) -> None:
    scene.execute("ALTER TABLESPACE users BEGIN BACKUP")
    begun = change_of(scene, "USERS")
    scene.execute("ALTER SYSTEM CHECKPOINT")
    redo = scene.number("SELECT sequence# FROM v$log WHERE status = 'CURRENT'")
    scene.forget_sessions()
    scene.database.crash()
    scene.database.start("mount")
    assert active(scene) == {"users01.dbf"}
    assert refusal(scene, "ALTER DATABASE OPEN") == (
        "ORA-10873: file 4 needs to be either taken out of backup mode or media recovered",
        USERS_FILE.format_map(scene.words),
    )
    logs = [path.read_bytes() for path in sorted(scene.database.home.redo_folder.iterdir())]
    scene.execute("ALTER DATABASE END BACKUP")
    assert active(scene) == set()
    assert (header_of(scene, "USERS").checkpoint or 0) > begun
    assert change_of(scene, "USERS") == begun
    assert logs == [path.read_bytes() for path in sorted(scene.database.home.redo_folder.iterdir())]
    assert scene.number("SELECT sequence# FROM v$log WHERE status = 'CURRENT'") == redo
    scene.execute("ALTER DATABASE OPEN")


@pytest.mark.covers("2.1/datafile-end/mounted", "4.1/crash-in-backup/recover", "4.1/not-in-backup/ORA-01235")
def test_after_a_crash_files_are_ended_one_by_one_or_recovered(scene: Scene) -> None:
    scene.execute("ALTER DATABASE BEGIN BACKUP")
    scene.forget_sessions()
    scene.database.crash()
    scene.database.start("mount")
    folder = scene.words["datafiles"]
    scene.execute("ALTER DATABASE DATAFILE 4 END BACKUP")
    scene.execute(f"ALTER DATABASE DATAFILE '{folder}/two01.dbf', '{folder}/two02.dbf' END BACKUP")
    assert active(scene) & {"users01.dbf", "two01.dbf", "two02.dbf"} == set()
    assert {"system01.dbf", "half01.dbf"} <= active(scene)
    lost = scene.path_of("SYSAUX")
    lost.rename(lost.with_suffix(".gone"))
    lines = refusal(scene, "ALTER DATABASE END BACKUP")
    lost.with_suffix(".gone").rename(lost)
    assert lines[0].startswith("ORA-01235: END BACKUP failed for 1 file(s) and succeeded for ")
    assert lines[1:] == (
        "ORA-01157: cannot identify/lock data file 2 - see DBWR trace file",
        f"ORA-01110: data file 2: '{lost}'",
    )
    assert active(scene) == {"sysaux01.dbf"}
    scene.execute("ALTER DATABASE RECOVER DATABASE")
    assert active(scene) == set()
    scene.execute("ALTER DATABASE OPEN")


@pytest.mark.covers("2.1/sqlplus/begin-end")
def test_sqlplus_has_words_of_its_own_for_it(scene: Scene) -> None:
    def sqlplus(command: str) -> str:
        program = scene.database.home.bin / "sqlplus"
        ran = subprocess.run(
            [program, "-S", "/", "as", "sysdba"],
            input=f"{command}\nEXIT\n",
            env={"ORACLE_SID": scene.database.sid, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ran.stdout

    assert "ORA-" not in sqlplus("RECOVER BEGIN BACKUP")
    assert "users01.dbf" in active(scene)
    assert "ORA-01146" in sqlplus("RECOVER BEGIN BACKUP")
    assert "ORA-" not in sqlplus("RECOVER END BACKUP")
    assert active(scene) == set()


def test_another_session_may_end_what_one_began(scene: Scene) -> None:
    with scene.database.connect("HOTBACKUP") as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLESPACE users BEGIN BACKUP")
    assert active(scene) == {"users01.dbf"}
    scene.execute("ALTER TABLESPACE users END BACKUP")
    assert active(scene) == set()


WITHOUT_ARCHIVELOG = (
    Case(
        ("2.1/tablespace-begin/ORA-01123", "4.1/noarchivelog/ORA-01123"),
        "ALTER TABLESPACE users BEGIN BACKUP",
        ("ORA-01123: cannot start online backup; media recovery not enabled",),
    ),
    Case(
        ("2.1/database-begin/ORA-01123",),
        "ALTER DATABASE BEGIN BACKUP",
        ("ORA-01123: cannot start online backup; media recovery not enabled",),
    ),
    Case(
        ("4.1/noarchivelog/ORA-00258",),
        "ALTER SYSTEM ARCHIVE LOG CURRENT",
        ("ORA-00258: manual archiving in NOARCHIVELOG mode must identify log",),
    ),
    Case(
        ("4.1/offline-immediate/ORA-01145",),
        "ALTER TABLESPACE users OFFLINE IMMEDIATE",
        ("ORA-01145: offline immediate disallowed unless media recovery enabled",),
    ),
    Case(
        ("4.1/offline-immediate/ORA-01145",),
        "ALTER DATABASE DATAFILE 4 OFFLINE",
        ("ORA-01145: offline immediate disallowed unless media recovery enabled",),
    ),
)


@pytest.fixture(scope="module")
def without_archivelog(scene: Scene) -> Iterator[Scene]:
    """The same database in NOARCHIVELOG mode."""

    def switch(mode: str) -> None:
        scene.forget_sessions()
        scene.database.shutdown()
        scene.database.start("mount")
        scene.execute(f"ALTER DATABASE {mode}")
        scene.execute("ALTER DATABASE OPEN")

    switch("NOARCHIVELOG")
    yield scene
    switch("ARCHIVELOG")


@pytest.mark.parametrize("case", parameters(WITHOUT_ARCHIVELOG))
def test_without_archivelog_there_is_no_hot_backup(without_archivelog: Scene, case: Case) -> None:
    check(without_archivelog, case)
