# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CREATE and DROP PLUGGABLE DATABASE (Oracle SQL Reference).

A new pluggable database is a copy of the seed: files with other numbers and names, whose dictionary is told
so. The copy itself is in no redo, only that it was made: recovery cannot make such a file again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from oracle_simulator.data.bootstrap import write_dictionary
from oracle_simulator.data.container_check import record_of
from oracle_simulator.data.definition import derive_dbid
from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.layout import new_guid
from oracle_simulator.data.plan import Cancelled, ChangePlan, make_change
from oracle_simulator.data.system_tables import (
    FIRST_USER_ID,
    SYSTEM_TABLESPACE_NUMBER,
    ContainerRow,
    PrivilegeRow,
    SystemRow,
    UserRow,
)
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import SEED, ContainerRecord
from oracle_simulator.instance.control_file.control import ControlState, DatafileRecord, TempfileRecord
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.net.backend import Verifier
from oracle_simulator.storage.block import BlockVersion
from oracle_simulator.storage.datafile import Datafile
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_record import (
    FileCreated,
    Marker,
    PluggableCreated,
    PluggableDropped,
    TablespaceCreated,
)

_PIECE = 1 << 20
FileNames = Sequence[tuple[str, str]]
"""Pairs of FILE_NAME_CONVERT: a piece of the path of a seed's file, and what stands there in the copy's."""


@dataclass(frozen=True)
class Administrator:
    """The local user every pluggable database is made with."""

    name: str
    verifier: Verifier
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Copy:
    """The new database before it is one: its identity, and its files as records of the control file."""

    row: ContainerRow
    datafiles: tuple[DatafileRecord, ...]
    tempfiles: tuple[TempfileRecord, ...]

    @property
    def con_id(self) -> int:
        return self.row.con_id


def create_pluggable(
    seed: Dictionary,
    name: str,
    administrator: Administrator,
    convert: FileNames,
    cancelled: Cancelled | None = None,
) -> ContainerRecord:
    """CREATE PLUGGABLE DATABASE from the seed; it is closed and new afterwards.

    Raises ORA-65012 (name in use), ORA-65016 (no FILE_NAME_CONVERT), ORA-65005 (it does not fit a file),
    ORA-01537 (the file belongs to the database), ORA-01119 with the operating system's reason, ORA-00059.
    """
    root = seed.root
    assert root is not None  # the seed has a root
    instance = root.instance
    with root.structure_lock:
        with instance.latch:
            root.require_open_read_write()
            if any(each.name == name for each in instance.control.containers):
                raise OracleError(65012, f"Pluggable database {name} already exists.")
            copy = _plan_copy(seed, name, convert)
        record = record_of(copy.row)
        made: list[Path] = []
        written = False
        try:
            _make_files(seed, copy, administrator, made)
            with instance.latch:
                _add(instance.control, record, copy)
            instance.save_control()
            make_change(instance, lambda plan: _plan_creation(root, copy, plan), cancelled)
            written = True
        finally:
            if not written:
                with instance.latch:
                    instance.control.forget_container(copy.con_id)
                for path in made:
                    instance.disk.remove(path)
        instance.save_control()
    return record


def drop_pluggable(root: Dictionary, record: ContainerRecord, cancelled: Cancelled | None = None) -> None:
    """DROP PLUGGABLE DATABASE ... INCLUDING DATAFILES of a closed one."""
    instance = root.instance

    def planner(plan: ChangePlan) -> None:
        row = root.container_rows.find(con_id=record.con_id)
        assert row is not None  # the record came from there when the database opened
        root.container_rows.delete(plan, row)
        plan.markers.append(PluggableDropped(record.con_id))

    with root.structure_lock:
        make_change(instance, planner, cancelled)
        with instance.latch:
            control = instance.control
            paths = [file.path for file in control.datafiles if file.con_id == record.con_id]
            paths += [file.path for file in control.tempfiles if file.con_id == record.con_id]
            control.forget_container(record.con_id)
        instance.save_control()
    for path in paths:
        instance.disk.remove(path)


