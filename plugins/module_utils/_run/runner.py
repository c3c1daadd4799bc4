# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner: a process on the database host that executes one run of a set. Private to the collection.

It needs nobody: when the play that started it is gone it goes on, closes its windows and writes down what it
did.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    Cancelled,
    LeaseHeld,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import Datafile
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import make_private_folder
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    CopyTask,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import FileTask
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.connection import (
    ConnectionSettings,
    open_connection,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.copying import Copying, TablespaceJob
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.database import RunDatabase
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.guardian_link import GuardianLink
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.jmespath_query import search
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.launcher import Program
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import (
    LeaseHolder,
    acquire_lease,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.leftovers import NEXT_RUN, end_leftovers
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.preflight import Preflight, examine
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.progress import Progress
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import (
    GuardianRequest,
    RunRequest,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.standard_input import read_request
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import (
    FAILED,
    SUCCEEDED,
    RunStatus,
    StatusWriter,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.windows import Patience

_LOG = logging.getLogger("hotbackup")
EXIT_LEASE_HELD = 75
# After this the run gives way to its guardian, which is far more patient and holds on to the lease.
_UNREACHABLE_SECONDS = 300.0
# Sessions of a run that was killed a moment ago are still being cleaned up by the database.
_FOREIGN_SESSION_SECONDS = 30.0
# The first, one for what became unsound under it, one for files that were added meanwhile.
_ROUNDS = 3


def main() -> int:
    """Execute the run that standard input describes. Returns the exit status."""
    os.umask(0o077)
    stop = threading.Event()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s runner[%(process)d] %(message)s"
    )
    request = RunRequest.from_plain(read_request(0))
    folder = StateFolder(Path(request.state_dir))
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    holder = LeaseHolder("runner", request.set_id, request.run_id, os.getpid(), socket.gethostname(), now)
    try:
        lease = acquire_lease(folder.lease_path, holder)
    except LeaseHeld as exc:
        _LOG.error("%s", exc)
        return EXIT_LEASE_HELD
    folder.forget_old_runs(request.set_id)
    layout = SetLayout(request.destination, request.db_unique_name, request.dbid, request.set_id)
    log_path = folder.log_path(request.set_id)
    writer = StatusWriter(
        folder.status_path,
        RunStatus(
            set_id=request.set_id,
            run_id=request.run_id,
            pid=os.getpid(),
            started_at=now,
            journal_path=str(layout.journal_path),
            log_path=str(log_path),
        ),
    )
    writer.update(message="starting")
    guardian = GuardianLink(
        Program(Path(sys.argv[0]), log_path),
        GuardianRequest(
            connection=request.connection,
            journal_path=str(layout.journal_path),
            set_id=request.set_id,
            run_id=request.run_id,
            state_dir=request.state_dir,
            lease_descriptor=lease.fileno(),
        ),
    )
    settings = ConnectionSettings.from_json(request.connection)
    database = RunDatabase(lambda: open_connection(settings, action=request.set_id))
    run = Run(request, layout, database, writer, stop, guardian.ensure)
    try:
        succeeded = run.execute()
    finally:
        database.close()
    if run.windows_are_ended:
        guardian.dismiss()
    # Otherwise the end of this process tells the guardian to go on where the run had to give up.
    lease.close()
    return 0 if succeeded else 1


@dataclass(frozen=True)
class Ground:
    """What later rounds must find unchanged: another database or incarnation under the same name ends the
    run.
    """

    dbid: int
    resetlogs_id: int
    startup_times: tuple[str, ...]


class Run:
    """One run: preflight, leftovers of dead runs, copying in rounds, the end in journal and status."""

    def __init__(
        self,
        request: RunRequest,
        layout: SetLayout,
        database: RunDatabase,
        writer: StatusWriter,
        stop: threading.Event,
        ensure_guardian: Callable[[], None],
        sleep: Callable[[float], object] = time.sleep,
        copy_task: Callable[[CopyRequest, IoContext], FileTask[CopyResult]] = CopyTask,
    ) -> None:
        self._request = request
        self._layout = layout
        self._database = database
        self._writer = writer
        self._progress = Progress(writer)
        self._stop = stop
        self._ensure_guardian = ensure_guardian
        self._sleep = sleep
        self._copy_task = copy_task
        self._journal: Journal | None = None

    @property
    def windows_are_ended(self) -> bool:
        return not self._writer.status.windows_open

    def execute(self) -> bool:
        """Do all of it; True if the set now holds every file asked for. Failures are in the status."""
        try:
            self._ensure_guardian()
            self._work()
        except BackupError as exc:
            error = {"msg": exc.message, "hint": exc.hint, "details": plain(exc.details)}
            if exc.oracle_error is not None:
                error["oracle_error"] = exc.oracle_error.as_result()
            self._fail(error)
            return False
        except Exception as exc:
            _LOG.exception("unexpected failure")
            self._fail({"msg": f"Unexpected failure of the run: {type(exc).__name__}: {exc}", "hint": ""})
            raise
        finally:
            if self._journal is not None:
                self._journal.close()
        return True

    def _work(self) -> None:
        request = self._request
        self._progress.phase("preflight", "reading the database")
        self._refuse_foreign_run()
        found = self._examine()
        self._require_expected_database(found)
        found.plan.require_no_problems()
        make_private_folder(self._layout.datafiles_folder)
        journal = self._journal = Journal.open(self._layout.journal_path)
        ground = Ground(found.database.dbid, found.database.resetlogs_id, found.database.startup_times)
        self._writer.update(resumed=found.state.exists)
        # Before the record of this run, which would make the dead run's windows look like ours.
        ended = self._end_leftovers(found)
        journal.append(
            "run_started",
            run_id=request.run_id,
            set_id=request.set_id,
            dbid=ground.dbid,
            db_unique_name=request.db_unique_name,
            resetlogs_id=ground.resetlogs_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            startup_times=list(ground.startup_times),
            policy=request.policy.identity(),
            tuning=asdict(request.policy.tuning),
            compression=asdict(request.policy.compression),
            ended_windows=ended,
            plan={"file_count": found.plan.file_count, "copy_bytes": plain(found.plan.copy_bytes)},
        )
        self._copy_in_rounds(journal, ground)
        self._progress.phase("finish", "reading the end SCN")
        # After the last END BACKUP: any later SCN is safe (required redo ends beyond it).
        end_scn = self._database.current_scn()
        journal.append("run_copied", run_id=request.run_id, end_scn=plain(end_scn))
        journal.append("run_ended", run_id=request.run_id)
        self._writer.update(state=SUCCEEDED, phase="finished", message="all files are in the set")

    def _copy_in_rounds(self, journal: Journal, ground: Ground) -> None:
        """Copy what the plan names until a new look at the database finds nothing more to copy."""
        redone: dict[str, str] = {}
        for number in range(_ROUNDS + 1):
            found = self._examine()
            self._require_same_ground(found, ground)
            found.plan.require_no_problems()
            jobs = self._jobs(found)
            if not jobs:
                return
            if number == _ROUNDS:
                break
            self._progress.phase("copy")
            self._progress.start_round(found.plan.file_count, found.plan.copy_bytes)
            copying = Copying(
                database=self._database,
                journal=journal,
                layout=self._layout,
                run_id=self._request.run_id,
                tuning=self._request.policy.tuning,
                compression=self._request.policy.compression,
                max_window_seconds=self._request.max_window_seconds,
                stop=self._stop,
                progress=self._progress,
                patience=self._patience,
                before_window=self._ensure_guardian,
                copy_task=self._copy_task,
            )
            redo = copying.run(jobs)
            again = sorted(set(redo) & set(redone))
            if again:
                raise BackupError(
                    f"Tablespace {again[0]} could not be copied soundly, twice: {redo[again[0]]}.",
                    hint="Find out what else works on its backup mode or state, then run the set again.",
                )
            redone.update(redo)
        raise BackupError(
            "The structure of the database changes faster than it can be copied.",
            hint="Run the same set_id again when files are no longer being added.",
        )

    def _jobs(self, found: Preflight) -> list[TablespaceJob]:
        """What is left to copy. A file that this run copied soundly and that was written without redo since
        is not copied for ever: the seal reports it.
        """
        jobs = []
        for item in found.plan.tablespaces:
            files = tuple(datafile for datafile in item.files if not self._was_copied(found, datafile))
            if files:
                jobs.append(TablespaceJob(item.tablespace, files))
        return jobs

    def _was_copied(self, found: Preflight, datafile: Datafile) -> bool:
        copied = found.state.files.get(datafile.file_number)
        return (
            copied is not None
            and copied.run_id == self._request.run_id
            and copied.begin_scn is not None
            and (copied.creation_scn, copied.source) == (datafile.creation_scn, datafile.path)
        )

    def _examine(self) -> Preflight:
        database, tablespaces = self._database.discover()
        return examine(database, tablespaces, self._layout, self._request.policy, search)

    def _refuse_foreign_run(self) -> None:
        """The first act: leave a database alone on which another node or tool has a live run of ours."""
        for _second in range(int(_FOREIGN_SESSION_SECONDS)):
            sessions = self._database.live_sessions()
            if not sessions:
                return
            self._progress.say(f"a session of set {sessions[0].action} is still connected")
            if self._stop.wait(1.0):
                raise Cancelled("The run was asked to stop.")
        session = sessions[0]
        raise PreconditionError(
            f"A run of set {session.action} is connected to the database from {session.machine} "
            f"(instance {session.instance}, SID {session.sid}, serial {session.serial}).",
            hint="Wait until it has ended, or attach to it on that host.",
        )

    def _require_expected_database(self, found: Preflight) -> None:
        expected = (self._request.dbid, self._request.db_unique_name)
        if (found.database.dbid, found.database.unique_name) != expected:
            raise PreconditionError(
                f"The connection leads to {found.database.unique_name} (DBID {found.database.dbid}), not to "
                f"{expected[1]} (DBID {expected[0]})."
            )

    def _require_same_ground(self, found: Preflight, ground: Ground) -> None:
        if (found.database.dbid, found.database.resetlogs_id) != (ground.dbid, ground.resetlogs_id):
            raise BackupError(
                "The database was opened with RESETLOGS during the run: the set is worthless.",
                hint="Start a new set.",
            )

    def _end_leftovers(self, found: Preflight) -> list[str]:
        """End the windows of dead runs: nobody else's, and not before the plan was found free of problems."""
        outcomes: list[str] = []
        for journal_path in (*found.stale_journals, self._layout.journal_path):
            self._progress.phase("leftovers", f"looking at {journal_path}")
            outcomes += end_leftovers(
                self._database, journal_path, NEXT_RUN, self._patience(), self._progress.say
            )
        return outcomes

    def _patience(self) -> Patience:
        return Patience(_UNREACHABLE_SECONDS, sleep=self._sleep)

    def _fail(self, error: dict[str, Any]) -> None:
        _LOG.error("%s", error["msg"])
        self._writer.update(state=FAILED, phase="finished", message=error["msg"], error=error)
        if self._journal is None:
            return
        try:
            self._journal.append("run_failed", run_id=self._request.run_id, msg=error["msg"])
        except BackupError as exc:
            _LOG.error("%s", exc)
