# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running simulated databases in tests: ``SimulatedDatabase``, and pytest fixtures that clean up.

A test folder gets the fixtures with ``from oracle_simulator.testing import database, make_database`` in its
conftest.py.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import oracledb
import pytest

from oracle_simulator.instance.faults.unsynced import lose_power
from oracle_simulator.instance.home import Home
from oracle_simulator.program import processes
from oracle_simulator.program.listener import command as listener_command
from oracle_simulator.program.listener.configuration import ListenerHome
from oracle_simulator.program.listener.registration import listener_address
from oracle_simulator.program.loaded_server import loaded_server
from oracle_simulator.program.local_socket import LocalConnection, NoInstance
from oracle_simulator.program.spec import create_from_spec, users_of

USERS = [
    {
        "name": "APP",
        "privileges": ["CREATE SESSION", "CREATE TABLE", "UNLIMITED TABLESPACE", "SELECT_CATALOG_ROLE"],
    },
    {
        "name": "HOTBACKUP",
        "privileges": [
            "CREATE SESSION",
            "MANAGE TABLESPACE",
            "ALTER SYSTEM",
            "ALTER DATABASE",
            "SELECT_CATALOG_ROLE",
        ],
    },
]
COMMON_USERS = [
    {
        "name": "C##HOTBACKUP",
        "privileges": [*USERS[1]["privileges"], "SET CONTAINER"],
        "container_data": "all",
    },
]
SMALL: Mapping[str, Any] = {
    # cheap to connect to, quick to create: eight megabytes in all
    "verifier_rounds": 64,
    "redo": {"groups": 3, "size": "1M"},
    "tablespaces": [
        {"name": "SYSTEM", "size": "3M"},
        {"name": "SYSAUX", "size": "2M"},
        {"name": "UNDOTBS1", "size": "2M", "contents": "undo"},
        {"name": "TEMP", "size": "2M", "contents": "temporary"},
        {"name": "USERS", "size": "4M"},
    ],
    "users": USERS,
}


class SimulatedDatabase:
    """A database of its own in a folder of its own. Creating it starts nothing."""

    def __init__(self, folder: Path, sid: str = "ORCL", spec: Mapping[str, Any] | None = None) -> None:
        self.port = free_port()
        self.home = Home(folder / "home", sid)
        wanted = dict(spec or {})
        whole = {**SMALL, **({"users": COMMON_USERS} if wanted.get("cdb") else {}), **wanted}
        self.passwords = {user: secrets.token_urlsafe(9) for user in users_of(whole)}
        self.dbid = create_from_spec(self.home, whole, port=self.port, passwords=self.passwords)

    @property
    def sid(self) -> str:
        """ORACLE_SID, DB_NAME and service name."""
        return self.home.sid

    @property
    def dsn(self) -> str:
        """Easy connect string."""
        return self.dsn_of(self.sid)

    def dsn_of(self, service: str) -> str:
        """Easy connect string of a service."""
        return f"127.0.0.1:{self.port}/{service}"

    def start(self, stage: str = "open", launch: processes.Launch | None = None) -> None:
        """STARTUP up to ``nomount``, ``mount`` or ``open``; without ``launch`` in the quickest way there is."""
        processes.start(self.home, launch=launch or loaded_server().launch)
        if stage != "nomount":
            self.sql("ALTER DATABASE MOUNT")
        if stage == "open":
            self.sql("ALTER DATABASE OPEN")
        if self.listener.where.socket.exists():
            self.sql("ALTER SYSTEM REGISTER")  # do not wait until LREG looks again

    def shutdown(self, mode: str = "immediate") -> None:
        """SHUTDOWN. Raises LocalError when the instance refuses."""
        with LocalConnection(self.home.admin_socket) as connection:
            connection.ask("shutdown", mode=mode)
        processes.wait_until_gone(self.home)

    def crash(self) -> None:
        """SIGKILL."""
        processes.crash(self.home)

    def lose_power(self, seed: int | None = None) -> list[str]:
        """SIGKILL, and what was not synced is gone: all of it, or what ``seed`` picks. Tells what was taken.

        The database needs ``volatile_writes: true`` in its spec.
        """
        self.crash()
        return lose_power(self.home.unsynced_folder, None if seed is None else Random(seed))

    @property
    def listener(self) -> SimulatedListener:
        """The listener of a database with ``listener: own`` (or static) in its spec; it is started by itself."""
        return SimulatedListener(self.home.root)

    @property
    def running(self) -> bool:
        """Whether the instance's process lives."""
        return processes.is_running(self.home)

    def sql(self, *statements: str) -> list[list[Any]]:
        """Execute statements as SYS over the local socket; returns the last one's rows. Raises LocalError."""
        rows: list[list[Any]] = []
        with LocalConnection(self.home.admin_socket) as connection:
            for statement in statements:
                rows = connection.ask("sql", text=statement).get("rows") or []
        return rows

    def rman(self, *commands: str) -> str:
        """Run RMAN's commands about archived logs (program/rman.py); returns what the last one says."""
        said = ""
        with LocalConnection(self.home.admin_socket) as connection:
            for command in commands:
                said = connection.ask("rman", text=command)["said"]
        return said

    def fault(self, **wish: Any) -> None:
        """Switch trouble on or off: the requests of program/fault_desk.py. Raises LocalError."""
        with LocalConnection(self.home.admin_socket) as connection:
            connection.ask("fault", **wish)

    def readings(self, **choices: Any) -> None:
        """Choose readings of unverified points, until the instance ends (instance/readings.py)."""
        with LocalConnection(self.home.admin_socket) as connection:
            connection.ask("readings", choices=[f"{name}={value}" for name, value in choices.items()])

    def open_thread(self, number: int) -> None:
        """Another instance of the database starts and opens its redo thread."""
        self._thread("open", number)

    def close_thread(self, number: int) -> None:
        """The instance of a redo thread shuts down in order."""
        self._thread("close", number)

    def kill_thread(self, number: int) -> None:
        """The instance of a redo thread dies; returns when the survivors have recovered its redo."""
        self._thread("kill", number)

    def _thread(self, action: str, number: int) -> None:
        with LocalConnection(self.home.admin_socket) as connection:
            connection.ask("thread", action=action, number=number)

    def status(self) -> dict[str, Any]:
        """The instance's own report of itself."""
        with LocalConnection(self.home.admin_socket) as connection:
            return connection.ask("status")

    def connect(
        self, user: str = "APP", mode: int = oracledb.AUTH_MODE_DEFAULT, service: str | None = None
    ) -> Any:
        """A driver connection over TCP; SYS connects as SYSDBA. ``service`` may be a pluggable database."""
        if user == "SYS" and mode == oracledb.AUTH_MODE_DEFAULT:
            mode = oracledb.AUTH_MODE_SYSDBA
        return oracledb.connect(
            user=user, password=self.passwords[user], dsn=self.dsn_of(service or self.sid), mode=mode
        )

    def datafile(self, tablespace: str) -> Path:
        """The first datafile of a tablespace by its default name."""
        stem = "undotbs" if tablespace == "UNDOTBS1" else tablespace.lower()
        return self.home.datafile_folder / f"{stem}01.dbf"

    def destroy(self) -> None:
        """Kill the instance and delete everything."""
        with contextlib.suppress(OSError):
            self.crash()
        with contextlib.suppress(NoInstance):
            self.listener.stop()
        shutil.rmtree(self.home.root, ignore_errors=True)


