# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's databases: folders, ports, passwords, processes, and the inventory that describes them."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import oracledb
import yaml

from oracle_simulator.instance.home import Home
from oracle_simulator.program import processes
from oracle_simulator.program.local_socket import LocalConnection
from oracle_simulator.program.spec import create_from_spec, read_spec
from witness.model import TableSpec
from witness.process import ClientSettings, WorkloadClient

SPECS = Path(__file__).parent / "databases"
APPLICATION = "APP"
BACKUP_ACCOUNT = "HOTBACKUP"
ARCHIVER_SECONDS_PER_LOG = 1.5
PASSWORD_PREFIX = "DEMO_"


@dataclass(frozen=True)
class DemoDatabase:
    """One database of the fleet and everything the demo knows about it."""

    number: int
    folder: Path
    port: int
    passwords: dict[str, str] = field(repr=False)

    @property
    def sid(self) -> str:
        """ORACLE_SID, and the inventory host's name in upper case."""
        return f"ORA{self.number}"

    @property
    def host(self) -> str:
        """Inventory host."""
        return self.sid.lower()

    @property
    def home(self) -> Home:
        """ORACLE_HOME."""
        return Home(self.folder / "home", self.sid)

    @property
    def dsn(self) -> str:
        """Easy connect string."""
        return f"127.0.0.1:{self.port}/{self.sid}"

    @property
    def spec(self) -> Path:
        """The structure: three different ones, taken in turn."""
        choices = sorted(SPECS.glob("*.yml"))
        return choices[(self.number - 1) % len(choices)]

    @property
    def workload_tables(self) -> tuple[TableSpec, ...]:
        """The tables the workload client keeps busy, spread over the tablespaces."""
        described = yaml.safe_load(self.spec.read_text(encoding="utf-8"))["x_workload"]
        return tuple(TableSpec(item["table"], item["tablespace"], item["rows"]) for item in described)

    def client(self) -> WorkloadClient:
        """Its workload client (not started)."""
        settings = ClientSettings(
            dsn=self.dsn,
            user=APPLICATION,
            password=self.passwords[APPLICATION],
            ledger=self.folder / "ledger.jsonl",
            tables=self.workload_tables,
            seed=self.number,
        )
        return WorkloadClient(settings)

    def connect(self, user: str, mode: int = oracledb.AUTH_MODE_DEFAULT) -> Any:
        """A connection for the demo's own looks and statements."""
        return oracledb.connect(user=user, password=self.passwords[user], dsn=self.dsn, mode=mode)

    def connect_as_sysdba(self) -> Any:
        """A connection as SYS."""
        return self.connect("SYS", oracledb.AUTH_MODE_SYSDBA)

    def datafiles(self) -> list[Path]:
        """All datafiles, as the database itself names them."""
        with self.connect_as_sysdba() as connection, connection.cursor() as cursor:
            return [Path(row[0]) for row in cursor.execute("SELECT name FROM v$datafile ORDER BY file#")]

    def control_files(self) -> list[Path]:
        """All control files."""
        with self.connect_as_sysdba() as connection, connection.cursor() as cursor:
            return [Path(row[0]) for row in cursor.execute("SELECT name FROM v$controlfile")]

    def slow_down_archiver(self) -> None:
        """From now on the archiver takes its time for each log, as on a busy disk: waiting for it matters."""
        with LocalConnection(self.home.admin_socket) as connection:
            connection.ask("fault", archiver_delay=ARCHIVER_SECONDS_PER_LOG)

    def create(self) -> None:
        """Make the database and open it."""
        self.folder.mkdir(parents=True, mode=0o700)
        create_from_spec(
            self.home,
            read_spec(self.spec),
            port=self.port,
            passwords=self.passwords,
        )
        self.start()

    def start(self) -> None:
        """Start and open the instance."""
        processes.start(self.home)
        with self.connect_as_sysdba() as connection, connection.cursor() as cursor:
            cursor.execute("ALTER DATABASE MOUNT")
            cursor.execute("ALTER DATABASE OPEN")


class Fleet:
    """All databases of one demo under one folder."""

    def __init__(self, folder: Path, databases: list[DemoDatabase]) -> None:
        self.folder = folder
        self.databases = databases

    @classmethod
    def new(cls, folder: Path, count: int) -> Fleet:
        """A fresh folder with free ports and new passwords; an earlier demo's databases are ended first."""
        if folder.exists():
            cls.load(folder).stop()
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        ports = free_ports(count)
        accounts = ("SYS", APPLICATION, BACKUP_ACCOUNT)
        databases = [
            DemoDatabase(
                number, folder / f"ora{number}", port, {user: secrets.token_urlsafe(12) for user in accounts}
            )
            for number, port in enumerate(ports, start=1)
        ]
        fleet = cls(folder, databases)
        fleet._save()
        return fleet

    @classmethod
    def load(cls, folder: Path) -> Fleet:
        """The fleet an earlier demo left running."""
        state = folder / "fleet.json"
        entries = json.loads(state.read_text(encoding="utf-8")) if state.exists() else []
        return cls(
            folder,
            [
                DemoDatabase(item["number"], Path(item["folder"]), item["port"], item["passwords"])
                for item in entries
            ],
        )

    def _save(self) -> None:
        state = [
            {
                "number": item.number,
                "folder": str(item.folder),
                "port": item.port,
                "passwords": item.passwords,
            }
            for item in self.databases
        ]
        path = self.folder / "fleet.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(state, indent=1), encoding="utf-8")

    def stop(self) -> None:
        """End every instance of the fleet."""
        for database in self.databases:
            processes.crash(database.home)

    def write_inventory(self, python: str) -> Path:
        """One inventory host per database; passwords come from the environment of ansible-playbook."""
        hosts = {}
        for database in self.databases:
            home = database.home
            hosts[database.host] = {
                "oracle_sid": database.sid,
                "oracle_home": str(home.root),
                "oracle_login_port": database.port,
                "oracle_login_service": database.sid,
                "oracle_login_user": BACKUP_ACCOUNT,
                "oracle_login_password": from_environment(variable_of(database)),
                "oracle_admin_user": "SYS",
                "oracle_admin_password": from_environment(variable_of(database, "SYS")),
                "oracle_backup_destination": str(database.folder / "backup"),
                "oracle_state_dir": str(database.folder / "state"),
            }
        shared = {
            "ansible_connection": "local",
            "ansible_python_interpreter": python,
            "oracle_login_host": "127.0.0.1",
        }
        path = self.folder / "inventory.yml"
        text = yaml.safe_dump({"all": {"vars": shared, "hosts": hosts}}, sort_keys=False)
        path.write_text("---\n" + text, encoding="utf-8")
        return path

    def environment(self) -> dict[str, str]:
        """The environment in which ansible-playbook finds the passwords."""
        found = dict(os.environ)
        for database in self.databases:
            found[variable_of(database)] = database.passwords[BACKUP_ACCOUNT]
            found[variable_of(database, "SYS")] = database.passwords["SYS"]
        return found


def variable_of(database: DemoDatabase, user: str = BACKUP_ACCOUNT) -> str:
    """Name of the environment variable with a password."""
    return f"{PASSWORD_PREFIX}{database.sid}_{user}_PASSWORD"


def from_environment(variable: str) -> str:
    """A template that reads an environment variable of the controller."""
    return "{{ lookup('ansible.builtin.env', '" + variable + "') }}"


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now; all held open together so that no number comes twice."""
    sockets = [socket.socket() for _port in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
