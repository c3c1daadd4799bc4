# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARCn: copies of full online logs in the archive destinations."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control import ArchivedLogRecord, RedoGroup
from oracle_simulator.instance.messages import os_lines, terminated
from oracle_simulator.instance.parameters import ArchiveDestination
from oracle_simulator.storage.log_header import LogHeader, RedoCorrupt
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_log import (
    archived_copy_plan,
    finish_archived_copy,
    read_log_header,
)

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_CHUNK_BYTES = 64 << 10
_RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class DestinationStatus:
    """What ``V$ARCHIVE_DEST`` tells of a destination beyond its parameters."""

    error: str | None = None
    fail_time: datetime | None = None
    fail_sequence: int = 0
    log_sequence: int = 0


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
        self._destinations: dict[int, DestinationStatus] = {}
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
        return self.failed and self._instance.log_writer.switch_wait == "ARCHIVE LOG"

    def destination(self, dest_id: int) -> DestinationStatus:
        """How a destination has fared."""
        return self._destinations.get(dest_id, DestinationStatus())

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

    def unarchived(self) -> list[RedoGroup]:
        """Full groups that are not archived, oldest first; call under the latch."""
        groups = self._instance.control.redo_groups
        waiting = [group for group in groups if group.status in ("ACTIVE", "INACTIVE") and not group.archived]
        return sorted(waiting, key=lambda group: group.sequence)

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
                    instance.changed.wait()
                if self._ended:
                    return
                group = self.unarchived()[0]
            if instance.faults.archiver_stopped:
                self._wait_for_fault_change(None)
                continue
            try:
                self.archive_group(group)
            except ArchiveFailed as exc:
                with instance.latch:
                    repeated, self.failed = self.failed, True
                    instance.announce()
                if not repeated:
                    instance.log.error(exc.error, "ARC0: archiving failed")
                self._wait_for_fault_change(_RETRY_SECONDS)
            except OracleError:
                if not self._ended:
                    raise
                return

    @property
    def _ended(self) -> bool:
        return self._stopping or self._instance.terminated.is_set()

    def _wait_for_fault_change(self, seconds: float | None) -> None:
        faults = self._instance.faults
        before = faults.version
        with faults.changed:
            faults.changed.wait_for(lambda: self._ended or faults.version != before, seconds)

    # ------------------------------------------------------------ archiving

    def archive_group(self, group: RedoGroup, creator: str = "ARCH") -> None:
        """Archive one full group unless that is done; call without the latch.

        Raises ArchiveFailed, ORA-01092 when the instance (or the archiver) ends meanwhile.
        """
        instance = self._instance
        with self._archiving:
            with instance.latch:
                if group.archived or group.status not in ("ACTIVE", "INACTIVE"):
                    return
                sequence, members = group.sequence, list(group.members)
                self.busy_with = sequence
            try:
                source, header = _readable_member(group, members)
                records = self.archive_log(source, header, creator)
            finally:
                self.busy_with = None
            with instance.latch:
                instance.control.archived_logs.extend(records)
                group.archived = True
                self.failed = False
            instance.save_control()
            with instance.latch:
                instance.announce()
        names = [f"Archived Log entry {r.recid} added for T-1.S-{sequence} LAD:{r.dest_id}" for r in records]
        instance.log.write(*names)

    def archive_log(self, source: Path, header: LogHeader, creator: str) -> list[ArchivedLogRecord]:
        """Copy a full log to every destination; returns the records of the copies that worked.

        Raises ArchiveFailed when a mandatory destination, or too many others, failed.
        """
        parameters = self._instance.parameters
        name = parameters.archived_log_name(header.thread, header.sequence, header.resetlogs_id)
        records: list[ArchivedLogRecord] = []
        failure: OracleError | None = None
        mandatory_failed = False
        for destination in parameters.archive_destinations:
            if destination.state != "ENABLE":
                continue
            target = Path(destination.location) / name
            try:
                self._copy(source, header, destination, target)
            except OSError as exc:
                failure = _archive_error(header, source, target, exc)
                mandatory_failed = mandatory_failed or destination.mandatory
                self._note_failure(destination, header, failure)
                continue
            self._destinations[destination.dest_id] = DestinationStatus(log_sequence=header.sequence)
            records.append(self._record(destination, target, header, creator))
        wanted = parameters.integer("log_archive_min_succeed_dest")
        if mandatory_failed or len(records) < wanted:
            raise ArchiveFailed(
                failure or OracleError(16032, "parameter destination string cannot be translated")
            )
        return records

    def _copy(self, source: Path, header: LogHeader, destination: ArchiveDestination, target: Path) -> None:
        plan = archived_copy_plan(header)
        self._fail_if_told(destination)
        descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(descriptor, plan.block_zero, 0)
            os.pwrite(descriptor, header.encode(), header.block_size)
            start = 2 * header.block_size
            offsets = range(start, plan.size_bytes, _CHUNK_BYTES)
            pause = self._instance.faults.archiver_delay / (len(offsets) + 1)
            self._pause(pause)
            with source.open("rb") as stream:
                for offset in offsets:
                    self._fail_if_told(destination)
                    stream.seek(offset)
                    os.pwrite(descriptor, stream.read(min(_CHUNK_BYTES, plan.size_bytes - offset)), offset)
                    self._pause(pause)
            finish_archived_copy(descriptor, plan)
        finally:
            os.close(descriptor)

    def _pause(self, seconds: float) -> None:
        faults = self._instance.faults
        if seconds > 0 and not self._ended:
            with faults.changed:
                faults.changed.wait_for(lambda: self._ended, seconds)
        if self._ended:
            raise terminated()

    def _fail_if_told(self, destination: ArchiveDestination) -> None:
        text = self._instance.faults.destination_error(destination.dest_id)
        if text is not None:
            raise OSError(errno.ENOSPC, text)

    def _note_failure(self, destination: ArchiveDestination, header: LogHeader, error: OracleError) -> None:
        self._destinations[destination.dest_id] = DestinationStatus(
            error=error.lines[-1].splitlines()[0],
            fail_time=datetime.now().replace(microsecond=0),
            fail_sequence=header.sequence,
            log_sequence=self.destination(destination.dest_id).log_sequence,
        )

    def _record(
        self, destination: ArchiveDestination, target: Path, header: LogHeader, creator: str
    ) -> ArchivedLogRecord:
        now = datetime.now().replace(microsecond=0)
        assert header.next_available_block is not None and header.next_scn is not None
        with self._instance.latch:
            recid = self._instance.control.take_recid()
        return ArchivedLogRecord(
            recid=recid,
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
        )


