# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The printed plan."""

from __future__ import annotations

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan_text import (
    counted,
    megabytes,
    plan_text,
)

PLAN = {
    "file_count": 3,
    "copy_bytes": 105_000_000,
    "streams": 2,
    "compression": "none",
    "tablespaces": [
        {
            "label": "SALES",
            "method": "backup_mode",
            "reason": "read write",
            "files": [5, 6],
            "copy_bytes": 84_000_000,
            "already_copied": [7],
        },
        {
            "label": "OLD",
            "method": "plain_copy",
            "reason": "read only",
            "files": [8],
            "copy_bytes": 21_000_000,
            "already_copied": [],
        },
    ],
    "skipped": [{"label": "TEMP", "reason": "temporary"}],
    "excluded": [],
    "broken": [{"label": "LOST", "reason": "file 9 needs recovery"}],
    "stale_windows": ["USERS"],
    "problems": [{"message": "The database is in NOARCHIVELOG mode."}],
}


def test_the_plan_says_everything_that_will_and_will_not_happen() -> None:
    assert plan_text(PLAN) == [
        "copy 3 files, 105 MB, over 2 streams",
        "first end the backup mode that a dead run left on USERS",
        "SALES: 2 files, 84 MB, in backup mode, 1 file copied already",
        "OLD: 1 file, 21 MB, as it is (read only)",
        "TEMP: not copied: temporary",
        "LOST: cannot be backed up: file 9 needs recovery",
        "refused: The database is in NOARCHIVELOG mode.",
    ]


def test_the_plan_says_that_copies_are_compressed() -> None:
    headline = plan_text({**PLAN, "compression": "zstd"})[0]
    assert headline == "copy 3 files, 105 MB, over 2 streams, compressed with zstd"


def test_one_is_not_plural() -> None:
    assert [counted(1, "file"), counted(2, "file"), counted(0, "file")] == ["1 file", "2 files", "0 files"]


def test_sizes_are_in_megabytes() -> None:
    assert megabytes(1_234_567_890) == "1,235 MB"
