# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Model values with sensible fields, of which a test names only those it is about."""

from __future__ import annotations

import dataclasses
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import (
    Manifest,
    ManifestControl,
    ManifestDatabase,
    ManifestExcluded,
    ManifestFile,
    ManifestRedo,
    ManifestTempfile,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    ArchiveDestination,
    ArchivedLog,
    BackupMethod,
    Database,
    Datafile,
    Incarnation,
    Instance,
    RedoThread,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import (
    Finding,
    Severity,
    Verdict,
)

DIGEST = "ab" * 32


def datafile(number: int = 4, **changes: Any) -> Datafile:
    sample = Datafile(
        file_number=number,
        con_id=0,
        tablespace_number=3,
        tablespace="USERS",
        path=f"/u01/oradata/users{number:02}.dbf",
        status="ONLINE",
        enabled="READ WRITE",
        size_bytes=1048576,
        block_size=8192,
        bigfile=False,
        creation_scn=number * 10,
        unrecoverable_scn=0,
        last_scn=None,
        checkpoint_scn=4500,
        backup_status="NOT ACTIVE",
        backup_scn=0,
        backup_time=None,
        header_error=None,
        header_fuzzy="YES",
        header_recover="NO",
        header_checkpoint_scn=4500,
        recover_error=None,
        needs_recovery=False,
    )
    return dataclasses.replace(sample, **changes)


def active(item: Datafile, scn: int) -> Datafile:
    return dataclasses.replace(item, backup_status="ACTIVE", backup_scn=scn)


def tablespace(name: str = "USERS", *files: Datafile, **changes: Any) -> Tablespace:
    sample = Tablespace(
        name=name,
        number=3,
        con_id=0,
        container=None,
        bigfile=False,
        temporary=False,
        undo=False,
        block_size=8192,
        datafiles=files,
        method=BackupMethod.BACKUP_MODE,
        reason="online and read write",
    )
    return dataclasses.replace(sample, **changes)


def database(**changes: Any) -> Database:
    sample = Database(
        dbid=1684523458,
        name="ORCL",
        unique_name="ORCL",
        log_mode="ARCHIVELOG",
        open_mode="READ WRITE",
        role="PRIMARY",
        control_file_type="CURRENT",
        open_resetlogs="NOT ALLOWED",
        resetlogs_scn=1,
        resetlogs_time=None,
        current_scn=5000,
        force_logging="NO",
        cdb=False,
        platform="Linux x86 64-bit",
        incarnations=(Incarnation(77, 1, 0, "CURRENT"),),
        instances=(instance(),),
        threads=(RedoThread(1, "OPEN", "PUBLIC", 11, 2),),
        destinations=(destination(),),
        control_files=(),
        tempfiles=(),
        parameters=(),
        wallet_status=None,
    )
    return dataclasses.replace(sample, **changes)


def instance(**changes: Any) -> Instance:
    sample = Instance(1, "ORCL", "dbhost01", "19.0.0.0.0", "2026-11-21T08:14:38", "OPEN", "STARTED", None)
    return dataclasses.replace(sample, **changes)


def destination(**changes: Any) -> ArchiveDestination:
    sample = ArchiveDestination(
        1, "LOG_ARCHIVE_DEST_1", "VALID", "MANDATORY", "PRIMARY", "/u02/archive", None
    )
    return dataclasses.replace(sample, **changes)


def log(
    sequence: int, first_scn: int, next_scn: int, *, thread: int = 1, resetlogs_id: int = 77
) -> ArchivedLog:
    return ArchivedLog(resetlogs_id, thread, sequence, first_scn, next_scn, 1, f"/a/{sequence}", 1, 512, True)


def manifest_file(number: int = 4, **changes: Any) -> ManifestFile:
    sample = ManifestFile(
        file_number=number,
        con_id=0,
        tablespace="USERS",
        tablespace_number=3,
        bigfile=False,
        source=f"/u01/oradata/users{number:02}.dbf",
        path=f"datafiles/{number}_users.dbf",
        size_bytes=1056768,
        block_size=8192,
        digest=DIGEST,
        chunk_digests=(DIGEST,),
        chunk_size_bytes=67108864,
        method="backup_mode",
        creation_scn=number * 10,
        begin_scn=4000,
        checkpoint_scn=4000,
        unrecoverable_scn=0,
        fault_count=0,
        faults=(),
        compression="none",
        stored_size_bytes=changes.get("size_bytes", 1056768),
        stored_digest=None,
    )
    return dataclasses.replace(sample, **changes)


def manifest(**changes: Any) -> Manifest:
    sample = Manifest(
        set_id="20261121T221500Z",
        tool_version="1.0.0",
        sealed_at="2026-11-21T22:17:31Z",
        database=ManifestDatabase(
            dbid=1684523458,
            name="ORCL",
            unique_name="ORCL",
            resetlogs_id=77,
            resetlogs_scn=1,
            version="19.0.0.0.0",
            platform="Linux x86 64-bit",
            cdb=False,
            threads=(1,),
            startup_times=("2026-11-21T08:14:38",),
            control_files=("/u01/control01.ctl",),
            online_logs=("/u01/redo01.log",),
            parameters=(("compatible", "19.0.0"),),
            wallet_status=None,
        ),
        begin_scn=4000,
        end_scn=2**60,
        control_scn=None,
        files=(manifest_file(4, fault_count=1, faults=((17, "fractured"),)),),
        redo=(ManifestRedo(77, 1, 11, 3900, 2**60 + 5, "redo/77/t1/11.arc", 1024, DIGEST),),
        control=(ManifestControl("control_file", "control/control.ctl", 512, DIGEST),),
        tempfiles=(ManifestTempfile(1, 0, "TEMP", "/u01/temp01.dbf", 1048576, True),),
        excluded=(ManifestExcluded("OLD", 0, (9,), "excluded"),),
        verdict=Verdict.GOOD_WITH_FINDINGS,
        findings=(Finding(Severity.NOTICE, "fractured_blocks", "/u01/x", "text"),),
    )
    return dataclasses.replace(sample, **changes)
