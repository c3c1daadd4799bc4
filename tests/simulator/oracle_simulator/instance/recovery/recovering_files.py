# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files under media recovery: which they are, how their headers advance, how their recovery ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import DatafileRecord, IncarnationRecord
from oracle_simulator.instance.headers import WrongFile, identify
from oracle_simulator.instance.messages import cannot_identify, datafile_line
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.instance.recovery.recovery_apply import Target
from oracle_simulator.instance.recovery.recovery_logs import is_ancestor, next_incarnation
from oracle_simulator.storage.datafile import Datafile, DatafileHeader, HeaderStatus
from oracle_simulator.storage.datafile_header import FUZZY, Checkpoint

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


class RecoveringFile(Target):
    """A datafile under media recovery. ``status`` is what its header will say next.

    Redo before the checkpoint of the header is not for the file; a file newer than the rest waits until
    recovery reaches it. ``stop_scn`` is set for a file whose redo ended there (offline, read only, closed).
    """

    def __init__(self, instance: Instance, file: OpenFile, header: DatafileHeader) -> None:
        super().__init__(file, header.checkpoint.scn, file.record.stop_scn)
        self._instance = instance
        self.header = header
        self.status = header.status

    @property
    def number(self) -> int:
        return self.file.record.file_number

    def consistent_at(self, scn: int) -> bool:
        """Whether the file holds exactly what was changed before ``scn``, when redo up to there is applied."""
        newest = max(self.header.checkpoint.scn, self.header.recovery_fuzzy_scn)
        return newest <= scn and not self.status & (HeaderStatus.HOT_BACKUP | HeaderStatus.ONLINE_FUZZY)

    def end_backup(self, begin_scn: int) -> None:
        """The end-backup redo of the window this copy is from has been reached."""
        if self.header.in_backup and self.header.begin_backup_scn == begin_scn:
            self.status &= ~HeaderStatus.HOT_BACKUP

    def closed_clean(self) -> None:
        """All that was in memory is in the redo before this point: no block can be newer than it."""
        self.status &= ~HeaderStatus.ONLINE_FUZZY

    def mark_fuzzy(self, scn: int) -> None:
        """Blocks with redo up to ``scn`` are about to be written, which the header's checkpoint does not
        cover. A recovery that is broken off then leaves the file fuzzy up to there."""
        marked = bool(self.header.status & HeaderStatus.MEDIA_RECOVERY_FUZZY)
        if not marked or self.header.recovery_fuzzy_scn < scn:
            self.header = dataclasses.replace(self.header, recovery_fuzzy_scn=scn)
            self._write(self.header.checkpoint, self.header.status | HeaderStatus.MEDIA_RECOVERY_FUZZY)

    def advance(self, checkpoint: Checkpoint, incarnation: IncarnationRecord) -> None:
        """All redo before ``checkpoint`` is in the file. It is no longer fuzzy from recovery when nothing
        later can be, from this recovery or from one that was broken off earlier."""
        if checkpoint.scn < self.header.checkpoint.scn:
            return
        status = self.status | (self.header.status & HeaderStatus.MEDIA_RECOVERY_FUZZY)
        if checkpoint.scn > self.header.recovery_fuzzy_scn:
            status &= ~HeaderStatus.MEDIA_RECOVERY_FUZZY
        if self.stop_scn is not None and checkpoint.scn >= self.stop_scn:
            checkpoint = dataclasses.replace(checkpoint, scn=self.stop_scn)
            status &= ~FUZZY
            with self._instance.latch:
                self.file.record.checkpoint = checkpoint
        self._write(checkpoint, status, incarnation)

    def finish(self, end: Checkpoint, incarnation: IncarnationRecord) -> None:
        """The end of all redo for this file: it is whole, whatever its header said."""
        stop = end.scn if self.stop_scn is None else self.stop_scn
        self.stop_scn = stop
        end = dataclasses.replace(end, scn=max(stop, self.header.checkpoint.scn))
        self._write(end, self.status & ~FUZZY, incarnation)
        record = self.file.record
        with self._instance.latch:
            record.checkpoint = end
            record.checkpoint_count = self.header.checkpoint_count
            record.stop_scn, record.stop_time = end.scn, end.time
            record.in_backup = False
            record.blocks = self.header.blocks
            if record.status == "RECOVER":
                record.status = "OFFLINE"

    def resize(self, blocks: int) -> None:
        """The file had ``blocks`` blocks from here on."""
        self.file.datafile.resize(blocks)
        self.header = self.file.datafile.read_header()

    def _write(
        self, checkpoint: Checkpoint, status: HeaderStatus, incarnation: IncarnationRecord | None = None
    ) -> None:
        header = dataclasses.replace(
            self.header,
            checkpoint=checkpoint,
            status=status,
            checkpoint_count=self.header.checkpoint_count + 1,
            control_file_sequence=self._instance.control_files.durable_sequence,
        )
        if incarnation is not None:
            header = dataclasses.replace(
                header,
                resetlogs_scn=incarnation.resetlogs_scn,
                resetlogs_id=incarnation.resetlogs_id,
                prior_resetlogs_scn=incarnation.prior_resetlogs_scn,
                prior_resetlogs_id=incarnation.prior_resetlogs_id,
            )
        self.file.datafile.write_header(header)
        self.file.datafile.fsync()
        self.header = header
        if not header.status & HeaderStatus.MEDIA_RECOVERY_FUZZY:
            self.status &= ~HeaderStatus.MEDIA_RECOVERY_FUZZY


