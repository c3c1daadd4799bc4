# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal says of a copied file, and whether its headers prove the copy consistent.

Private to the collection.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupMethod, Datafile
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import CopyResult
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import DatafileHeader
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained


def copied_fields(
    layout: SetLayout, datafile: Datafile, method: BackupMethod, result: CopyResult, begin_scn: int | None
) -> dict[str, Any]:
    """The fields of ``file_copied``. Inode and time are the copy's: by them a later run knows it untouched.

    Raises BackupError if the copy is gone.
    """
    destination = Path(result.destination)
    with explained(f"Failed to find the copy {destination}"):
        mtime_ns = destination.stat().st_mtime_ns
    header = result.header_before
    fields: dict[str, Any] = plain(
        {
            "file_number": datafile.file_number,
            "tablespace": datafile.tablespace,
            "con_id": datafile.con_id,
            "creation_scn": datafile.creation_scn,
            "source": datafile.path,
            "path": layout.relative(destination),
            "size_bytes": result.size_bytes,
            "digest": result.digest,
            "chunk_digests": result.chunk_digests,
            "chunk_size_bytes": result.chunk_size_bytes,
            "compression": result.compression,
            "stored_size_bytes": result.stored_size_bytes,
            "stored_digest": result.stored_digest,
            # Of the file the engine wrote, not of what has its name now.
            "inode": result.stored_inode,
            "mtime_ns": mtime_ns,
            "faults": [fault.as_dict() for fault in result.faults],
            "fault_count": result.fault_count,
            "begin_scn": begin_scn,
            "checkpoint_scn": header.checkpoint_scn if isinstance(header, DatafileHeader) else None,
            "method": method.value,
            "unrecoverable_scn": datafile.unrecoverable_scn,
            "header": header,
            "seconds": round(result.seconds, 3),
            "accelerator": result.accelerator,
        }
    )
    return fields


def copy_doubt(result: CopyResult, begin_scn: int | None) -> str:
    """Say why the headers of a copied file do not prove it consistent; empty if they do.

    Of a file in backup mode the header's checkpoint is frozen at CHANGE# (``begin_scn``) and the backup bit
    is set, so both must be so before and after. Of a plain copy nothing may have moved at all.
    """
    for moment, header in (("before", result.header_before), ("after", result.header_after)):
        if not isinstance(header, DatafileHeader):
            return "it has no datafile header"
        if begin_scn is None:
            if header.in_backup or header.fuzzy:
                return f"its header was fuzzy {moment} the copy: it is not at rest"
        elif not header.in_backup:
            return f"its header did not show backup mode {moment} the copy"
        elif header.checkpoint_scn != begin_scn:
            return f"its header's checkpoint was {header.checkpoint_scn} {moment} the copy, not {begin_scn}"
    if begin_scn is None and result.header_before != result.header_after:
        return "its header changed during the copy: it is not at rest"
    return ""
