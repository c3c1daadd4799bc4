# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets in, in which state of the instance; and what a client hears whose connection or patience ends."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import oracledb
import pytest

from oracle_simulator.program.local_socket import LocalError, NoInstance

from .catalogue.scene import Scene
from .dba import Refused, wait_until
from .refusals import lines_of, refusal, standing

SPEC = {"parameters": {"dispatchers": "(PROTOCOL=TCP)"}}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A database that is open in most tests."""
    made = Scene(tmp_path_factory.mktemp("states"), SPEC)
    made.database.start()
    yield made
    made.database.destroy()


@pytest.fixture
def down(scene: Scene) -> Iterator[Scene]:
    """The same, shut down; open again afterwards."""
    scene.forget_sessions()
    scene.database.shutdown()
    yield scene
    scene.forget_sessions()
    scene.database.crash()
    scene.database.start()


def answer_to(connect: Callable[[], Any]) -> str:
    """The first line that somebody hears who does not get in."""
    with pytest.raises(oracledb.Error) as refused:
        connect()
    return str(refused.value).splitlines()[0]


def sqlplus(scene: Scene, *lines: str) -> list[str]:
    """What SQL*Plus says to a script, without empty lines."""
    ran = subprocess.run(
        [scene.database.home.bin / "sqlplus", "-S", "/", "as", "sysdba"],
        input="\n".join([*lines, "EXIT", ""]),
        env={"ORACLE_SID": scene.database.sid, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return [line for line in ran.stdout.splitlines() if line]


@pytest.mark.covers("1.1/down/idle-instance", "2.7/retry/ORA-01034")
def test_nobody_listens_and_the_instance_is_idle(down: Scene) -> None:
    said = sqlplus(down, "SELECT 1 FROM dual;")
    assert said[0] == "Connected to an idle instance."
    assert "ORA-01034: ORACLE not available" in said
    with pytest.raises(NoInstance):
        down.database.status()


@pytest.mark.covers(
    "1.1/nomount/admin-privilege-only", "1.1/mounted/admin-privilege-only", "2.7/retry/ORA-01033"
)
@pytest.mark.covers("2.7/already-done/ORA-01100", "2.7/already-done/ORA-01531", "2.7/wrong-place/ORA-01507")
@pytest.mark.covers("2.7/wrong-place/ORA-01219", "4.1/wrong-role/ORA-16000", "2.7/wrong-place/ORA-16000")
@pytest.mark.covers("1.1/open/ordinary-account")
def test_the_stages_and_who_may_come(down: Scene) -> None:
    in_progress = "ORA-01033: ORACLE initialization or shutdown in progress"
    down.database.start("nomount")
    assert answer_to(lambda: down.database.connect("APP")) == in_progress
    assert down.query("SELECT status FROM v$instance") == [("STARTED",)]
    assert refusal(down, "SELECT * FROM v$datafile") == ("ORA-01507: database not mounted",)
    assert refusal(down, "ALTER DATABASE OPEN") == ("ORA-01507: database not mounted",)
    down.execute("ALTER DATABASE MOUNT")
    assert answer_to(lambda: down.database.connect("APP")) == in_progress
    before = standing(down)
    assert refusal(down, "ALTER DATABASE MOUNT") == ("ORA-01100: database already mounted",)
    assert refusal(down, "SELECT * FROM dba_data_files")[0].startswith("ORA-01219: database")
    assert standing(down) == before
    down.execute("ALTER DATABASE OPEN READ ONLY")
    assert down.query("SELECT table_name FROM all_tables WHERE 1 = 0", "APP") == []
    before = standing(down)
    assert refusal(down, "ALTER DATABASE OPEN")[0].startswith(
        "ORA-01531: a database already open by the instance"
    )
    for statement in ("ALTER DATABASE BEGIN BACKUP", "ALTER TABLESPACE users BEGIN BACKUP"):
        assert refusal(down, statement) == (
            "ORA-16000: database or pluggable database open for read-only access",
        )
    assert standing(down) == before


@pytest.mark.covers("1.1/open/ordinary-account", "1.1/open/restricted", "2.7/needs-people/ORA-01017")
@pytest.mark.covers("2.7/needs-people/ORA-01031")
def test_an_open_database_lets_in_who_may_come(scene: Scene) -> None:
    scene.execute("CREATE USER stranger IDENTIFIED BY here")

    def stranger(password: str = "here") -> Any:
        return oracledb.connect(user="stranger", password=password, dsn=scene.database.dsn)

    assert answer_to(stranger) == ("ORA-01045: user STRANGER lacks CREATE SESSION privilege; logon denied")
    assert answer_to(lambda: stranger("there")) == "ORA-01017: invalid username/password; logon denied"
    scene.execute("GRANT CREATE SESSION TO stranger")
    with stranger() as connection, connection.cursor() as cursor:
        before = standing(scene)
        for statement in ("ALTER TABLESPACE users BEGIN BACKUP", "ALTER SYSTEM ARCHIVE LOG CURRENT"):
            with pytest.raises(oracledb.DatabaseError) as refused:
                cursor.execute(statement)
            assert str(refused.value).startswith("ORA-01031: insufficient privileges\n")
        assert standing(scene) == before
    scene.execute("ALTER SYSTEM ENABLE RESTRICTED SESSION")
    assert answer_to(stranger) == (
        "ORA-01035: ORACLE only available to users with RESTRICTED SESSION privilege"
    )
    scene.execute("GRANT RESTRICTED SESSION TO stranger")
    stranger().close()
    scene.execute("ALTER SYSTEM DISABLE RESTRICTED SESSION")


@pytest.mark.covers("2.7/retry/ORA-00054")
def test_a_table_in_use_is_not_dropped(scene: Scene) -> None:
    scene.execute("CREATE TABLE app.busy (id NUMBER)")
    with scene.session("APP").cursor() as cursor:
        cursor.execute("INSERT INTO busy VALUES (1)")
    assert refusal(scene, "DROP TABLE app.busy") == (
        "ORA-00054: resource busy and acquire with NOWAIT specified or timeout expired",
    )
    scene.session("APP").commit()
    assert scene.query("SELECT id FROM app.busy") == [(1,)]
    scene.execute("DROP TABLE app.busy")


@pytest.mark.covers("2.7/already-done/ORA-00271")
def test_there_may_be_nothing_to_archive(scene: Scene) -> None:
    scene.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    unarchived = "SELECT COUNT(*) FROM v$log WHERE archived = 'NO' AND status <> 'CURRENT'"
    wait_until(lambda: scene.number(unarchived) == 0, "a log was never archived")
    logs = scene.number("SELECT COUNT(*) FROM v$archived_log")
    for wish in ("ALL", "NEXT"):
        assert refusal(scene, f"ALTER SYSTEM ARCHIVE LOG {wish}") == (
            "ORA-00271: there are no logs that need archiving",
        )
    assert scene.number("SELECT COUNT(*) FROM v$archived_log") == logs


def in_thread(action: Callable[[], object]) -> tuple[threading.Thread, list[str]]:
    """Do something that will be held; the list gets the error's first line, if there is one."""
    heard: list[str] = []

    def run() -> None:
        try:
            action()
        except (oracledb.Error, LocalError, NoInstance, Refused) as error:
            heard.extend(str(error).splitlines())

    thread = threading.Thread(target=run)
    thread.start()
    return thread, heard


