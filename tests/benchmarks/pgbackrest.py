# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pgBackRest as a peer: it backs up a PostgreSQL cluster that is made for the purpose and thrown away."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers import Peer, PeerAbsent, run, tool

PROGRAM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where packages put the programs of the server, which are not in PATH."""
ADMINISTRATOR = "bench"
PORT = 5432
"""Part of the socket's name; nothing listens on the network."""
STANZA = "bench"
PROCESSES = 2
PAGE_BYTES = 8192
ROWS_PER_PAGE = 4
FILLING = "gen_random_bytes(1000) || gen_random_bytes(1000)"
"""So large that four rows fill a page, and not so large that PostgreSQL would move it out of the row."""


class Cluster:
    """A PostgreSQL cluster with data checksums; only a socket in its folder leads to it.

    ``user`` owns it when the caller is root, whom the server refuses; None otherwise.
    """

    def __init__(self, folder: Path, programs: Path, user: str | None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.user = user
        self._programs = programs

    def make(self, settings: str) -> None:
        """An empty cluster, not yet started. ``settings`` are lines of postgresql.conf."""
        options = ["--data-checksums", "--auth=trust", f"--username={ADMINISTRATOR}", "--no-locale"]
        self._run("initdb", f"--pgdata={self.data}", *options)
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(settings)

    def start(self, *settings: str) -> None:
        """Until it accepts connections; ``settings`` are for this time only."""
        options = " ".join(f"-c {setting}" for setting in settings)
        self._control("start", f"--log={self.folder / 'log'}", f"--options={options}")

    def stop(self, mode: str) -> None:
        self._control("stop", f"--mode={mode}")

    @property
    def running(self) -> bool:
        return (self.data / "postmaster.pid").exists()

    def processes(self) -> tuple[int, ...]:
        """The server and the processes that live as long as it does. Ask before the first connection."""
        server = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        children = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii")
        return (server, *map(int, children.split()))

    def ask(self, statement: str) -> str:
        """The answer to one statement."""
        session = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", f"--username={ADMINISTRATOR}")
        place = (f"--host={self.folder}", f"--port={PORT}", "--dbname=postgres")
        return self._run("psql", *session, *place, "--set=ON_ERROR_STOP=1", f"--command={statement}").strip()

    def fill(self, size_bytes: int, tables: int) -> None:
        """As many random rows, spread over ``tables``, as make the cluster ``size_bytes`` large in all."""
        if not self.ask("SELECT 1 FROM pg_available_extensions WHERE name = 'pgcrypto'"):
            raise PeerAbsent("PostgreSQL has no pgcrypto; install the package postgresql-contrib")
        self.ask("CREATE EXTENSION pgcrypto")
        self.ask("CHECKPOINT")
        missing = size_bytes - sum(path.stat().st_size for path in self.files())
        rows = max(1, missing // PAGE_BYTES // tables) * ROWS_PER_PAGE
        for number in range(tables):
            self.ask(f"CREATE TABLE filler{number} AS SELECT {FILLING} FROM generate_series(1, {rows})")

    def files(self) -> list[Path]:
        """The files of all databases."""
        folders = (self.data / "base", self.data / "global")
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]

    def _control(self, action: str, *options: str) -> None:
        self._run("pg_ctl", action, f"--pgdata={self.data}", "--wait", "--silent", *options)

    def _run(self, program: str, *arguments: str) -> str:
        return run([self._programs / program, *arguments], directory=self.folder, user=self.user)


class PgBackRest(Peer):
    """A full backup of a running cluster into a new repository."""

    besides = (
        "NOT THE SAME FILES but a cluster of as many bytes; the whole backup is timed: checkpoint, start and stop of "
        "backup mode, waiting for archived WAL, manifest; page checksums, SHA-1 of each file, no compression; fsync "
        f"of each file, a thousand small ones of the dictionary among them; {PROCESSES} processes"
    )

    def __init__(self, cluster: Cluster, command: list[str]) -> None:
        self._cluster = cluster
        self._command = command
        self.version = self._run("version").strip()
        self.pids = cluster.processes()

    def sources(self) -> list[str]:
        return [str(path) for path in self._cluster.files()]

    def prepare(self, target: Path) -> None:
        if self._cluster.user is not None:
            shutil.chown(target, self._cluster.user)
        self._run("stanza-create")
        self._run("check")  # leaves the archiver nothing to catch up with

    def copy(self, target: Path) -> None:
        self._run("backup", "--type=full")

    def check(self, target: Path) -> None:
        backup = self._backup()
        if backup["error"]:
            raise RuntimeError(f"pgbackrest found bad pages: {backup}")

    def bytes_copied(self, _target: Path) -> int:
        return int(self._backup()["info"]["delta"])

    def _backup(self) -> dict[str, Any]:
        (stanza,) = json.loads(self._run("info", "--output=json"))
        if stanza["status"]["code"]:
            raise RuntimeError(f"pgbackrest is not content: {stanza['status']}")
        (backup,) = stanza["backup"]
        return dict(backup)

    def _run(self, *arguments: str) -> str:
        return run([*self._command, *arguments], directory=self._cluster.folder, user=self._cluster.user)


@contextlib.contextmanager
def backed_up_cluster(folder: Path, repository: Path, size_bytes: int, tables: int) -> Iterator[PgBackRest]:
    """A running cluster of ``size_bytes`` that pgBackRest backs up to ``repository``. Raises PeerAbsent."""
    program = tool("pgbackrest", "pgbackrest")
    programs = _server_programs()
    user = _server_user()
    folder.mkdir()
    cluster = Cluster(folder, programs, user)
    if user is not None:
        shutil.chown(folder, user)
        _require_access(folder, user)
    configuration = folder / "pgbackrest.conf"
    configuration.write_text(_configuration(cluster, repository), encoding="utf-8")
    command = [program, f"--config={configuration}", f"--stanza={STANZA}"]
    try:
        cluster.make(_settings(cluster, command))
        # rows of a table made in the same transaction need no WAL then
        cluster.start("wal_level=minimal", "max_wal_senders=0", "archive_mode=off")
        cluster.fill(size_bytes, tables)
        cluster.stop("fast")
        cluster.start()
        yield PgBackRest(cluster, command)
    finally:
        if cluster.running:
            cluster.stop("immediate")


def _server_programs() -> Path:
    """The folder of those in PATH, or of the newest release. Raises PeerAbsent."""
    if in_path := shutil.which("initdb"):
        return Path(in_path).resolve().parent
    found = [path for pattern in PROGRAM_FOLDERS for path in Path("/").glob(f"{pattern}/initdb")]
    if not found:
        raise PeerAbsent("PostgreSQL's server is not installed; install the package postgresql")
    return max(found, key=lambda path: [int(digits) for digits in re.findall(r"\d+", str(path))]).parent


def _server_user() -> str | None:
    if os.geteuid():
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise PeerAbsent("PostgreSQL refuses root, and there is no user postgres to run it as") from None


def _require_access(folder: Path, user: str) -> None:
    try:
        run(["test", "-w", folder], user=user)
    except RuntimeError:
        raise PeerAbsent(f"the user {user} cannot reach {folder}; choose another --folder") from None


def _settings(cluster: Cluster, command: list[str]) -> str:
    return f"""
listen_addresses = ''
unix_socket_directories = '{cluster.folder}'
unix_socket_permissions = 0700
port = {PORT}
autovacuum = off  # it would work at times of its own choice
archive_mode = on
archive_command = '{" ".join(command)} archive-push "%p"'
"""


def _configuration(cluster: Cluster, repository: Path) -> str:
    return f"""
[global]
repo1-path={repository}
log-path={cluster.folder}
lock-path={cluster.folder}
spool-path={cluster.folder}
log-level-file=off
compress-type=none
process-max={PROCESSES}
start-fast=y

[{STANZA}]
pg1-path={cluster.data}
pg1-socket-path={cluster.folder}
pg1-port={PORT}
pg1-user={ADMINISTRATOR}
"""
