# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log switches, and waiting until the archiver has written what must be kept.

Statements: SQL Language Reference, ALTER SYSTEM, archive_log_clause. ARCHIVE LOG CURRENT switches every
enabled thread and returns when the logs are archived; SWITCH LOGFILE does neither.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    OracleRefused,
    PreconditionError,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    ArchivedLog,
    CurrentLog,
    Database,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import (
    read_archived_logs,
    read_archived_logs_from_sequence,
    read_destinations,
    read_instances,
    read_online_logs,
    read_threads,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway

ARCHIVE_CURRENT = "ALTER SYSTEM ARCHIVE LOG CURRENT"
SWITCH_LOGFILE = "ALTER SYSTEM SWITCH LOGFILE"
_SLOWEST_POLL_SECONDS = 15.0
_FAILURE_SIGHTINGS = 2

LogName = tuple[int, int]
"""(thread, sequence)"""


@dataclass(frozen=True)
class WaitProgress:
    """How far a wait is. ``missing`` are (thread, sequence); ``observation`` says the archiver's state in
    words.
    """

    archived: int
    wanted: int
    missing: tuple[LogName, ...]
    observation: str


def current_logs(gateway: Gateway) -> list[CurrentLog]:
    """Return the current log of each enabled thread, by thread."""
    enabled = {thread.number for thread in read_threads(gateway) if thread.is_enabled}
    return sorted(
        CurrentLog(log.thread, log.sequence, log.first_scn)
        for log in read_online_logs(gateway)
        if log.status == "CURRENT" and log.thread in enabled
    )


def known_logs(
    gateway: Gateway, database: Database, from_scn: int
) -> dict[LogName, tuple[CurrentLog, int | None]]:
    """Return the logs of the current incarnation with redo after ``from_scn``, each with its next SCN.

    From the online logs and the archived logs that the control file still knows; the next SCN of a current
    log is None.
    """
    logs: dict[LogName, tuple[CurrentLog, int | None]] = {}
    for archived in read_archived_logs(gateway, from_scn, database.resetlogs_id):
        log = CurrentLog(archived.thread, archived.sequence, archived.first_scn)
        logs[(log.thread, log.sequence)] = (log, archived.next_scn)
    for online in read_online_logs(gateway):
        if online.status != "UNUSED" and (online.next_scn is None or online.next_scn > from_scn):
            log = CurrentLog(online.thread, online.sequence, online.first_scn)
            logs[(log.thread, log.sequence)] = (log, online.next_scn)
    return logs


def logs_containing(gateway: Gateway, database: Database, scn: int) -> list[tuple[CurrentLog, int | None]]:
    """Return for each enabled thread the log that holds ``scn``, with its next SCN, by thread.

    A thread is left out when the control file no longer knows that log: it was archived long ago.
    """
    enabled = {thread.number for thread in database.enabled_threads}
    return sorted(
        (log, next_scn)
        for log, next_scn in known_logs(gateway, database, scn).values()
        if log.thread in enabled and log.first_scn <= scn and (next_scn is None or scn < next_scn)
    )


def unarchived_logs(gateway: Gateway, database: Database, through_scn: int) -> list[CurrentLog]:
    """Return what must be archived for all redo up to ``through_scn`` to be: by thread and sequence.

    The online logs with such redo that are not archived, and the log that holds ``through_scn`` itself.
    Raises PreconditionError if that is still a current log, which nothing archives.
    """
    online = [
        log for log in read_online_logs(gateway) if log.status != "UNUSED" and log.first_scn <= through_scn
    ]
    current = sorted(log.thread for log in online if log.next_scn is None)
    if current:
        threads = ", ".join(str(number) for number in current)
        raise PreconditionError(
            f"Redo up to SCN {through_scn} is still in the current log of thread {threads}.",
            hint="Run log_switch with the same through_scn first.",
        )
    waiting = {CurrentLog(log.thread, log.sequence, log.first_scn) for log in online if not log.archived}
    return sorted(waiting | {log for log, _next_scn in logs_containing(gateway, database, through_scn)})


def switch_statement(database: Database) -> str:
    """Return the statement that makes redo leave the current logs."""
    return SWITCH_LOGFILE if database.log_mode == "NOARCHIVELOG" else ARCHIVE_CURRENT


def switch_logs(gateway: Gateway, database: Database, timeout: float) -> list[CurrentLog]:
    """Make all redo written so far leave the current logs; return the logs that were current.

    They must become archived before that redo is safe: see :func:`wait_until_archived`. The statement is
    bounded by ``timeout`` seconds; a switch that happened although the statement did not return in time
    counts. In NOARCHIVELOG mode only the own thread can be switched. Raises OracleRefused, ConnectionLost, or
    WaitTimeout if the switch did not happen, with the archiver's own error.
    """
    if database.log_mode == "NOARCHIVELOG" and len(database.enabled_threads) > 1:
        raise PreconditionError(
            f"{database.unique_name} is in NOARCHIVELOG mode, where one session cannot switch the logs of"
            " several threads."
        )
    before = current_logs(gateway)
    late = None
    try:
        with gateway.call_timeout(timeout):
            gateway.execute(switch_statement(database))
    except WaitTimeout as exc:
        late = exc
    after = {log.thread: log.sequence for log in current_logs(gateway)}
    stuck = [log for log in before if after.get(log.thread) == log.sequence]
    if stuck:
        threads = ", ".join(str(log.thread) for log in stuck)
        observation = archiver_trouble(gateway) or "no error is shown by the archiver"
        raise WaitTimeout(
            f"Failed to switch the log of thread {threads} within {timeout:g} seconds: {observation}.",
            hint="Free space in the archive destination or repair it, then run this again.",
            details={"last_observation": observation},
        ) from late
    return before


def wait_until_archived(
    gateway: Gateway,
    wanted: Iterable[Sequence[int]],
    dest_ids: Collection[int] = (),
    timeout: float = 600,
    interval: float = 1,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[WaitProgress], None] | None = None,
    *,
    resetlogs_id: int,
    sleep: Callable[[float], None] = time.sleep,
) -> list[ArchivedLog]:
    """Return one complete archived copy of each wanted log, in the order of (thread, sequence).

    ``wanted``: items that begin with thread and sequence, such as :func:`switch_logs` returns. ``dest_ids``:
    the destinations whose copies count, all local ones when empty. ``timeout`` is the longest time in seconds
    without another log becoming archived; ``interval`` the first pause between looks, which grows to 15
    seconds while nothing happens. A copy counts when V$ARCHIVED_LOG shows it complete and, where its path can
    be seen from here, its file has the size it must have.

    Raises OracleRefused as soon as the archiver itself reports a failure, WaitTimeout when progress ends,
    BackupError if a log was archived and its copies are gone.
    """
    names = log_names(wanted)
    pause, sightings, archived_before = interval, 0, -1
    deadline = clock() + timeout
    while True:
        found = find_copies(gateway, names, dest_ids, resetlogs_id=resetlogs_id)
        missing = tuple(name for name, copy in found.items() if copy is None)
        if not missing:
            return [copy for copy in found.values() if copy is not None]
        trouble = archiver_trouble(gateway, dest_ids)
        archived = len(names) - len(missing)
        if archived > archived_before:
            deadline, pause, sightings = clock() + timeout, interval, 0
        # The archiver tries again by itself; one look may catch a failure that is over.
        sightings = sightings + 1 if trouble and archived == archived_before else int(bool(trouble))
        archived_before = archived
        progress = WaitProgress(
            archived=archived,
            wanted=len(names),
            missing=missing,
            observation=trouble or "the archiver reports no error",
        )
        if on_progress is not None:
            on_progress(progress)
        if sightings >= _FAILURE_SIGHTINGS:
            raise OracleRefused(
                f"Failed to get {_named(missing)} archived: {trouble}.",
                hint="Free space in the archive destination or repair it, then run this again.",
                details={"last_observation": _observation(progress)},
            )
        if clock() >= deadline:
            raise WaitTimeout(
                f"{_named(missing)} did not become archived: no progress for {timeout:g} seconds;"
                f" {archived} of {len(names)} are there; {progress.observation}.",
                details={"last_observation": _observation(progress)},
            )
        sleep(min(pause, max(0.0, deadline - clock())))
        pause = min(pause * 1.5, max(interval, _SLOWEST_POLL_SECONDS))


