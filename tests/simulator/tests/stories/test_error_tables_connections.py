# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that are gone, a server process that dies alone, and RMAN at the control file at the same time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator

import oracledb
import pytest

from oracle_simulator.program.local_socket import LocalError

from ..storage.independent import datafile_header
from .catalogue.scene import Scene
from .dba import PATIENCE_SECONDS, wait_until

END_OF_FILE = "ORA-03113: end-of-file on communication channel"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An open database."""
    made = Scene(tmp_path_factory.mktemp("connections"), {})
    made.database.start()
    yield made
    made.database.destroy()


class Terminal:
    """SQL*Plus with somebody at it, who reads each answer before the next command."""

    def __init__(self, scene: Scene) -> None:
        self._program = subprocess.Popen(
            [scene.database.home.bin / "sqlplus", "-S", "/", "as", "sysdba"],
            env={"ORACLE_SID": scene.database.sid, "PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def answer(self, command: str) -> list[str]:
        """What is said to one command, without empty lines."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"{command}\nPROMPT that was all\n")
        self._program.stdin.flush()
        lines = iter(self._program.stdout.readline, "")
        said = []
        for line in lines:
            if line.strip() == "that was all":
                break
            said.append(line.strip())
        return [line for line in said if line]

    def close(self) -> None:
        """Leave."""
        self._program.communicate("EXIT\n", PATIENCE_SECONDS)


@pytest.fixture
def terminal(scene: Scene) -> Iterator[Terminal]:
    """It is connected: its session is there."""
    with contextlib.closing(Terminal(scene)) as made:
        assert made.answer("SELECT status FROM v$instance;")[-1] == "OPEN"
        yield made


def sqlplus_session(scene: Scene) -> tuple[int, int]:
    """SID and SERIAL# of the session at the terminal."""
    found = scene.query("SELECT sid, serial# FROM v$session WHERE program = 'sqlplus'")
    assert len(found) == 1
    return found[0][0], found[0][1]


def active(scene: Scene) -> bool:
    """Whether USERS is in backup mode, by V$BACKUP and the header on disk."""
    number = scene.file_number("USERS")
    shown = scene.query(f"SELECT status FROM v$backup WHERE file# = {number}") == [("ACTIVE",)]
    assert shown == datafile_header(scene.path_of("USERS")).in_backup
    return shown


@pytest.mark.covers("2.7/connection-gone/ORA-01012")
def test_a_killed_session_is_told_once_and_is_not_logged_on_after_that(
    scene: Scene, terminal: Terminal
) -> None:
    assert terminal.answer("ALTER TABLESPACE users BEGIN BACKUP;") == ["Tablespace altered."]
    sid, serial = sqlplus_session(scene)
    scene.execute(f"ALTER SYSTEM KILL SESSION '{sid},{serial}'")
    assert terminal.answer("ALTER TABLESPACE users END BACKUP;") == [
        "ORA-00028: your session has been killed"
    ]
    assert terminal.answer("ALTER TABLESPACE users END BACKUP;") == ["ORA-01012: not logged on"]
    assert active(scene), "backup mode does not end with the session that began it"
    scene.execute("ALTER TABLESPACE users END BACKUP")
    assert not active(scene)


@pytest.mark.covers("2.7/needs-people/ORA-07445", "2.7/connection-gone/ORA-03113")
def test_a_server_process_that_dumps_core_takes_only_its_session_with_it(scene: Scene) -> None:
    scene.execute("CREATE TABLE app.dumped (id NUMBER)")
    victim = scene.database.connect("APP")
    with victim.cursor() as cursor:
        cursor.execute("INSERT INTO dumped VALUES (1)")
        (sid,) = cursor.execute("SELECT sys_context('USERENV', 'SID') FROM dual").fetchone()
        with pytest.raises(LocalError, match="ORA-00030"):
            scene.database.fault(core_dump=9999)
        scene.database.fault(core_dump=int(sid))
        with pytest.raises(oracledb.Error) as gone:
            cursor.execute("INSERT INTO dumped VALUES (2)")
    said = str(gone.value).splitlines()
    assert said[0] == "DPY-4011: the database or network closed the connection"
    assert END_OF_FILE in said
    entry = "ORA-07445: exception encountered: core dump ["
    told = [line for line in scene.database.home.alert_log.read_text().splitlines() if entry in line]
    assert len(told) == 1
    assert "[SIGSEGV]" in told[0]
    wait_until(
        lambda: scene.number(f"SELECT COUNT(*) FROM v$session WHERE sid = {sid}") == 0, "it is still there"
    )
    assert scene.query("SELECT COUNT(*) FROM app.dumped") == [(0,)], "its transaction was rolled back"
    scene.execute("DROP TABLE app.dumped")  # and its locks are gone
    assert scene.query("SELECT status FROM v$instance") == [("OPEN",)]


@pytest.mark.covers("2.7/retry/ORA-00230", "4.1/snapshot-control-file/ORA-00230")
def test_rman_makes_one_snapshot_of_the_control_file_at_a_time(scene: Scene) -> None:
    command = "BACKUP CURRENT CONTROLFILE"
    said: list[str] = []
    scene.database.fault(hold_at="control_file.backup", seconds=PATIENCE_SECONDS)
    first = threading.Thread(target=lambda: said.append(scene.database.rman(command)))
    first.start()
    wait_until(lambda: scene.database.status()["held_at"], "there was no snapshot")
    with pytest.raises(LocalError) as refused:
        scene.database.rman(command)
    assert refused.value.lines == [
        "ORA-00230: operation disallowed: snapshot control file enqueue unavailable"
    ]
    scene.database.fault(release=True)
    first.join(PATIENCE_SECONDS)
    snapshot = scene.database.home.dbs / "snapcf_ORCL.f"
    assert said == [f"snapshot control file name={snapshot}"]
    size = scene.database.home.control_files[0].stat().st_size
    assert snapshot.stat().st_size == size
    assert scene.database.rman(command) == said[0], "nobody is in the way any more"


@pytest.mark.covers("2.7/connection-gone/ORA-03113", "2.7/connection-gone/ORA-03114")
def test_who_has_lost_the_instance_must_connect_again(scene: Scene, terminal: Terminal) -> None:
    assert terminal.answer("ALTER TABLESPACE users BEGIN BACKUP;") == ["Tablespace altered."]
    scene.forget_sessions()
    scene.database.crash()
    end_backup = "ALTER TABLESPACE users END BACKUP;"
    assert terminal.answer(end_backup) == ["ERROR:", END_OF_FILE]
    not_connected = ["ERROR:", "ORA-03114: not connected to ORACLE"]
    assert terminal.answer(end_backup) == not_connected
    assert terminal.answer("STARTUP")[0] == "ORA-24324: service handle not initialized"
    assert not scene.database.running
    scene.database.start("mount")
    assert terminal.answer(end_backup) == not_connected, "an instance that is back is another one"
    assert terminal.answer("CONNECT / AS SYSDBA") == ["Connected."]
    assert active(scene), "the outcome of the last statement is in the files"
    assert terminal.answer("ALTER DATABASE END BACKUP;") == ["Database altered."]
    assert not active(scene)
    scene.execute("ALTER DATABASE OPEN")
