# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datafile headers against the control file: is this the right file, and what does it need?"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import NON_CDB
from oracle_simulator.instance.control_file.control import CREATED, CURRENT, ControlState, DatafileRecord
from oracle_simulator.instance.messages import cannot_identify, datafile_line
from oracle_simulator.storage.datafile import Datafile, DatafileHeader, HeaderStatus, NotADatafileHeader

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

OFFLINE_NORMAL = "OFFLINE NORMAL"


class Need(enum.Enum):
    """What a file needs before it can be used."""

    NOTHING = "nothing"
    END_BACKUP = "end backup or media recovery"
    MEDIA_RECOVERY = "media recovery"


class WrongFile(Exception):
    """A file that cannot be used as it is: the error, and the word for it in V$DATAFILE_HEADER.ERROR."""

    def __init__(self, word: str, error: OracleError) -> None:
        super().__init__(error.message)
        self.word = word
        self.error = error


@dataclass(frozen=True)
class HeaderFacts:
    """One row for ``V$DATAFILE_HEADER`` and ``V$RECOVER_FILE``.

    ``error`` is None when the header was read and is valid; ``header`` may be set beside an error.
    ``needs_recovery`` and ``fuzzy`` are None when they can't be told. ``recovery_error`` is the ERROR
    column of V$RECOVER_FILE; a file has a row there when ``in_recover_file``.
    """

    record: DatafileRecord
    header: DatafileHeader | None
    error: str | None
    needs_recovery: bool | None
    fuzzy: bool | None

    @property
    def file_number(self) -> int:
        return self.record.file_number

    @property
    def in_recover_file(self) -> bool:
        """Whether V$RECOVER_FILE has a row: missing, needing recovery, or offline."""
        return bool(self.needs_recovery) or self.error is not None

    @property
    def recovery_error(self) -> str | None:
        return self.error


@dataclass(frozen=True)
class BackupStatus:
    """One row of ``V$BACKUP``: ``change`` and ``time`` keep the last BEGIN BACKUP after its end."""

    file_number: int
    status: str
    change: int
    time: datetime | None
    con_id: int = NON_CDB


def inspect_headers(instance: Instance) -> list[HeaderFacts]:
    """Read the header of every datafile from its file. Raises ORA-01507."""
    with instance.latch:
        records = sorted(instance.control.datafiles, key=lambda record: record.file_number)
    return [_inspect(instance, record) for record in records]


def backup_status(instance: Instance) -> list[BackupStatus]:
    """The rows of ``V$BACKUP``, from the files themselves. Raises ORA-01507."""
    return [_backup_row(facts) for facts in inspect_headers(instance)]


def identify(instance: Instance, record: DatafileRecord) -> DatafileHeader:
    """Read and verify one header: is it this file of this database? Raises WrongFile.

    Sound headers of another incarnation pass: :func:`check_incarnation` judges them.
    """
    header = _read(instance, record)
    control = instance.control
    database = control.database
    if header.dbid != database.dbid:
        raise _wrong(record, "WRONG DATABASE", 1206, "file is not part of this database - wrong database id")
    if header.file_number != record.file_number:
        text = f"file number is {header.file_number} rather than {record.file_number} - wrong file"
        raise _wrong(record, "WRONG FILE NUMBER", 1204, text)
    if header.creation_scn != record.creation_scn:
        raise _wrong(record, "WRONG FILE CREATE", 1203, "wrong incarnation of this file - wrong creation SCN")
    same_life = (header.resetlogs_scn, header.resetlogs_id) == (database.resetlogs_scn, database.resetlogs_id)
    current = same_life and database.control_file_type == CURRENT
    if current and header.control_file_sequence > database.sequence:
        text = "file is more recent than control file - old control file"
        raise _wrong(record, "OLD CONTROLFILE", 1207, text)
    return header


