# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a restore is, in a small file beside its lease: for people, as a module says nothing before it has ended.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.progress import Progress
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import (
    FAILED,
    SUCCEEDED,
    RunStatus,
    StatusWriter,
)

COMPARE, VERIFY, COPY, FINISHED = "compare", "verify", "copy", "finished"


class RestoreProgress:
    """Counts what the streams read and copy. Without a writer, as in check mode, it tells nobody."""

    def __init__(self, writer: StatusWriter | None = None) -> None:
        self._progress = None if writer is None else Progress(writer)
        self._lock = threading.Lock()

    def begin(self, phase: str, message: str, files_total: int, bytes_total: int) -> None:
        """A phase with counts of its own begins."""
        if self._progress is not None:
            with self._lock:
                self._progress.phase(phase, message)
                self._progress.start_round(files_total, bytes_total)

    def add_bytes(self, count: int) -> None:
        """From any stream. One that would have to wait for another's writing leaves the telling to that one."""
        if self._progress is not None:
            self._progress.add_bytes(count)
            if self._lock.acquire(blocking=False):
                try:
                    self._progress.tick()
                finally:
                    self._lock.release()

    def file_done(self) -> None:
        """From any stream, when all its bytes were added."""
        if self._progress is not None:
            with self._lock:
                self._progress.tick()
                self._progress.file_done()


@contextlib.contextmanager
def restore_progress(folder: StateFolder, set_id: str) -> Iterator[RestoreProgress]:
    """Keep ``folder.restore_status_path`` current for a ``with`` block, for the holder of the restore's lease.

    Its last word says how the block ended. A process that was killed leaves none: then ``updated_at`` stands still.
    """
    status = RunStatus(
        set_id=set_id,
        run_id=uuid.uuid4().hex,
        pid=os.getpid(),
        started_at=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    writer = StatusWriter(folder.restore_status_path, status)
    writer.update(message="looking at the set and the redo")
    try:
        yield RestoreProgress(writer)
    except BaseException as exc:
        why = exc.message if isinstance(exc, BackupError) else type(exc).__name__
        writer.update(state=FAILED, phase=FINISHED, message=why, bytes_per_second=0)
        raise
    writer.update(state=SUCCEEDED, phase=FINISHED, message="all files are in place", bytes_per_second=0)
