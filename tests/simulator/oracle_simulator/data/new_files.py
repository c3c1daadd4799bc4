# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making the files of a tablespace of an open database: numbers, checks, and the files themselves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from oracle_simulator.data.definition import (
    UNLIMITED_BIGFILE_BLOCKS,
    UNLIMITED_BLOCKS,
    FileDefinition,
    autoextend_blocks,
)
from oracle_simulator.data.plan import ChangePlan
from oracle_simulator.data.space import MIN_FILE_BLOCKS, SPACE_HEADER_BLOCK, space_header
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.checkpoint import log_end
from oracle_simulator.instance.container import NON_CDB, ROOT
from oracle_simulator.instance.control_file.control import DatafileRecord, TempfileRecord
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.messages import file_not_created, os_lines
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.storage.block import BIGFILE_RELATIVE_NUMBER, BlockType
from oracle_simulator.storage.datafile import Datafile, DatafileHeader, HeaderStatus
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.disk import Disk
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_record import FileCreated


@dataclass(frozen=True)
class NewFile:
    """A file about to be made, all numbers settled. Sizes in blocks without block 0."""

    tablespace_number: int
    tablespace_name: str
    bigfile: bool
    temporary: bool
    file_number: int
    path: Path
    reuse: bool
    blocks: int
    block_size: int
    increment_blocks: int
    max_blocks: int
    creation: Checkpoint
    relative_file_number: int
    con_id: int = NON_CDB
    encryption_key: str = ""

    @property
    def created(self) -> datetime:
        assert self.creation.time is not None
        return self.creation.time


def number_files(
    instance: Instance,
    definitions: Sequence[FileDefinition],
    tablespace_number: int,
    tablespace_name: str,
    bigfile: bool,
    temporary: bool,
    block_size: int,
    con_id: int = NON_CDB,
    encryption_key: str = "",
) -> list[NewFile]:
    """Settle numbers and sizes; hold the latch. Nothing is made yet.

    Raises ORA-01537 (in use), ORA-03214 (too small), ORA-01144 (too large), ORA-00059 (too many files),
    ORA-01119 with ORA-27037 for REUSE without a size when there is no file.
    """
    control = instance.control
    present = control.tempfiles if temporary else control.datafiles
    used = {file.file_number for file in present}
    relatives = {file.relative_file_number for file in present if file.con_id == con_id}
    paths = {file.path for file in control.datafiles} | {file.path for file in control.tempfiles}
    files = []
    for definition in definitions:
        path = Path(definition.path or "")
        if str(path) in paths:
            raise OracleError(1537, f"cannot add file '{path}' - file already part of database")
        paths.add(str(path))
        blocks = _size_bytes(path, definition, block_size) // block_size
        if blocks < MIN_FILE_BLOCKS:
            raise OracleError(3214, "File Size specified is smaller than minimum required")
        limit = UNLIMITED_BIGFILE_BLOCKS if bigfile else UNLIMITED_BLOCKS
        if blocks > limit:
            raise OracleError(1144, f"File size ({blocks} blocks) exceeds maximum of {limit} blocks")
        number = next(number for number in range(1, len(used) + 2) if number not in used)
        if number > instance.parameters.integer("db_files"):
            raise OracleError(59, "maximum number of DB_FILES exceeded")
        used.add(number)
        relative = BIGFILE_RELATIVE_NUMBER if bigfile else relative_number(relatives, con_id, number)
        relatives.add(relative)
        increment, most = autoextend_blocks(definition, block_size, bigfile)
        creation = log_end(instance, instance.clock.next())
        files.append(
            NewFile(
                tablespace_number, tablespace_name, bigfile, temporary, number, path, definition.reuse,
                blocks, block_size, increment, most, creation, relative, con_id, encryption_key,
            )
        )  # fmt: skip
    return files


def relative_number(used: Collection[int], con_id: int, file_number: int) -> int:
    """RFILE# of a new smallfile: the file number, but in a pluggable database the first not ``used`` there."""
    if con_id in (NON_CDB, ROOT):
        return file_number
    return next(number for number in range(1, len(used) + 2) if number not in used)


def make_files(instance: Instance, files: Sequence[NewFile]) -> list[Datafile]:
    """Make the files; all or none. Without the latch: it takes time. Raises ORA-01119."""
    made: list[Datafile] = []
    complete = False
    try:
        for file in files:
            made.append(_make_file(instance, file))
        complete = True
    finally:
        if not complete:
            discard_files(made, instance.disk)
    return made


