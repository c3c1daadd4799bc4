# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The redo store: archived logs of a database, each verified and kept once for all its sets.

What a range needs of it, what is in it, and the proof that it is enough; the intake puts logs into it.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import (
    Chain,
    LogKey,
    RedoSpan,
    log_key,
    prove_chain,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import JournalState
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import DatabaseLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import ArchivedLog
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    FileHeader,
    RedoLogHeader,
    read_redo_log_header,
)


@dataclass(frozen=True)
class StoredLog:
    """A log of the store, as its own header describes it. ``path`` is relative to the database's folder.

    ``digest`` is None where it was not computed (check mode); ``changed`` tells whether this call stored it.
    """

    resetlogs_id: int
    thread: int
    sequence: int
    first_scn: int
    next_scn: int
    path: str
    size_bytes: int
    digest: str | None
    changed: bool


@dataclass(frozen=True)
class ScnRange:
    """Redo from ``begin_scn`` to ``end_scn``, both included."""

    begin_scn: int
    end_scn: int


def range_of_set(state: JournalState) -> ScnRange:
    """The redo without which a set cannot be restored. Raises PreconditionError while files are missing.

    Files copied at rest need none: a set of nothing else needs the log that holds its end.
    """
    end_scn = state.copied_end_scn
    if end_scn is None:
        raise PreconditionError(
            f"The copying of set {state.set_id or 'that does not exist yet'} is not finished.",
            hint="Run hotbackup.oracle.tablespace_backup with the same set_id first.",
        )
    hot = [item.begin_scn for item in state.files.values() if item.begin_scn is not None]
    return ScnRange(min(hot, default=end_scn), end_scn)


def archived_through(logs: Iterable[ArchivedLog], threads: Iterable[int]) -> int | None:
    """The last SCN up to which every thread is archived, by the control file; None if one thread has no log."""
    ends = {thread: [log.next_scn for log in logs if log.thread == thread] for thread in threads}
    if not ends or not all(ends.values()):
        return None
    return min(max(found) for found in ends.values()) - 1


def required_logs(
    layout: DatabaseLayout,
    logs: Sequence[ArchivedLog],
    wanted: ScnRange,
    resetlogs_id: int,
    threads: Collection[int],
) -> dict[LogKey, list[ArchivedLog]]:
    """The archived copies of each log the range needs, as the control file knows them.

    Records of old logs age out of the control file; what the store holds then counts as well. Raises
    BackupError, naming each gap, if both together do not cover the range.
    """
    chain = _chain(logs, wanted, resetlogs_id, threads)
    if not chain.complete:
        chain = _chain([*logs, *stored_logs(layout, resetlogs_id)], wanted, resetlogs_id, threads)
    require_chain(chain, "V$ARCHIVED_LOG and the redo store")
    return {key: [log for log in logs if log_key(log) == key] for key in chain.required}


def stored_logs(layout: DatabaseLayout, resetlogs_id: int) -> list[StoredLog]:
    """The logs of one incarnation in the store, by their headers; what cannot be one is passed over."""
    found = []
    for path in sorted((layout.redo_folder / str(resetlogs_id)).glob("t*/*.arc")):
        key = layout.redo_key(path)
        if key is None:
            continue
        try:
            found.append(stored_log_of(layout, key))
        except BackupError:
            # A damaged file is no proof of anything; the gap it leaves is what gets reported.
            continue
    return found


def missing_from_store(layout: DatabaseLayout, required: Iterable[LogKey]) -> list[LogKey]:
    """The required logs that are not in the store; nothing is read."""
    return [key for key in required if not layout.redo_path(*key).is_file()]


def planned_log(
    layout: DatabaseLayout, key: LogKey, copies: Sequence[ArchivedLog], missing: bool
) -> StoredLog:
    """What ``store_logs`` would return of it, without a digest; ``missing``: the store does not have it yet."""
    if not missing:
        return stored_log_of(layout, key)
    path = layout.redo_path(*key).relative_to(layout.database_folder).as_posix()
    sizes = [copy.size_bytes for copy in copies if copy.available]
    return StoredLog(*key, copies[0].first_scn, copies[0].next_scn, path, max(sizes, default=0), None, True)


def stored_log_of(layout: DatabaseLayout, key: LogKey) -> StoredLog:
    """A log of the store by its header alone. Raises VerificationError, BackupError."""
    path = layout.redo_path(*key)
    header = read_redo_log_header(str(path))
    problems = wrong_incarnation(header, key[0])
    if (header.dbid, header.thread, header.sequence) != (layout.dbid, key[1], key[2]) or problems:
        raise VerificationError(
            f"{path} holds thread {header.thread} sequence {header.sequence} of DBID {header.dbid}, incarnation "
            f"{header.resetlogs_id}: not what its name says."
        )
    size_bytes = path.stat().st_size
    if size_bytes != header.size_bytes_expected:
        raise VerificationError(
            f"{path} has {size_bytes} bytes, by its header it must have {header.size_bytes_expected}."
        )
    return described(layout, path, header, size_bytes, None, changed=False)


def prove_stored(
    logs: Iterable[StoredLog], wanted: ScnRange, resetlogs_id: int, threads: Iterable[int]
) -> Chain:
    """Prove the range from the stored logs' own headers. Raises BackupError naming each gap."""
    chain = _chain(logs, wanted, resetlogs_id, threads)
    require_chain(chain, "the redo store")
    return chain


def require_chain(chain: Chain, where: str) -> None:
    """Raise BackupError unless the chain is complete."""
    if chain.complete:
        return
    gaps = [str(gap) for gap in chain.gaps]
    raise BackupError(
        f"The redo that is needed is not complete in {where}: {'; '.join(gaps)}.",
        hint=(
            "If it is not archived yet, switch logs and wait for the archiver (log_switch, archive_wait). If it was "
            "deleted, the set cannot be completed: start a new one."
        ),
        details={"gaps": [vars(gap) for gap in chain.gaps]},
    )


def _chain(
    logs: Iterable[RedoSpan],
    wanted: ScnRange,
    resetlogs_id: int,
    threads: Iterable[int],
) -> Chain:
    return prove_chain(
        logs,
        resetlogs_id=resetlogs_id,
        threads=threads,
        begin_scn=wanted.begin_scn,
        end_scn=wanted.end_scn,
    )


def described(
    layout: DatabaseLayout,
    path: Path,
    header: FileHeader,
    size_bytes: int,
    digest: str | None,
    *,
    changed: bool,
) -> StoredLog:
    """What a log's header says of it. Raises VerificationError for one that was still being written."""
    if not isinstance(header, RedoLogHeader) or header.next_scn is None:
        raise VerificationError(f"{path} is the copy of a log that was still being written.")
    return StoredLog(
        resetlogs_id=header.resetlogs_id,
        thread=header.thread,
        sequence=header.sequence,
        first_scn=header.first_scn,
        next_scn=header.next_scn,
        path=path.relative_to(layout.database_folder).as_posix(),
        size_bytes=size_bytes,
        digest=digest,
        changed=changed,
    )


def wrong_incarnation(header: FileHeader | None, resetlogs_id: int) -> list[str]:
    """The problem with a log that is of another incarnation, if it is."""
    found = header.resetlogs_id if isinstance(header, RedoLogHeader) else None
    return [] if found == resetlogs_id else [f"it is of incarnation {found}, not {resetlogs_id}"]
