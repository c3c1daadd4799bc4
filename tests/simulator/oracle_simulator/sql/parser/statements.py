# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a parsed statement says, as values.

One class per statement form of the Oracle SQL Language Reference that the simulated instance knows.
Queries, DML and PL/SQL are only told apart here: their text is analysed where they run. Sizes are in
bytes; names are as the dictionary keeps them (upper case unless they were quoted).
"""

from __future__ import annotations

from dataclasses import dataclass

FileReference = int | str
"""A datafile named by its absolute file number or by its path."""

UNLIMITED = -1
"""MAXSIZE UNLIMITED."""


@dataclass(frozen=True)
class Autoextend:
    """AUTOEXTEND clause: ``next_bytes`` None is the default increment, ``max_bytes`` None or UNLIMITED."""

    enabled: bool
    next_bytes: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True)
class FileSpecification:
    """``['path'] [SIZE n] [REUSE] [AUTOEXTEND ...]``; without a path the name is Oracle's."""

    path: str | None = None
    size_bytes: int | None = None
    reuse: bool = False
    autoextend: Autoextend | None = None


@dataclass(frozen=True)
class RedoGroupSpecification:
    """One group of a LOGFILE clause."""

    members: tuple[str, ...]
    group: int | None = None
    size_bytes: int | None = None
    block_size: int | None = None
    reuse: bool = False


@dataclass(frozen=True)
class RedoLogReference:
    """A log group by number or, ``group`` None, by its members."""

    group: int | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class RedoThreadReference:
    """A redo thread by number or, ``number`` None, by the name of its instance."""

    number: int | None = None
    instance: str = ""


class Statement:
    """Base of every parsed statement."""


# ---------------------------------------------------------------- text that is analysed elsewhere


@dataclass(frozen=True)
class Query(Statement):
    text: str


@dataclass(frozen=True)
class Dml(Statement):
    """INSERT, UPDATE, DELETE, MERGE: ``verb`` says which."""

    verb: str
    text: str


@dataclass(frozen=True)
class PlsqlBlock(Statement):
    """BEGIN, DECLARE or CALL."""

    text: str


@dataclass(frozen=True)
class CreateSource(Statement):
    """CREATE PROCEDURE, FUNCTION, PACKAGE or PACKAGE BODY; ``text`` is the unit from its kind on. Or CREATE VIEW,
    with the query as ``text``."""

    schema: str | None
    name: str
    type: str
    text: str
    replace: bool = False


@dataclass(frozen=True)
class DropSource(Statement):
    schema: str | None
    name: str
    type: str


# ---------------------------------------------------------------- transaction control


@dataclass(frozen=True)
class Commit(Statement):
    pass


@dataclass(frozen=True)
class Rollback(Statement):
    savepoint: str | None = None


@dataclass(frozen=True)
class Savepoint(Statement):
    name: str


@dataclass(frozen=True)
class SetTransaction(Statement):
    """``fixed``: READ ONLY or SERIALIZABLE, so that all its queries would see one moment."""

    fixed: bool = False


@dataclass(frozen=True)
class LockTable(Statement):
    tables: tuple[tuple[str | None, str], ...]
    mode: str
    nowait: bool = False


# ---------------------------------------------------------------- ALTER SYSTEM, ALTER SESSION


@dataclass(frozen=True)
class SwitchLogfile(Statement):
    every_thread: bool = False


@dataclass(frozen=True)
class ArchiveLog(Statement):
    """``what`` is CURRENT, ALL, NEXT, SEQUENCE, CHANGE, GROUP, LOGFILE, START or STOP."""

    what: str
    number: int | None = None
    logfile: str | None = None
    noswitch: bool = False
    instance: str | None = None
    destination: str | None = None


@dataclass(frozen=True)
class Checkpoint(Statement):
    pass


@dataclass(frozen=True)
class RegisterServices(Statement):
    """ALTER SYSTEM REGISTER."""


@dataclass(frozen=True)
class SuspendDatabase(Statement):
    """ALTER SYSTEM SUSPEND (``suspended``) or RESUME."""

    suspended: bool


