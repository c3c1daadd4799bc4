# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The redo threads under media recovery: their records come in the order of SCNs, whatever logs they are in.

A thread without a log in hand is asked for its next one when no other thread has redo before it; so the
prompts of a recovery change between the threads (Backup and Recovery User's Guide, recovery of Real
Application Clusters databases).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from oracle_simulator.instance.control_file.control import ControlState, IncarnationRecord
from oracle_simulator.instance.recovery.recovery_logs import LogSource, Position, sequence_of
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.disk import Disk
from oracle_simulator.storage.redo_log import LogRecord, read_records


class ThreadRedo:
    """The redo of one thread. ``position`` is of the log in hand or, without one, of the log that is needed.

    ``head`` is the next record when a log is in hand; ``ended`` says that there is no more redo: the last
    log was the current one, or the thread was closed before.
    """

    def __init__(self, position: Position, ended: bool = False) -> None:
        self.position = position
        self.head: LogRecord | None = None
        self.ended = ended
        self._source: LogSource | None = None
        self._records: Iterator[LogRecord] = iter(())

    @property
    def scn(self) -> int:
        """No record still to come has a lower SCN."""
        return self.head.record.scn if self.head is not None else self.position.scn

    def open(self, source: LogSource, disk: Disk) -> Path | None:
        """Take a log in hand; returns its path if nothing in it is still needed."""
        self._source = source
        self._records = read_records(source.path, disk=disk)
        return self.advance()

    def advance(self) -> Path | None:
        """Go to the next record; returns the path of the log when it has no more. Raises RedoCorrupt."""
        assert self._source is not None
        self.head = next((entry for entry in self._records if entry.record.scn >= self.position.scn), None)
        if self.head is not None:
            return None
        header = self._source.header
        if header.next_scn is None:
            self.ended = True
        else:
            self.position = replace(
                self.position,
                scn=max(header.next_scn, self.position.scn),
                time=header.next_time,
                sequence=header.sequence + 1,
            )
        return self._source.path


class RecoveringThreads:
    """All threads whose redo a recovery needs. ``no_longer_needed`` is the log read to its end last."""

    def __init__(
        self,
        control: ControlState,
        checkpoint: Checkpoint,
        incarnation: IncarnationRecord,
        trust_closed_threads: bool,
    ) -> None:
        """The threads that were enabled at ``checkpoint``.

        Of its own thread the checkpoint knows the log; of the others the control file has to know which one
        holds its SCN. A thread the control file says was closed before has no redo to ask for, if that is
        to be trusted.
        """
        self.no_longer_needed: Path | None = None
        self._threads: dict[int, ThreadRedo] = {}
        for number in range(1, checkpoint.enabled_threads.bit_length()):
            if not checkpoint.enabled_threads >> number & 1:
                continue
            sequence = checkpoint.sequence if number == checkpoint.thread else None
            sequence = sequence or sequence_of(control, checkpoint.scn, number, incarnation)
            position = Position(checkpoint.scn, checkpoint.time, incarnation, number, sequence)
            closed = trust_closed_threads and _closed_before(control, number, checkpoint.scn)
            self._threads[number] = ThreadRedo(position, ended=closed)
        if self.next is None:
            # Closed in order, and yet recovery is wanted: let it see for itself.
            self._threads.get(checkpoint.thread, self.first).ended = False

    @property
    def enabled(self) -> int:
        """Bit n is set when thread n is enabled where recovery is."""
        return sum(1 << number for number in self._threads)

    @property
    def next(self) -> ThreadRedo | None:
        """The thread whose record, or whose log, is the next; None at the end of all redo."""
        waiting = [thread for thread in self._threads.values() if not thread.ended]
        return min(waiting, key=lambda thread: (thread.scn, thread.position.thread), default=None)

    @property
    def first(self) -> ThreadRedo:
        """The thread with the lowest number."""
        return self._threads[min(self._threads)]

    def open(self, thread: ThreadRedo, source: LogSource, disk: Disk) -> None:
        """Give a thread the log it needs."""
        self.no_longer_needed = thread.open(source, disk) or self.no_longer_needed

    def advance(self, thread: ThreadRedo) -> None:
        """The next record of a thread is applied."""
        self.no_longer_needed = thread.advance() or self.no_longer_needed

    def enabled_at(self, position: Position) -> None:
        """A thread was enabled: its redo begins at ``position``."""
        if position.thread not in self._threads:
            self._threads[position.thread] = ThreadRedo(position)

    def disabled(self, number: int) -> None:
        """A thread was disabled: it has no more redo."""
        if len(self._threads) > 1:
            self._threads.pop(number, None)

    def enter(self, incarnation: IncarnationRecord, time: datetime | None) -> None:
        """RESETLOGS happened here: all threads begin again with sequence 1."""
        for number in self._threads:
            position = Position(incarnation.resetlogs_scn, time, incarnation, number, 1)
            self._threads[number] = ThreadRedo(position)


def _closed_before(control: ControlState, number: int, scn: int) -> bool:
    record = next((record for record in control.threads if record.thread == number), None)
    return record is not None and record.status == "CLOSED" and record.last_redo_scn < scn
