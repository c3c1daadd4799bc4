# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers: the root, the seed and the pluggable databases of a container database (CDB).

Redo, control file, SCN and checkpoints belong to the CDB; tablespaces, datafiles, dictionary and
transactions to a container. Source: Oracle Multitenant Administrator's Guide, "Introduction to the
Multitenant Architecture".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

NON_CDB, ROOT, SEED = 0, 1, 2
"""Container ids. 0 is also the whole CDB, in V$ views; pluggable databases of users begin at 3."""
ROOT_NAME, SEED_NAME = "CDB$ROOT", "PDB$SEED"


@dataclass
class ContainerRecord:
    """What the control file knows of a container. ``guid`` is 32 hexadecimal digits.

    ``dbid`` is the container's own; headers of datafiles hold the one of the CDB beside it.
    ``ever_opened`` is False until a pluggable database was opened read write for the first time.
    With ``recovery_enabled`` off its files are left out of recovery of the CDB.
    """

    con_id: int
    name: str
    dbid: int
    guid: str
    creation_scn: int = 0
    creation_time: datetime | None = None
    ever_opened: bool = True
    recovery_enabled: bool = True

    @property
    def pluggable(self) -> bool:
        """A pluggable database of users: neither root nor seed."""
        return self.con_id > SEED


@dataclass(frozen=True)
class ContainerMode:
    """How a pluggable database is open. One that is not is MOUNTED."""

    read_only: bool = False
    restricted: bool = False

    @property
    def open_mode(self) -> str:
        """``V$PDBS.OPEN_MODE``."""
        return "READ ONLY" if self.read_only else "READ WRITE"