class FileOnTrial(RecoveringFile):
    """A datafile under trial recovery: its header changes in memory only."""

    def mark_fuzzy(self, scn: int) -> None:
        """Nothing is about to be written."""

    def advance(self, checkpoint: Checkpoint, incarnation: IncarnationRecord) -> None:
        """As far as recovery would have come."""
        self.header = dataclasses.replace(self.header, checkpoint=checkpoint)


def open_for_recovery(
    instance: Instance,
    records: Iterable[DatafileRecord],
    using_backup_control_file: bool,
    trial: bool = False,
) -> list[RecoveringFile]:
    """Identify and open files to recover. Raises ORA-01157, ORA-01122 and a reason, ORA-19909, ORA-01190,
    ORA-01233, each naming the file."""
    control = instance.control
    kind = FileOnTrial if trial else RecoveringFile
    found: list[RecoveringFile] = []
    try:
        for record in records:
            if using_backup_control_file and record.enabled == "READ ONLY":
                text = f"file {record.file_number} is read only - cannot recover using backup control file"
                raise OracleError(1233, text, datafile_line(record))
            header = identify(instance, record)
            incarnation = control.incarnation(header.resetlogs_scn, header.resetlogs_id)
            line = datafile_line(record)
            if incarnation is None:
                text = f"control file or data file {record.file_number} is from before the last RESETLOGS"
                raise OracleError(1190, text, line)
            child = next_incarnation(control, incarnation)
            behind = child is not None and header.checkpoint.scn >= child.resetlogs_scn
            if behind or not is_ancestor(control, incarnation):
                raise OracleError(
                    19909, f"datafile {record.file_number} belongs to an orphan incarnation", line
                )
            tablespace = control.tablespace_of(record)
            bigfile = tablespace is not None and tablespace.bigfile
            found.append(
                kind(
                    instance,
                    OpenFile(record, Datafile.open(record.path, disk=instance.disk), bigfile),
                    header,
                )
            )
    except (WrongFile, OSError, OracleError) as exc:
        close_files(found)
        if isinstance(exc, WrongFile):
            raise exc.error from exc
        if isinstance(exc, OSError):
            raise cannot_identify(record) from exc
        raise
    return found


def close_files(files: Iterable[RecoveringFile]) -> None:
    """Close the descriptors."""
    for file in files:
        file.file.datafile.close()


def needs_recovery(file: RecoveringFile) -> bool:
    """Whether complete recovery has anything to do for a file: not when it is at its stop SCN, unfuzzy."""
    stop = file.file.record.stop_scn
    return stop is None or file.header.fuzzy or file.header.checkpoint.scn < stop