def log_names(logs: Iterable[Sequence[int]]) -> list[LogName]:
    """Return the (thread, sequence) with which each item begins, sorted, each once."""
    return sorted({(int(item[0]), int(item[1])) for item in logs})


def find_copies(
    gateway: Gateway, names: Sequence[LogName], dest_ids: Collection[int], *, resetlogs_id: int
) -> dict[LogName, ArchivedLog | None]:
    """Return a complete archived copy of each log, None where there is none yet; one look.

    Raises BackupError if a log was archived and all its copies are gone.
    """
    lowest = min((sequence for _thread, sequence in names), default=0)
    copies = [
        copy
        for copy in read_archived_logs_from_sequence(gateway, lowest, resetlogs_id)
        if not dest_ids or copy.dest_id in dest_ids
    ]
    found: dict[LogName, ArchivedLog | None] = {}
    for name in names:
        of_log = [copy for copy in copies if (copy.thread, copy.sequence) == name]
        if of_log and all(copy.gone for copy in of_log):
            raise BackupError(
                f"{_named((name,))} was archived but its copies are gone: V$ARCHIVED_LOG shows them deleted or"
                " without a name.",
                hint="Something removes archived logs before they are kept; look in other destinations.",
            )
        found[name] = next((copy for copy in of_log if copy.available and file_is_complete(copy)), None)
    return found


def archiver_trouble(gateway: Gateway, dest_ids: Collection[int] = ()) -> str:
    """Return the archiver's own words for why it cannot archive, empty if it can.

    ``dest_ids`` are the destinations that matter; without them, it is trouble when no local one works.
    """
    failed = [
        f"the archiver of {item.name} is {item.archiver}"
        for item in read_instances(gateway)
        if item.archiver == "FAILED"
    ]
    destinations = [
        item
        for item in read_destinations(gateway)
        if (item.dest_id in dest_ids if dest_ids else item.target in ("PRIMARY", "LOCAL"))
    ]
    bad = [item for item in destinations if item.status in ("ERROR", "FULL") or item.error]
    described = [
        f"{item.name} ({item.path}) is {item.status}: {item.error or 'no error text'}" for item in bad
    ]
    if failed or (bad and (dest_ids or len(bad) == len(destinations))):
        return "; ".join([*failed, *described])
    return ""


def file_is_complete(log: ArchivedLog) -> bool:
    """Tell whether the copy's file has its full size; true where it cannot be seen from here (ASM, another
    node).
    """
    if log.path is None:
        return False
    try:
        return Path(log.path).stat().st_size == log.size_bytes
    except OSError:
        return not Path(log.path).parent.is_dir()


def _named(names: Iterable[LogName]) -> str:
    return "Redo " + ", ".join(f"thread {thread} sequence {sequence}" for thread, sequence in names)


def _observation(progress: WaitProgress) -> dict[str, object]:
    return {
        "archived": progress.archived,
        "wanted": progress.wanted,
        "missing": [{"thread": thread, "sequence": sequence} for thread, sequence in progress.missing],
        "archiver": progress.observation,
    }