@dataclass(frozen=True)
class KillSession(Statement):
    sid: int
    serial: int
    immediate: bool = False


@dataclass(frozen=True)
class DisconnectSession(Statement):
    """ALTER SYSTEM DISCONNECT SESSION; with POST_TRANSACTION not before its transaction has ended."""

    sid: int
    serial: int
    post_transaction: bool = False


@dataclass(frozen=True)
class SetParameters(Statement):
    """ALTER SYSTEM SET; ``scope`` is MEMORY, SPFILE, BOTH or None."""

    settings: tuple[tuple[str, str], ...]
    scope: str | None = None


@dataclass(frozen=True)
class RestrictedSession(Statement):
    enabled: bool


@dataclass(frozen=True)
class AlterSessionSet(Statement):
    """ALTER SESSION SET: parameter names in lower case."""

    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AlterSessionOther(Statement):
    """ALTER SESSION ENABLE, DISABLE, FORCE, CLOSE, ADVISE: accepted, without effect here."""


# ---------------------------------------------------------------- ALTER DATABASE


@dataclass(frozen=True)
class MountDatabase(Statement):
    """``standby``: MOUNT STANDBY DATABASE."""

    standby: bool = False


@dataclass(frozen=True)
class RegisterLogfile(Statement):
    """REGISTER [OR REPLACE] LOGFILE."""

    path: str
    replace: bool = False


@dataclass(frozen=True)
class ActivateStandby(Statement):
    """ACTIVATE [PHYSICAL] STANDBY DATABASE."""


@dataclass(frozen=True)
class OpenDatabase(Statement):
    """``resetlogs`` None means that neither RESETLOGS nor NORESETLOGS was said."""

    read_only: bool = False
    resetlogs: bool | None = None
    read_write: bool = False


@dataclass(frozen=True)
class CloseDatabase(Statement):
    pass


@dataclass(frozen=True)
class DismountDatabase(Statement):
    pass


@dataclass(frozen=True)
class DatabaseBackupMode(Statement):
    active: bool


@dataclass(frozen=True)
class DatafileEndBackup(Statement):
    files: tuple[FileReference, ...]


@dataclass(frozen=True)
class DatafileOnline(Statement):
    files: tuple[FileReference, ...]


@dataclass(frozen=True)
class DatafileOffline(Statement):
    files: tuple[FileReference, ...]
    for_drop: bool = False


@dataclass(frozen=True)
class DatafileResize(Statement):
    file: FileReference
    size_bytes: int


@dataclass(frozen=True)
class DatafileAutoextend(Statement):
    files: tuple[FileReference, ...]
    autoextend: Autoextend


@dataclass(frozen=True)
class TempfileDrop(Statement):
    files: tuple[FileReference, ...]
    including_datafiles: bool = False


@dataclass(frozen=True)
class TempfileStatus(Statement):
    files: tuple[FileReference, ...]
    online: bool


@dataclass(frozen=True)
class TempfileResize(Statement):
    file: FileReference
    size_bytes: int


@dataclass(frozen=True)
class BackupControlfile(Statement):
    """Binary copy to ``path`` or, with ``trace``, a script (``path`` None: the session's trace file).

    ``standby``: CREATE STANDBY CONTROLFILE.
    """

    path: str | None
    trace: bool = False
    reuse: bool = False
    resetlogs: bool | None = None
    standby: bool = False


@dataclass(frozen=True)
class RenameFile(Statement):
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class CreateDatafile(Statement):
    """``path`` None: where it was; ``managed`` (AS NEW): under a new name of Oracle's."""

    file: FileReference
    path: str | None = None
    managed: bool = False


