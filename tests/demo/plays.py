# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the product as a user does: ansible-playbook, an inventory, nothing else."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.fleet import PASSWORD_PREFIX, DemoDatabase, Fleet

RECAP = re.compile(
    r"^(?P<host>\S+)\s+: ok=\d+\s+changed=\d+\s+unreachable=(?P<unreachable>\d+)\s+failed=(?P<failed>\d+)"
)


class PlayFailed(Exception):
    """A play did not do what the demo needs."""


@dataclass(frozen=True)
class PlayOutcome:
    """Exit status of ansible-playbook and the recap's failures per host."""

    status: int
    failures: Mapping[str, int]

    def succeeded(self, host: str) -> bool:
        """Whether the host was in the play and nothing failed there."""
        return self.failures.get(host, 1) == 0


class Plays:
    """ansible-playbook over the demo's inventory."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._inventory = fleet.write_inventory(sys.executable)
        self._program = Path(sys.executable).with_name("ansible-playbook")

    def run(
        self,
        playbook: str,
        *,
        limit: str | None = None,
        extra: Mapping[str, str | int] | None = None,
        check: bool = False,
    ) -> PlayOutcome:
        """Run one playbook, its output shown as it comes."""
        command = [str(self._program), "-i", str(self._inventory), playbook]
        if limit:
            command += ["--limit", limit]
        if check:
            command.append("--check")
        for name, value in (extra or {}).items():
            command += ["-e", f"{name}={value}"]
        print("$ " + " ".join(["ansible-playbook", *command[1:]]), flush=True)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment(),
            text=True,
        )
        failures: dict[str, int] = {}
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write("  " + line)
            sys.stdout.flush()
            if match := RECAP.match(line):
                failures[match["host"]] = int(match["unreachable"]) + int(match["failed"])
        return PlayOutcome(process.wait(), failures)

    def _environment(self) -> dict[str, str]:
        return self._fleet.environment() | {
            "ANSIBLE_FORKS": str(max(5, len(self._fleet.databases))),
            "ANSIBLE_HOME": str(self._fleet.folder / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self._fleet.folder / "ansible" / "remote"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_DEPRECATION_WARNINGS": "true",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
        }

    def _write_environment(self) -> Path:
        """A file for a shell in which plays over the inventory are to be typed: it holds their passwords."""
        path = self._fleet.folder / "environment.sh"
        path.touch(mode=0o600)
        lines = [
            f"export {name}={shlex.quote(value)}\n"
            for name, value in sorted(self._environment().items())
            if name in ("PATH", "LC_ALL") or name.startswith(("ANSIBLE_", PASSWORD_PREFIX))
        ]
        path.write_text("".join(lines), encoding="utf-8")
        return path

    def prove_new_files_are_in_set(
        self, database: DemoDatabase, names: Sequence[str], say: Callable[[str], None]
    ) -> None:
        """The newest sealed set holds the files by these names. Raises PlayFailed."""
        manifests = sorted((database.folder / "backup").glob("*/sets/*/manifest.json"))
        newest = json.loads(manifests[-1].read_text(encoding="utf-8"))
        held = {Path(item["path"]).name.split("_", 1)[1] for item in newest["files"]}
        missing = [name for name in names if name not in held]
        if missing:
            raise PlayFailed(f"{missing} are not in {manifests[-1].parent.name}")
        set_id = manifests[-1].parent.name
        say(f"{database.sid}: {', '.join(names)} are in the new set {set_id}, {len(held)} files")

    def say_how_to_look_around(self) -> None:
        """What to type while the databases are still there."""
        print("\nThe databases are still running. Look around:")
        for database in self._fleet.databases:
            print(f"  ORACLE_SID={database.sid} {database.home.root}/bin/sqlplus / as sysdba")
        print(f"  ls {self._fleet.folder}/ora1/backup/*/sets/*")
        print("Run plays of your own:")
        print(f"  . {self._write_environment()}")
        print(f"  ansible-playbook -i {self._inventory} hotbackup.oracle.hot_backup --limit ora1")
        print(
            f"  ansible ora1 -i {self._inventory} -m hotbackup.oracle.backup_set_info"
            " -a 'destination={{ oracle_backup_destination }}'"
        )
        print("End them:\n  make demo-stop")
