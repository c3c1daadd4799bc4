# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of Oracle-managed files (Administrator's Guide, How Oracle Managed Files Are Named).

Oracle knows its own files by their names: it deletes them when nobody needs them, and lets nobody make one.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

_MANAGED = re.compile(r"o1_mf_.+_\.(dbf|tmp|log|ctl|arc|bkp|flb)")
_LETTERS = "0123456789bcdfghjklmnpqrstvwxyz"
_TABLESPACE_LETTERS = 8


def is_managed_name(path: Path | str) -> bool:
    """Whether a file has an Oracle-managed name."""
    return _MANAGED.fullmatch(Path(path).name) is not None


def unique_part() -> str:
    """The eight characters that make a name unique."""
    return "".join(secrets.choice(_LETTERS) for _ignored in range(8))


def managed_file_name(tablespace: str, *, temporary: bool = False) -> str:
    """A new name for a file of a tablespace, of which it shows the first eight characters."""
    suffix = "tmp" if temporary else "dbf"
    return f"o1_mf_{tablespace[:_TABLESPACE_LETTERS].lower()}_{unique_part()}_.{suffix}"
