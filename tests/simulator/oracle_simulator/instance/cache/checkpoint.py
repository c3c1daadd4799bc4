# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CKPT: how far the files on disk are, written down in the control file and in datafile headers.

Three kinds: the incremental checkpoint moves the place where crash recovery would start (control file
only); a checkpoint of all files, at a log switch and on demand, also advances their headers; a
checkpoint of some files does that for them. The header of a file in backup mode stands still, its
control-file side does not.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.faults import Step
from oracle_simulator.instance.media_failure import header_of
from oracle_simulator.instance.messages import datafile_line
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.storage.datafile import DatafileHeader, NotADatafileHeader
from oracle_simulator.storage.datafile_header import Checkpoint, HeaderStatus
from oracle_simulator.storage.redo_log import RedoAddress

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_INCREMENTAL_SECONDS = 2.5


class Checkpointer:
    """The checkpoint process, and the lock (``headers``) of everybody who rewrites datafile headers.

    Take ``headers`` before the latch, never while holding it.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._work = threading.Condition(instance.latch)
        self._log_switch: tuple[int, int] | None = None
        self._progress = False
        self._stopping = False
        self.headers = HeaderLock(self)
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self.thread = threading.Thread(target=self._run, name="CKPT", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End the thread; call without the latch."""
        with self._instance.latch:
            self._stopping = True
            self._work.notify_all()
        if self.thread is not None:
            self.thread.join()

    def wake(self) -> None:
        """Look again; call under the latch."""
        self._work.notify_all()

    def log_switched(self, scn: int, position: int) -> None:
        """A new log begins at ``scn``, after ``position``: a checkpoint of all files at that SCN is due.
        Under the latch."""
        self._log_switch = (scn, position)
        self._instance.database_writer.aim(position)
        self._work.notify_all()

    def progress(self) -> None:
        """The database writer has written something; under the latch."""
        self._progress = True
        self._work.notify_all()

    # ------------------------------------------------------------ checkpoints with headers

    def checkpoint(
        self,
        file_numbers: Iterable[int] | None = None,
        cancelled: Callable[[], bool] | None = None,
        set_bits: HeaderStatus = HeaderStatus.NONE,
        clear_bits: HeaderStatus = HeaderStatus.NONE,
    ) -> Checkpoint:
        """Make a checkpoint of all read-write files, or of those given, now; returns it.

        The caller holds ``headers``, not the latch. All changes before the checkpoint's SCN are in the
        files when this returns. The status bits are changed in the headers that are written.
        Raises ORA-01013, ORA-01092.
        """
        instance = self._instance
        with instance.latch:
            scn = instance.clock.next()
            position = instance.redo.appended_position
            numbers = None if file_numbers is None else frozenset(file_numbers)
        instance.database_writer.write_until(position, numbers, cancelled)
        instance.redo.wait_durable(position, cancelled)
        with instance.latch:
            checkpoint = dataclasses.replace(instance.redo.checkpoint_at(position + 1), scn=scn)
        self.write_headers(checkpoint, numbers, set_bits, clear_bits)
        return checkpoint

    def write_headers(
        self,
        checkpoint: Checkpoint,
        file_numbers: frozenset[int] | None = None,
        set_bits: HeaderStatus = HeaderStatus.NONE,
        clear_bits: HeaderStatus = HeaderStatus.NONE,
    ) -> None:
        """Put ``checkpoint`` in headers and control file; the caller holds ``headers``, not the latch."""
        instance = self._instance
        for file in instance.files:
            chosen = file_numbers is None or file.record.file_number in file_numbers
            if not chosen or not file.changing:
                continue
            if file.record.checkpoint.scn > checkpoint.scn:
                continue
            if not file.record.in_backup:
                try:
                    with instance.faults.steps.at(Step.CHECKPOINT_HEADER, file.record.file_number):
                        advance_header(instance, file, checkpoint, set_bits, clear_bits)
                except OracleError:
                    if file.record.online or instance.terminated.is_set():
                        raise
                    continue  # it had to go offline
            with instance.latch:
                file.record.checkpoint = checkpoint
        with instance.latch:
            control = instance.control
            if file_numbers is None and control.database.checkpoint.scn < checkpoint.scn:
                control.database.checkpoint = checkpoint
        instance.save_control()

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        finished = False
        try:
            self._loop()
            finished = True
        except OracleError:
            if not self._instance.terminated.is_set():
                raise
        finally:
            if not finished:
                self._instance.terminate("CKPT")

    def _loop(self) -> None:
        instance = self._instance
        saved_at = 0.0
        while True:
            with instance.latch:
                if not self._wait_for_work(saved_at):
                    return
                switch, self._progress = self._log_switch, False
            self.advance_threads()
            saved_at = time.monotonic()
            if switch is not None and self._written(switch[1]):
                self._log_switch_checkpoint(switch)

    def _wait_for_work(self, saved_at: float) -> bool:
        while not (self._stopping or self._instance.terminated.is_set()):
            if (
                self._log_switch is not None
                and self._written(self._log_switch[1])
                and not self.headers.locked
            ):
                return True
            if self._progress:
                left = saved_at + _INCREMENTAL_SECONDS - time.monotonic()
                if left <= 0 or any(writer.stalled for writer in self._instance.redo.writers):
                    return True
                self._work.wait(left)
            else:
                self._work.wait()
        return False

    def _written(self, position: int) -> bool:
        with self._instance.latch:
            low = self._instance.cache.low_position()
            return low is None or low > position

    def advance_threads(self) -> None:
        """The incremental checkpoint: where crash recovery would start, and which logs it doesn't need."""
        instance = self._instance
        with instance.latch:
            redo, control = instance.redo, instance.control
            low = instance.cache.low_position()
            position = redo.appended_position + 1 if low is None else low
            redo.forget_addresses_before(position)
            moved = False
            for writer in redo.writers:
                thread = control.thread_record(writer.redo_thread)
                checkpoint = redo.checkpoint_at(position, thread.thread)
                if _address(checkpoint) <= _address(thread.checkpoint):
                    continue
                moved = True
                thread.checkpoint = checkpoint
                thread.last_redo_scn = redo.durable_scn
                thread.last_redo_time = checkpoint.time
            if not moved:
                return
            starts = {thread.thread: thread.checkpoint.sequence for thread in control.threads}
        # Only when the new start is on disk may the logs before it be reused.
        instance.save_control()
        with instance.latch:
            for group in control.redo_groups:
                if group.status == "ACTIVE" and group.sequence < starts[group.thread]:
                    group.status = "INACTIVE"
            instance.announce()

    def _log_switch_checkpoint(self, switch: tuple[int, int]) -> None:
        if not self.headers.acquire(blocking=False):
            return  # whoever has it wakes us when done
        try:
            scn, position = switch
            self._instance.redo.wait_durable(position)
            with self._instance.latch:
                address = self._instance.redo.checkpoint_at(position + 1)
            self.write_headers(dataclasses.replace(address, scn=scn))
        except OracleError:
            if not self._instance.terminated.is_set():
                raise
        finally:
            with self._instance.latch:
                if self._log_switch == switch:
                    self._log_switch = None
            self.headers.release()