def discard_files(made: Sequence[Datafile], disk: Disk) -> None:
    """Close and delete files just made."""
    for datafile in made:
        datafile.close()
        disk.remove(datafile.path)


def use_files(instance: Instance, files: Sequence[NewFile], made: Sequence[Datafile]) -> list[DatafileRecord]:
    """Put new datafiles in the control file and take them into use; hold the latch, save the control file after.

    The control file knows them before the redo does, so that crash recovery finds them whenever the
    process dies. Files that the dictionary does not know in the end are taken out when the database opens.
    """
    records = []
    for file, datafile in zip(files, made, strict=True):
        record = DatafileRecord(
            file_number=file.file_number,
            relative_file_number=file.relative_file_number,
            tablespace_number=file.tablespace_number,
            path=str(file.path),
            blocks=file.blocks,
            block_size=file.block_size,
            create_blocks=file.blocks,
            status="SYSTEM" if file.tablespace_number == 0 else "ONLINE",
            creation_scn=file.creation.scn,
            creation_time=file.created,
            checkpoint=file.creation,
            checkpoint_count=1,
            con_id=file.con_id,
            encryption_key=file.encryption_key,
        )
        instance.control.datafiles.append(record)
        instance.files.add(OpenFile(record, datafile, file.bigfile))
        records.append(record)
    return records


def plan_files(plan: ChangePlan, files: Sequence[NewFile]) -> None:
    """Plan the redo of new datafiles: that they exist, and their space headers."""
    for file in files:
        plan.markers.append(
            FileCreated(
                file.file_number,
                file.relative_file_number,
                file.tablespace_number,
                str(file.path),
                file.blocks,
                file.block_size,
                file.creation.scn,
                encode_time(file.created),
                file.con_id,
                file.encryption_key,
            )
        )
        key = (file.file_number, SPACE_HEADER_BLOCK)
        plan.format(key, BlockType.SPACE_HEADER, 0)
        plan.put(key, 0, space_header(file.relative_file_number, file.blocks))


def tempfile_record(file: NewFile) -> TempfileRecord:
    """The control file's record of a new tempfile."""
    return TempfileRecord(
        file_number=file.file_number,
        relative_file_number=file.relative_file_number,
        tablespace_number=file.tablespace_number,
        path=str(file.path),
        blocks=file.blocks,
        block_size=file.block_size,
        creation_scn=file.creation.scn,
        creation_time=file.created,
        autoextend_blocks=file.increment_blocks,
        max_blocks=file.max_blocks,
        con_id=file.con_id,
    )


def _size_bytes(path: Path, definition: FileDefinition, block_size: int) -> int:
    if definition.size_bytes:
        return definition.size_bytes
    try:
        return path.stat().st_size - block_size
    except OSError as exc:
        text = f"error in creating database file '{path}'"
        raise OracleError(1119, text, *os_lines(exc)) from exc


def _make_file(instance: Instance, file: NewFile) -> Datafile:
    database = instance.control.database
    container = instance.control.container(file.con_id)
    header = DatafileHeader(
        dbid=database.dbid,
        db_name=database.name,
        file_number=file.file_number,
        relative_file_number=file.relative_file_number,
        tablespace_number=file.tablespace_number,
        tablespace_name=file.tablespace_name,
        blocks=file.blocks,
        block_size=file.block_size,
        bigfile=file.bigfile,
        temporary=file.temporary,
        creation_scn=file.creation.scn,
        creation_time=file.creation.time,
        resetlogs_scn=database.resetlogs_scn,
        resetlogs_id=database.resetlogs_id,
        prior_resetlogs_scn=database.prior_resetlogs_scn,
        prior_resetlogs_id=database.prior_resetlogs_id,
        checkpoint=file.creation,
        checkpoint_count=1,
        control_file_sequence=instance.control_files.durable_sequence,
        status=HeaderStatus.NONE if file.temporary else HeaderStatus.ONLINE_FUZZY,
        con_id=file.con_id,
        container_dbid=container.dbid if container else 0,
        encryption_key=file.encryption_key,
    )
    try:
        datafile = Datafile.create(file.path, header, reuse=file.reuse, disk=instance.disk)
        datafile.fsync()
    except OSError as exc:
        raise file_not_created(file.path, exc) from exc
    return datafile