@dataclass(frozen=True)
class MoveDatafile(Statement):
    """``path`` None: an Oracle-managed name."""

    file: FileReference
    path: str | None = None
    reuse: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Recover(Statement):
    """ALTER DATABASE RECOVER that starts a recovery.

    ``scope`` is DATABASE, TABLESPACE, DATAFILE or LOGFILE. At most one of the ``until_`` fields is set;
    ``until_time`` is the literal as written.
    """

    scope: str
    automatic: bool = False
    directory: str | None = None
    standby: bool = False
    tablespaces: tuple[str, ...] = ()
    files: tuple[FileReference, ...] = ()
    logfile: str | None = None
    until_cancel: bool = False
    until_time: str | None = None
    until_change: int | None = None
    until_consistent: bool = False
    using_backup_controlfile: bool = False
    snapshot_time: str | None = None
    test: bool = False
    allowed_corruption: int = 0


@dataclass(frozen=True)
class RecoverContinue(Statement):
    default: bool = False


@dataclass(frozen=True)
class RecoverCancel(Statement):
    pass


@dataclass(frozen=True)
class ArchiveMode(Statement):
    enabled: bool


@dataclass(frozen=True)
class ForceLogging(Statement):
    enabled: bool


@dataclass(frozen=True)
class AddLogfile(Statement):
    """``thread`` None: that of the session's instance."""

    groups: tuple[RedoGroupSpecification, ...]
    thread: RedoThreadReference | None = None


@dataclass(frozen=True)
class AddLogMember(Statement):
    """``members`` are paths, each with whether REUSE was said."""

    members: tuple[tuple[str, bool], ...]
    log: RedoLogReference


@dataclass(frozen=True)
class DropLogfile(Statement):
    logs: tuple[RedoLogReference, ...]


@dataclass(frozen=True)
class DropLogMember(Statement):
    members: tuple[str, ...]


@dataclass(frozen=True)
class ClearLogfile(Statement):
    logs: tuple[RedoLogReference, ...]
    unarchived: bool = False
    unrecoverable_datafile: bool = False


@dataclass(frozen=True)
class EnableThread(Statement):
    thread: RedoThreadReference
    public: bool = False


@dataclass(frozen=True)
class DisableThread(Statement):
    thread: RedoThreadReference


@dataclass(frozen=True)
class DefaultTablespace(Statement):
    name: str
    temporary: bool = False


# ---------------------------------------------------------------- tablespaces


@dataclass(frozen=True)
class TablespaceBackupMode(Statement):
    name: str
    active: bool


@dataclass(frozen=True)
class AddFiles(Statement):
    name: str
    files: tuple[FileSpecification, ...]
    temporary: bool = False


@dataclass(frozen=True)
class DropFile(Statement):
    name: str
    file: FileReference
    temporary: bool = False


@dataclass(frozen=True)
class TablespaceOffline(Statement):
    """``mode`` is NORMAL, TEMPORARY or IMMEDIATE."""

    name: str
    mode: str = "NORMAL"


@dataclass(frozen=True)
class TablespaceOnline(Statement):
    name: str


@dataclass(frozen=True)
class TablespaceReadOnly(Statement):
    name: str


@dataclass(frozen=True)
class TablespaceReadWrite(Statement):
    name: str


@dataclass(frozen=True)
class TablespaceRenameDatafile(Statement):
    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class TablespaceResize(Statement):
    """ALTER TABLESPACE RESIZE, for bigfile tablespaces."""

    name: str
    size_bytes: int


@dataclass(frozen=True)
class CreateTablespace(Statement):
    """``contents`` is PERMANENT, UNDO or TEMPORARY; ``encryption`` an algorithm or ""."""

    name: str
    contents: str
    files: tuple[FileSpecification, ...]
    bigfile: bool = False
    block_size: int | None = None
    logging: bool = True
    force_logging: bool = False
    encryption: str = ""


@dataclass(frozen=True)
class TablespaceLogging(Statement):
    """ALTER TABLESPACE [NO]LOGGING and [NO] FORCE LOGGING; None: not said."""

    name: str
    logging: bool | None = None
    force_logging: bool | None = None


@dataclass(frozen=True)
class DropTablespace(Statement):
    name: str
    including_contents: bool = False
    and_datafiles: bool = False
    keep_datafiles: bool = False


# ---------------------------------------------------------------- tables and indexes