class HeaderLock:
    """The lock of those who rewrite headers. Releasing it lets the checkpoint process look again."""

    def __init__(self, checkpointer: Checkpointer) -> None:
        self._checkpointer = checkpointer
        self._lock = threading.Lock()

    @property
    def locked(self) -> bool:
        return self._lock.locked()

    def acquire(self, blocking: bool = True) -> bool:
        return self._lock.acquire(blocking)

    def release(self) -> None:
        self._lock.release()
        instance = self._checkpointer._instance
        with instance.latch:
            self._checkpointer.wake()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_exception: object) -> None:
        self.release()


def own_header(instance: Instance, file: OpenFile) -> DatafileHeader:
    """Read the header of a file in use, to rewrite it.

    A file overwritten with a copy while the database has it open is media failure, which ends the instance:
    with a new checkpoint in its header the copy would pass for the file. Raises ORA-01122 and a reason,
    ORA-01114 when it cannot be read.
    """
    record = file.record
    try:
        with header_of(instance, file):
            header = file.datafile.read_header()
    except NotADatafileHeader:
        reason = (1210, "data file header is media corrupt")
    else:
        if (header.dbid, header.file_number) != (instance.control.database.dbid, record.file_number):
            reason = (1206, "file is not part of this database - wrong database id")
        elif _of_earlier_life(instance, header) and header.checkpoint.scn < record.checkpoint.scn:
            reason = (1209, "data file is from before the last RESETLOGS")
        elif header.checkpoint_count < record.checkpoint_count:
            reason = (1208, "data file is an old version - not accessing current version")
        else:
            return header
    text = f"database file {record.file_number} failed verification check"
    error = OracleError(1122, text, datafile_line(record), reason)
    instance.log.error(error, "ORA-63999 signalled because: data file suffered media failure")
    instance.terminate("CKPT")
    raise error


def _of_earlier_life(instance: Instance, header: DatafileHeader) -> bool:
    return header.resetlogs_scn < instance.control.database.resetlogs_scn


def advance_header(
    instance: Instance,
    file: OpenFile,
    checkpoint: Checkpoint,
    set_bits: HeaderStatus = HeaderStatus.NONE,
    clear_bits: HeaderStatus = HeaderStatus.NONE,
    **changes: object,
) -> None:
    """Rewrite one header with a new checkpoint, durably; ``changes`` are further fields of the header."""
    header = own_header(instance, file)
    database = instance.control.database
    with header_of(instance, file):
        file.datafile.update_header(
            # A file that was quiet at the last RESETLOGS joins the incarnation with its first checkpoint.
            resetlogs_scn=database.resetlogs_scn,
            resetlogs_id=database.resetlogs_id,
            prior_resetlogs_scn=database.prior_resetlogs_scn,
            prior_resetlogs_id=database.prior_resetlogs_id,
            checkpoint=checkpoint,
            checkpoint_count=header.checkpoint_count + 1,
            control_file_checkpoint_count=file.record.checkpoint_count,
            control_file_sequence=instance.control_files.durable_sequence,
            status=(header.status | set_bits) & ~clear_bits,
            **changes,
        )
        file.datafile.fsync()
    with instance.latch:
        file.record.checkpoint_count = header.checkpoint_count + 1


def checkpoint_now(instance: Instance, cancelled: Callable[[], bool] | None = None) -> Checkpoint:
    """ALTER SYSTEM CHECKPOINT. Raises ORA-01109 when not open read write, ORA-01013, ORA-01092."""
    instance.require_open_read_write()
    with instance.checkpointer.headers:
        checkpoint = instance.checkpointer.checkpoint(cancelled=cancelled)
        instance.checkpointer.advance_threads()
    return checkpoint


def log_end(instance: Instance, scn: int) -> Checkpoint:
    """The checkpoint at the end of all redo written so far, with the given SCN."""
    with instance.latch:
        redo = instance.redo
        return dataclasses.replace(redo.checkpoint_at(redo.appended_position + 1), scn=scn)


def _address(checkpoint: Checkpoint) -> RedoAddress:
    return RedoAddress(checkpoint.sequence, checkpoint.log_block, checkpoint.log_offset)
