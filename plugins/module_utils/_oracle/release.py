# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between releases of the database, chosen once from its version.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """Containers, and the column CON_ID, came with 12.1."""

    has_containers: bool

    @classmethod
    def of(cls, version: str) -> Release:
        """Return what holds for ``version``, as V$INSTANCE shows it."""
        major = version.split(".", 1)[0]
        return cls(has_containers=major.isdigit() and int(major) >= 12)

    def columns(self, names: str) -> str:
        """Return the columns to select from a view that has CON_ID where there are containers."""
        return f"{names}, con_id" if self.has_containers else names
