# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER DATABASE BACKUP CONTROLFILE: a binary copy, or a script that makes the control file anew."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import (
    BACKUP,
    CREATED,
    REQUIRED,
    ControlState,
    DatafileRecord,
    RedoGroup,
)
from oracle_simulator.instance.faults import Step
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.instance.standby import make_standby
from oracle_simulator.storage.block import FileType
from oracle_simulator.storage.control_file import write_control_file

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_RULE = "--"


def to_file(instance: Instance, path: str | Path, reuse: bool = False) -> None:
    """BACKUP CONTROLFILE TO 'path' [REUSE]: a control file that says CONTROLFILE_TYPE BACKUP when mounted.

    Raises ORA-01507, ORA-00244 while another one is made, ORA-01580 with ORA-27038 when the file exists,
    ORA-00238 when the name belongs to the database, ORA-01580 with the operating system's error.
    """
    target = Path(path)
    with instance.latch:
        control = instance.control
        _refuse_own_file(instance, target)
        state = ControlState.from_dict(control.to_dict())
        state.database.control_file_type = BACKUP
        state.database.open_resetlogs = REQUIRED
        state.database.controlfile_scn = instance.clock.current()
        state.database.controlfile_time = instance.wall_clock.second()
    _write(instance, state, target, reuse, FileType.BACKUP_CONTROL)
    instance.log.write(f"alter database backup controlfile to '{target}'", "Completed")


def to_snapshot(instance: Instance) -> Path:
    """RMAN's snapshot of the control file, in its default place; returns its path.

    Raises ORA-00230 while another session makes one (Error Messages, ORA-00230), and as :func:`to_file`.
    """
    if not instance.control_files.snapshot.acquire(blocking=False):
        raise OracleError(230, "operation disallowed: snapshot control file enqueue unavailable")
    try:
        to_file(instance, instance.home.snapshot_control_file, reuse=True)
    finally:
        instance.control_files.snapshot.release()
    return instance.home.snapshot_control_file


def to_standby_file(instance: Instance, path: str | Path, reuse: bool = False) -> None:
    """CREATE STANDBY CONTROLFILE AS 'path' [REUSE]: the control file of a standby of this database.

    Raises as :func:`to_file`, and ORA-01671 or ORA-01672 while the control file itself is a backup or new.
    """
    target = Path(path)
    with instance.latch:
        control = instance.control
        if control.database.control_file_type == BACKUP:
            raise OracleError(1671, "control file is a backup, cannot make a standby control file")
        if control.database.control_file_type == CREATED:
            raise OracleError(1672, "control file may be missing files or have extra ones")
        _refuse_own_file(instance, target)
        state = ControlState.from_dict(control.to_dict())
        make_standby(state)
    _write(instance, state, target, reuse, FileType.CONTROL)
    instance.log.write(f"alter database create standby controlfile as '{target}'", "Completed")


def to_trace(
    instance: Instance, path: str | Path | None = None, reuse: bool = False, resetlogs: bool | None = None
) -> Path:
    """BACKUP CONTROLFILE TO TRACE [AS 'path' [REUSE]] [RESETLOGS | NORESETLOGS]; returns where the script is.

    ``resetlogs`` None writes both variants. Without ``path`` the script is appended to a trace file.
    Raises ORA-01507, ORA-01580 with ORA-27038.
    """
    with instance.latch:
        variants = (False, True) if resetlogs is None else (resetlogs,)
        text = "\n".join(_script(instance, variants)) + "\n"
    if path is None:
        target = instance.home.trace_folder / f"{instance.home.sid}_ora_{os.getpid()}.trc"
        with target.open("a", encoding="utf-8") as stream:
            stream.write(text)
        return target
    target = Path(path)
    _create(target, reuse)
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise _error(target, exc) from exc
    return target


def _write(instance: Instance, state: ControlState, target: Path, reuse: bool, file_type: FileType) -> None:
    database = state.database
    if not instance.control_files.backup.acquire(blocking=False):
        raise OracleError(244, "concurrent control file backup operation in progress")
    try:
        _create(target, reuse)
        with instance.faults.steps.at(Step.CONTROL_FILE_BACKUP):
            write_control_file(
                [target],
                state.to_dict(),
                database.sequence,
                dbid=database.dbid,
                db_name=database.name,
                file_type=file_type,
                disk=instance.disk,
            )
    except OSError as exc:
        raise _error(target, exc) from exc
    finally:
        instance.control_files.backup.release()