# ---------------------------------------------------------------- planning


def _plan_copy(seed: Dictionary, name: str, convert: FileNames) -> _Copy:
    """Settle all numbers and names; hold the latch."""
    instance = seed.instance
    control = instance.control
    now = instance.wall_clock.second()
    scn = instance.clock.next()
    creation = Checkpoint(scn, now, 1, *instance.redo.next_address())
    used = {each.con_id for each in control.containers}
    con_id = next(number for number in range(SEED + 1, SEED + len(used) + 2) if number not in used)
    unique = f"{control.database.dbid}:{scn}:{now.isoformat()}"
    row = ContainerRow(
        con_id, name, derive_dbid(name, unique), new_guid(name, unique), scn, now, ever_opened=False
    )
    datafiles = []
    numbers = _free_numbers({file.file_number for file in control.datafiles})
    for file in [each for each in control.datafiles if each.con_id == SEED]:
        datafiles.append(
            replace(
                file,
                file_number=next(numbers),
                path=_converted(control, file.path, convert),
                con_id=con_id,
                creation_scn=scn,
                creation_time=now,
                checkpoint=creation,
                checkpoint_count=1,
                stop_scn=scn,
                stop_time=now,
                backup_scn=0,
                backup_time=None,
            )
        )
    if datafiles[-1].file_number > instance.parameters.integer("db_files"):
        raise OracleError(59, "maximum number of DB_FILES exceeded")
    tempfiles = []
    numbers = _free_numbers({file.file_number for file in control.tempfiles})
    for temporary in [each for each in control.tempfiles if each.con_id == SEED]:
        path = _converted(control, temporary.path, convert)
        tempfiles.append(
            replace(
                temporary,
                file_number=next(numbers),
                path=path,
                con_id=con_id,
                creation_scn=scn,
                creation_time=now,
            )
        )
    return _Copy(row, tuple(datafiles), tuple(tempfiles))


def _free_numbers(used: set[int]) -> Iterator[int]:
    return (number for number in range(1, 65534) if number not in used)


def _converted(control: ControlState, path: str, convert: FileNames) -> str:
    if not convert:
        raise OracleError(65016, "FILE_NAME_CONVERT must be specified")
    for old, new in convert:
        if old in path:
            target = path.replace(old, new, 1)
            break
    else:
        raise OracleError(65005, f"missing or invalid file name pattern for file - {path}")
    paths = {file.path for file in control.datafiles} | {file.path for file in control.tempfiles}
    if target in paths:
        raise OracleError(1537, f"cannot add file '{target}' - file already part of database")
    return target


def _plan_creation(root: Dictionary, copy: _Copy, plan: ChangePlan) -> None:
    row = copy.row
    created = encode_time(row.created)
    markers: list[Marker] = [
        PluggableCreated(row.con_id, row.name, row.dbid, row.guid, row.creation_scn, created)
    ]
    control = root.instance.control
    markers += [
        TablespaceCreated(each.number, each.name, each.bigfile, each.contents, row.con_id)
        for each in control.tablespaces
        if each.con_id == row.con_id
    ]
    markers += [
        FileCreated(
            file.file_number,
            file.relative_file_number,
            file.tablespace_number,
            file.path,
            file.blocks,
            file.block_size,
            file.creation_scn,
            created,
            row.con_id,
        )
        for file in copy.datafiles
    ]
    plan.markers += markers
    root.container_rows.insert(plan, row)


def _add(control: ControlState, record: ContainerRecord, copy: _Copy) -> None:
    control.containers.append(record)
    seeds = [each for each in control.tablespaces if each.con_id == SEED]
    control.tablespaces += [replace(each, con_id=copy.con_id) for each in seeds]
    control.datafiles += copy.datafiles
    control.tempfiles += copy.tempfiles