def held(scene: Scene, step: str, action: Callable[[], object]) -> tuple[threading.Thread, list[str]]:
    """Do something that stops at a step of the instance; returns when it stands there."""
    scene.database.fault(hold_at=step, seconds=120)
    running = in_thread(action)
    wait_until(lambda: scene.database.status()["held_at"], f"never at {step}")
    return running


@pytest.mark.covers("2.7/retry/ORA-00244")
def test_the_control_file_is_backed_up_once_at_a_time(scene: Scene) -> None:
    first, second = (scene.folder / name for name in ("first.ctl", "second.ctl"))
    statement = f"ALTER DATABASE BACKUP CONTROLFILE TO '{first}'"
    backup, heard = held(scene, "control_file.backup", lambda: scene.database.sql(statement))
    assert refusal(scene, f"ALTER DATABASE BACKUP CONTROLFILE TO '{second}'") == (
        "ORA-00244: concurrent control file backup operation in progress",
    )
    assert not second.exists()
    scene.database.fault(release=True)
    backup.join(60)
    assert not heard
    scene.execute(f"ALTER DATABASE BACKUP CONTROLFILE TO '{second}'")


@pytest.mark.covers("2.7/retry/ORA-00235", "4.1/control-file-view/ORA-00235")
def test_a_view_of_a_control_file_that_is_being_written_may_be_inconsistent(scene: Scene) -> None:
    assert scene.query("SELECT COUNT(*) FROM v$datafile")
    switch, heard = held(
        scene, "control_file.write", lambda: scene.database.sql("ALTER SYSTEM SWITCH LOGFILE")
    )
    inconsistent = "ORA-00235: control file read without a lock inconsistent due to concurrent update"

    def answer() -> str:
        try:
            scene.query("SELECT COUNT(*) FROM v$datafile")
        except Refused as refused:
            return lines_of(refused)[0]
        return ""

    assert wait_until(answer, "the views were never inconsistent") == inconsistent
    assert scene.query("SELECT status FROM v$instance") == [("OPEN",)]
    scene.database.fault(release=True)
    switch.join(60)
    assert not heard
    wait_until(lambda: not answer(), "the views stayed inconsistent")


