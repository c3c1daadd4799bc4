# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated database from the outside: the driver, SQL*Plus in its ORACLE_HOME, the command line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import oracledb
import pytest

from oracle_simulator.program import processes
from oracle_simulator.program.loaded_server import loaded_server
from oracle_simulator.testing import MakeDatabase, SimulatedDatabase, free_port

PACKAGE_FOLDER = Path(__file__).resolve().parents[2]


def sqlplus(
    database: SimulatedDatabase, script: str, logon: str = "/ as sysdba"
) -> subprocess.CompletedProcess[str]:
    """Run a script in the home's own SQL*Plus."""
    return subprocess.run(
        [str(database.home.bin / "sqlplus"), "-S", "-L", *logon.split()],
        input=script,
        text=True,
        capture_output=True,
        env={"ORACLE_SID": database.sid, "PATH": os.environ["PATH"]},
        timeout=30,
        check=False,
    )


def command(home: Path, name: str, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "oracle_simulator", name, str(home), "--sid", "CLI", *arguments],
        input=answer,
        text=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)},
        timeout=30,
        check=False,
    )


def test_a_database_is_made_and_open_in_a_moment(make_database: MakeDatabase) -> None:
    started = time.monotonic()
    make_database(start=None).start(launch=processes.launch_program)
    elapsed = time.monotonic() - started
    print(f"create and start: {elapsed:.2f} s")
    assert elapsed < 5


def of_process(pid: int) -> dict[str, object]:
    """What the system knows of a process."""
    folder = Path(f"/proc/{pid}")
    status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
    return {
        "command line": [word for word in (folder / "cmdline").read_bytes().split(b"\0") if word],
        "folder": (folder / "cwd").readlink(),
        "leads its session": os.getsid(pid) == pid,
        **{name: status[name] for name in ("Umask", "SigIgn", "SigCgt", "SigBlk", "NoNewPrivs")},
        **{f"standard file {number}": (folder / "fd" / str(number)).readlink() for number in range(3)},
    }


def test_an_instance_of_the_loaded_server_is_a_process_like_any_other(make_database: MakeDatabase) -> None:
    database = make_database(start=None)
    found = []
    for launch in (processes.launch_program, loaded_server().launch):
        database.start(launch=launch)
        pid = processes.running_pid(database.home)
        assert pid is not None
        found.append(of_process(pid))
        database.crash()
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "launch",
    [processes.launch_program, lambda home: loaded_server().launch(home)],
    ids=["a program", "of the loaded server"],
)
def test_an_instance_that_ends_while_it_starts_is_noticed(
    make_database: MakeDatabase, launch: processes.Launch
) -> None:
    database = make_database(start=None)
    with (
        socket.create_server(("127.0.0.1", database.port)),
        pytest.raises(processes.StartFailed, match="Address already in use"),
    ):
        database.start(launch=launch)
    assert not database.running
    database.start(launch=launch)


@pytest.mark.parametrize("user", ["APP", "HOTBACKUP", "SYS"])
def test_users_log_on_over_tcp(database: SimulatedDatabase, user: str) -> None:
    with database.connect(user) as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT user FROM dual").fetchone() == (user,)
        assert cursor.execute("SELECT open_mode FROM v$database").fetchone() == ("READ WRITE",)


def test_sysbackup_logs_on_as_sysbackup(database: SimulatedDatabase) -> None:
    with database.connect("SYS", oracledb.AUTH_MODE_SYSBKP) as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT user FROM dual").fetchone() == ("SYSBACKUP",)


@pytest.mark.parametrize("mode", [oracledb.AUTH_MODE_DEFAULT, oracledb.AUTH_MODE_SYSDBA])
def test_a_wrong_password_is_refused(database: SimulatedDatabase, mode: int) -> None:
    user = "SYS" if mode == oracledb.AUTH_MODE_SYSDBA else "APP"
    with pytest.raises(oracledb.DatabaseError, match="ORA-01017"):
        oracledb.connect(user=user, password="guess", dsn=database.dsn, mode=mode)


def test_users_stay_out_until_the_database_is_open(make_database: MakeDatabase) -> None:
    database = make_database(start="mount")
    with pytest.raises(oracledb.DatabaseError, match="ORA-01033"):
        database.connect("APP")
    with database.connect("SYS") as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT open_mode FROM v$database").fetchone() == ("MOUNTED",)
        cursor.execute("ALTER DATABASE OPEN")
    database.connect("APP").close()


