# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How archived logs come into the redo store: many at once, each from the first sound copy.

Private to the collection.
"""

from __future__ import annotations

import errno
import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Any, Union

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.certain import certain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import LogKey, log_key
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    Cancelled,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import JournalState
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import DatabaseLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import ArchivedLog
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import (
    fsync_folder,
    make_private_folder,
    move_aside,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    CopyTask,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    FileHeader,
    FileKind,
    RedoLogHeader,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext, ignore
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import (
    one_at_a_time,
    run_all,
    run_within,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import VerifyTask
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.copy_settings import (
    bandwidth,
    stream_settings,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_store import (
    StoredLog,
    described,
    wrong_incarnation,
)


@dataclass(frozen=True)
class LostLog:
    """A log that could not be kept. ``reasons`` tell what is wrong with each of its copies."""

    resetlogs_id: int
    thread: int
    sequence: int
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        reasons = "; ".join(self.reasons) or "the control file knows no copy of it any more"
        return f"Redo thread {self.thread} sequence {self.sequence} cannot be kept: {reasons}."


_Outcome = Union[StoredLog, LostLog]


def store_logs(
    layout: DatabaseLayout,
    required: Mapping[LogKey, Sequence[ArchivedLog]],
    tuning: CopyTuning,
    finished: Callable[[StoredLog], None] = ignore,
) -> list[StoredLog]:
    """Have logs in the store, each whole and verified: kept if it is there, else copied from the first sound copy.

    ``required`` maps each log to its archived copies; the result is in its order, and so are the logs begun:
    the oldest is the next to be deleted by somebody. ``finished`` is told of each as it is safely stored,
    never by two threads at once. A damaged file of the store is kept aside under another name once a sound
    copy can take its place.

    A log that cannot be kept does not keep the others from it. Raises BackupError for all of those together,
    with what is wrong with each copy; and at once, without beginning further logs, what ``finished`` raises.
    """
    for folder in sorted({layout.redo_path(*key).parent for key in required}):
        make_private_folder(folder)
        # A log that is found there may have been named by a process that died before it flushed that.
        fsync_folder(folder)
    stop = Event()
    context = IoContext(cancelled=stop.is_set, bandwidth=bandwidth(tuning))
    told = one_at_a_time(Lock(), finished)
    tasks = [_Intake(layout, key, copies, context, told) for key, copies in required.items()]
    outcomes = run_all(tasks, stream_settings(tuning), stop)
    _require_all(outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, StoredLog)]


def _require_all(outcomes: Sequence[_Outcome]) -> None:
    lost = [outcome for outcome in outcomes if isinstance(outcome, LostLog)]
    if lost:
        raise BackupError(
            " ".join(str(log) for log in lost),
            hint="No restore gets past a log that is missing. Find a copy of it, or start a new set.",
            details={"lost_logs": [asdict(log) for log in lost]},
        )


class _Intake:
    """One log's way into the store, as a task of one unit: a log is read in order. The log or why it is lost."""

    def __init__(
        self,
        layout: DatabaseLayout,
        key: LogKey,
        copies: Sequence[ArchivedLog],
        context: IoContext,
        finished: Callable[[StoredLog], None],
    ) -> None:
        self._layout = layout
        self._key = key
        self._copies = copies
        self._context = context
        self._finished = finished
        self._path = layout.redo_path(*key)
        self._damaged = False
        self._outcome: _Outcome = LostLog(*key, ())

    def begin(self) -> int:
        return 1

    def do(self, _unit: int, ring: BufferRing) -> None:
        reasons = []
        for place, attempt in self._attempts():
            try:
                self._outcome = attempt(ring)
                return
            except Cancelled:
                raise
            except BackupError as exc:
                reasons.append(f"{place}: {exc.message}")
        self._outcome = LostLog(*self._key, tuple(reasons))

    def end(self) -> _Outcome:
        if isinstance(self._outcome, StoredLog):
            self._finished(self._outcome)
        return self._outcome

    def abandon(self) -> None:
        """Nothing is open between two attempts."""

    def _attempts(self) -> Iterator[tuple[str, Callable[[BufferRing], StoredLog]]]:
        if self._path.exists():
            yield "in the store", self._verified
            # Nobody asks for another attempt unless that one failed.
            self._damaged = True
        for copy in self._copies:
            yield f"destination {copy.dest_id}", partial(self._copied, copy)

    def _verified(self, ring: BufferRing) -> StoredLog:
        _resetlogs_id, thread, sequence = self._key
        wanted = FileExpectations(FileKind.REDO, dbid=self._layout.dbid, thread=thread, sequence=sequence)
        found = run_within(VerifyTask(str(self._path), wanted, context=self._context), ring)
        _require_none([*found.problems, *_faults(found.fault_count), *self._wrong_incarnation(found.header)])
        if found.header is None or found.digest is None:
            raise VerificationError(f"{self._path} was found sound without being read.")
        return described(
            self._layout, self._path, found.header, found.size_bytes, found.digest, changed=False
        )

    def _copied(self, copy: ArchivedLog, ring: BufferRing) -> StoredLog:
        """The copy gets its name only when the log was found sound: faults alone do not stop a copy."""
        if not copy.available:
            state = "was deleted" if copy.gone else "is not archived completely yet"
            raise PreconditionError(f"it {state}")

        def accept(result: CopyResult) -> None:
            header = result.header_after
            problems = [
                *_faults(result.fault_count),
                *self._wrong_incarnation(header),
                *_other_scns(header, copy),
            ]
            _require_none([f"{copy.path}: {problem}" for problem in problems])
            self._log_of(result)
            if self._damaged:
                _set_aside(self._path)

        request = CopyRequest(
            source=certain(copy.path, f"the path of sequence {copy.sequence}"),
            destination=str(self._path),
            kind=FileKind.REDO,
            dbid=self._layout.dbid,
            thread=copy.thread,
            sequence=copy.sequence,
            # By the same log, should another process be storing it for another set.
            replace=True,
            accept=accept,
        )
        result = run_within(CopyTask(request, self._context), ring)
        return self._log_of(result)

    def _log_of(self, result: CopyResult) -> StoredLog:
        """Raises VerificationError for a log that was still being written."""
        return described(
            self._layout, self._path, result.header_after, result.size_bytes, result.digest, changed=True
        )

    def _wrong_incarnation(self, header: FileHeader | None) -> list[str]:
        return wrong_incarnation(header, self._key[0])


