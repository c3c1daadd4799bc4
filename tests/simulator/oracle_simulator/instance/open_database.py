# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER DATABASE OPEN and the orderly close."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.changes import write_markers
from oracle_simulator.instance.cache.checkpoint import advance_header
from oracle_simulator.instance.cache.torn_writes import forget_torn_writes
from oracle_simulator.instance.container import SEED
from oracle_simulator.instance.control_file.control import (
    ALLOWED,
    BACKUP,
    CREATED,
    CURRENT,
    NOT_ALLOWED,
    REQUIRED,
)
from oracle_simulator.instance.headers import Need, WrongFile, check_incarnation, identify, recovery_need
from oracle_simulator.instance.media_failure import header_of
from oracle_simulator.instance.messages import (
    backup_mode_unfinished,
    cannot_identify,
    datafile_line,
    needs_media_recovery,
)
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.instance.recovery.crash_recovery import (
    EndOfRedo,
    crashed_threads,
    readable_member,
    recover_threads,
    unfinished_switch,
)
from oracle_simulator.instance.recovery.recovery_markers import ENABLED
from oracle_simulator.instance.recovery.resetlogs import reset_logs
from oracle_simulator.instance.redo.thread_states import (
    begin_new_logs,
    open_thread,
    thread_closed,
    threads_to_open,
)
from oracle_simulator.instance.standby import check_open
from oracle_simulator.instance.state import InstanceState
from oracle_simulator.storage.datafile import Datafile, DatafileHeader, HeaderStatus
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.redo_record import CleanClose

if TYPE_CHECKING:
    from oracle_simulator.instance.control_file.control import DatafileRecord
    from oracle_simulator.instance.instance import Instance


def open_database(
    instance: Instance, read_only: bool, resetlogs: bool | None, read_write: bool = False
) -> None:
    """Open a mounted database: verify its files, recover from a crash, start the writers.

    Raises ORA-01589, ORA-01588 or ORA-01139 when RESETLOGS is due, missing or not allowed, ORA-01157 for
    a file that can't be identified, ORA-01122 and a reason for a wrong one, ORA-10873 for one in backup
    mode since before the crash, ORA-01113 for one that needs recovery, ORA-00313 for a missing log;
    with RESETLOGS also what ``reset_logs`` raises. The database stays mounted then. A standby opens read only
    whatever was said, unless that was READ WRITE (``read_write``): see ``standby.check_open``.
    """
    if instance.media_recovery is not None:
        raise OracleError(1154, "database busy. Open, close, mount, and dismount not allowed now")
    database = instance.control.database
    if database.is_standby:
        check_open(instance, read_write, resetlogs)
        read_only = True
    if resetlogs and not read_only:
        if database.open_resetlogs == NOT_ALLOWED:
            raise OracleError(1139, "RESETLOGS option only valid after an incomplete database recovery")
        reset_logs(instance)
    elif not read_only:
        _refuse_without_resetlogs(database.open_resetlogs, resetlogs)
    try:
        _open_files(instance, read_only)
        crashed = crashed_threads(instance.control)
        end = recover_threads(instance, crashed) if crashed else None
        if end is not None:
            _after_crash(instance, end)
    except OracleError:
        with instance.latch:
            instance.files.close_all()
        raise
    if read_only:
        _let_in(instance, read_only)
        return
    try:
        _start_writing(instance, end.addresses if end is not None else ())
        _let_in(instance, read_only)
    except OracleError as exc:
        instance.log.error(exc, "Errors while opening: instance terminated")
        instance.abandon("open failed: instance terminated")
        raise


def _refuse_without_resetlogs(state: str, resetlogs: bool | None) -> None:
    if state == REQUIRED and resetlogs is False:
        raise OracleError(1588, "must use RESETLOGS option for database open")
    if state in (REQUIRED, ALLOWED) and resetlogs is None:
        raise OracleError(1589, "must use RESETLOGS or NORESETLOGS option for database open")


