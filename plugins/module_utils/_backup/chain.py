# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that archived redo leads without a break from one SCN to another.

Rules: Backup and Recovery User's Guide, user-managed recovery; Database Reference, V$ARCHIVED_LOG. A log
covers ``first_scn <= scn < next_scn``; within a thread and incarnation each log begins where the one before
it ended.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import RedoThread


class RedoSpan(Protocol):
    """What a chain needs to know of a log; archived logs, journal and manifest entries all have it."""

    @property
    def resetlogs_id(self) -> int: ...

    @property
    def thread(self) -> int: ...

    @property
    def sequence(self) -> int: ...

    @property
    def first_scn(self) -> int: ...

    @property
    def next_scn(self) -> int: ...


LogKey = tuple[int, int, int]


def log_key(log: RedoSpan) -> LogKey:
    """Identity of a redo log: sequences restart with each incarnation, so the resetlogs id belongs to it."""
    return (log.resetlogs_id, log.thread, log.sequence)


@dataclass(frozen=True)
class Gap:
    """Missing redo of one thread: from ``from_scn`` on. The sequences are those of the neighbours, None at an
    end.

    ``through_scn`` is the first SCN that is there again, or the one that was asked for.
    """

    thread: int
    from_scn: int
    through_scn: int
    after_sequence: int | None
    before_sequence: int | None

    def __str__(self) -> str:
        if self.after_sequence is not None and self.before_sequence is not None:
            first, last = self.after_sequence + 1, self.before_sequence - 1
            if first > last:
                where = f"between sequences {self.after_sequence} and {self.before_sequence}"
            else:
                where = f"sequence {first}" if first == last else f"sequences {first} to {last}"
        elif self.after_sequence is not None:
            where = f"from sequence {self.after_sequence + 1} on"
        elif self.before_sequence is not None:
            where = f"before sequence {self.before_sequence}"
        else:
            where = "all redo"
        return f"thread {self.thread}: {where} (SCN {self.from_scn} to {self.through_scn})"


@dataclass(frozen=True)
class Chain:
    """The logs needed for an interval, in the order of (thread, sequence), and what is missing."""

    required: tuple[LogKey, ...]
    gaps: tuple[Gap, ...]

    @property
    def complete(self) -> bool:
        """True if nothing is missing."""
        return not self.gaps


@dataclass(frozen=True)
class ScnInterval:
    """Both ends can be reached: a restore may stop at any SCN in it. ``through_scn`` is inclusive."""

    from_scn: int
    through_scn: int

    def __contains__(self, scn: int) -> bool:
        return self.from_scn <= scn <= self.through_scn


def required_threads(
    before: Iterable[RedoThread], after: Iterable[RedoThread], begin_scn: int
) -> frozenset[int]:
    """Return the threads whose redo an interval from ``begin_scn`` on needs.

    Those enabled at either reading, but not one that was closed at both and wrote its last redo before
    ``begin_scn``: it contributes no log.
    """
    readings: dict[int, list[RedoThread]] = {}
    for thread in (*before, *after):
        readings.setdefault(thread.number, []).append(thread)
    return frozenset(
        number
        for number, seen in readings.items()
        if any(thread.is_enabled for thread in seen)
        and not all(
            thread.status == "CLOSED"
            and thread.last_redo_scn is not None
            and thread.last_redo_scn < begin_scn
            for thread in seen
        )
    )


def prove_chain(
    logs: Iterable[RedoSpan], *, resetlogs_id: int, threads: Iterable[int], begin_scn: int, end_scn: int
) -> Chain:
    """Return the logs that carry a restore from ``begin_scn`` past ``end_scn``, and the gaps among them.

    Complete means, for each thread: the first log contains ``begin_scn`` (or is the thread's first ever),
    each log begins where its predecessor ended, and the last one ends beyond ``end_scn``.
    """
    required: list[LogKey] = []
    gaps: list[Gap] = []
    by_thread = _by_thread(logs, resetlogs_id)
    for thread in sorted(set(threads)):
        needed = [
            log for log in by_thread.get(thread, ()) if log.next_scn > begin_scn and log.first_scn <= end_scn
        ]
        required.extend(log_key(log) for log in needed)
        reached, after = begin_scn, None
        for log in needed:
            # A thread enabled during the interval has no redo before its first log.
            if log.first_scn > reached and not (after is None and log.sequence == 1):
                gaps.append(Gap(thread, reached, log.first_scn, after, log.sequence))
            reached, after = max(reached, log.next_scn), log.sequence
        if reached <= end_scn:
            gaps.append(Gap(thread, reached, end_scn, after, None))
    return Chain(required=tuple(required), gaps=tuple(gaps))


def reachable_interval(
    logs: Iterable[RedoSpan], *, resetlogs_id: int, threads: Iterable[int], begin_scn: int, end_scn: int
) -> ScnInterval | None:
    """Return the SCNs a set can be recovered to with ``logs``; None if not even its own ``end_scn``.

    The lower end is ``end_scn``: before the last end-backup record is applied, a hot copy is not consistent
    (ORA-01195). The upper end is where the first thread's unbroken redo ends.
    """
    by_thread = _by_thread(logs, resetlogs_id)
    through = None
    for thread in sorted(set(threads)):
        reached, after = begin_scn, None
        for log in by_thread.get(thread, ()):
            if log.next_scn <= reached:
                continue
            if log.first_scn > reached and not (after is None and log.sequence == 1):
                break
            reached, after = log.next_scn, log.sequence
        through = reached - 1 if through is None else min(through, reached - 1)
    if through is None or through < end_scn:
        return None
    return ScnInterval(end_scn, through)


def _by_thread(logs: Iterable[RedoSpan], resetlogs_id: int) -> Mapping[int, list[RedoSpan]]:
    unique: dict[LogKey, RedoSpan] = {}
    for log in logs:
        if log.resetlogs_id == resetlogs_id:
            unique.setdefault(log_key(log), log)
    threads: dict[int, list[RedoSpan]] = {}
    for log in sorted(unique.values(), key=lambda item: (item.thread, item.sequence)):
        threads.setdefault(log.thread, []).append(log)
    return threads