# ---------------------------------------------------------------- the files


def _make_files(seed: Dictionary, copy: _Copy, administrator: Administrator, made: list[Path]) -> None:
    """The seed's files again, under their new names; ``made`` grows with each."""
    instance = seed.instance
    control = instance.control
    sources = [each for each in control.datafiles if each.con_id == SEED]
    for source, target in zip(sources, copy.datafiles, strict=True):
        _copy_file(instance, source.path, target.path, made)
        with Datafile.open(target.path, disk=instance.disk) as datafile:
            _adopt(seed, copy, datafile, target)
            if target.tablespace_number == SYSTEM_TABLESPACE_NUMBER and target is copy.datafiles[0]:
                rows = _rows(seed, copy, administrator)
                write_dictionary(datafile, rows, BlockVersion(copy.row.creation_scn, 1), copy.row.created)
            datafile.fsync()
    temporaries = [each for each in control.tempfiles if each.con_id == SEED]
    for old, new in zip(temporaries, copy.tempfiles, strict=True):
        _copy_file(instance, old.path, new.path, made)
        with Datafile.open(new.path, disk=instance.disk) as datafile:
            _adopt(seed, copy, datafile, new)


def _copy_file(instance: Instance, source: str, target: str, made: list[Path]) -> None:
    disk, path = instance.disk, Path(target)
    text = f"error in creating database file '{target}'"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            disk.open(source, os.O_RDONLY) as old,
            disk.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL) as new,
        ):
            made.append(path)
            new.truncate(old.size)
            for offset in range(0, old.size, _PIECE):
                piece = old.read_at(_PIECE, offset)
                if piece.strip(b"\0"):
                    new.write_at(piece, offset)
            new.sync()
    except FileExistsError as exc:
        raise OracleError(1119, text, (27038, "created file already exists")) from exc
    except OSError as exc:
        raise OracleError(1119, text, *os_lines(exc)) from exc


def _adopt(
    seed: Dictionary, copy: _Copy, datafile: Datafile, record: DatafileRecord | TempfileRecord
) -> None:
    """The header of a copied file says whose it is now."""
    instance = seed.instance
    database = instance.control.database
    header = replace(
        datafile.read_header(),
        file_number=record.file_number,
        con_id=copy.con_id,
        container_dbid=copy.row.dbid,
        creation_scn=copy.row.creation_scn,
        creation_time=copy.row.created,
        resetlogs_scn=database.resetlogs_scn,
        resetlogs_id=database.resetlogs_id,
        prior_resetlogs_scn=database.prior_resetlogs_scn,
        prior_resetlogs_id=database.prior_resetlogs_id,
        checkpoint_count=1,
        control_file_sequence=instance.control_files.durable_sequence,
    )
    if isinstance(record, DatafileRecord):
        header = replace(header, checkpoint=record.checkpoint)
    datafile.write_header(header)


def _rows(seed: Dictionary, copy: _Copy, administrator: Administrator) -> dict[str, Sequence[SystemRow]]:
    """The dictionary of the copy: the seed's with its own file numbers and its administrator."""
    numbers = {file.relative_file_number: file.file_number for file in copy.datafiles}
    files = [replace(row, file_number=numbers[row.relative_file_number]) for row in seed.files()]
    properties = [
        replace(row, value=copy.row.name) if row.name == "GLOBAL_DB_NAME" else row
        for row in seed.property_rows
    ]
    verifier, name = administrator.verifier, administrator.name
    secret = (verifier.salt, verifier.pw_key, verifier.rounds)
    user = UserRow(FIRST_USER_ID, name, *secret, "SYSTEM", "TEMP", False, copy.row.created)
    roles = ("PDB_DBA", *administrator.roles)
    return {
        "TS$": seed.tablespaces(),
        "FILE$": files,
        "USER$": [user],
        "SYSAUTH$": [PrivilegeRow(name, role, None, None) for role in roles],
        "PROPS$": properties,
    }
