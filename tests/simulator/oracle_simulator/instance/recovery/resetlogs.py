# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OPEN RESETLOGS: a new incarnation of the database, its redo beginning again at sequence 1."""

from __future__ import annotations

import dataclasses
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.archiving.archiver import ArchiveFailed
from oracle_simulator.instance.container import SEED
from oracle_simulator.instance.control_file.control import (
    CURRENT,
    NOT_ALLOWED,
    ControlState,
    DatabaseRecord,
    DatafileRecord,
    IncarnationRecord,
    RedoGroup,
)
from oracle_simulator.instance.faults import Step
from oracle_simulator.instance.headers import WrongFile, identify
from oracle_simulator.instance.messages import cannot_identify, datafile_line, needs_media_recovery
from oracle_simulator.instance.redo.redo_groups import begin_group, empty_group, log_header, recreate_members
from oracle_simulator.instance.redo.thread_states import instance_name
from oracle_simulator.storage.datafile import Datafile, DatafileHeader, HeaderStatus
from oracle_simulator.storage.datafile_header import FUZZY, Checkpoint
from oracle_simulator.storage.log_header import LogHeader, RedoCorrupt
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_log import closed, read_log_header, read_records

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_FIRST_BLOCK = 2


def reset_logs(instance: Instance) -> None:
    """Turn a mounted, recovered database into a new incarnation, cleanly closed and ready to open.

    Accessible online logs that were not archived are archived first; missing ones are made anew.
    Raises ORA-01245 for an offline file that would be lost, ORA-01195, ORA-01194, ORA-01152 or ORA-01113
    with ORA-01110 for a file that is not consistent with the others, ORA-01157, ORA-01190, ORA-38856 for an
    enabled redo thread without logs, ORA-00344 when a log can't be made.
    """
    control = instance.control
    database = control.database
    headers = _verified_headers(instance)
    stop = database.recovery_stop_scn or max(header.checkpoint.scn for _record, header in headers)
    problem = first_inconsistency(instance, stop)
    if problem is not None:
        raise problem
    _settle_threads(instance)
    if database.log_mode == "ARCHIVELOG":
        archive_online_logs(instance)
    now = instance.wall_clock.second()
    scn = stop + 1
    resetlogs_id = max(encode_time(now), database.resetlogs_id + 1)
    with instance.latch:
        before = control.to_dict()
        _begin_incarnation(instance, scn, resetlogs_id)
        instance.clock.advance_to(scn)
        enabled = control.enabled_threads
    threads = [record for record in control.threads if record.enabled != "DISABLED"]
    checkpoints = {
        record.thread: Checkpoint(scn, now, record.thread, 1, _FIRST_BLOCK, 16, enabled) for record in threads
    }
    checkpoint = checkpoints[threads[0].thread]
    try:
        with instance.faults.steps.at(Step.RESETLOGS_LOGS):
            _recreate_logs(instance, scn, now)
        for record, header in headers:
            with instance.faults.steps.at(Step.RESETLOGS_HEADER, record.file_number):
                _rewrite_header(instance, record, header, checkpoint)
    except OracleError:
        # The statement may be repeated when the cause is gone, also without a new mount.
        instance.use_control(ControlState.from_dict(before))
        raise
    with instance.latch:
        database.control_file_type = CURRENT
        database.open_resetlogs = NOT_ALLOWED
        database.recovery_stop_scn = 0
        database.checkpoint = checkpoint
        database.controlfile_scn = database.controlfile_time = None
        for thread in control.threads:
            thread.status = "CLOSED"
            thread.sequence = 1 if thread.thread in checkpoints else 0
            thread.checkpoint = checkpoints.get(thread.thread, Checkpoint())
            thread.enabled_scn = thread.disabled_scn = 0
        for record, _header in headers:
            record.checkpoint, record.stop_scn, record.in_backup = checkpoint, scn, False
    with instance.faults.steps.at(Step.RESETLOGS_CONTROL_FILE):
        instance.save_control()
    instance.log.write(f"RESETLOGS after recovery UNTIL CHANGE {stop} time {now}", f"Resetlogs change {scn}")


def _settle_threads(instance: Instance) -> None:
    """Every enabled redo thread goes on with the new incarnation: raises ORA-38856 for one that has not the
    two logs it needs. With ``_no_recovery_through_resetlogs`` it is disabled instead (a database of several
    instances restored as one of a single instance)."""
    control = instance.control
    for record in control.threads:
        if record.enabled == "DISABLED" or len(control.groups_of(record.thread)) >= 2:
            continue
        if instance.parameters.get("_no_recovery_through_resetlogs").upper() != "TRUE":
            name = instance_name(instance.home.sid, record.thread)
            text = f"cannot mark instance {name} (redo thread {record.thread}) as enabled"
            raise OracleError(38856, text)
        with instance.latch:
            record.enabled = "DISABLED"


def first_inconsistency(instance: Instance, stop_scn: int) -> OracleError | None:
    """Why OPEN RESETLOGS at ``stop_scn`` would fail, for the first file that would make it; None if it works."""
    for record in sorted(instance.control.datafiles, key=lambda record: record.file_number):
        if not record.online:
            continue
        try:
            header = identify(instance, record)
        except WrongFile as exc:
            return exc.error
        if _reset_before(header, instance.control.database):
            continue
        line = datafile_line(record)
        number = record.file_number
        if header.in_backup:
            return OracleError(
                1195, f"online backup of file {number} needs more recovery to be consistent", line
            )
        if header.fuzzy:
            return OracleError(1194, f"file {number} needs more recovery to be consistent", line)
        if record.enabled == "READ ONLY" and header.checkpoint.scn <= stop_scn:
            continue
        if record.con_id >= SEED and header.checkpoint.scn == record.stop_scn and record.stop_scn <= stop_scn:
            continue  # of a container that was closed at that point
        if header.checkpoint.scn > stop_scn:
            return OracleError(1152, f"file {number} was not restored from a sufficiently old backup", line)
        if header.checkpoint.scn < stop_scn:
            return needs_media_recovery(record)
    return None


