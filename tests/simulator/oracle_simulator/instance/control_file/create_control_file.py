# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CREATE CONTROLFILE: a new control file from the headers of datafiles and online logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import (
    NON_CDB,
    ROOT,
    ROOT_NAME,
    SEED,
    SEED_NAME,
    ContainerRecord,
)
from oracle_simulator.instance.control_file.control import (
    CREATED,
    NOT_ALLOWED,
    REQUIRED,
    ControlState,
    DatabaseRecord,
    DatafileRecord,
    IncarnationRecord,
    TablespaceRecord,
)
from oracle_simulator.instance.control_file.create_control_redo import RedoGroupDefinition, place_logs
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.instance.state import InstanceState
from oracle_simulator.storage.control_file import ControlFileCorrupt, load_control_file
from oracle_simulator.storage.datafile import Datafile, DatafileHeader, NotADatafileHeader

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


@dataclass(frozen=True)
class ControlFileDefinition:
    """The statement. ``set_name``: CREATE CONTROLFILE SET DATABASE, which renames the database."""

    database: str
    resetlogs: bool
    groups: tuple[RedoGroupDefinition, ...]
    datafiles: tuple[str, ...]
    archivelog: bool = False
    reuse: bool = False
    set_name: bool = False
    force_logging: bool = False
    character_set: str = "AL32UTF8"


def create(instance: Instance, definition: ControlFileDefinition) -> None:
    """Make all control files anew and mount the database.

    Raises ORA-01100 when mounted, ORA-01034 before STARTUP; under ORA-01503: ORA-00200 with ORA-27038 for
    an existing control file without REUSE, ORA-01565 for a file that can't be read, ORA-01160 for one that
    is no datafile, ORA-01159 and ORA-01189 for files that don't belong together, ORA-01161 for another
    database name, ORA-01167 for a file named twice, ORA-01229 when a current online log is missing.
    """
    if instance.mounted:
        raise OracleError(1100, "database already mounted")
    if instance.state is not InstanceState.STARTED:
        raise OracleError(1034, "ORACLE not available")
    instance.take_mount_lock()
    try:
        _refuse_existing(instance, definition)
        headers = _datafile_headers(instance, definition)
        state = _control_state(definition, headers, instance.wall_clock.second())
        running = [header for header in headers if header.con_id != SEED]
        place_logs(instance, definition.groups, definition.resetlogs, running, state)
        sequence = max(_old_sequence(instance), *(header.control_file_sequence for header in headers))
    except OracleError as exc:
        instance.release_mount_lock()
        raise exc.under(1503, "CREATE CONTROLFILE failed") from exc
    state.database.sequence = sequence
    for path in instance.parameters.control_files:
        instance.disk.remove(path)
    instance.control_files.begin_at(sequence)
    instance.use_control(state)
    instance.save_control()
    instance.mounted_by_creation(state)
    instance.log.write("CREATE CONTROLFILE", "Completed: CREATE CONTROLFILE")


def _refuse_existing(instance: Instance, definition: ControlFileDefinition) -> None:
    if definition.reuse:
        return
    for path in instance.parameters.control_files:
        if Path(path).exists():
            named = (202, f"control file: '{path}'")
            lines = (named, (27038, "created file already exists"))
            raise OracleError(200, "control file could not be created", *lines)


def _old_sequence(instance: Instance) -> int:
    """Headers may hold later sequences than a new control file would begin with."""
    found = 0
    for path in instance.parameters.control_files:
        try:
            found = max(found, load_control_file(path, disk=instance.disk).sequence)
        except (OSError, ControlFileCorrupt):
            continue  # it is about to be replaced; the headers give a floor too
    return found