def archive_now(
    instance: Instance, groups: list[RedoGroup], cancelled: Callable[[], bool] | None = None
) -> None:
    """Archive these groups in the calling session. Raises ORA-16038 and what made it fail, ORA-01013."""
    for group in groups:
        if cancelled is not None and cancelled():
            raise OracleError(1013, "user requested cancel of current operation")
        try:
            instance.archiver.archive_group(group, "FGRD")
        except ArchiveFailed as exc:
            raise exc.error from exc


def _readable_member(group: RedoGroup, members: list[str]) -> tuple[Path, LogHeader]:
    for member in members:
        try:
            header = read_log_header(member)
        except (OSError, RedoCorrupt):
            continue
        if header.sequence == group.sequence and not header.current:
            return Path(member), header
    text = f"log {group.group} sequence# {group.sequence} cannot be archived"
    line = (312, f"online log {group.group} thread {group.thread}: '{members[0]}'")
    raise ArchiveFailed(OracleError(16038, text, line))


def _archive_error(header: LogHeader, source: Path, target: Path, exc: OSError) -> OracleError:
    return OracleError(
        16038,
        f"log {header.group} sequence# {header.sequence} cannot be archived",
        (312, f"online log {header.group} thread {header.thread}: '{source}'"),
        (19504, f'failed to create file "{target}"'),
        *os_lines(exc),
    )