@pytest.mark.covers("4.1/busy/ORA-01154", "2.7/retry/ORA-01154")
def test_one_administrator_at_a_time(down: Scene) -> None:
    down.database.start("mount")
    assert down.query("SELECT open_mode FROM v$database") == [("MOUNTED",)]
    opening, heard = held(down, "control_file.write", lambda: down.database.sql("ALTER DATABASE OPEN"))
    busy = "ORA-01154: database busy. Open, close, mount, and dismount not allowed now"
    assert refusal(down, "ALTER DATABASE OPEN") == (busy,)
    with pytest.raises(LocalError, match=re.escape(busy)):
        down.database.shutdown()
    down.database.fault(release=True)
    opening.join(60)
    assert not heard
    assert down.query("SELECT open_mode FROM v$database") == [("READ WRITE",)]


@pytest.mark.covers("2.5/ORA-00281")
def test_media_recovery_wants_a_server_of_its_own(scene: Scene) -> None:
    with (
        oracledb.connect(
            user="SYS",
            password=scene.database.passwords["SYS"],
            dsn=f"{scene.database.dsn}:shared",
            mode=oracledb.AUTH_MODE_SYSDBA,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT server FROM v$session WHERE sid = sys_context('USERENV', 'SID')")
        assert cursor.fetchall() == [("SHARED",)]
        before = standing(scene)
        for wish in ("DATABASE", "CANCEL"):
            with pytest.raises(oracledb.DatabaseError) as refused:
                cursor.execute(f"ALTER DATABASE RECOVER {wish}")
            assert str(refused.value).startswith(
                "ORA-00281: media recovery may not be performed using dispatcher\n"
            )
        assert standing(scene) == before


def lost(action: Callable[[], object]) -> list[str]:
    """What the driver says when the connection is gone: that it is, and why."""
    with pytest.raises(oracledb.Error) as heard:
        action()
    return [line for line in str(heard.value).splitlines() if not line.startswith("Help: ")]


GONE = "DPY-4011: the database or network closed the connection"


@pytest.mark.covers("2.7/connection-gone/DPY-4011")
def test_what_a_client_hears_whose_session_or_instance_is_killed(scene: Scene) -> None:
    victim = scene.database.connect("APP")
    with victim.cursor() as cursor:
        of_the_app = "SELECT sid, serial# FROM v$session WHERE username = 'APP' ORDER BY logon_time DESC"
        sid, serial = scene.query(of_the_app)[0]
        scene.execute(f"ALTER SYSTEM KILL SESSION '{sid},{serial}'")
        assert lost(lambda: cursor.execute("SELECT 1 FROM dual")) == [
            GONE,
            "ORA-00028: your session has been killed",
        ]
        assert lost(lambda: cursor.execute("SELECT 1 FROM dual"))[0].startswith(("DPY-1001", "DPY-4011"))
    client = scene.database.connect("APP")
    with client.cursor() as cursor:
        scene.execute("CREATE TABLE app.outcome (id NUMBER)")
        scene.database.fault(hold_at="redo.write", seconds=120)
        commit, heard = in_thread(lambda: (cursor.execute("INSERT INTO outcome VALUES (1)"), client.commit()))
        wait_until(lambda: scene.database.status()["held_at"], "the commit was never written")
        scene.forget_sessions()
        scene.database.crash()
        commit.join(60)
    assert heard[0] == GONE
    scene.database.start()
    # outcome unknown: here it was not written; the state tells, the error does not
    assert scene.query("SELECT COUNT(*) FROM app.outcome") == [(0,)]


@pytest.mark.covers("2.7/connection-gone/ORA-01092", "2.7/connection-gone/ORA-01089")
def test_what_a_client_hears_when_the_instance_is_shut_down(down: Scene) -> None:
    down.database.start()
    down.database.fault(archiver_stopped=True)
    waiting = down.database.connect("SYS")
    with waiting.cursor() as cursor:
        archive, heard = in_thread(lambda: cursor.execute("ALTER SYSTEM ARCHIVE LOG CURRENT"))
        unarchived = "SELECT COUNT(*) FROM v$log WHERE archived = 'NO' AND status <> 'CURRENT'"
        wait_until(lambda: down.query(unarchived) == [(1,)], "the log was never switched")
        idle = down.database.connect("APP")
        down.forget_sessions()
        down.database.shutdown("abort")
        archive.join(60)
    assert heard[:2] == [GONE, "ORA-01092: ORACLE instance terminated. Disconnection forced"]
    down.database.start()
    client = down.database.connect("APP")
    closing, _said = held(down, "control_file.write", down.database.shutdown)
    in_progress = "ORA-01089: immediate shutdown or close in progress - no operations are permitted"

    def ended() -> list[str]:
        try:
            with client.cursor() as cursor:
                cursor.execute("SELECT 1 FROM dual")
        except oracledb.Error as error:
            return str(error).splitlines()[:2]
        return []

    assert wait_until(ended, "the session outlived the shutdown") == [GONE, in_progress]
    assert answer_to(lambda: down.database.connect("APP")) in (in_progress, GONE)
    down.database.fault(release=True)
    closing.join(60)
    assert not down.database.running
    with idle.cursor() as cursor:
        assert lost(lambda: cursor.execute("SELECT 1 FROM dual"))[0].startswith(("DPY-1001", "DPY-4011"))
