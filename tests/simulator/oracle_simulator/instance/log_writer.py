# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LGWR: the log buffer, group commit, and log switches.

Positions count redo records in the order they were made; record ``n`` is durable when
``durable_position >= n``. Every write starts on a fresh block of the log, so the start of a write is a
redo address from which recovery can begin.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control import LogHistoryRecord, RedoGroup
from oracle_simulator.instance.redo_groups import close_group, log_header, open_members, use_group
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_log import (
    RedoAddress,
    RedoLogFile,
    blocks_needed,
    closed,
    pack_records,
)

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

FIRST_BLOCK = 2
RECORD_OFFSET = 16
_BATCH_BYTES = 1 << 20
_PACKING = 1.08  # block headers, and what is wasted at the end of each write
_SMALL_CHANGE = 64 << 10


class LogWriter:
    """The log writer of an open database. All attributes are guarded by the latch unless said otherwise."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._work = threading.Condition(instance.latch)
        self._durable = threading.Condition(instance.latch)
        self._pending: deque[tuple[int, bytes]] = deque()
        self._pending_bytes = 0
        self._writing_bytes = 0
        self._writes: deque[tuple[int, int, RedoAddress]] = deque()
        self._members: list[RedoLogFile] = []
        self._group: RedoGroup | None = None
        self._next_block = FIRST_BLOCK
        self._switches_wanted = 0
        self._switch_position = 0
        self._batch_scn = 0
        self._stalled: str | None = None
        self._stopping = False
        self._space_waiters = 0
        self.thread: threading.Thread | None = None
        self.appended_position = 0
        self.durable_position = 0
        self.durable_scn = 0

    # ------------------------------------------------------------ life

    def start(self, group: RedoGroup, next_block: int, last_scn: int) -> None:
        """Begin to write to ``group`` from ``next_block`` on; all redo up to ``last_scn`` is written.

        Raises ORA-00313 when no member can be opened.
        """
        self.durable_scn = last_scn
        self._members = open_members(group)
        self._group = group
        self._next_block = next_block
        self.thread = threading.Thread(target=self._run, name="LGWR", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Write what is pending, end the thread, close the log; call without the latch."""
        with self._instance.latch:
            self._stopping = True
            self._work.notify_all()
        if self.thread is not None:
            self.thread.join()
        self.close()

    def close(self) -> None:
        """Close the log members."""
        for member in self._members:
            member.close()
        self._members = []

    def wake(self) -> None:
        """Let every waiting thread look again (the instance goes down); call under the latch."""
        self._work.notify_all()
        self._durable.notify_all()

    # ------------------------------------------------------------ redo

    def append(self, entries: Sequence[tuple[int, bytes]]) -> None:
        """Put encoded records (SCN, bytes) in the log buffer; call under the latch."""
        self._pending.extend(entries)
        self._pending_bytes += sum(len(data) for _scn, data in entries)
        self.appended_position += len(entries)
        self._work.notify()

    def wait_durable(self, position: int, cancelled: Callable[[], bool] | None = None) -> None:
        """Wait until ``position`` is on disk. Raises ORA-01092, ORA-01013."""
        if self.durable_position < position:
            self._instance.wait_for(lambda: self.durable_position >= position, cancelled, self._durable)

    def next_address(self) -> RedoAddress:
        """Where the next write will start if no log switch comes first."""
        if self._group is None:
            raise LookupError("the log writer has no log")
        return RedoAddress(self._group.sequence, self._next_block, RECORD_OFFSET)

    def checkpoint_at(self, position: int) -> Checkpoint:
        """The checkpoint of a database in which all redo before ``position`` is in the files.

        Its redo address is at or before the record at ``position``: the start of the write that holds it,
        or, when it is not written yet, of the next write. Its SCN fits that address.
        """
        now = datetime.now().replace(microsecond=0)
        scn, address = self.durable_scn + 1, self.next_address()
        if position <= self.durable_position:
            for first, first_scn, start in self._writes:
                if first > position:
                    break
                scn, address = first_scn, start
        return Checkpoint(scn, now, 1, *address)

    def forget_addresses_before(self, position: int) -> None:
        """Addresses of older positions are not needed any more; call under the latch."""
        while len(self._writes) > 1 and self._writes[1][0] <= position:
            self._writes.popleft()

    # ------------------------------------------------------------ room

    @property
    def stalled(self) -> bool:
        """Whether redo or a switch waits for a free group."""
        return self._stalled is not None or self._space_waiters > 0

    @property
    def switch_wait(self) -> str | None:
        """Why a log switch waits: None, ``ARCHIVE LOG`` or ``CHECKPOINT``."""
        with self._instance.latch:
            if self._stalled is not None:
                return self._stalled
            return self._obstacle() if self._space_waiters else None

    @property
    def largest_record(self) -> int:
        """Bytes a record may have: 1 MiB, less when the logs are small."""
        smallest = min(group.size_bytes for group in self._instance.control.redo_groups)
        return min(_BATCH_BYTES, smallest // 4)

    def require_room_for(self, size: int) -> None:
        """Raises ORA-30036 for a piece of redo larger than half of all online redo, or than there will ever be
        room for: with all groups free but the current one."""
        sizes = sorted(group.size_bytes for group in self._instance.control.redo_groups)
        most = sum(size - self.largest_record for size in sizes[:-1]) / _PACKING
        if size > min(most, sum(sizes) // 2):
            undo = self._instance.parameters.get("undo_tablespace") or "UNDOTBS1"
            raise OracleError(30036, f"unable to extend segment by 8 in undo tablespace '{undo}'")

    def wait_for_space(self, cancelled: Callable[[], bool] | None, size: int = 0) -> None:
        """Wait until there is room for ``size`` bytes of redo. Raises ORA-01013, ORA-01092."""
        size = max(size, _SMALL_CHANGE)
        if self.has_room(size):
            return
        self._space_waiters += 1
        if self._space_waiters == 1 and self._stalled is None:
            self._report_stall(self._obstacle())
        self._instance.checkpointer.wake()
        try:
            # Told by every write, switch and checkpoint.
            self._instance.wait_for(lambda: self.has_room(size), cancelled)
        finally:
            self._space_waiters -= 1

    def has_room(self, size: int) -> bool:
        """Whether the waiting redo and ``size`` bytes more fit what is left of the current log and the groups
        that are free now; call under the latch.

        Redo in the buffer must never wait for a group to become free: the group may be waiting for the
        database writer, and that for this very redo.
        """
        group = self._group
        if group is None:
            return self._stalled is None
        left = group.size_bytes - self._next_block * group.block_size
        if free := self._free_groups():
            # A switch that was asked for loses the rest of the current log, and no record crosses from one
            # log to the next, so up to one may be lost at the end of each.
            left = 0 if self._switches_wanted else left
            left += sum(group.size_bytes - self.largest_record for group in free)
        waiting = self._pending_bytes + self._writing_bytes
        return (waiting + size) * _PACKING <= left

    # ------------------------------------------------------------ switches

    def request_switch(self) -> tuple[int, int]:
        """Ask for a log switch; returns (sequence that will be closed, its first SCN). Call under the latch."""
        group = self._instance.control.current_group
        self._switches_wanted += 1
        self._switch_position = self.appended_position
        self._work.notify()
        return group.sequence, group.first_scn

    def switched_past(self, sequence: int) -> bool:
        """Whether the log with ``sequence`` is no longer current."""
        return self._instance.control.thread.sequence > sequence

    def _free_group(self) -> RedoGroup | None:
        """The group to use next: the one idle for longest, if redo in it is needed by nobody."""
        return next(iter(self._free_groups()), None)

    def _free_groups(self) -> list[RedoGroup]:
        control = self._instance.control
        archiving = control.database.log_mode == "ARCHIVELOG"
        return sorted(
            (
                group
                for group in control.redo_groups
                if group.status == "UNUSED"
                or (group.status == "INACTIVE" and (group.archived or not archiving))
            ),
            key=lambda group: (group.sequence, group.group),
        )

    def _obstacle(self) -> str | None:
        if self._free_group() is not None:
            return None
        groups = self._instance.control.redo_groups
        if any(group.status == "INACTIVE" and not group.archived for group in groups):
            return "ARCHIVE LOG"
        unarchived = any(group.status == "ACTIVE" and not group.archived for group in groups)
        return "ARCHIVE LOG" if unarchived and self._instance.archiver.failed else "CHECKPOINT"

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        finished = False
        try:
            self._loop()
            finished = True
        finally:
            if not finished:
                self._instance.terminate("LGWR")

    def _loop(self) -> None:
        while True:
            with self._instance.latch:
                step = self._next_step()
            if step is None:
                return
            if isinstance(step, RedoGroup):
                self._switch(step)
            else:
                self._write(step)

    def _next_step(self) -> list[bytes] | RedoGroup | None:
        """Wait for work: redo that fits the current log, or the group to switch to. None: the end."""
        while not self._instance.terminated.is_set():
            due = self._switches_wanted > 0 and self.durable_position >= self._switch_position
            if due and (free := self._free_group()):
                return free
            if batch := self._take_batch():
                return batch
            if self._stopping and not self._pending:
                return None
            if (due or self._pending) and (free := self._free_group()):
                return free
            if (due or self._pending) and self._stalled != self._obstacle():
                self._stalled = self._obstacle()
                self._report_stall(self._stalled)
                self._instance.checkpointer.wake()
            self._work.wait()
        return None

    def _take_batch(self) -> list[bytes]:
        """Waiting records that fit the current log; none when a switch must come first."""
        group = self._group
        assert group is not None
        room = group.size_bytes // group.block_size + 1 - self._next_block
        sizes: list[int] = []
        total = 0
        limit = min(_BATCH_BYTES, room * group.block_size)
        for _scn, data in self._pending:
            if sizes and total + len(data) > limit:
                break
            sizes.append(len(data))
            total += len(data)
        while sizes and blocks_needed(sizes, group.block_size) > room:
            sizes.pop()
        taken = [self._pending.popleft() for _ignored in sizes]
        self._pending_bytes -= sum(sizes)
        self._writing_bytes = sum(sizes)
        if taken:
            self._batch_scn = taken[-1][0]
        return [data for _scn, data in taken]

    def _write(self, batch: list[bytes]) -> None:
        group = self._group
        assert group is not None
        packed = pack_records(batch, self._next_block, group.sequence, group.block_size)
        address = RedoAddress(group.sequence, self._next_block, RECORD_OFFSET)
        for member in self._members:
            member.write_blocks(self._next_block, packed.data)
        for member in self._members:
            member.fsync()
        with self._instance.latch:
            self._writes.append((self.durable_position + 1, self.durable_scn + 1, address))
            self._next_block += packed.block_count
            self._writing_bytes = 0
            self.durable_position += len(batch)
            self.durable_scn = self._batch_scn
            self._durable.notify_all()
            if self._space_waiters:
                self._instance.changed.notify_all()

    def _switch(self, free: RedoGroup) -> None:
        instance = self._instance
        control = instance.control
        with instance.latch:
            self._stalled = None
            old, new = self._group, free
            assert old is not None
            # Redo waiting in the buffer goes to the new log, so its first SCN is where the old one ends.
            scn = self._pending[0][0] if self._pending else instance.clock.next()
            now = datetime.now().replace(microsecond=0)
            sequence, end_block = old.sequence, self._next_block
        # That nobody needs the new group's old redo must be on disk before that redo is gone.
        instance.save_control()
        new_header = log_header(instance, new, sequence + 1, scn, now)
        new_members = open_members(new)
        for member in new_members:
            member.write_header(new_header)
            member.fsync()
        for member in self._members:
            member.write_header(closed(member.read_header(), scn, now, end_block))
            member.fsync()
        with instance.latch:
            close_group(old, scn, now)
            use_group(new, sequence + 1, scn, now)
            control.thread.sequence = new.sequence
            database = control.database
            control.log_history.append(
                LogHistoryRecord(
                    control.take_recid(), encode_time(now), old.thread, old.sequence, old.first_scn, old.first_time,
                    scn, database.resetlogs_scn, database.resetlogs_id,
                )
            )  # fmt: skip
        instance.save_control()
        self.close()
        with instance.latch:
            self._members, self._group, self._next_block = new_members, new, FIRST_BLOCK
            self._switches_wanted = max(0, self._switches_wanted - 1)
            instance.checkpointer.log_switched(scn)
            instance.announce()
        instance.log.write(
            f"Thread 1 advanced to log sequence {new.sequence} (LGWR switch)",
            f"  Current log# {new.group} seq# {new.sequence} mem# 0: {new.members[0]}",
        )

    def _report_stall(self, obstacle: str | None) -> None:
        group = self._group
        assert group is not None
        if obstacle == "ARCHIVE LOG":
            self._instance.log.write(
                f"ORA-00270 signalled because: all online logs needed archiving; sequence {group.sequence}",
                f"Thread 1 cannot allocate new log, sequence {group.sequence + 1}",
                "All online logs need archiving",
            )
        else:
            self._instance.log.write(
                f"Thread 1 cannot allocate new log, sequence {group.sequence + 1}", "Checkpoint not complete"
            )
