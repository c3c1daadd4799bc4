# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance: an explicit state machine around memory, background threads and files.

SHUTDOWN -> STARTED (nomount) -> MOUNTED -> OPEN or OPEN_READ_ONLY, and down again. An instance that was
shut down is not started again: make a new one, as a new process would.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.alert_log import AlertLog
from oracle_simulator.instance.archiving.archiver import Archiver
from oracle_simulator.instance.archiving.recovery_area import RecoveryArea
from oracle_simulator.instance.cache.buffer_cache import BufferCache
from oracle_simulator.instance.cache.checkpoint import Checkpointer
from oracle_simulator.instance.cache.database_writer import DatabaseWriter
from oracle_simulator.instance.cache.torn_writes import complete_torn_writes
from oracle_simulator.instance.cache.unlogged import UnloggedWrites
from oracle_simulator.instance.container import ContainerMode
from oracle_simulator.instance.control_file.control import ControlState, DatafileRecord
from oracle_simulator.instance.control_file.control_file_set import ControlFileSet, MountLock
from oracle_simulator.instance.faults import Faults, FaultyDisk
from oracle_simulator.instance.faults.unsynced import UnsyncedWrites
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.keystore import Keystore
from oracle_simulator.instance.messages import interrupted, not_mounted, not_open, read_only, terminated
from oracle_simulator.instance.open_database import close_database, open_database
from oracle_simulator.instance.open_files import OpenFiles
from oracle_simulator.instance.parameter_changes import check_at_startup
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.instance.readings import Readings
from oracle_simulator.instance.redo.redo_threads import RedoThreads
from oracle_simulator.instance.release import release_of
from oracle_simulator.instance.scn_clock import ScnClock
from oracle_simulator.instance.standby import require_standby
from oracle_simulator.instance.state import InstanceState
from oracle_simulator.instance.wall_clock import WallClock

if TYPE_CHECKING:
    from oracle_simulator.instance.recovery.media_recovery import RecoverySession

__all__ = ["Instance", "InstanceState"]

_WAIT_SLICE = 0.25


