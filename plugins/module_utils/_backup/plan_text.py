# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as a person reads it. Pure.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_HOW = {"backup_mode": "in backup mode"}
_COMPRESSED = {"zstd": ", compressed with zstd"}


def plan_text(plan: Mapping[str, Any]) -> list[str]:
    """Return the plan in lines: a headline, one line for each tablespace, then what stands in the way.

    ``plan`` is the plan as modules return it (BackupPlan.as_result).
    """
    headline = (
        f"copy {counted(plan['file_count'], 'file')}, {megabytes(plan['copy_bytes'])},"
        f" over {counted(plan['streams'], 'stream')}{_COMPRESSED.get(plan['compression'], '')}"
    )
    return [
        headline,
        *(f"first end the backup mode that a dead run left on {name}" for name in plan["stale_windows"]),
        *(_tablespace_line(item) for item in plan["tablespaces"]),
        *_left_out_lines("not copied", (*plan["skipped"], *plan["excluded"])),
        *_left_out_lines("cannot be backed up", plan["broken"]),
        *(f"refused: {problem['message']}" for problem in plan["problems"]),
    ]


def _tablespace_line(item: Mapping[str, Any]) -> str:
    how = _HOW.get(item["method"], f"as it is ({item['reason']})")
    copied = item["already_copied"]
    done = f", {counted(len(copied), 'file')} copied already" if copied else ""
    return f"{item['label']}: {counted(len(item['files']), 'file')}, {megabytes(item['copy_bytes'])}, {how}{done}"


def _left_out_lines(what: str, items: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{item['label']}: {what}: {item['reason']}" for item in items]


def counted(number: int, noun: str) -> str:
    """Return ``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def megabytes(size_bytes: int) -> str:
    """Return a size in units of a million bytes."""
    return f"{size_bytes / 1e6:,.0f} MB"
