# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARCn: copies of full online logs in the archive destinations."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.archiving.archive_copy import CopyFailed, copy_log
from oracle_simulator.instance.archiving.archive_destinations import (
    ArchiveDestination,
    DestinationBoard,
    DestinationStatus,
    destinations,
)
from oracle_simulator.instance.archiving.archive_lag import switch_late_logs
from oracle_simulator.instance.archiving.archived_log_upkeep import forget_file
from oracle_simulator.instance.control_file.control import ArchivedLogRecord, RedoGroup
from oracle_simulator.instance.faults import Step
from oracle_simulator.instance.messages import os_lines, terminated
from oracle_simulator.instance.redo.redo_groups import member_lines
from oracle_simulator.storage.disk import Disk
from oracle_simulator.storage.log_header import LogHeader, RedoCorrupt
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_log import read_log_header

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_RETRY_SECONDS = 5.0  # for a log that cannot be read: another redo thread may have one that can


class ArchiveFailed(Exception):
    """Too few destinations took a log; ``error`` is the stack for the alert log."""

    def __init__(self, error: OracleError) -> None:
        super().__init__(error.message)
        self.error = error


class Archiver:
    """The archiver process, and archiving on behalf of a session."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._archiving = threading.Lock()
        self._board = DestinationBoard()
        self._faults_seen = 0
        self._retry_wanted = False
        self._stopping = False
        self.failed = False
        self.busy_with: int | None = None
        self.thread: threading.Thread | None = None

    @property
    def status(self) -> str:
        """``V$INSTANCE.ARCHIVER``: STOPPED, STARTED or FAILED."""
        if self.thread is None or not self.thread.is_alive():
            return "STOPPED"
        return "FAILED" if self.failed else "STARTED"

    @property
    def stuck(self) -> bool:
        """Whether ordinary logins get ORA-00257: redo cannot go on for want of archiving."""
        return self.failed and self._instance.log_switch_wait == "ARCHIVE LOG"

    @property
    def destinations(self) -> list[ArchiveDestination]:
        """The destinations the parameters describe, in order of DEST_ID."""
        return destinations(self._instance.parameters, self._instance.home)

    @property
    def destinations_in_use(self) -> list[ArchiveDestination]:
        """Those that a log is copied to now: enabled ones, and alternates of disabled ones."""
        return self._board.in_use(self.destinations)

    def destination(self, dest_id: int) -> DestinationStatus:
        """How a destination has fared."""
        return self._board.status(dest_id)

    def start(self) -> None:
        """Start the thread; in NOARCHIVELOG mode there is none."""
        if self._instance.control.database.log_mode == "ARCHIVELOG":
            self.thread = threading.Thread(target=self._run, name="ARC0", daemon=True)
            self.thread.start()

    def stop(self) -> None:
        """End the thread, also in the middle of a copy; call without the latch."""
        self._stopping = True
        self._instance.faults.wake()
        with self._instance.latch:
            self._instance.announce()
        if self.thread is not None:
            self.thread.join()

    def enable(self, dest_id: int) -> None:
        """An administrator set a destination or its state again: whatever failed there is forgotten."""
        with self._instance.latch:
            self._board.enable(dest_id)
        self.retry()

    def retry(self) -> None:
        """What kept logs from being archived may be gone: try again now, not when REOPEN has passed."""
        with self._instance.latch:
            self._board.reopen_all()
            self._retry_wanted = True
        self._instance.faults.wake()

    def unarchived(self) -> list[RedoGroup]:
        """Full groups that are not archived, oldest first; call under the latch."""
        groups = self._instance.control.redo_groups
        waiting = [group for group in groups if group.status in ("ACTIVE", "INACTIVE") and not group.archived]
        return sorted(waiting, key=lambda group: (group.first_scn, group.thread))

    def required_copies_made(self, group: RedoGroup) -> bool:
        """Whether every mandatory destination and LOG_ARCHIVE_MIN_SUCCEED_DEST in all have the log of a group.

        Call under the latch.
        """
        return self._suffices(self._dest_ids_with(group.thread, group.sequence))

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        finished = False
        try:
            self._loop()
            finished = True
        finally:
            if not finished:
                self._instance.terminate("ARC0")

    def _loop(self) -> None:
        instance = self._instance
        while True:
            with instance.latch:
                while not self._ended and not self.unarchived():
                    self.failed = False  # what could not be archived was cleared
                    instance.changed.wait(switch_late_logs(instance))
                if self._ended:
                    return
                # A log that cannot be read holds up its own redo thread only.
                groups = {group.thread: group for group in reversed(self.unarchived())}
            if instance.faults.archiver_stopped:
                self._wait_for_change(None)
                continue
            failure: OracleError | None = None
            before = self.failed
            for group in groups.values():
                try:
                    self.archive_group(group)
                except ArchiveFailed as exc:
                    failure = failure or exc.error
                except OracleError:
                    if not self._ended:
                        raise
                    return
            if failure is not None:
                if not before:
                    instance.log.error(failure, f"ORACLE Instance {instance.home.sid} - Archival Error")
                with instance.latch:
                    self.failed = True
                    instance.announce()
                again = self._board.next_try()
                self._wait_for_change(_RETRY_SECONDS if again is None else again)

    @property
    def _ended(self) -> bool:
        return self._stopping or self._instance.terminated.is_set()

    def _wait_for_change(self, seconds: float | None) -> None:
        """Wait for a change of the faults or of the parameters, at most until a destination is due again."""
        faults = self._instance.faults
        before = faults.version
        with faults.changed:
            faults.changed.wait_for(
                lambda: self._ended or self._retry_wanted or faults.version != before, seconds
            )
        self._retry_wanted = False

    # ------------------------------------------------------------ archiving

    def archive_group(self, group: RedoGroup, creator: str = "ARCH", to: str | None = None) -> None:
        """Archive one full group unless that is done; call without the latch.

        ``to`` is a folder to use instead of the destinations. Raises ArchiveFailed, ORA-01092 when the
        instance (or the archiver) ends meanwhile.
        """
        instance = self._instance
        with self._archiving:
            with instance.latch:
                if group.archived or group.status not in ("ACTIVE", "INACTIVE"):
                    return
                sequence, members = group.sequence, group.valid_members
                self.busy_with = sequence
            try:
                source, header = _readable_member(group, members, instance.disk)
                self.archive_log(source, header, creator, to)
            finally:
                self.busy_with = None
            with instance.latch:
                group.archived = True
                self.failed = False
            with instance.faults.steps.at(Step.ARCHIVE_CONTROL_FILE):
                instance.save_control()
            with instance.latch:
                instance.announce()

    def archive_log(self, source: Path, header: LogHeader, creator: str, to: str | None = None) -> None:
        """Copy a full log to every destination in use that does not have it, mandatory ones first.

        Each copy is in V$ARCHIVED_LOG as soon as it is complete. Raises ArchiveFailed when a mandatory
        destination, or too many others, did not take it; a destination that is optional then misses the
        log for ever when the others suffice.
        """
        failure: OracleError | None = None
        for destination in self._due(header) if to is None else [ArchiveDestination(0, to)]:
            try:
                target = self._target(destination, header)
                with self._instance.faults.steps.at(Step.ARCHIVE_COPY):
                    copy_log(source, header, target, self._instance.disk, partial(self._step, destination))
            except CopyFailed as exc:
                failure = exc.error
                self._note_failure(destination, header, exc.error)
                continue
            self._register(destination, target, header, creator)
        if to is not None and failure is None:
            return
        with self._instance.latch:
            enough = to is None and self._suffices(self._dest_ids_with(header.thread, header.sequence))
        if not enough:
            raise ArchiveFailed(_not_archived(header, source, failure))

    def _target(self, destination: ArchiveDestination, header: LogHeader) -> Path:
        """Where a copy goes. Raises CopyFailed when the recovery area has no room for it, ORA-12154 for a
        remote destination."""
        instance = self._instance
        if destination.remote:
            # No other host can be reached from here.
            text = "TNS:could not resolve the connect identifier specified"
            raise CopyFailed(OracleError(12154, text))
        if not destination.in_recovery_area:
            name = instance.parameters.archived_log_name(header.thread, header.sequence, header.resetlogs_id)
            return destination.file(name)
        assert header.next_available_block is not None
        try:
            with instance.latch:
                for log in instance.recovery_area.make_room(header.next_available_block * header.block_size):
                    instance.log.write(f"Deleted Oracle managed file {log.name}")
                    forget_file(log)
                return instance.recovery_area.archived_log_name(header.thread, header.sequence)
        except OracleError as exc:
            raise CopyFailed(exc) from exc
        except OSError as exc:
            raise CopyFailed(OracleError(19504, 'failed to create file ""', *os_lines(exc))) from exc

    def _due(self, header: LogHeader) -> list[ArchiveDestination]:
        """The destinations to copy a log to now."""
        with self._instance.latch:
            if self._faults_seen != self._instance.faults.version:
                self._faults_seen = self._instance.faults.version
                self._board.reopen_all()
            have = self._dest_ids_with(header.thread, header.sequence)
            return [
                destination
                for destination in self.destinations_in_use
                if destination.dest_id not in have and self._board.status(destination.dest_id).may_be_tried()
            ]

    def _dest_ids_with(self, thread: int, sequence: int) -> set[int]:
        """The destinations that have got a log of this incarnation, whatever became of the file since."""
        control = self._instance.control
        wanted = (control.database.resetlogs_id, thread, sequence)
        return {
            log.dest_id
            for log in control.archived_logs
            if (log.resetlogs_id, log.thread, log.sequence) == wanted
        }

    def _suffices(self, have: set[int]) -> bool:
        missing = [d for d in self.destinations_in_use if d.mandatory and d.dest_id not in have]
        wanted = max(1, self._instance.parameters.integer("log_archive_min_succeed_dest"))
        return not missing and len(have) >= wanted

    def _step(self, destination: ArchiveDestination, steps: int) -> None:
        """The faults of a destination: slow, or failing with an operating system's error."""
        faults = self._instance.faults
        faults.steps.reached(Step.ARCHIVE_PIECE)
        seconds = faults.destination_delay(destination.dest_id) / steps if steps else 0.0
        if seconds > 0 and not self._ended:
            with faults.changed:
                faults.changed.wait_for(lambda: self._ended, seconds)
        if self._ended:
            raise terminated()
        text = faults.destination_error(destination.dest_id)
        if text is not None:
            raise OSError(errno.ENOSPC, text)

    def _note_failure(self, destination: ArchiveDestination, header: LogHeader, error: OracleError) -> None:
        now = self._instance.wall_clock.second()
        with self._instance.latch:
            self._board.note_failure(destination, header.sequence, error.lines[0], now)
        self._instance.log.error(error, f"ARC0: Error {error.code} Creating archive log file")

    def _register(
        self, destination: ArchiveDestination, target: Path, header: LogHeader, creator: str
    ) -> None:
        now = self._instance.wall_clock.second()
        assert header.next_available_block is not None and header.next_scn is not None
        instance = self._instance
        with instance.latch:
            record = ArchivedLogRecord(
                recid=instance.control.take_recid(),
                stamp=encode_time(now),
                name=str(target),
                dest_id=destination.dest_id,
                thread=header.thread,
                sequence=header.sequence,
                resetlogs_scn=header.resetlogs_scn,
                resetlogs_id=header.resetlogs_id,
                first_scn=header.first_scn,
                first_time=header.first_time,
                next_scn=header.next_scn,
                next_time=header.next_time,
                blocks=header.next_available_block - 1,
                block_size=header.block_size,
                completion_time=now,
                creator=creator,
                registrar=creator,
                in_recovery_area=destination.in_recovery_area,
            )
            instance.control.archived_logs.append(record)
            self._board.note_success(destination.dest_id, header.sequence)
            if destination.in_recovery_area:
                instance.recovery_area.warn()
        instance.save_control()
        with instance.latch:
            instance.announce()
        log = f"T-{record.thread}.S-{record.sequence}"
        instance.log.write(f"Archived Log entry {record.recid} added for {log} LAD:{record.dest_id}")