def test_sqlplus_goes_through_the_stages_of_an_instance(database: SimulatedDatabase) -> None:
    gone = sqlplus(database, "SHUTDOWN IMMEDIATE\n")
    assert gone.stdout.splitlines() == [
        "Database closed.",
        "Database dismounted.",
        "ORACLE instance shut down.",
    ]
    assert not database.running
    status = "SELECT status FROM v$instance;\n"
    up = sqlplus(
        database,
        "STARTUP NOMOUNT\n" + status + "ALTER DATABASE MOUNT;\n" + status + "ALTER DATABASE OPEN;\n" + status,
    )
    assert up.returncode == 0
    words = up.stdout.split()
    assert [word for word in words if word in ("STARTED", "MOUNTED", "OPEN")] == [
        "STARTED",
        "MOUNTED",
        "OPEN",
    ]
    assert "Connected to an idle instance." in up.stdout
    again = sqlplus(database, "WHENEVER SQLERROR EXIT FAILURE\nSTARTUP\n")
    assert "ORA-01081" in again.stdout
    assert again.returncode == 1
    down = sqlplus(database, "SHUTDOWN ABORT\nSTARTUP MOUNT\n")
    assert "Database mounted." in down.stdout
    assert database.status()["state"] == "MOUNTED"


def test_sqlplus_says_what_the_database_says(database: SimulatedDatabase) -> None:
    ran = sqlplus(database, "ALTER TABLESPACE nowhere BEGIN BACKUP;\nSELECT 1 + 1 AS two FROM dual;\n")
    assert ran.returncode == 0
    assert "ORA-00959: tablespace 'NOWHERE' does not exist" in ran.stdout
    assert ran.stdout.split()[-1] == "2"
    assert sqlplus(database, "", logon="scott/tiger").returncode == 1


def test_sqlplus_without_an_instance(make_database: MakeDatabase) -> None:
    database = make_database(start=None)
    assert "ORA-01034" in sqlplus(database, "SELECT 1 FROM dual;\n").stdout


def test_the_command_line_leads_through_a_life(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    spec = tmp_path / "spec.yml"
    spec.write_text(
        "redo: {groups: 3, size: 1M}\nverifier_rounds: 64\n"
        "tablespaces:\n- {name: SYSTEM, size: 3M}\n- {name: SYSAUX, size: 2M}\n- {name: USERS, size: 2M}\n"
        "- {name: UNDOTBS1, size: 2M, contents: undo}\n- {name: TEMP, size: 2M, contents: temporary}\n"
    )

    def state() -> str:
        return str(json.loads(command(home, "status", "--json").stdout)["state"])

    try:
        made = command(home, "create", "--port", str(port), "--spec", str(spec), answer="change_me\n")
        assert made.returncode == 0, made.stderr
        assert command(home, "status").returncode == 1
        assert state() == "SHUTDOWN"
        assert command(home, "start").returncode == 0
        assert state() == "OPEN"
        with oracledb.connect(
            user="SYS", password="change_me", dsn=f"127.0.0.1:{port}/CLI", mode=oracledb.AUTH_MODE_SYSDBA
        ):
            pass
        assert command(home, "start").returncode == 1
        assert command(home, "sql", "SELECT 7 AS seven FROM dual").stdout == "SEVEN\n7\n"
        wrong = command(home, "sql", "ALTER DATABASE END BACKUP")
        assert (wrong.returncode, "ORA-01142" in wrong.stderr) == (1, True)
        assert command(home, "fault", "--archiver-delay", "0.5", "--archiver", "stop").returncode == 0
        now = json.loads(command(home, "status", "--json").stdout)
        assert (now["archiver_delay"], now["archiver_stopped"]) == (0.5, True)
        assert command(home, "crash").returncode == 0
        assert state() == "SHUTDOWN"
        assert command(home, "start", "--stage", "mount").returncode == 0
        assert state() == "MOUNTED"
        assert command(home, "stop").returncode == 0
        assert state() == "SHUTDOWN"
        assert command(home, "stop").returncode == 1
    finally:
        command(home, "crash")


def test_everything_of_a_database_is_private(database: SimulatedDatabase) -> None:
    database.sql("ALTER SYSTEM ARCHIVE LOG CURRENT")
    backup = database.home.root / "backup.ctl"
    database.sql(f"ALTER DATABASE BACKUP CONTROLFILE TO '{backup}'")
    database.sql(f"ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '{backup}.sql'")
    paths = [database.home.root, *database.home.root.rglob("*")]
    open_to_others = [str(path) for path in paths if path.stat().st_mode & 0o077]
    assert open_to_others == []
