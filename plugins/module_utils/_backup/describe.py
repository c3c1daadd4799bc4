# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented result form of a database and its tablespaces: JSON-plain, the same keys every time.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    Database,
    Datafile,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain


def database_result(database: Database) -> dict[str, Any]:
    """Return what ``database_info`` documents as ``database``."""
    result: dict[str, Any] = plain(database)
    result["parameters"] = dict(database.parameters)
    result["resetlogs_id"] = plain(database.resetlogs_id)
    return result


def datafile_result(datafile: Datafile) -> dict[str, Any]:
    """Return what ``tablespace_info`` documents as one of ``datafiles``."""
    result: dict[str, Any] = plain(datafile)
    result["in_backup_mode"] = datafile.in_backup_mode
    result["size_on_disk"] = datafile.size_on_disk
    return result


def tablespace_result(tablespace: Tablespace) -> dict[str, Any]:
    """Return what ``tablespace_info`` documents as one of ``tablespaces``."""
    result: dict[str, Any] = plain(tablespace)
    result["datafiles"] = [datafile_result(datafile) for datafile in tablespace.datafiles]
    result["label"] = tablespace.label
    result["size_bytes"] = tablespace.size_bytes
    result["in_backup_mode"] = any(datafile.in_backup_mode for datafile in tablespace.datafiles)
    return result
