# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guardian: ends the backup mode that its runner left when it died. Private to the collection.

A process of its own, in its own session, deaf to the signals that end plays and terminals. It does nothing at
all while the runner lives. It shares the runner's lease, so nobody starts another run before it is through.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    ConnectError,
    ConnectionLost,
    OracleRefused,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.connection import (
    ConnectionSettings,
    open_connection,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.database import RunDatabase
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.guardian_link import DONE, READY
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import LeaseHolder, adopt_lease
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.leftovers import (
    GUARDIAN,
    end_leftovers,
    ended_windows,
    find_leftovers,
    sentences,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import GuardianRequest
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.standard_input import read_request
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import (
    DIED,
    RunStatus,
    StatusWriter,
    read_status,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.windows import BackupDatabase, Patience

_LOG = logging.getLogger("hotbackup")
# A database that is gone for so long was lost or restored; the next run or the repair playbook sees to the
# rest.
_UNREACHABLE_SECONDS = 6 * 3600.0


def main() -> int:
    """Wait for the runner's end; act if it died. Returns the exit status."""
    os.umask(0o077)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s guardian[%(process)d] %(message)s"
    )
    request = GuardianRequest.from_plain(read_request(0))
    lease = adopt_lease(request.lease_descriptor)
    os.write(1, READY)
    if _runner_took_leave(0):
        return 0
    _LOG.warning("the runner of set %s died", request.set_id)
    lease.announce(
        LeaseHolder(
            role="guardian",
            set_id=request.set_id,
            run_id=request.run_id,
            pid=os.getpid(),
            host=socket.gethostname(),
            since=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    )
    settings = ConnectionSettings.from_json(request.connection)
    database = RunDatabase(lambda: open_connection(settings, action=request.set_id))
    try:
        return 0 if guard(request, database) else 1
    finally:
        database.close()
        lease.close()


def guard(
    request: GuardianRequest,
    database: BackupDatabase,
    sleep: Callable[[float], object] = time.sleep,
) -> bool:
    """End what the dead runner left open, however long the database cannot; True if nothing of it is left.

    What was found and done is in the journal and in the status file.
    """
    journal_path = Path(request.journal_path)
    report = _Reporter(StateFolder(Path(request.state_dir)).status_path, request.run_id)
    patience = Patience(_UNREACHABLE_SECONDS, sleep=sleep)
    if not journal_path.exists():
        report.died(f"The runner of set {request.set_id} died before it changed anything.")
        return True
    known = len(_records(journal_path))
    problem = ""
    while True:
        try:
            end_leftovers(database, journal_path, GUARDIAN, patience, report.say)
            break
        except (ConnectError, ConnectionLost, OracleRefused, WaitTimeout) as exc:
            report.say(f"the guardian retries: {exc.message}")
            try:
                patience.after(exc)
            except BackupError:
                problem = f"the database stayed unreachable: {exc.message}"
                break
        except BackupError as exc:
            problem = exc.message
            break
    return _conclude(request, journal_path, report, known, problem)


def _conclude(
    request: GuardianRequest, journal_path: Path, report: _Reporter, known: int, problem: str
) -> bool:
    """``known`` is how many records the journal had when the guardian began."""
    records = _records(journal_path)
    # Also what was ended before an attempt failed, which only the journal remembers.
    outcomes = sentences(ended_windows(records[known:]))
    left = [item.window.tablespace for item in find_leftovers(records)]
    parts = [f"The runner of set {request.set_id} died", *outcomes]
    if problem:
        parts.append(f"the guardian gave up: {problem.rstrip('.')}")
    if left:
        parts.append(f"perhaps still in backup mode: {', '.join(left)}")
    elif not outcomes and not problem:
        parts.append("no tablespace was left in backup mode")
    message = "; ".join(parts) + "."
    with Journal.open(journal_path) as journal:
        journal.append("run_failed", run_id=request.run_id, msg=message, by=GUARDIAN)
    report.died(message, left)
    return not problem and not left


def _records(journal_path: Path) -> list[dict[str, Any]]:
    """The journal; nothing of one that is damaged, which whoever needs it reports."""
    try:
        records = read_journal(journal_path)
        find_leftovers(records)
    except BackupError as exc:
        _LOG.warning("%s", exc)
        return []
    return records


class _Reporter:
    """Continues the dead runner's status file, unless another run has taken it over."""

    def __init__(self, path: Path, run_id: str) -> None:
        self._writer: StatusWriter | None = None
        try:
            status = read_status(path)
        except BackupError as exc:
            _LOG.warning("%s", exc)
            return
        if status is not None and status.run_id == run_id:
            self._writer = StatusWriter(path, _of_dead_runner(status))

    def say(self, message: str) -> None:
        _LOG.info("%s", message)
        self._update(phase=GUARDIAN, message=message)

    def died(self, message: str, windows_open: list[str] | None = None) -> None:
        _LOG.info("%s", message)
        if self._writer is not None:
            error = {"msg": message, "hint": self._writer.status.how_to_go_on}
            self._update(
                state=DIED,
                phase=GUARDIAN,
                message=message,
                error=error,
                windows_open=tuple(windows_open or ()),
            )

    def _update(self, **changes: object) -> None:
        if self._writer is not None:
            self._writer.update(**changes)


def _of_dead_runner(status: RunStatus) -> RunStatus:
    return replace(status, bytes_per_second=0, tablespaces=())


def _runner_took_leave(descriptor: int) -> bool:
    """Block until the runner says it is done (True) or its end of the pipe closes without that word."""
    received = b""
    while True:
        piece = os.read(descriptor, 4096)
        if not piece:
            return False
        received += piece
        if received.endswith(DONE):
            return True