def _create(target: Path, reuse: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if reuse else os.O_EXCL)
    try:
        os.close(os.open(target, flags, 0o600))
    except FileExistsError as exc:
        text = f"error creating control backup file {target}"
        raise OracleError(1580, text, (27038, "created file already exists")) from exc
    except FileNotFoundError as exc:
        text = f"file create error, unable to create file\nLinux-x86_64 Error: {exc.errno}: {exc.strerror}"
        raise OracleError(1580, f"error creating control backup file {target}", (27040, text)) from exc
    except OSError as exc:
        raise _error(target, exc) from exc


def _error(target: Path, exc: OSError) -> OracleError:
    return OracleError(1580, f"error creating control backup file {target}", *os_lines(exc))


def _refuse_own_file(instance: Instance, target: Path) -> None:
    control = instance.control
    own = {str(path) for path in instance.parameters.control_files}
    own |= {file.path for file in control.datafiles} | {file.path for file in control.tempfiles}
    own |= {member for group in control.redo_groups for member in group.members}
    if str(target) in own:
        text = f"operation would reuse a filename that is part of the database: {target}"
        raise OracleError(238, text)


# ---------------------------------------------------------------- the script


def _script(instance: Instance, variants: tuple[bool, ...]) -> Iterator[str]:
    """The lines of the script, in the shape Oracle writes it."""
    parameters = instance.parameters
    yield "-- The following are current System-scope REDO Log Archival related"
    yield "-- parameters and can be included in the database initialization file."
    yield _RULE
    yield f"-- LOG_ARCHIVE_FORMAT={parameters.log_archive_format}"
    for destination in instance.archiver.destinations:
        yield f"-- LOG_ARCHIVE_DEST_{destination.dest_id}='LOCATION={destination.location}'"
    yield f'-- DB_UNIQUE_NAME="{parameters.db_unique_name}"'
    yield _RULE
    if len(variants) > 1:
        yield "-- Below are two sets of SQL statements, each of which creates a new"
        yield "-- control file and uses it to open the database. The first set opens"
        yield "-- the database with the NORESETLOGS option and should be used only if"
        yield "-- the current versions of all online logs are available. The second"
        yield "-- set opens the database with the RESETLOGS option and should be used"
        yield "-- if online logs are unavailable."
    for number, resetlogs in enumerate(variants, start=1):
        if len(variants) > 1:
            yield _RULE
            yield f"--     Set #{number}. {'RESETLOGS' if resetlogs else 'NORESETLOGS'} case"
        yield from _variant(instance, resetlogs)


def _variant(instance: Instance, resetlogs: bool) -> Iterator[str]:
    control = instance.control
    quiet = [file for file in control.datafiles if _left_out(file)]
    yield _RULE
    yield "-- The following commands will create a new control file and use it"
    yield "-- to open the database."
    yield "-- Data used by Recovery Manager will be lost."
    if resetlogs:
        yield "-- The contents of online logs will be lost and all backups will"
        yield "-- be invalidated. Use this only if online logs are damaged."
    else:
        yield "-- Additional logs may be required for media recovery of offline"
        yield "-- Use this only if the current versions of all online logs are"
        yield "-- available."
    yield "STARTUP NOMOUNT"
    yield from _create_statement(control, resetlogs)
    yield "-- Commands to re-create incarnation table"
    yield "-- Below log names MUST be changed to existing filenames on"
    yield "-- disk. Any one log file from each branch can be used to"
    yield "-- re-create incarnation records."
    yield "-- Recovery is required if any of the datafiles are restored backups,"
    yield "-- or if the last shutdown was not normal or immediate."
    if resetlogs:
        yield "RECOVER DATABASE USING BACKUP CONTROLFILE"
        yield from _other_threads(control)
        yield "-- Database can now be opened zeroing the online logs."
        yield "ALTER DATABASE OPEN RESETLOGS;"
    else:
        yield "RECOVER DATABASE"
        yield "-- All logs need archiving and a log switch is needed."
        yield "ALTER SYSTEM ARCHIVE LOG ALL;"
        yield "-- Database can now be opened normally."
        yield "ALTER DATABASE OPEN;"
    if control.containers:
        yield "-- Open all the PDBs."
        yield "ALTER PLUGGABLE DATABASE ALL OPEN;"
    yield from _quiet_files(control, quiet)
    yield from _tempfiles(control)
    yield "-- End of tempfile additions."
    yield _RULE


