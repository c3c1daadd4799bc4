# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Free space of the file system that will take a backup.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
)


def free_bytes(path: str | os.PathLike[str]) -> int:
    """Return the bytes an ordinary user may still write below ``path``.

    ``path`` need not exist yet: its nearest existing ancestor decides, so space can be checked before a set's
    folder is made. Raises BackupError if that ancestor cannot be examined.
    """
    try:
        status = os.statvfs(_nearest_existing(Path(path)))
    except OSError as exc:
        raise BackupError(f"Failed to read the free space at {path}: {exc.strerror}.") from exc
    return status.f_bavail * status.f_frsize


def require_space(path: str | os.PathLike[str], needed_bytes: int) -> None:
    """Raise PreconditionError, naming both numbers, unless ``needed_bytes`` are free below ``path``."""
    available = free_bytes(path)
    if available < needed_bytes:
        raise PreconditionError(
            f"Failed to reserve space at {path}: {needed_bytes} bytes needed, {available} bytes free.",
            hint="Free space there or choose another destination.",
            details={"needed_bytes": needed_bytes, "free_bytes": available},
        )


def _nearest_existing(path: Path) -> Path:
    candidate = path.absolute()
    while not candidate.exists() and candidate != candidate.parent:
        candidate = candidate.parent
    return candidate