def _open_files(instance: Instance, read_only: bool) -> None:
    """Verify and open every online file. Raises the error of the first that won't do."""
    control = instance.control
    backup = control.database.control_file_type in (BACKUP, CREATED) and read_only
    crashed = crashed_threads(control)
    found: list[tuple[DatafileRecord, Datafile, DatafileHeader]] = []
    try:
        for record in sorted(control.datafiles, key=lambda record: record.file_number):
            if not record.online or record.con_id > SEED:
                continue
            header = identify(instance, record)
            check_incarnation(control, record, header)
            # A standby's control file does not know how far its files are: they have been compared already.
            standby = control.database.is_standby
            need = Need.NOTHING if standby else recovery_need(control, record, header)
            if need is not Need.NOTHING and read_only and control.database.control_file_type == CREATED:
                raise OracleError(16007, "invalid backup control file checkpoint")
            if need is not Need.NOTHING and backup:
                raise OracleError(
                    16004, "backup database requires recovery", *needs_media_recovery(record).more
                )
            if need is Need.END_BACKUP and crashed:
                raise backup_mode_unfinished(record)
            if need is not Need.NOTHING:
                raise needs_media_recovery(record)
            writable = not read_only or bool(crashed)
            found.append((record, Datafile.open(record.path, writable=writable, disk=instance.disk), header))
        if crashed:
            found += _pluggable_files_in_use(instance)
    except WrongFile as exc:
        _close(found)
        raise exc.error from exc
    except OracleError:
        _close(found)
        raise
    about_to_be_used = [unfinished_switch(instance, thread.thread) for thread in crashed]
    for group in control.redo_groups:
        idle = group.status in ("UNUSED", "CLEARING") or group in about_to_be_used
        if not idle and not read_only:
            readable_member(group, instance.disk)
    with instance.latch:
        for record, datafile, header in found:
            tablespace = control.tablespace_of(record)
            bigfile = tablespace is not None and tablespace.bigfile
            record.blocks = max(record.blocks, header.blocks)
            record.checkpoint_count = header.checkpoint_count
            instance.files.add(OpenFile(record, datafile, bigfile, record.con_id == SEED))


def _pluggable_files_in_use(
    instance: Instance,
) -> list[tuple[DatafileRecord, Datafile, DatafileHeader]]:
    """The files of pluggable databases that were open when the instance died: crash recovery is for them too.

    One that is missing or wrong is left behind: only its own container will miss it when it is opened. Raises
    ORA-10873 for a file in backup mode, as for any other.
    """
    control = instance.control
    found: list[tuple[DatafileRecord, Datafile, DatafileHeader]] = []
    for record in control.datafiles:
        if record.con_id <= SEED or not record.online or record.stop_scn is not None:
            continue
        try:
            header = identify(instance, record)
            check_incarnation(control, record, header)
            need = recovery_need(control, record, header)
            if need is Need.NOTHING:
                found.append((record, Datafile.open(record.path, disk=instance.disk), header))
                continue
        except (WrongFile, OSError) as exc:
            error = exc.error if isinstance(exc, WrongFile) else cannot_identify(record)
        else:
            if need is Need.END_BACKUP:
                _close(found)
                raise backup_mode_unfinished(record)
            error = needs_media_recovery(record)
        instance.log.error(error, f"File {record.file_number} is left out of crash recovery")
    return found


def _close(found: list[tuple[DatafileRecord, Datafile, DatafileHeader]]) -> None:
    for _record, datafile, _header in found:
        datafile.close()


def _after_crash(instance: Instance, end: EndOfRedo) -> None:
    """Write down that everything up to the end of redo is in the files."""
    now = instance.wall_clock.second()
    checkpoint = end.checkpoint(now)
    _write_headers(instance, checkpoint, HeaderStatus.NONE, HeaderStatus.ONLINE_FUZZY)
    with instance.latch:
        control = instance.control
        control.database.checkpoint = checkpoint
        for number in end.addresses:
            thread = control.thread_record(number)
            thread.status = "CLOSED"
            thread.checkpoint = end.checkpoint(now, number)
        last = {number: state.state for state in end.tablespace_states for number in state.file_numbers}
        for number, state in last.items():
            _follow_state(instance, number, state)
        for record in control.datafiles:
            if record.file_number not in instance.files and record.stop_scn is None:
                # Taken offline while mounted, or of a pluggable database and missing: its redo ends here too.
                record.stop_scn = checkpoint.scn
        for file in instance.files:
            if file.record.con_id > SEED:
                instance.files.remove(file.record.file_number)
        for group in control.redo_groups:
            if group.status == "ACTIVE":
                group.status = "INACTIVE"
    instance.save_control()


def _follow_state(instance: Instance, file_number: int, state: str) -> None:
    record = instance.control.datafile(file_number)
    if record is None:
        return
    record.enabled = ENABLED[state]
    if state == "offline" and record.online:
        record.status = "OFFLINE"
        instance.files.remove(file_number)


def _write_headers(
    instance: Instance, checkpoint: Checkpoint, set_bits: HeaderStatus, clear_bits: HeaderStatus
) -> None:
    """Stop all read-write files at ``checkpoint``."""
    for file in instance.files:
        if file.changing:
            advance_header(instance, file, checkpoint, set_bits, clear_bits)
            with instance.latch:
                file.record.checkpoint = checkpoint
                file.record.stop_scn = checkpoint.scn
                file.record.stop_time = checkpoint.time