def archive_online_logs(instance: Instance) -> None:
    """Archive what is in accessible online logs of this incarnation and not archived yet."""
    control = instance.control
    database = control.database
    archived = {(log.resetlogs_id, log.thread, log.sequence) for log in control.archived_logs if log.name}
    for group in control.redo_groups:
        found = online_log_to_archive(instance, group)
        if found is None or (database.resetlogs_id, found[1].thread, found[1].sequence) in archived:
            continue
        path, header = found
        try:
            instance.archiver.archive_log(path, header, "FGRD")
        except ArchiveFailed as exc:
            instance.log.error(exc.error, f"RESETLOGS: log {header.sequence} could not be archived")


def online_log_to_archive(instance: Instance, group: RedoGroup) -> tuple[Path, LogHeader] | None:
    """A readable member with redo of this incarnation; its header says where it ends, current or not."""
    database = instance.control.database
    for member in group.valid_members:
        path = Path(member)
        try:
            header = read_log_header(path, disk=instance.disk)
            if (header.dbid, header.resetlogs_id) != (database.dbid, database.resetlogs_id):
                continue
            if not header.current:
                return path, header
            end = deque(read_records(path, disk=instance.disk), maxlen=1)
        except (OSError, RedoCorrupt):
            continue
        if not end:
            continue
        last = end[0]
        return path, closed(header, last.record.scn + 1, last.record.time, last.end_block)
    return None


def _verified_headers(instance: Instance) -> list[tuple[DatafileRecord, DatafileHeader]]:
    """Headers of the online read-write files. Raises for files that are wrong or would be lost."""
    control = instance.control
    database = control.database
    found = []
    for record in sorted(control.datafiles, key=lambda record: record.file_number):
        if not record.online:
            container = control.container(record.con_id)
            left_out = container is not None and not container.recovery_enabled
            quiet = record.enabled == "READ ONLY" or record.offline_normal
            if not (quiet or left_out or record.given_up):
                text = f"offline file {record.file_number} will be lost if RESETLOGS is done"
                raise OracleError(1245, text, datafile_line(record))
            continue
        try:
            header = identify(instance, record)
        except WrongFile as exc:
            raise exc.error from exc
        if record.enabled == "READ ONLY":
            continue
        here = (database.resetlogs_scn, database.resetlogs_id)
        if (header.resetlogs_scn, header.resetlogs_id) != here and not _reset_before(header, database):
            text = f"control file or data file {record.file_number} is from before the last RESETLOGS"
            raise OracleError(1190, text, datafile_line(record))
        found.append((record, header))
    return found


def _reset_before(header: DatafileHeader, database: DatabaseRecord) -> bool:
    """Whether a RESETLOGS from the same place, which did not come to its end, has reached this file."""
    prior = (header.prior_resetlogs_scn, header.prior_resetlogs_id)
    same_parent = prior == (database.resetlogs_scn, database.resetlogs_id)
    return same_parent and header.resetlogs_scn == database.recovery_stop_scn + 1


def _begin_incarnation(instance: Instance, scn: int, resetlogs_id: int) -> None:
    control = instance.control
    database = control.database
    parent = control.incarnation(database.resetlogs_scn, database.resetlogs_id)
    if parent is not None:
        parent.status = "PARENT"
    control.incarnations.append(
        IncarnationRecord(
            number=max((record.number for record in control.incarnations), default=0) + 1,
            resetlogs_scn=scn,
            resetlogs_id=resetlogs_id,
            prior_resetlogs_scn=database.resetlogs_scn,
            prior_resetlogs_id=database.resetlogs_id,
            prior_number=parent.number if parent else 0,
        )
    )
    database.prior_resetlogs_scn, database.prior_resetlogs_id = database.resetlogs_scn, database.resetlogs_id
    database.resetlogs_scn, database.resetlogs_id = scn, resetlogs_id


def _recreate_logs(instance: Instance, scn: int, now: datetime) -> None:
    """Every group new and empty; the first of each enabled thread is current with sequence 1.

    Raises ORA-00344.
    """
    control = instance.control
    disabled = [record.thread for record in control.threads if record.enabled == "DISABLED"]
    started: set[int] = set(disabled)
    for group in sorted(control.redo_groups, key=lambda group: group.group):
        first = group.thread not in started
        started.add(group.thread)
        header = log_header(instance, group, 1, scn, now) if first else None
        recreate_members(instance, group, header)
        empty_group(group)
        if first:
            begin_group(group, 1, scn, now)


def _rewrite_header(
    instance: Instance, record: DatafileRecord, header: DatafileHeader, checkpoint: Checkpoint
) -> None:
    database = instance.control.database
    try:
        with Datafile.open(record.path, disk=instance.disk) as datafile:
            datafile.write_header(
                dataclasses.replace(
                    header,
                    db_name=database.name,
                    resetlogs_scn=database.resetlogs_scn,
                    resetlogs_id=database.resetlogs_id,
                    prior_resetlogs_scn=database.prior_resetlogs_scn,
                    prior_resetlogs_id=database.prior_resetlogs_id,
                    checkpoint=checkpoint,
                    checkpoint_count=header.checkpoint_count + 1,
                    control_file_sequence=instance.control_files.durable_sequence,
                    status=header.status & ~(FUZZY | HeaderStatus.RESETLOGS_UNFINISHED),
                )
            )
            datafile.fsync()
    except OSError as exc:
        raise cannot_identify(record) from exc
