# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies tablespaces over several streams, each in backup mode only while its own files are copied.

Private to the collection.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.certain import certain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    Cancelled,
    ConnectError,
    ConnectionLost,
    OracleRefused,
    PreconditionError,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    Window,
    WindowState,
    replay,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    BackupMethod,
    Datafile,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    BlockFault,
    block_runs,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    CopyTask,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import (
    FileTask,
    Streams,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.copy_proof import (
    copied_fields,
    copy_doubt,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.copy_settings import (
    bandwidth,
    stream_settings,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.leftovers import RUNNER, record_ending
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.other_forms import remove_other_forms
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.progress import Progress
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.windows import (
    BackupDatabase,
    Ending,
    EndingKind,
    Patience,
    begin_window,
    end_window,
    window_fields,
)

# ORA-01146: a file of the tablespace is in backup mode already.
_ALREADY_IN_BACKUP = 1146
_TICK_SECONDS = 0.25
_KEEP_ALIVE_SECONDS = 30.0


@dataclass(frozen=True)
class TablespaceJob:
    """The files of one tablespace that are to be copied together."""

    tablespace: Tablespace
    datafiles: tuple[Datafile, ...]

    @property
    def hot(self) -> bool:
        return self.tablespace.method is BackupMethod.BACKUP_MODE


@dataclass
class _OpenJob:
    """A job whose files are being copied. ``scns`` maps files to CHANGE#, None before it was read back, and
    is empty for a plain copy; ``suspect`` says why it must be redone.
    """

    job: TablespaceJob
    opened: float
    scns: dict[int, int | None] = field(default_factory=dict)
    startup_times: tuple[str, ...] = ()
    futures: dict[Future[CopyResult], Datafile] = field(default_factory=dict)
    suspect: str = ""

    @property
    def label(self) -> str:
        return self.job.tablespace.label


class Copying:
    """One run's copying. The caller's thread talks to database and journal; streams only move bytes."""

    def __init__(
        self,
        *,
        database: BackupDatabase,
        journal: Journal,
        layout: SetLayout,
        run_id: str,
        tuning: CopyTuning,
        compression: Compression,
        max_window_seconds: int,
        stop: Event,
        progress: Progress,
        patience: Callable[[], Patience],
        before_window: Callable[[], None],
        copy_task: Callable[[CopyRequest, IoContext], FileTask[CopyResult]] = CopyTask,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._journal = journal
        self._layout = layout
        self._run_id = run_id
        self._tuning = tuning
        self._compression = compression
        self._bandwidth = bandwidth(tuning)
        self._max_window_seconds = max_window_seconds
        self._stop = stop
        self._progress = progress
        self._patience = patience
        self._before_window = before_window
        self._copy_task = copy_task
        self._monotonic = monotonic
        self._cancel = Event()
        self._open: list[_OpenJob] = []
        self._asked_alive = monotonic()

    def run(self, jobs: Sequence[TablespaceJob]) -> Mapping[str, str]:
        """Copy all ``jobs`` in their order and return what must be redone: tablespace label to reason.

        A further tablespace is begun only when a stream has nothing left to do: the streams split a large
        file among themselves, so that each window is as short as storage allows. Whatever happens, every
        window this call opened is ended before it returns or raises. Raises BackupError; Cancelled when asked
        to stop.
        """
        waiting = deque(jobs)
        redo: dict[str, str] = {}
        streams = Streams(stream_settings(self._tuning))
        try:
            while waiting or self._open:
                self._collect()
                # Before the next begins: a window must not stay open for another tablespace's BEGIN BACKUP.
                for opened in [item for item in self._open if not item.futures]:
                    self._finish(opened, redo)
                self._look_around()
                if waiting and streams.hungry() and self._files_under_way() < self._tuning.streams:
                    self._start(waiting.popleft(), streams)
                else:
                    self._wait_a_little()
        except BaseException:
            self._abandon()
            raise
        finally:
            streams.close()
        return redo

    def _files_under_way(self) -> int:
        return sum(len(opened.futures) for opened in self._open)

    def _start(self, job: TablespaceJob, streams: Streams) -> None:
        self._raise_if_stopped()
        opened = _OpenJob(job, self._monotonic())
        self._open.append(opened)
        if job.hot:
            self._begin(opened)
        self._show()
        for datafile in sorted(job.datafiles, key=lambda item: item.size_on_disk, reverse=True):
            opened.futures[streams.submit(self._task(datafile))] = datafile

    def _begin(self, opened: _OpenJob) -> None:
        tablespace = opened.job.tablespace
        # The whole tablespace, also when an earlier run has copied some of its files already.
        numbers = [datafile.file_number for datafile in tablespace.datafiles]
        self._before_window()
        self._progress.say(f"BEGIN BACKUP of {tablespace.label}")
        before = self._database.backup_status(numbers)
        active = [number for number in numbers if number in before and before[number].active]
        if active:
            raise PreconditionError(
                f"Failed to put tablespace {tablespace.label} in backup mode: file {active[0]} is in backup "
                "mode already, and not by this run.",
                hint="Another backup may be running, or an earlier one stopped half-way.",
            )
        opened.startup_times = self._database.startup_times()
        self._journal.append(
            "window_intent",
            run_id=self._run_id,
            tablespace=tablespace.name,
            con_id=tablespace.con_id,
            files=numbers,
            current_scn=plain(self._database.current_scn()),
            startup_times=list(opened.startup_times),
        )
        # From here on, whatever fails, there may be something to end.
        opened.scns = dict.fromkeys(numbers)
        try:
            begun = begin_window(
                self._database,
                tablespace.name,
                tablespace.con_id,
                numbers,
                self._layout.set_id,
                self._patience(),
            )
        except BackupError as exc:
            if self._was_refused(exc, numbers):
                self._journal_refusal(opened)
            raise
        opened.scns = dict(begun)
        opened.opened = self._monotonic()
        self._journal.append(
            "window_opened",
            run_id=self._run_id,
            **window_fields(tablespace.name, tablespace.con_id, opened.scns),
        )

    def _was_refused(self, problem: BackupError, numbers: Sequence[int]) -> bool:
        """Whether it is certain that our BEGIN BACKUP had no effect."""
        if not isinstance(problem, OracleRefused):
            return False
        if problem.oracle_error is not None and _ALREADY_IN_BACKUP in problem.oracle_error.codes:
            return True
        try:
            return not any(item.active for item in self._database.backup_status(numbers).values())
        except BackupError:
            return False

    def _journal_refusal(self, opened: _OpenJob) -> None:
        tablespace = opened.job.tablespace
        self._journal.append(
            "window_closed",
            run_id=self._run_id,
            **window_fields(tablespace.name, tablespace.con_id, opened.scns),
            end_scn=None,
            by=RUNNER,
            reason="BEGIN BACKUP was refused",
        )
        opened.scns = {}

    def _task(self, datafile: Datafile) -> FileTask[CopyResult]:
        source = certain(datafile.path, f"the path of file {datafile.file_number}")
        destination = self._layout.datafile_path(datafile.file_number, source, self._compression.name)
        return self._copy_task(
            CopyRequest(
                source=source,
                destination=str(destination),
                kind=FileKind.DATAFILE,
                block_size=datafile.block_size,
                dbid=self._layout.dbid,
                file_number=datafile.file_number,
                # Left by a run that died before it could journal the file: of an unfinished set, and ours.
                replace=True,
                reflink=self._tuning.reflink,
                compression=self._compression,
            ),
            IoContext(
                progress=self._progress.add_bytes,
                bad_blocks=partial(self._note_bad_blocks, datafile),
                cancelled=self._cancel.is_set,
                bandwidth=self._bandwidth,
            ),
        )

    def _note_bad_blocks(self, datafile: Datafile, faults: Sequence[BlockFault]) -> None:
        """Every one goes to the journal; ``file_copied`` tells the details of the first hundred."""
        self._journal.append(
            "bad_blocks",
            run_id=self._run_id,
            file_number=datafile.file_number,
            source=datafile.path,
            blocks=block_runs(faults),
        )

    def _wait_a_little(self) -> None:
        futures = [future for opened in self._open for future in opened.futures]
        if futures:
            wait(futures, timeout=_TICK_SECONDS, return_when=FIRST_COMPLETED)

    def _collect(self) -> None:
        for opened in self._open:
            for future in [future for future in opened.futures if future.done()]:
                self._accept(opened, opened.futures.pop(future), future.result())

    def _accept(self, opened: _OpenJob, datafile: Datafile, result: CopyResult) -> None:
        """Journal a copy if its headers prove that it was taken under the conditions it needs."""
        begin_scn = opened.scns.get(datafile.file_number)
        doubt = copy_doubt(result, begin_scn)
        if doubt:
            opened.suspect = opened.suspect or f"file {datafile.file_number}: {doubt}"
            return
        method = opened.job.tablespace.method
        fields = copied_fields(self._layout, datafile, method, result, begin_scn)
        self._journal.append("file_copied", run_id=self._run_id, **fields)
        remove_other_forms(self._layout, datafile.file_number, result.source, Path(result.destination))
        self._progress.file_done()

    def _finish(self, opened: _OpenJob, redo: dict[str, str]) -> None:
        """End a job's window and note whether its copies can be used."""
        self._open.remove(opened)
        if opened.scns:
            ending = self._end(opened)
            if ending.kind in (EndingKind.RESTARTED, EndingKind.STILL_ACTIVE):
                raise BackupError(
                    f"The copies of tablespace {opened.label} are worthless: {ending.reason}.",
                    hint=(
                        "If the database does not open because of ORA-10873, see the playbook "
                        "end_stale_backup_mode; then run the set again."
                    ),
                )
            if not ending.sound:
                opened.suspect = ending.reason
        if opened.suspect:
            redo[opened.label] = opened.suspect
            self._progress.say(f"{opened.label} must be copied again: {opened.suspect}")

    def _end(self, opened: _OpenJob) -> Ending:
        tablespace = opened.job.tablespace
        self._progress.say(f"END BACKUP of {tablespace.label}")
        window = Window(
            tablespace=tablespace.name,
            con_id=tablespace.con_id,
            files=opened.scns,
            state=WindowState.CLOSING,
            run_id=self._run_id,
            intended_at="",
        )
        try:
            self._journal.append(
                "window_closing", run_id=self._run_id, tablespace=window.tablespace, con_id=window.con_id
            )
        except BackupError as exc:
            # A full disk under the journal must not keep the tablespace in backup mode.
            self._progress.say(exc.message)
        ending = end_window(
            self._database,
            window.tablespace,
            window.con_id,
            opened.scns,
            opened.startup_times,
            self._patience(),
            self._progress.say,
        )
        state = replay(read_journal(self._layout.journal_path))
        record_ending(self._journal, state, window, ending, RUNNER, self._run_id)
        self._show()
        return ending

    def _look_around(self) -> None:
        """What a run does between two files: tell how far it is, notice that it should end."""
        self._progress.tick()
        self._raise_if_stopped()
        moment = self._monotonic()
        for opened in self._open:
            if opened.scns and 0 < self._max_window_seconds < moment - opened.opened:
                raise BackupError(
                    f"Tablespace {opened.label} was in backup mode for over {self._max_window_seconds} s.",
                    hint="Raise max_window or streams; the same set_id continues with the missing files.",
                )
        if moment - self._asked_alive >= _KEEP_ALIVE_SECONDS:
            self._asked_alive = moment
            self._keep_alive()

    def _keep_alive(self) -> None:
        """Use the session, which shows other nodes that a run is live: firewalls cut it when idle."""
        try:
            status = self._database.backup_status([number for opened in self._open for number in opened.scns])
        except (ConnectError, ConnectionLost, WaitTimeout) as exc:
            # Copying needs no session; the end of the window will insist on one.
            self._progress.say(f"the database does not answer: {exc.message}")
            return
        for opened in self._open:
            lost = [number for number in opened.scns if number in status and not status[number].active]
            if lost and not opened.suspect:
                opened.suspect = f"somebody ended backup mode of file {lost[0]}"

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise Cancelled("The run was asked to stop.", hint="The same set_id continues where it stopped.")

    def _abandon(self) -> None:
        """Stop the streams and end every window; what cannot be ended is left to the guardian.

        The streams are not waited for: one that hangs in a read or a write would keep its tablespace in backup mode.
        What they still finish is in no journal.
        """
        self._cancel.set()
        left: list[_OpenJob] = []
        for opened in self._open:
            if not opened.scns:
                continue
            try:
                self._end(opened)
            except BackupError as exc:
                left.append(opened)
                self._progress.say(f"END BACKUP of {opened.label} is left to the guardian: {exc.message}")
        self._open = left
        self._show()

    def _show(self) -> None:
        self._progress.show(
            [opened.label for opened in self._open], [opened.label for opened in self._open if opened.scns]
        )
