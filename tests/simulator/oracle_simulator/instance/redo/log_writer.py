# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LGWR: the log buffer of one redo thread, group commit, and log switches.

Every write starts on a fresh block of the log, so the start of a write is a redo address from which
recovery can begin. Positions are those of ``redo_threads``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import RedoGroup
from oracle_simulator.instance.faults import Step
from oracle_simulator.instance.messages import os_lines, terminated
from oracle_simulator.instance.redo.redo_groups import change_log, continue_log, lose_member, not_written
from oracle_simulator.storage.redo_log import RedoAddress, RedoLogFile, blocks_needed, pack_records

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance
    from oracle_simulator.instance.redo.redo_threads import RedoThreads

FIRST_BLOCK = 2
RECORD_OFFSET = 16
_BATCH_BYTES = 1 << 20
_PACKING = 1.08  # block headers, and what is wasted at the end of each write
_SMALL_CHANGE = 64 << 10


class LogWriter:
    """The log writer of an open redo thread. All attributes are guarded by the latch unless said otherwise."""

    def __init__(self, instance: Instance, redo: RedoThreads, thread: int) -> None:
        self.redo_thread = thread
        self._instance = instance
        self._redo = redo
        self._work = threading.Condition(instance.latch)
        self._pending: deque[tuple[int, int, bytes]] = deque()
        self._pending_bytes = 0
        self._writing_bytes = 0
        self._writes: deque[tuple[int, RedoAddress]] = deque()
        self._members: list[RedoLogFile] = []
        self._group: RedoGroup | None = None
        self._next_block = FIRST_BLOCK
        self._switches_wanted = 0
        self._switch_position = 0
        self._stalled: str | None = None
        self._stopping = False
        self._space_waiters = 0
        self.thread: threading.Thread | None = None

    # ------------------------------------------------------------ life

    def start(self, next_block: int) -> None:
        """Begin to write to the current group from ``next_block`` on. Raises ORA-00313 when no member can be
        opened."""
        group = self._instance.control.current_group_of(self.redo_thread)
        self._members = continue_log(self._instance, group)
        self._group = group
        self._next_block = next_block
        name = "LGWR" if self.redo_thread == 1 else f"LGWR{self.redo_thread}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def finish(self) -> None:
        """Take no more redo and end when all is written; call under the latch, then :meth:`join` without."""
        self._stopping = True
        self._work.notify_all()

    def join(self) -> None:
        """Wait for the end of the thread and close the log; call without the latch."""
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join()
        for member in self._members:
            member.close()
        self._members = []

    def wake(self) -> None:
        """Look again; call under the latch."""
        self._work.notify_all()

    # ------------------------------------------------------------ redo

    def take(self, first_position: int, entries: Sequence[tuple[int, bytes]]) -> None:
        """Put encoded records (SCN, bytes) in the log buffer; call under the latch. Raises ORA-01092."""
        if self._stopping:
            raise terminated()
        for position, (scn, data) in enumerate(entries, start=first_position):
            self._pending.append((position, scn, data))
            self._pending_bytes += len(data)
        self._work.notify()

    @property
    def first_pending(self) -> int | None:
        """Position of the first record in the buffer."""
        return self._pending[0][0] if self._pending else None

    def next_address(self) -> RedoAddress:
        """Where the next write will start if no log switch comes first."""
        if self._group is None:
            raise LookupError("the log writer has no log")
        return RedoAddress(self._group.sequence, self._next_block, RECORD_OFFSET)

    def address_of(self, position: int) -> RedoAddress:
        """Where this thread's redo from ``position`` on begins: the first write with any of it, or the next."""
        found = self.next_address()
        for last, start in reversed(self._writes):
            if last < position:
                break
            found = start
        return found

    def forget_addresses_before(self, position: int) -> None:
        """Addresses of older positions are not needed any more; call under the latch."""
        while self._writes and self._writes[0][0] < position:
            self._writes.popleft()

    # ------------------------------------------------------------ room

    @property
    def _groups(self) -> list[RedoGroup]:
        number = self.redo_thread
        return [group for group in self._instance.control.redo_groups if group.thread == number]

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
        smallest = min(group.size_bytes for group in self._groups)
        return min(_BATCH_BYTES, smallest // 4)

    def require_room_for(self, size: int) -> None:
        """Raises ORA-30036 for a piece of redo larger than half of all online redo of the thread, or than
        there will ever be room for: with all groups free but the current one."""
        sizes = sorted(group.size_bytes for group in self._groups)
        largest = self.largest_record
        most = sum(size - largest for size in sizes[:-1]) / _PACKING
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
        assert group is not None
        left = group.size_bytes - self._next_block * group.block_size
        if free := self._free_groups():
            # A switch that was asked for loses the rest of the current log, and no record crosses from one
            # log to the next, so up to one may be lost at the end of each.
            left = 0 if self._switches_wanted else left
            largest = self.largest_record
            left += sum(group.size_bytes - largest for group in free)
        waiting = self._pending_bytes + self._writing_bytes
        return (waiting + size) * _PACKING <= left

    # ------------------------------------------------------------ switches

    def request_switch(self) -> int:
        """Ask for a log switch; returns the sequence that will be closed. Call under the latch."""
        group = self._instance.control.current_group_of(self.redo_thread)
        self._switches_wanted += 1
        self._switch_position = self._redo.appended_position
        self._work.notify()
        return group.sequence

    @property
    def switching(self) -> bool:
        """Whether a switch was asked for and has not been made yet."""
        return self._switches_wanted > 0

    def _free_group(self) -> RedoGroup | None:
        """The group to use next: the one idle for longest, if redo in it is needed by nobody."""
        return next(iter(self._free_groups()), None)

    def _free_groups(self) -> list[RedoGroup]:
        return self._instance.control.free_groups_of(self.redo_thread)

    def _obstacle(self) -> str | None:
        if self._free_group() is not None:
            return None
        groups = self._groups
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
        except OracleError as exc:
            self._instance.log.error(exc, "LGWR terminated with error")
        except OSError as exc:
            text = f"IO error processing online log of thread {self.redo_thread}"
            self._instance.log.error(OracleError(340, text, *os_lines(exc)), "LGWR terminated with error")
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

    def _next_step(self) -> list[tuple[int, int, bytes]] | RedoGroup | None:
        """Wait for work: redo that fits the current log, or the group to switch to. None: the end."""
        while not self._instance.terminated.is_set():
            due = self._switches_wanted > 0 and self._redo.durable_position >= self._switch_position
            if due and (free := self._free_group()):
                return free
            turn = self._redo.is_turn_of(self.first_pending)
            if turn and (batch := self._take_batch()):
                return batch
            if self._stopping and not self._pending:
                return None
            if (due or turn) and (free := self._free_group()):
                return free
            if (due or turn) and self._stalled != self._obstacle():
                self._stalled = self._obstacle()
                self._report_stall(self._stalled)
                self._instance.checkpointer.wake()
            self._work.wait()
        return None

    def _take_batch(self) -> list[tuple[int, int, bytes]]:
        """Waiting records, without a gap in their positions, that fit the current log; none when a switch
        must come first."""
        group = self._group
        assert group is not None
        room = group.size_bytes // group.block_size + 1 - self._next_block
        sizes: list[int] = []
        total = 0
        limit = min(_BATCH_BYTES, room * group.block_size)
        first = self._pending[0][0]
        for position, _scn, data in self._pending:
            if sizes and (total + len(data) > limit or position != first + len(sizes)):
                break
            sizes.append(len(data))
            total += len(data)
        while sizes and blocks_needed(sizes, group.block_size) > room:
            sizes.pop()
        taken = [self._pending.popleft() for _ignored in sizes]
        self._pending_bytes -= sum(sizes)
        self._writing_bytes = sum(sizes)
        return taken

    def _write(self, batch: list[tuple[int, int, bytes]]) -> None:
        group = self._group
        assert group is not None
        records = [data for _position, _scn, data in batch]
        packed = pack_records(records, self._next_block, group.sequence, group.block_size)
        address = RedoAddress(group.sequence, self._next_block, RECORD_OFFSET)
        steps = self._instance.faults.steps
        with steps.at(Step.REDO_WRITE):
            self._write_members(lambda member: member.write_blocks(self._next_block, packed.data))
        with steps.at(Step.REDO_SYNC):
            self._write_members(RedoLogFile.fsync)
        last_position, last_scn, _data = batch[-1]
        with self._instance.latch:
            self._writes.append((last_position, address))
            self._next_block += packed.block_count
            self._writing_bytes = 0
            self._redo.written(batch[0][0], last_position, last_scn)
            if self._space_waiters:
                self._instance.changed.notify_all()

    def _write_members(self, write: Callable[[RedoLogFile], None]) -> None:
        """Do it to every member. One that fails is given up: from then on it lacks redo, and the control file
        says so before anybody relies on what the others have. Raises ORA-00340 when none is left."""
        group = self._group
        assert group is not None
        for member in list(self._members):
            try:
                write(member)
            except OSError as exc:
                self._members.remove(member)
                member.close()
                if not self._members:
                    raise not_written(group, member, self._next_block, exc) from exc
                lose_member(self._instance, group, member, self._next_block, exc)

    def _switch(self, free: RedoGroup) -> None:
        instance = self._instance
        with instance.latch:
            self._stalled = None
            old = self._group
            assert old is not None
            # Redo waiting in the buffer goes to the new log, so its first SCN is where the old one ends.
            first = self._pending[0] if self._pending else None
            scn = first[1] if first else instance.clock.next()
            before = (first[0] if first else self._redo.appended_position + 1) - 1
            end_block = self._next_block
        members = change_log(instance, old, free, self._members, scn, end_block)
        with instance.latch:
            self._members, self._group, self._next_block = members, free, FIRST_BLOCK
            self._switches_wanted = max(0, self._switches_wanted - 1)
            instance.checkpointer.log_switched(scn, before)
            instance.announce()

    def _report_stall(self, obstacle: str | None) -> None:
        group = self._group
        assert group is not None
        number = self.redo_thread
        if obstacle == "ARCHIVE LOG":
            self._instance.log.write(
                f"ORA-00270 signalled because: all online logs needed archiving; sequence {group.sequence}",
                f"Thread {number} cannot allocate new log, sequence {group.sequence + 1}",
                "All online logs need archiving",
            )
        else:
            self._instance.log.write(
                f"Thread {number} cannot allocate new log, sequence {group.sequence + 1}",
                "Checkpoint not complete",
            )
