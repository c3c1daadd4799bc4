# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle-managed files: where an instance puts a file nobody named, and which names nobody may give."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import NON_CDB, ROOT
from oracle_simulator.storage.managed_names import is_managed_name, managed_file_name

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

DEFAULT_BYTES = 100 << 20
"""Size of a managed file of which none was said; it grows by itself."""


def new_managed_path(
    instance: Instance, tablespace: str, *, temporary: bool = False, con_id: int = NON_CDB
) -> Path | None:
    """A path below DB_CREATE_FILE_DEST, whose folders are made; None when the parameter is not set.

    Files of a pluggable database are in a folder with its GUID. Raises ORA-01262 when there is no such
    destination.
    """
    destination = instance.parameters.get("db_create_file_dest")
    if not destination:
        return None
    if not Path(destination).is_dir():
        stat_failed = "Stat failed on a file destination directory"
        raise OracleError(1262, f"{stat_failed}\nLinux-x86_64 Error: 2: No such file or directory")
    folder = Path(destination) / instance.parameters.db_unique_name.upper()
    container = instance.control.container(con_id) if con_id not in (NON_CDB, ROOT) else None
    if container is not None:
        folder /= container.guid
    folder /= "datafile"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / managed_file_name(tablespace, temporary=temporary)


def refuse_managed_name(path: Path | str) -> None:
    """Raises ORA-01276 for a name that only Oracle itself gives."""
    if is_managed_name(path):
        text = f"Cannot add file {path}.  File has an Oracle Managed Files file name."
        raise OracleError(1276, text)