class SimulatedListener:
    """A listener of its own in ``folder``, which is an ORACLE_HOME, or any other when databases share it.

    With ``port`` a listener.ora is written. Databases that register with it have ``parameters:
    {local_listener: listener.address}`` in their spec.
    """

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.where = ListenerHome(folder)
        if port is not None:
            self.where.write(port)

    @property
    def address(self) -> str:
        """LOCAL_LISTENER."""
        return listener_address(self.where.socket)

    def start(self) -> None:
        """Start its process. Raises ListenerFailed."""
        listener_command.start(self.where)

    def stop(self) -> None:
        """Stop it. Raises NoInstance when it is down."""
        listener_command.stop(self.where)

    def status(self) -> dict[str, Any]:
        """Port, pid and services. Raises NoInstance when it is down."""
        return listener_command.status(self.where)

    def fault(self, *, silent: bool = False, refuse: int | None = None) -> None:
        """Accept clients and say nothing, or refuse everybody with this TNS error; neither: be well again."""
        listener_command.fault(self.where, silent=silent, refuse=refuse)


def adopt_database(home: Home, passwords: Mapping[str, str]) -> SimulatedDatabase:
    """A database whose files are there already: it only gets a listener of its own."""
    adopted = SimulatedDatabase.__new__(SimulatedDatabase)
    adopted.home, adopted.port, adopted.passwords = home, free_port(), dict(passwords)
    ListenerHome(home.root).write(adopted.port)
    return adopted


MakeDatabase = Callable[..., SimulatedDatabase]


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def make_database(tmp_path: Path) -> Iterator[MakeDatabase]:
    """A function that creates a database (sid, spec, start) and destroys it after the test."""
    made: list[SimulatedDatabase] = []

    def make(
        sid: str = "ORCL", spec: Mapping[str, Any] | None = None, start: str | None = "open"
    ) -> SimulatedDatabase:
        created = SimulatedDatabase(tmp_path / sid.lower(), sid, spec)
        made.append(created)
        if start:
            created.start(start)
        return created

    yield make
    for each in made:
        each.destroy()


@pytest.fixture
def database(make_database: MakeDatabase) -> SimulatedDatabase:
    """An open database, small and empty."""
    return make_database()