def archive_now(
    instance: Instance,
    groups: list[RedoGroup],
    cancelled: Callable[[], bool] | None = None,
    to: str | None = None,
) -> None:
    """Archive these groups in the calling session. Raises ORA-16038 and what made it fail, ORA-01013."""
    for group in groups:
        if cancelled is not None and cancelled():
            raise OracleError(1013, "user requested cancel of current operation")
        try:
            instance.archiver.archive_group(group, "FGRD", to)
        except ArchiveFailed as exc:
            raise exc.error from exc


def _readable_member(group: RedoGroup, members: list[str], disk: Disk) -> tuple[Path, LogHeader]:
    for member in members:
        try:
            header = read_log_header(member, disk=disk)
        except (OSError, RedoCorrupt):
            continue
        if header.sequence == group.sequence and not header.current:
            return Path(member), header
    text = f"log {group.group} sequence# {group.sequence} cannot be archived"
    raise ArchiveFailed(OracleError(16038, text, *member_lines(group)))


def _not_archived(header: LogHeader, source: Path, cause: OracleError | None) -> OracleError:
    """ORA-16038 above what went wrong, ORA-16014 when no destination was even tried; both name the log."""
    named = (312, f"online log {header.group} thread {header.thread}: '{source}'")
    log = f"log {header.group} sequence# {header.sequence}"
    if cause is None:
        return OracleError(16014, f"{log} not archived, no available destinations", named)
    return OracleError(16038, f"{log} cannot be archived", (cause.code, cause.text), *cause.more, named)