class RedoNotes:
    """Notes in a set's journal the logs it does not know yet with these digests."""

    def __init__(self, journal_path: Path, known: JournalState) -> None:
        self._journal_path = journal_path
        self._known = known
        self._run_id = uuid.uuid4().hex

    def note(self, log: StoredLog) -> None:
        """Raises BackupError."""
        known = self._known.redo.get(log_key(log))
        if known is not None and known.digest == log.digest:
            return
        fields: dict[str, Any] = plain(log)
        del fields["changed"]
        with Journal.open(self._journal_path) as journal:
            journal.append("redo_copied", run_id=self._run_id, **fields)


def _require_none(problems: Sequence[str]) -> None:
    """Raises VerificationError with the first."""
    for problem in problems:
        raise VerificationError(problem)


def _faults(count: int) -> list[str]:
    return [f"{count} bad redo blocks"] if count else []


def _other_scns(header: FileHeader, copy: ArchivedLog) -> list[str]:
    found = (header.first_scn, header.next_scn) if isinstance(header, RedoLogHeader) else None
    wanted = (copy.first_scn, copy.next_scn)
    return [] if found == wanted else [f"its header covers SCNs {found}, the control file says {wanted}"]


def _set_aside(path: Path) -> None:
    for number in itertools.count(1):
        try:
            move_aside(path, path.with_name(f"{path.name}.damaged{number}"))
        except BackupError as exc:
            if exc.details.get("errno") == errno.EEXIST:
                continue
            # Gone: another run has set it aside already.
            if exc.details.get("errno") != errno.ENOENT:
                raise
        return