@dataclass(frozen=True)
class TypeSpecification:
    """A data type as written: ``arguments`` are its numbers, ``None`` standing for ``*``."""

    name: str
    arguments: tuple[int | None, ...] = ()
    time_zone: str | None = None


@dataclass(frozen=True)
class ColumnDefinition:
    name: str
    type: TypeSpecification
    nullable: bool = True
    default: str | None = None
    primary_key: bool = False
    unique: bool = False
    constraint_name: str | None = None


@dataclass(frozen=True)
class KeyConstraint:
    """PRIMARY KEY or UNIQUE over columns."""

    columns: tuple[str, ...]
    primary: bool
    name: str | None = None


@dataclass(frozen=True)
class CreateTable(Statement):
    """``query`` is the text after AS for CREATE TABLE ... AS SELECT; ``logging`` None: not said."""

    schema: str | None
    name: str
    columns: tuple[ColumnDefinition, ...] = ()
    keys: tuple[KeyConstraint, ...] = ()
    tablespace: str | None = None
    query: str | None = None
    logging: bool | None = None


@dataclass(frozen=True)
class TableLogging(Statement):
    """ALTER TABLE LOGGING or NOLOGGING."""

    schema: str | None
    name: str
    logging: bool


@dataclass(frozen=True)
class AddColumns(Statement):
    schema: str | None
    name: str
    columns: tuple[ColumnDefinition, ...]


@dataclass(frozen=True)
class MoveTable(Statement):
    schema: str | None
    name: str
    tablespace: str | None = None


@dataclass(frozen=True)
class DropTable(Statement):
    schema: str | None
    name: str


@dataclass(frozen=True)
class TruncateTable(Statement):
    schema: str | None
    name: str


@dataclass(frozen=True)
class CreateIndex(Statement):
    schema: str | None
    name: str
    table_schema: str | None
    table: str
    columns: tuple[str, ...]
    unique: bool = False
    tablespace: str | None = None


# ---------------------------------------------------------------- users and privileges


@dataclass(frozen=True)
class UserStatement(Statement):
    """CREATE USER (``create``) or ALTER USER. None: not said. ``container`` is ALL or CURRENT,
    ``container_data`` ALL, "" for DEFAULT, or names, comma separated."""

    name: str
    create: bool
    password: str | None = None
    default_tablespace: str | None = None
    temporary_tablespace: str | None = None
    locked: bool | None = None
    container: str | None = None
    container_data: str | None = None


@dataclass(frozen=True)
class DropUser(Statement):
    name: str
    cascade: bool = False


@dataclass(frozen=True)
class Grant(Statement):
    """GRANT or, with ``revoke``, REVOKE. ``target`` (schema, object) is None for system privileges."""

    privileges: tuple[str, ...]
    grantees: tuple[str, ...]
    target: tuple[str | None, str] | None = None
    revoke: bool = False
    container: str | None = None


# ---------------------------------------------------------------- keystore


@dataclass(frozen=True)
class KeyManagement(Statement):
    """ADMINISTER KEY MANAGEMENT. ``action`` is CREATE KEYSTORE, CREATE AUTO_LOGIN KEYSTORE, OPEN, CLOSE or SET KEY."""

    action: str
    password: str = ""
    location: str | None = None
    local: bool = False
    force: bool = False
    with_backup: bool = False


# ---------------------------------------------------------------- CREATE CONTROLFILE, CREATE PFILE


@dataclass(frozen=True)
class CreateControlfile(Statement):
    database: str
    groups: tuple[RedoGroupSpecification, ...]
    datafiles: tuple[FileSpecification, ...]
    resetlogs: bool
    reuse: bool = False
    set_name: bool = False
    archivelog: bool = False
    force_logging: bool = False
    character_set: str | None = None
    limits: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class CreateParameterFile(Statement):
    """CREATE PFILE or SPFILE. ``source`` is SPFILE, PFILE or MEMORY."""

    server: bool
    path: str | None
    source: str
    source_path: str | None = None


@dataclass(frozen=True)
class NotSupported(Statement):
    """A statement Oracle knows and the simulated instance does not: refused with ORA-03001."""

    what: str