def _start_writing(instance: Instance, recovered_threads: Collection[int]) -> None:
    with instance.latch:
        control = instance.control
        scns = [record.checkpoint.scn for record in control.threads]
        instance.clock.advance_to(max(*scns, control.database.checkpoint.scn))
        instance.redo.begin_after(instance.clock.current())
        for number in threads_to_open(instance):
            open_thread(instance, number)
        control.database.open_resetlogs = NOT_ALLOWED
        control.database.control_file_type = CURRENT
        files = [file for file in instance.files if file.changing]
        for file in files:
            file.record.stop_scn = file.record.stop_time = None
            file.record.in_backup = False  # the headers just verified say so
    # First the control file says that the threads are open, then the files that they may be fuzzy.
    instance.save_control()
    for file in files:
        with header_of(instance, file):
            header = file.datafile.read_header()
            file.datafile.update_header(
                status=header.status | HeaderStatus.ONLINE_FUZZY,
                control_file_sequence=instance.control_files.durable_sequence,
            )
            file.datafile.fsync()
    instance.archiver.start()
    instance.database_writer.start()
    instance.checkpointer.start()
    if recovered_threads:
        begin_new_logs(instance, recovered_threads)


def _recreate_tempfiles(instance: Instance) -> None:
    """A missing tempfile is made anew when the database opens; one that can't be does not keep it closed."""
    control = instance.control
    database = control.database
    for record in control.tempfiles:
        if Path(record.path).exists():
            continue
        tablespace = control.tablespace_of(record)
        header = DatafileHeader(
            dbid=database.dbid,
            db_name=database.name,
            file_number=record.file_number,
            relative_file_number=record.relative_file_number,
            tablespace_number=record.tablespace_number,
            tablespace_name=tablespace.name if tablespace else "",
            blocks=record.blocks,
            block_size=record.block_size,
            bigfile=tablespace is not None and tablespace.bigfile,
            temporary=True,
            con_id=record.con_id,
            creation_scn=record.creation_scn,
            creation_time=record.creation_time,
            resetlogs_scn=database.resetlogs_scn,
            resetlogs_id=database.resetlogs_id,
        )
        try:
            Datafile.create(record.path, header, disk=instance.disk).close()
        except OSError as exc:
            instance.log.error(cannot_identify(record), f"Tempfile not re-created: {exc}")
            continue
        instance.log.write(f"Re-creating tempfile {record.path}")


def _let_in(instance: Instance, read_only: bool) -> None:
    if not read_only:
        _recreate_tempfiles(instance)
    if instance.dictionary_check is not None:
        # It may take files out of use: no checkpoint may be busy with their headers meanwhile.
        with instance.checkpointer.headers:
            instance.dictionary_check()
    undo = instance.parameters.get("undo_tablespace").upper()
    if undo and not read_only and instance.control.tablespace_named(undo) is None:
        missing = (30012, f"undo tablespace '{undo}' does not exist or of wrong type")
        raise OracleError(1092, "ORACLE instance terminated. Disconnection forced", missing)
    instance.opened(InstanceState.OPEN_READ_ONLY if read_only else InstanceState.OPEN)
    mode = "ALTER DATABASE OPEN READ ONLY" if read_only else "ALTER DATABASE OPEN"
    instance.log.write(f"Completed: {mode}")
    if instance.after_open is not None:
        instance.after_open()


def close_database(instance: Instance) -> None:
    """Close an open database in order: everything written, headers clean, the thread closed.

    Raises ORA-01149 with ORA-01110 while a file is in backup mode; the database stays open then.
    """
    with instance.checkpointer.headers:
        with instance.latch:
            for record in instance.control.datafiles:
                if record.in_backup:
                    text = f"cannot shutdown - file {record.file_number} has online backup set"
                    raise OracleError(1149, text, datafile_line(record))
            instance.state = InstanceState.CLOSING
            commit = write_markers(instance, [CleanClose(1)])
        instance.redo.wait_durable(commit.position)
        instance.database_writer.write_until(commit.position)
    instance.archiver.stop()
    instance.checkpointer.stop()
    instance.database_writer.stop()
    ends = instance.redo.stop()
    forget_torn_writes(instance)
    with instance.latch:
        scn, now = instance.clock.next(), instance.wall_clock.second()
        control = instance.control
        enabled = control.enabled_threads
        checkpoints = {number: Checkpoint(scn, now, number, *end, enabled) for number, end in ends.items()}
        checkpoint = checkpoints[min(checkpoints)]
    _write_headers(instance, checkpoint, HeaderStatus.NONE, HeaderStatus.ONLINE_FUZZY)
    with instance.latch:
        control.database.checkpoint = checkpoint
        for number in ends:
            thread_closed(instance, number, checkpoints[number], commit.scn)
    instance.save_control()
