# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a tablespace must be backed up, from what the control file and the file headers say of its files.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupMethod, Datafile

OFFLINE_NORMAL = "OFFLINE NORMAL"
_UNKNOWN_NAME = re.compile(r"(UNNAMED|MISSING)\d{5}$")


class Classification(NamedTuple):
    """The method and, for people, why."""

    method: BackupMethod
    reason: str


def classify_tablespace(
    datafiles: Sequence[Datafile], *, temporary: bool = False, container_open_mode: str | None = None
) -> Classification:
    """Return how to back up the tablespace of ``datafiles``.

    ``container_open_mode`` is V$CONTAINERS.OPEN_MODE of the tablespace's container, None outside a container
    database. Rules: Database Reference, V$DATAFILE and V$DATAFILE_HEADER; Backup and Recovery User's Guide,
    user-managed backups.
    """
    if temporary:
        return Classification(BackupMethod.SKIP, "temporary: its tempfiles are recorded and made again")
    if not datafiles:
        return Classification(BackupMethod.SKIP, "it has no datafiles")
    files = [(datafile, classify_datafile(datafile, container_open_mode)) for datafile in datafiles]
    for method in (BackupMethod.BROKEN, BackupMethod.BACKUP_MODE):
        reasons = [reason for _datafile, (found, reason) in files if found is method]
        if not reasons:
            continue
        if method is BackupMethod.BROKEN:
            return Classification(method, "; ".join(reasons))
        if len(reasons) == len(files):
            return Classification(method, reasons[0])
        offline = [datafile for datafile, (found, _reason) in files if found is not method]
        numbers = ", ".join(str(datafile.file_number) for datafile in offline)
        return Classification(
            BackupMethod.BROKEN,
            f"file {numbers} is offline while others are online: backup mode is refused then (ORA-01128)",
        )
    return files[0][1]


def classify_datafile(datafile: Datafile, container_open_mode: str | None = None) -> Classification:
    """Return how to back up one file; SKIP is never the answer."""
    broken = _broken_reason(datafile)
    if broken:
        return Classification(BackupMethod.BROKEN, f"file {datafile.file_number}: {broken}")
    if datafile.status == "OFFLINE":
        return Classification(BackupMethod.PLAIN_COPY, "offline normal: its files do not change")
    if container_open_mode is not None and container_open_mode != "READ WRITE":
        if container_open_mode == "MOUNTED" and datafile.header_fuzzy == "YES":
            reason = (
                f"file {datafile.file_number}: its container is closed but the file was not closed cleanly"
            )
            return Classification(BackupMethod.BROKEN, reason)
        return Classification(
            BackupMethod.PLAIN_COPY, f"its container is {container_open_mode}: its files do not change"
        )
    if datafile.enabled == "READ ONLY":
        return Classification(BackupMethod.PLAIN_COPY, "read only: its files do not change")
    return Classification(BackupMethod.BACKUP_MODE, "online and read write")


def is_asm_name(path: str) -> bool:
    """Tell whether a file name is one of Automatic Storage Management, which no operating-system copy can
    read.
    """
    return path.startswith("+")


def _broken_reason(datafile: Datafile) -> str:
    if not datafile.path or _UNKNOWN_NAME.search(datafile.path):
        return "the control file knows no real file for it"
    if is_asm_name(datafile.path):
        return f"{datafile.path} is in ASM, which cannot be copied as an operating-system file"
    if datafile.path.startswith("/dev/"):
        return f"{datafile.path} is a raw device"
    if datafile.status == "SYSOFF":
        return f"{datafile.path} belongs to SYSTEM and is offline"
    if datafile.header_error not in (None, OFFLINE_NORMAL):
        return f"the header of {datafile.path} cannot be used: {datafile.header_error}"
    if datafile.status == "RECOVER" or datafile.needs_recovery:
        return f"{datafile.path} needs media recovery"
    if datafile.status == "OFFLINE":
        return (
            ""
            if datafile.recover_error == OFFLINE_NORMAL
            else f"{datafile.path} is offline, not offline normal"
        )
    if datafile.status not in ("SYSTEM", "ONLINE"):
        return f"{datafile.path} has the unknown status {datafile.status!r}"
    if datafile.enabled not in ("READ WRITE", "READ ONLY"):
        return f"{datafile.path} is {datafile.enabled or 'in an unknown state'}"
    return ""