def _create_statement(control: ControlState, resetlogs: bool) -> Iterator[str]:
    database = control.database
    mode = "RESETLOGS" if resetlogs else "NORESETLOGS"
    logging = " FORCE LOGGING" if database.force_logging else ""
    yield f'CREATE CONTROLFILE REUSE DATABASE "{database.name}" {mode}{logging} {database.log_mode}'
    yield f"    MAXLOGFILES {database.max_logfiles}"
    yield f"    MAXLOGMEMBERS {database.max_logmembers}"
    yield f"    MAXDATAFILES {database.max_datafiles}"
    yield f"    MAXINSTANCES {database.max_instances}"
    yield f"    MAXLOGHISTORY {database.max_loghistory}"
    yield "LOGFILE"
    first = control.thread.thread
    # The logs of other threads are not recognised by a control file that starts them anew.
    groups = control.groups_of(first) if resetlogs else control.redo_groups
    yield from _groups(groups)
    yield "-- STANDBY LOGFILE"
    yield "DATAFILE"
    files = [file for file in control.datafiles if not _left_out(file)]
    yield ",\n".join(f"  {_literal(file.path)}" for file in files)
    yield f"CHARACTER SET {database.character_set}"
    yield ";"


def _groups(groups: Iterable[RedoGroup], more: str = "") -> Iterator[str]:
    ordered = sorted(groups, key=lambda group: group.group)
    for group in ordered:
        end = "" if group is ordered[-1] else ","
        size = f"SIZE {_size(group.size_bytes)} BLOCKSIZE {group.block_size}{more}{end}"
        if len(group.members) == 1:
            yield f"  GROUP {group.group} {_literal(group.members[0])}  {size}"
        else:
            yield f"  GROUP {group.group} ("
            yield ",\n".join(f"    {_literal(member)}" for member in group.members)
            yield f"  ) {size}"


def _other_threads(control: ControlState) -> Iterator[str]:
    for thread in control.threads[1:]:
        groups = control.groups_of(thread.thread)
        if not groups:
            continue
        yield "-- Create log files for threads other than thread one."
        yield f"ALTER DATABASE ADD LOGFILE THREAD {thread.thread}"
        *lines, last = _groups(groups, " REUSE")
        yield from lines
        yield f"{last};"


def _left_out(file: DatafileRecord) -> bool:
    return file.enabled == "READ ONLY" or not file.online


def _quiet_files(control: ControlState, files: list[DatafileRecord]) -> Iterator[str]:
    """Read-only and offline files are not in the statement: they come back as MISSINGnnnnn."""
    if not files:
        return
    yield "-- Files in read-only tablespaces are now named."
    for file in files:
        yield f"ALTER DATABASE RENAME FILE 'MISSING{file.file_number:05d}'"
        yield f"  TO {_literal(file.path)};"
    yield "-- Online the files in read-only tablespaces."
    read_only = {(file.con_id, file.tablespace_number) for file in files if file.enabled == "READ ONLY"}
    current = control.root_id
    for con_id, number in sorted(read_only):
        tablespace = control.tablespace(number, con_id)
        if tablespace is not None:
            yield from _in_container(control, con_id, current)
            current = con_id
            yield f'ALTER TABLESPACE "{tablespace.name}" ONLINE;'
    yield from _in_container(control, control.root_id, current)


def _in_container(control: ControlState, con_id: int, current: int) -> Iterator[str]:
    """What must be said before statements about another container than the current one."""
    record = control.container(con_id)
    if record is not None and con_id != current:
        yield f'ALTER SESSION SET CONTAINER = "{record.name}";'


def _tempfiles(control: ControlState) -> Iterator[str]:
    if control.tempfiles:
        yield "-- Commands to add tempfiles to temporary tablespaces."
        yield "-- Online tempfiles have complete space information."
        yield "-- Other tempfiles may require adjustment."
    current = control.root_id
    for file in sorted(control.tempfiles, key=lambda each: each.con_id):
        tablespace = control.tablespace_of(file)
        if tablespace is None:
            continue
        yield from _in_container(control, file.con_id, current)
        current = file.con_id
        grow = "AUTOEXTEND OFF"
        if file.autoextend_blocks:
            step, most = file.autoextend_blocks * file.block_size, file.max_blocks * file.block_size
            grow = f"AUTOEXTEND ON NEXT {step}  MAXSIZE {_size(most)}"
        yield f'ALTER TABLESPACE "{tablespace.name}" ADD TEMPFILE {_literal(file.path)}'
        yield f"     SIZE {_size(file.bytes)} REUSE {grow};"
    yield from _in_container(control, control.root_id, current)


def _size(count: int) -> str:
    """A size as the script writes it: in M or K when that is exact."""
    if count % (1 << 20) == 0:
        return f"{count >> 20}M"
    return f"{count >> 10}K" if count % 1024 == 0 else str(count)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
