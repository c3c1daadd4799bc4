# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload client as a process: start it, see that it works, stop it, read its ledger."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .ledger import Ledger, read_ledger
from .model import TableSpec


class ClientFailed(Exception):
    """The client ended, or did nothing, where it should have worked."""


@dataclass(frozen=True)
class ClientSettings:
    """Whom the client works on, and where it keeps its ledger."""

    dsn: str
    user: str
    password: str = field(repr=False)
    ledger: Path
    tables: tuple[TableSpec, ...]
    seed: int = 1


class WorkloadClient:
    """One client process. Its niceness keeps a small machine usable; it never pauses of itself."""

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the client printed."""
        return self.settings.ledger.with_suffix(".log")

    def start(self, *, resume: bool = False) -> None:
        """Start the process (it loads its tables first, unless it resumes)."""
        settings = self.settings
        command = [sys.executable, "-m", "witness.client", "--dsn", settings.dsn, "--user", settings.user]
        command += ["--ledger", str(settings.ledger), "--seed", str(settings.seed)]
        for table in settings.tables:
            command += ["--table", f"{table.name}:{table.tablespace}:{table.rows}"]
        if resume:
            command.append("--resume")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
                preexec_fn=_be_nice,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(settings.password.encode() + b"\n")
        self._process.stdin.close()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def wait_for_commits(self, count: int, timeout_seconds: float = 120.0) -> None:
        """Return when ``count`` more acknowledged transactions are in the ledger. Raises ClientFailed."""
        deadline = time.monotonic() + timeout_seconds
        start = self._commits()
        while self._commits() < start + count:
            if not self.running:
                raise ClientFailed(f"the client of {self.settings.dsn} ended: {self.last_words()}")
            if time.monotonic() > deadline:
                raise ClientFailed(
                    f"the client of {self.settings.dsn} made no {count} commits: {self.last_words()}"
                )
            time.sleep(0.05)

    def stop(self, timeout_seconds: float = 30.0) -> int:
        """End the client between two transactions; returns its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(timeout_seconds)

    def wait_until_ended(self, timeout_seconds: float = 30.0) -> int:
        """Wait for a client whose database went away; returns its exit status."""
        assert self._process is not None
        return self._process.wait(timeout_seconds)

    def ledger(self) -> Ledger:
        """The ledger so far."""
        return read_ledger(self.settings.ledger)

    def last_words(self) -> str:
        """The last line the client printed."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "(nothing printed)"

    def _commits(self) -> int:
        if not self.settings.ledger.exists():
            return 0
        return self.settings.ledger.read_bytes().count(b'{"ack":')


def start_all(clients: Sequence[WorkloadClient]) -> None:
    """Start several clients, then wait until each of them works."""
    for client in clients:
        client.start()
    for client in clients:
        client.wait_for_commits(1)


def _be_nice() -> None:
    os.nice(19)
