# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of the fast recovery area and of restore points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oracle_simulator.instance.archiving.recovery_area import FileTypeUsage
from oracle_simulator.sql.views.definition import (
    Needs,
    View,
    ViewContext,
    container,
    nothing,
    number,
    text,
    timestamp,
)


@dataclass(frozen=True)
class _RecoveryArea:
    path: str
    limit: int
    usage: list[FileTypeUsage]


def _recovery_areas(context: ViewContext) -> list[_RecoveryArea]:
    area = context.instance.recovery_area
    return [_RecoveryArea(str(area.folder), area.limit, area.usage())] if area.folder else []


RECOVERY_FILE_DEST = View(
    "V$RECOVERY_FILE_DEST",
    Needs.CONTROL_FILE,
    _recovery_areas,
    [
        text("NAME", 513, lambda a: a.path),
        number("SPACE_LIMIT", lambda a: a.limit),
        number("SPACE_USED", lambda a: sum(each.used for each in a.usage)),
        number("SPACE_RECLAIMABLE", lambda a: sum(each.reclaimable for each in a.usage)),
        number("NUMBER_OF_FILES", lambda a: sum(each.files for each in a.usage)),
        container(),
    ],
)

_OTHER_FILE_TYPES = ("BACKUP PIECE", "IMAGE COPY", "FLASHBACK LOG", "FOREIGN ARCHIVED LOG")


@dataclass(frozen=True)
class _Share:
    usage: FileTypeUsage
    limit: int

    def percent(self, size: int) -> float:
        return round(100 * size / self.limit, 2) if self.limit else 0


def _shares(context: ViewContext) -> list[_Share]:
    area = context.instance.recovery_area
    others = [FileTypeUsage(each) for each in _OTHER_FILE_TYPES]
    return [_Share(usage, area.limit) for usage in (*area.usage(), *others)]


RECOVERY_AREA_USAGE = View(
    "V$RECOVERY_AREA_USAGE",
    Needs.CONTROL_FILE,
    _shares,
    [
        text("FILE_TYPE", 23, lambda s: s.usage.file_type),
        number("PERCENT_SPACE_USED", lambda s: s.percent(s.usage.used)),
        number("PERCENT_SPACE_RECLAIMABLE", lambda s: s.percent(s.usage.reclaimable)),
        number("NUMBER_OF_FILES", lambda s: s.usage.files),
        container(),
    ],
)
RESTORE_POINT = View(
    "V$RESTORE_POINT",
    Needs.CONTROL_FILE,
    nothing,
    [
        number("SCN", lambda r: r),
        number("DATABASE_INCARNATION#", lambda r: r),
        text("GUARANTEE_FLASHBACK_DATABASE", 3, lambda r: r),
        number("STORAGE_SIZE", lambda r: r),
        timestamp("TIME", lambda r: r),
        timestamp("RESTORE_POINT_TIME", lambda r: r),
        text("PRESERVED", 3, lambda r: r),
        text("NAME", 128, lambda r: r),
        text("PDB_RESTORE_POINT", 3, lambda r: r, since=(12, 2)),
        text("CLEAN_PDB_RESTORE_POINT", 3, lambda r: r, since=(12, 2)),
        number("PDB_INCARNATION#", lambda r: r, since=(12, 2)),
        container(),
    ],
)

VIEWS: tuple[View[Any], ...] = (
    RECOVERY_FILE_DEST,
    RECOVERY_AREA_USAGE,
    RECOVERY_AREA_USAGE.named("V$FLASH_RECOVERY_AREA_USAGE"),
    RESTORE_POINT,
)