class Instance:
    """One instance of one database.

    ``latch`` guards all state in memory. ``changed`` (a condition on it) is notified whenever something
    that others may wait for has happened: a log switch, an archived log, a checkpoint, the end.
    ``shutdown_pending`` is the mode of a SHUTDOWN that waits for sessions or closes the database.
    ``turning_read_only`` are the numbers of files whose tablespace waits for its last transactions.
    ``terminated`` is set when the instance is down, for whatever reason; the process that hosts it may
    wait on it. ``dictionary_check`` is called at the end of every open, before users are let in; the
    data layer uses it to compare dictionary and control file. It may put files into and out of use; it is
    called with ``checkpointer.headers`` held, so it makes no checkpoint itself. ``after_open`` is called when
    users may come already: pluggable databases open then. ``container_modes`` are the modes of those that are.
    """

    def __init__(
        self,
        home: Home,
        parameters: Parameters,
        log: AlertLog | None = None,
        *,
        faults: Faults | None = None,
        readings: Readings | None = None,
        unsynced: UnsyncedWrites | None = None,
    ) -> None:
        self.home = home
        self.parameters = parameters
        self.wall_clock = WallClock()
        self.log = log or AlertLog(home.alert_log, self.wall_clock)
        self.faults = faults or Faults()
        self.disk = FaultyDisk(self.faults.files, unsynced)
        self.readings = readings or Readings()
        self.version = release_of(parameters)
        self.startup_time: datetime | None = None
        self.opened_at: datetime | None = None
        self.state = InstanceState.SHUTDOWN
        self.latch = threading.RLock()
        self.changed = threading.Condition(self.latch)
        self.blocks_dirty = threading.Condition(self.latch)
        self.terminated = threading.Event()
        self.administration = threading.Lock()
        self.clock = ScnClock()
        self.dictionary_check: Callable[[], None] | None = None
        self.after_open: Callable[[], None] | None = None
        self.container_modes: dict[int, ContainerMode] = {}
        self.turning_read_only: set[int] = set()
        self.shutdown_pending: str | None = None
        self.media_recovery: RecoverySession | None = None
        self.files = OpenFiles(self._datafile_record)
        self.keystore = Keystore(self)
        self.cache = BufferCache(self.files, parameters, self.keystore)
        self.control_files = ControlFileSet(self)
        self.redo = RedoThreads(self)
        self.database_writer = DatabaseWriter(self)
        self.checkpointer = Checkpointer(self)
        self.recovery_area = RecoveryArea(self)
        self.archiver = Archiver(self)
        self.unlogged_writes = UnloggedWrites()
        self._control: ControlState | None = None
        self._mount_lock: MountLock | None = None
        self._closed = self._dismounted = False

    # ------------------------------------------------------------ state

    @property
    def control(self) -> ControlState:
        """The control file. Raises ORA-01507 before it is mounted."""
        if self._control is None:
            raise not_mounted()
        return self._control

    @property
    def mounted(self) -> bool:
        """Whether the control file is in use (mounted or open)."""
        return self._control is not None

    @property
    def is_open(self) -> bool:
        """Open, read write or read only."""
        return self.state in (InstanceState.OPEN, InstanceState.OPEN_READ_ONLY)

    @property
    def log_switch_wait(self) -> str | None:
        """Why a log switch waits in any redo thread: None, ``ARCHIVE LOG`` or ``CHECKPOINT``."""
        with self.latch:
            return next((writer.switch_wait for writer in self.redo.writers if writer.switch_wait), None)

    def require_mounted(self) -> None:
        """Raises ORA-01507."""
        if self._control is None:
            raise not_mounted()

    def require_open_read_write(self) -> None:
        """Raises ORA-01507, ORA-01109, ORA-16000 (read only) or ORA-01089 (closing)."""
        if self.state is InstanceState.OPEN:
            return
        if self.state is InstanceState.OPEN_READ_ONLY:
            raise read_only()
        if self.state is InstanceState.CLOSING:
            text = "immediate shutdown or close in progress - no operations are permitted"
            raise OracleError(1089, text)
        if self.terminated.is_set():
            raise terminated()
        raise not_open() if self.mounted else not_mounted()

    def wait_for(
        self,
        condition: Callable[[], bool],
        cancelled: Callable[[], bool] | None = None,
        variable: threading.Condition | None = None,
    ) -> None:
        """Wait for ``condition``; call with or without the latch, which is released while waiting.

        Raises ORA-01092 when the instance goes down, ORA-01013 when ``cancelled`` returns True.
        """
        variable = variable or self.changed
        with self.latch:
            while not condition():
                if self.terminated.is_set():
                    raise terminated()
                if cancelled is not None and cancelled():
                    raise interrupted()
                # A cancel has no way to notify us, so look for it a few times a second.
                variable.wait(_WAIT_SLICE if cancelled is not None else None)

    def save_control(self) -> None:
        """Write the control file; returns when it is durable. Better called without the latch."""
        self.control_files.save()

    def use_control(self, state: ControlState | None) -> None:
        """Replace the control file in memory (CREATE CONTROLFILE, and tests)."""
        self._control = state

    # ------------------------------------------------------------ up

    def startup(self) -> None:
        """STARTUP NOMOUNT. Raises ORA-01081 when it is up already, and as :func:`check_at_startup`."""
        check_at_startup(self.parameters)
        with self.latch:
            if self.state is not InstanceState.SHUTDOWN or self.terminated.is_set():
                raise OracleError(1081, "cannot start already-running ORACLE - shut it down first")
            self.state = InstanceState.STARTED
            self.startup_time = self.wall_clock.second()
        self.log.write("Starting ORACLE instance (normal)")

    def mount(self, standby: bool = False) -> None:
        """ALTER DATABASE MOUNT [STANDBY DATABASE].

        Raises ORA-01665 for a primary mounted as ``standby``, ORA-01100 when mounted, ORA-00205 when a
        control file can't be read, ORA-00214 when the copies differ, ORA-01102 when another instance has
        the database, ORA-01103 for another database, ORA-00058 for one of another DB_BLOCK_SIZE.
        """
        with self._administering():
            self._require_started()
            self.take_mount_lock()
            try:
                state = self.control_files.load()
                if standby:
                    require_standby(state)
            except OracleError:
                self.release_mount_lock()
                raise
            with self.latch:
                self._control = state
                self.clock.advance_to(state.database.checkpoint.scn)
                self.state = InstanceState.MOUNTED
            complete_torn_writes(self)
        self.log.write("ALTER DATABASE   MOUNT", "Completed: ALTER DATABASE   MOUNT")

    def mounted_by_creation(self, state: ControlState) -> None:
        """The end of CREATE CONTROLFILE: the new control file is mounted."""
        with self.latch:
            self._control = state
            self.clock.advance_to(state.database.checkpoint.scn)
            self.state = InstanceState.MOUNTED
        complete_torn_writes(self)

    def open(self, read_only: bool = False, resetlogs: bool | None = None, read_write: bool = False) -> None:
        """ALTER DATABASE OPEN; see :func:`open_database` for what it does and raises."""
        with self._administering():
            if self.is_open:
                raise OracleError(1531, "a database already open by the instance")
            if not self.mounted:
                raise not_mounted()
            if self._closed:
                raise OracleError(16196, "database has been previously opened and closed")
            open_database(self, read_only, resetlogs, read_write)
            self.opened_at = self.wall_clock.second()

    def refuse_when_busy(self) -> None:
        """Raises ORA-01154 while somebody opens, closes or mounts."""
        if self.administration.locked():
            raise _busy()

    def opened(self, state: InstanceState) -> None:
        """Called by the opening itself when users may come."""
        with self.latch:
            self.state = state
            self.announce()

    # ------------------------------------------------------------ down

    def shutdown(self, mode: str = "immediate") -> None:
        """SHUTDOWN NORMAL, IMMEDIATE (TRANSACTIONAL) or ABORT; sessions are the caller's business.

        Raises ORA-01149 with ORA-01110 when a file is in backup mode and ``mode`` is not abort; the
        instance then stays up.
        """
        if mode == "abort":
            self.abandon("Shutting down instance (abort)")
            return
        with self._administering():
            if self.state is InstanceState.OPEN:
                close_database(self)
                self.log.write("Completed: ALTER DATABASE CLOSE NORMAL")
            if self.media_recovery is not None:
                self.media_recovery.close()
            self.abandon("Shutting down instance (orderly)")

    def close(self) -> None:
        """ALTER DATABASE CLOSE: the database stays mounted, and cannot be opened by this instance again
        (ORA-16196). Raises ORA-01507, ORA-01109, and ORA-01149 as :meth:`shutdown`."""
        with self._administering():
            self.require_mounted()
            if not self.is_open:
                raise not_open()
            if self.state is InstanceState.OPEN:
                close_database(self)
            with self.latch:
                self.files.close_all()
                self.state = InstanceState.MOUNTED
                self._closed = True
                self.announce()
        self.log.write("Completed: ALTER DATABASE CLOSE")

    def dismount(self) -> None:
        """ALTER DATABASE DISMOUNT: the instance stays, and cannot mount again (ORA-00750).

        Raises ORA-01507, ORA-01154 while the database is open.
        """
        with self._administering():
            self.require_mounted()
            if self.state is not InstanceState.MOUNTED:
                text = "database busy. Open, close, mount, and dismount not allowed now"
                raise OracleError(1154, text)
            if self.media_recovery is not None:
                self.media_recovery.close()
            with self.latch:
                self._control = None
                self.state = InstanceState.STARTED
                self._dismounted = True
            self.release_mount_lock()
        self.log.write("Completed: ALTER DATABASE DISMOUNT")

    def abandon(self, reason: str = "instance abandoned") -> None:
        """Stop at once: no checkpoint, no redo. What a crash leaves is what this leaves.

        Returns when every background thread has ended.
        """
        self.log.write(reason)
        self.terminate()
        current = threading.current_thread()
        workers = (self.archiver, self.checkpointer, self.database_writer)
        for thread in [worker.thread for worker in workers]:
            if thread is not None and thread is not current:
                thread.join()
        self.redo.join()
        with self.latch:
            self.files.close_all()
            self.release_mount_lock()
            self._control = None

    def announce(self) -> None:
        """Tell everybody who waits that something changed; call under the latch."""
        self.changed.notify_all()
        self.redo.wake()

    def terminate(self, culprit: str = "") -> None:
        """Mark the instance as down and wake everybody; also called by a background thread that failed."""
        if culprit:
            self.log.write(f"{culprit}: terminating the instance due to error")
        self.terminated.set()
        self.faults.end()
        self.disk.suspension.end()
        with self.latch:
            self.state = InstanceState.SHUTDOWN
            self.announce()
            self.blocks_dirty.notify_all()
            self.checkpointer.wake()

    # ------------------------------------------------------------ helpers

    def take_mount_lock(self) -> None:
        """Raises ORA-01102 while another instance has the database mounted."""
        self._mount_lock = MountLock(self.home.mount_lock)

    def release_mount_lock(self) -> None:
        """Give the database up for other instances."""
        if self._mount_lock is not None:
            self._mount_lock.release()
            self._mount_lock = None

    def _datafile_record(self, file_number: int) -> DatafileRecord | None:
        return None if self._control is None else self._control.datafile(file_number)

    def _require_started(self) -> None:
        if self.mounted:
            raise OracleError(1100, "database already mounted")
        if self.state is not InstanceState.STARTED:
            raise OracleError(1034, "ORACLE not available")
        if self._dismounted:
            raise OracleError(750, "database has been previously mounted and dismounted")

    def _administering(self) -> _Administration:
        return _Administration(self.administration)


def _busy() -> OracleError:
    return OracleError(1154, "database busy. Open, close, mount, and dismount not allowed now")


class _Administration:
    """Only one of open, close, mount and shutdown at a time: ORA-01154 for the second."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise _busy()

    def __exit__(self, *_exception: object) -> None:
        self._lock.release()
