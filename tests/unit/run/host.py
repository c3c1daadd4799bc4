# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database host in a test: a set's folders, a database, and runs of it in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    JournalState,
    replay,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan import BackupPolicy
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.guardian import guard
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import (
    GuardianRequest,
    RunRequest,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.runner import Run
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import RunStatus, StatusWriter

from unit.run.fake_database import DBID, FakeDatabase

SET_ID = "20260301T010000Z"


@dataclass
class Host:
    """A database host: where a set is made and a database is."""

    database: FakeDatabase
    layout: SetLayout
    folder: StateFolder
    stop: threading.Event = field(default_factory=threading.Event)

    def request(
        self,
        run_id: str = "run1",
        streams: int = 1,
        set_id: str = SET_ID,
        max_window_seconds: int = 0,
        compression: Compression | None = None,
    ) -> RunRequest:
        """What a module would hand to the runner."""
        return RunRequest(
            connection="{}",
            destination=self.layout.destination,
            db_unique_name="ORA1",
            dbid=DBID,
            set_id=set_id,
            run_id=run_id,
            policy=BackupPolicy(tuning=CopyTuning(streams=streams), compression=compression or Compression()),
            max_window_seconds=max_window_seconds,
            state_dir=str(self.folder.root),
        )

    def run(
        self,
        run_id: str = "run1",
        streams: int = 1,
        set_id: str = SET_ID,
        max_window_seconds: int = 0,
        ensure_guardian: Callable[[], None] = lambda: None,
        compression: Compression | None = None,
    ) -> tuple[bool, RunStatus]:
        """Execute one run in this process; returns success and its last status."""
        request = self.request(run_id, streams, set_id, max_window_seconds, compression)
        layout = self.layout.database.set(set_id)
        writer = StatusWriter(
            self.folder.status_path,
            RunStatus(
                set_id=set_id, run_id=run_id, pid=1, started_at="", journal_path=str(layout.journal_path)
            ),
        )
        writer.update()
        run = Run(
            request,
            layout,
            self.database,  # type: ignore[arg-type]  # stands in for the connected database
            writer,
            self.stop,
            ensure_guardian,
            sleep=lambda seconds: None,
            copy_task=self.database.copy_task,
        )
        succeeded = run.execute()
        return succeeded, writer.status

    def guard(self, run_id: str = "run1") -> bool:
        """Do what the guardian of a dead run does."""
        request = GuardianRequest(
            connection="{}",
            journal_path=str(self.layout.journal_path),
            set_id=SET_ID,
            run_id=run_id,
            state_dir=str(self.folder.root),
            lease_descriptor=-1,
        )
        return guard(request, self.database, sleep=lambda seconds: None)

    @property
    def records(self) -> list[dict[str, object]]:
        path = self.layout.journal_path
        return read_journal(path) if path.exists() else []

    @property
    def state(self) -> JournalState:
        return replay(self.records)

    @property
    def events(self) -> list[str]:
        return [str(record["event"]) for record in self.records]
