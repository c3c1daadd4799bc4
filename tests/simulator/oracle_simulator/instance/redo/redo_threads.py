# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The redo of the database: the log writers of its open threads, and the order among them.

Each instance of a database with several (Real Application Clusters) writes to a redo thread of its own.
Here all instances live in one process and share its memory, so the operating-system thread that makes a
change says for which instance it works: :meth:`RedoThreads.on_behalf_of`.

Positions count the records of all threads in the order of their SCNs; record ``n`` is durable when
``durable_position >= n``. A log writer waits until everything with a lower SCN is on disk: a change may
build on one that another instance made a moment ago. (Oracle forces the other instance's log before it
hands over the block.)
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from oracle_simulator.instance.messages import terminated
from oracle_simulator.instance.redo.log_writer import LogWriter
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.redo_log import RedoAddress

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


class RedoThreads:
    """The open redo threads. All attributes are guarded by the latch.

    ``administration`` is the lock of those who open threads, or change log groups or closed threads; it is
    taken before the latch.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._durable = threading.Condition(instance.latch)
        self._caller = threading.local()
        self.administration = threading.Lock()
        self._writers: dict[int, LogWriter] = {}
        self._writes: deque[tuple[int, int]] = deque()
        self.appended_position = 0
        self.durable_position = 0
        self.durable_scn = 0

    # ------------------------------------------------------------ who writes

    @contextlib.contextmanager
    def on_behalf_of(self, instance_number: int) -> Iterator[None]:
        """Redo that the calling thread makes meanwhile goes to the redo thread of this instance."""
        before: int | None = getattr(self._caller, "number", None)
        self._caller.number = instance_number
        try:
            yield
        finally:
            self._caller.number = before

    @property
    def writer(self) -> LogWriter:
        """The log writer of the caller's instance: the first one's for background work.

        Raises ORA-01092 when that instance is down.
        """
        number: int | None = getattr(self._caller, "number", None)
        if number is None:
            number = min(self._writers, default=0)
        found = self._writers.get(number)
        if found is None:
            raise terminated()
        return found

    @property
    def writers(self) -> list[LogWriter]:
        """The log writers of all open threads in order."""
        return [self._writers[number] for number in sorted(self._writers)]

    def find_writer(self, thread: int) -> LogWriter | None:
        """The log writer of a thread; None for one that is not open."""
        return self._writers.get(thread)

    def start_writer(self, thread: int, next_block: int) -> None:
        """Begin to write to the current log of ``thread`` from ``next_block`` on. Raises ORA-00313."""
        writer = LogWriter(self._instance, self, thread)
        writer.start(next_block)
        self._writers[thread] = writer

    def begin_after(self, last_scn: int) -> None:
        """All redo up to ``last_scn`` is written."""
        self.durable_scn = max(self.durable_scn, last_scn)

    def stop_writer(self, thread: int) -> RedoAddress:
        """Write what is pending and end a log writer; returns where its redo ends. Call without the latch."""
        with self._instance.latch:
            writer = self._writers[thread]
            writer.finish()
        writer.join()
        with self._instance.latch:
            del self._writers[thread]
            return writer.next_address()

    def stop(self) -> dict[int, RedoAddress]:
        """Stop all log writers; returns where the redo of each thread ends. Call without the latch."""
        with self._instance.latch:
            for writer in self.writers:
                writer.finish()  # they wait for each other's redo
        return {writer.redo_thread: self.stop_writer(writer.redo_thread) for writer in self.writers}

    def join(self) -> None:
        """Wait for the log writers of an instance that went down; call without the latch."""
        for writer in self.writers:
            writer.join()

    def wake(self) -> None:
        """Let every waiting thread look again (something changed, or the instance goes down); under the latch."""
        for writer in self._writers.values():
            writer.wake()
        self._durable.notify_all()

    # ------------------------------------------------------------ redo

    def append(self, entries: Sequence[tuple[int, bytes]]) -> None:
        """Put encoded records (SCN, bytes) in the caller's log buffer; call under the latch."""
        self.writer.take(self.appended_position + 1, entries)
        self.appended_position += len(entries)

    def wait_durable(self, position: int, cancelled: Callable[[], bool] | None = None) -> None:
        """Wait until everything up to ``position`` is on disk. Raises ORA-01092, ORA-01013."""
        if self.durable_position < position:
            self._instance.wait_for(lambda: self.durable_position >= position, cancelled, self._durable)

    def is_turn_of(self, position: int | None) -> bool:
        """Whether the record at ``position`` is the next to be written."""
        return position == self.durable_position + 1

    def written(self, first: int, last: int, last_scn: int) -> None:
        """A log writer has put these positions on disk; call under the latch."""
        self._writes.append((first, self.durable_scn + 1))
        self.durable_position, self.durable_scn = last, last_scn
        self._durable.notify_all()
        for writer in self._writers.values():
            if writer.first_pending == last + 1:
                writer.wake()

    def next_address(self) -> RedoAddress:
        """Where the caller's next redo will start if no log switch comes first."""
        return self.writer.next_address()

    # ------------------------------------------------------------ checkpoints

    def checkpoint_at(self, position: int, thread: int | None = None) -> Checkpoint:
        """The checkpoint of a database in which all redo before ``position`` is in the files.

        Its redo address, in ``thread`` or in the caller's, is at or before the record at ``position``: the
        start of the write that holds it, or, when it is not written yet, of the next write. Its SCN fits
        that address: all redo of all threads before it is in the files.
        """
        first, scn = self.durable_position + 1, self.durable_scn + 1
        if position <= self.durable_position:
            kept = (write for write in reversed(self._writes) if write[0] <= position)
            first, scn = next(kept, self._writes[0])
        writer = self.writer if thread is None else self._writers[thread]
        enabled = self._instance.control.enabled_threads
        address = writer.address_of(first)
        return Checkpoint(scn, self._instance.wall_clock.second(), writer.redo_thread, *address, enabled)

    def forget_addresses_before(self, position: int) -> None:
        """Addresses of older positions are not needed any more; call under the latch."""
        while len(self._writes) > 1 and self._writes[1][0] <= position:
            self._writes.popleft()
        for writer in self._writers.values():
            writer.forget_addresses_before(self._writes[0][0] if self._writes else 0)