def _datafile_headers(instance: Instance, definition: ControlFileDefinition) -> list[DatafileHeader]:
    headers: list[DatafileHeader] = []
    numbers: set[int] = set()
    for path in definition.datafiles:
        try:
            with Datafile.open(path, writable=False, disk=instance.disk) as datafile:
                header = datafile.read_header()
        except OSError as exc:
            raise OracleError(1565, f"error in identifying file '{path}'", *os_lines(exc)) from exc
        except NotADatafileHeader as exc:
            raise OracleError(1160, "file is not a data file", (1110, f"data file : '{path}'")) from exc
        named = (1110, f"data file {header.file_number}: '{path}'")
        first = headers[0] if headers else header
        if header.dbid != first.dbid:
            text = "file is not from same database as previous files - wrong database id"
            raise OracleError(1159, text, named)
        if (header.resetlogs_scn, header.resetlogs_id) != (first.resetlogs_scn, first.resetlogs_id):
            raise OracleError(1189, "file is from a different RESETLOGS than previous files", named)
        if header.db_name != definition.database and not definition.set_name:
            text = f"database name {header.db_name} in file header does not match given name of {definition.database}"
            raise OracleError(1161, text, named)
        if header.file_number in numbers:
            raise OracleError(1167, "two files are the same file/group number or the same file", named)
        numbers.add(header.file_number)
        headers.append(header)
    if 1 not in numbers:
        raise OracleError(1160, "file is not a data file", (1110, "data file 1: not in the statement"))
    return headers


def _control_state(
    definition: ControlFileDefinition, headers: Sequence[DatafileHeader], now: datetime
) -> ControlState:
    first = next(header for header in headers if header.file_number == 1)
    newest = max(headers, key=lambda header: header.checkpoint.scn)
    database = DatabaseRecord(
        dbid=first.dbid,
        name=definition.database,
        log_mode="ARCHIVELOG" if definition.archivelog else "NOARCHIVELOG",
        created=first.creation_time,
        resetlogs_scn=first.resetlogs_scn,
        resetlogs_id=first.resetlogs_id,
        prior_resetlogs_scn=first.prior_resetlogs_scn,
        prior_resetlogs_id=first.prior_resetlogs_id,
        checkpoint=newest.checkpoint,
        control_file_type=CREATED,
        open_resetlogs=REQUIRED if definition.resetlogs else NOT_ALLOWED,
        controlfile_created=now,
        character_set=definition.character_set,
        force_logging=definition.force_logging,
        block_size=first.block_size,
    )
    incarnations = []
    if first.prior_resetlogs_id:
        incarnations.append(
            IncarnationRecord(1, first.prior_resetlogs_scn, first.prior_resetlogs_id, status="PARENT")
        )
    incarnations.append(
        IncarnationRecord(
            len(incarnations) + 1,
            first.resetlogs_scn,
            first.resetlogs_id,
            first.prior_resetlogs_scn,
            first.prior_resetlogs_id,
            prior_number=len(incarnations),
        )
    )
    tablespaces = {
        (header.con_id, header.tablespace_number): TablespaceRecord(
            header.tablespace_number, header.tablespace_name, header.bigfile, con_id=header.con_id
        )
        for header in headers
    }
    paths = dict(zip((header.file_number for header in headers), definition.datafiles, strict=True))
    return ControlState(
        database=database,
        threads=[],
        tablespaces=[tablespaces[key] for key in sorted(tablespaces)],
        datafiles=[
            _record(header, paths[header.file_number])
            for header in sorted(headers, key=lambda header: header.file_number)
        ],
        incarnations=incarnations,
        containers=_containers(headers),
    )


def _containers(headers: Sequence[DatafileHeader]) -> list[ContainerRecord]:
    """Containers as far as headers tell; their names are in the root's dictionary, read when it opens."""
    found = {header.con_id: header.container_dbid for header in headers if header.con_id != NON_CDB}
    known = {ROOT: ROOT_NAME, SEED: SEED_NAME}
    return [
        ContainerRecord(con_id, known.get(con_id, f"_###_UNKNOWN_PDB_#_{con_id}"), dbid, "0" * 32)
        for con_id, dbid in sorted(found.items())
    ]


def _record(header: DatafileHeader, path: str) -> DatafileRecord:
    # The seed is quiet for ever: its header itself says where its redo ends.
    quiet = header.con_id == SEED and not header.fuzzy
    return DatafileRecord(
        con_id=header.con_id,
        stop_scn=header.checkpoint.scn if quiet else None,
        stop_time=header.checkpoint.time if quiet else None,
        file_number=header.file_number,
        relative_file_number=header.relative_file_number,
        tablespace_number=header.tablespace_number,
        path=path,
        blocks=header.blocks,
        block_size=header.block_size,
        create_blocks=header.blocks,
        status="SYSTEM" if header.tablespace_number == 0 else "ONLINE",
        creation_scn=header.creation_scn,
        creation_time=header.creation_time,
        checkpoint=header.checkpoint,
        checkpoint_count=header.checkpoint_count,
        encryption_key=header.encryption_key,
    )
