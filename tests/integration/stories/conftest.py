# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every story needs: databases, a workload client for them, and ansible-playbook over an inventory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from oracle_simulator.testing import SimulatedDatabase, database, make_database
from witness.model import TableSpec
from witness.process import ClientSettings, WorkloadClient

__all__ = ["database", "make_database"]

TABLES = (TableSpec("ORDERS", "USERS", 2000), TableSpec("CUSTOMERS", "SALES", 2000))
SPEC: Mapping[str, Any] = {
    "archiver_delay": 0.3,
    "tablespaces": [
        {"name": "SYSTEM", "size": "3M"},
        {"name": "SYSAUX", "size": "2M"},
        {"name": "UNDOTBS1", "size": "2M", "contents": "undo"},
        {"name": "TEMP", "size": "2M", "contents": "temporary"},
        {"name": "USERS", "size": "8M"},
        {"name": "SALES", "files": [{"size": "8M"}, {"size": "4M"}]},
        {"name": "ARCHIVED_SALES", "size": "2M", "read_only": True},
    ],
}


@dataclass(frozen=True)
class Outcome:
    """How ansible-playbook ended and what it said."""

    status: int
    output: str

    @property
    def changed(self) -> int:
        """Number of changed tasks, over all hosts."""
        recaps = [line for line in self.output.splitlines() if " changed=" in line]
        return sum(int(line.split(" changed=")[1].split()[0]) for line in recaps)


class Site:
    """One database, its inventory and its backups."""

    def __init__(self, folder: Path, target: SimulatedDatabase) -> None:
        self.database = target
        self.destination = folder / "backup"
        self.state_dir = folder / "state"
        self.folder = folder
        self.inventory = folder / "inventory.yml"
        self.inventory.write_text(yaml.safe_dump({"all": {"hosts": {"dbhost": self._variables()}}}))

    def _variables(self) -> dict[str, Any]:
        def from_environment(user: str) -> str:
            return "{{ lookup('ansible.builtin.env', 'STORY_" + user + "') }}"

        return {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "oracle_home": str(self.database.home.root),
            "oracle_sid": self.database.sid,
            "oracle_login_port": self.database.port,
            "oracle_login_service": self.database.sid,
            "oracle_login_user": "HOTBACKUP",
            "oracle_login_password": from_environment("HOTBACKUP"),
            "oracle_admin_user": "SYS",
            "oracle_admin_password": from_environment("SYS"),
            "oracle_backup_destination": str(self.destination),
            "oracle_state_dir": str(self.state_dir),
        }

    def start_play(self, playbook: str | Path, *arguments: str, **extra: Any) -> subprocess.Popen[str]:
        """Start ansible-playbook in a session of its own, as a shell or a scheduler would.

        ``playbook`` is the name of one of the collection's, or a file.
        """
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(self.inventory)]
        command += [
            f"hotbackup.oracle.{playbook}" if isinstance(playbook, str) else str(playbook),
            *arguments,
        ]
        for name, value in extra.items():
            command += ["-e", f"{name}={value}"]
        passwords = {f"STORY_{user}": password for user, password in self.database.passwords.items()}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **passwords, "ANSIBLE_LOCALHOST_WARNING": "false", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )

    def play(self, playbook: str, *arguments: str, **extra: Any) -> Outcome:
        """Run a playbook to its end."""
        return self.end_of(self.start_play(playbook, *arguments, **extra))

    def end_of(self, play: subprocess.Popen[str]) -> Outcome:
        """Wait until a play that was started has ended."""
        output, _nothing = play.communicate(timeout=300)
        for user, password in self.database.passwords.items():
            assert password not in output, f"the password of {user} is in the output"
        return Outcome(play.returncode, output)

    def ask(self, module: str, **options: Any) -> dict[str, Any]:
        """Run one module on the host, as a DBA would who wants to know something; its result."""
        command = [str(Path(sys.executable).with_name("ansible")), "-i", str(self.inventory), "dbhost"]
        command += ["-m", f"hotbackup.oracle.{module}", "-a", json.dumps(options)]
        process = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        result: dict[str, Any] = json.loads(process.stdout.partition("=> ")[2])
        assert (process.returncode == 0) is not bool(result.get("failed")), process.stdout
        return result

    def start_restore(self, **extra: Any) -> subprocess.Popen[str]:
        """Start the restore playbook with the confirming value."""
        wishes = {"restore_hosts": "dbhost", "restore_confirm": f"{self.database.sid}@dbhost", **extra}
        return self.start_play("restore", **wishes)

    def restore(self, **extra: Any) -> Outcome:
        """Run it to its end."""
        return self.end_of(self.start_restore(**extra))

    def files_in_backup_mode(self) -> list[int]:
        """What V$BACKUP says, through a connection of our own."""
        with self.database.connect("SYS") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT file# FROM v$backup WHERE status = 'ACTIVE' ORDER BY file#")
            return [row[0] for row in cursor.fetchall()]

    def sets(self) -> list[Path]:
        """Folders of all sets, sealed or not."""
        return sorted(self.destination.glob("*/sets/*"))

    def client(self, name: str = "client") -> WorkloadClient:
        """A workload client for the database, not started."""
        settings = ClientSettings(
            dsn=self.database.dsn,
            user="APP",
            password=self.database.passwords["APP"],
            ledger=self.folder / f"{name}.jsonl",
            tables=TABLES,
        )
        return WorkloadClient(settings)


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path, make_database: Callable[..., SimulatedDatabase]) -> MakeSite:
    """A function that creates a database and everything around it."""

    def make(**changes: Any) -> Site:
        return Site(tmp_path, make_database(spec={**SPEC, **changes}))

    return make


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A database of seven tablespaces."""
    return make_site()


@pytest.fixture
def working_site(site: Site) -> Iterator[tuple[Site, WorkloadClient]]:
    """The same with a client at work."""
    client = site.client()
    client.start()
    client.wait_for_commits(5)
    yield site, client
    if client.running:
        client.stop()


def wait_until(condition: Callable[[], Any], what: str, timeout_seconds: float = 60.0) -> Any:
    """Poll until the condition holds; its value. Fails the test with ``what`` when it doesn't come."""
    deadline = time.monotonic() + timeout_seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout_seconds:.0f} s: {what}")
        time.sleep(0.01)
    return value