def check_incarnation(control: ControlState, record: DatafileRecord, header: DatafileHeader) -> None:
    """Raises WrongFile (ORA-01190) for a file of another incarnation, unless it was quiet since before."""
    database = control.database
    if (header.resetlogs_scn, header.resetlogs_id) == (database.resetlogs_scn, database.resetlogs_id):
        return
    quiet = record.enabled == "READ ONLY" or record.offline_normal
    ancestor = control.incarnation(header.resetlogs_scn, header.resetlogs_id)
    if quiet and ancestor and not header.fuzzy and header.checkpoint.scn <= database.resetlogs_scn:
        return
    text = f"control file or data file {record.file_number} is from before the last RESETLOGS"
    raise WrongFile("WRONG RESETLOGS", OracleError(1190, text, datafile_line(record)))


def recovery_need(control: ControlState, record: DatafileRecord, header: DatafileHeader) -> Need:
    """What a verified file needs before the database can be opened with it, or it be brought online."""
    if header.in_backup:
        same_window = record.in_backup and header.begin_backup_scn == record.backup_scn
        return Need.END_BACKUP if same_window else Need.MEDIA_RECOVERY
    if header.status & HeaderStatus.MEDIA_RECOVERY_FUZZY:
        return Need.MEDIA_RECOVERY
    if header.checkpoint.scn < record.checkpoint.scn:
        return Need.MEDIA_RECOVERY
    if record.stop_scn is not None:
        stopped = header.checkpoint.scn >= record.stop_scn and not header.fuzzy
        return Need.NOTHING if stopped else Need.MEDIA_RECOVERY
    if control.database.control_file_type == CREATED:
        # A new control file does not know where the redo of this file ends: recovery finds out.
        return Need.MEDIA_RECOVERY
    return Need.NOTHING


def _inspect(instance: Instance, record: DatafileRecord) -> HeaderFacts:
    header: DatafileHeader | None = None
    try:
        header = identify(instance, record)
        check_incarnation(instance.control, record, header)
    except WrongFile as exc:
        return HeaderFacts(record, header, exc.word, None, None)
    if record.offline_normal and not header.fuzzy and record.enabled != "READ ONLY":
        return HeaderFacts(record, header, OFFLINE_NORMAL, False, False)
    if record.online and record.file_number in instance.files:
        return HeaderFacts(record, header, None, False, header.fuzzy)
    need = recovery_need(instance.control, record, header)
    return HeaderFacts(record, header, None, need is not Need.NOTHING, header.fuzzy)


def _backup_row(facts: HeaderFacts) -> BackupStatus:
    header = facts.header
    if facts.error is not None or header is None:
        change, time = (header.begin_backup_scn, header.begin_backup_time) if header else (0, None)
        word = facts.error or "UNKNOWN ERROR"
        return BackupStatus(facts.file_number, word, change, time, facts.record.con_id)
    status = "ACTIVE" if header.in_backup else "NOT ACTIVE"
    begun = (header.begin_backup_scn, header.begin_backup_time)
    return BackupStatus(facts.file_number, status, *begun, facts.record.con_id)


def _read(instance: Instance, record: DatafileRecord) -> DatafileHeader:
    try:
        with Datafile.open(record.path, writable=False, disk=instance.disk) as datafile:
            header = datafile.read_header()
            present = datafile.blocks
    except FileNotFoundError as exc:
        raise WrongFile("FILE NOT FOUND", cannot_identify(record)) from exc
    except OSError as exc:
        raise WrongFile("CANNOT OPEN FILE", cannot_identify(record)) from exc
    except NotADatafileHeader as exc:
        raise _wrong(record, "CORRUPT HEADER", 1210, "data file header is media corrupt") from exc
    if present < header.blocks:
        text = f"actual file size of {present} is smaller than correct size of {header.blocks} blocks"
        raise _wrong(record, "CANNOT READ HEADER", 1200, text)
    return header


def _wrong(record: DatafileRecord, word: str, code: int, text: str) -> WrongFile:
    first = f"database file {record.file_number} failed verification check"
    return WrongFile(word, OracleError(1122, first, datafile_line(record), (code, text)))
