# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a set holds, as modules return it: read from its journal. Private to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    JournalState,
    Window,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupMethod
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan import BackupPlan
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.backup_mode import (
    begin_statement,
    end_statement,
)

_FILE_FIELDS = (
    "file_number",
    "con_id",
    "tablespace",
    "source",
    "path",
    "size_bytes",
    "compression",
    "stored_size_bytes",
    "digest",
    "method",
    "begin_scn",
    "checkpoint_scn",
    "fault_count",
    "accelerator",
)


def set_contents(state: JournalState) -> dict[str, Any]:
    """Files, windows and SCNs of a set; all empty or null for one that was never begun."""
    return {
        "files": [
            {name: plain(getattr(state.files[number], name)) for name in _FILE_FIELDS}
            for number in sorted(state.files)
        ],
        "windows": [_window(window) for window in state.windows],
        "begin_scn": plain(state.begin_scn),
        "end_scn": plain(state.copied_end_scn),
    }


def executed_statements(state: JournalState, run_id: str) -> list[str]:
    """What a run executed on the database, in the order its windows were opened."""
    return _statements(window.tablespace for window in state.windows if window.run_id == run_id)


def planned_statements(plan: BackupPlan) -> list[str]:
    """What a run of the plan would execute."""
    return _statements(
        item.tablespace.name
        for item in plan.tablespaces
        if item.files and item.method is BackupMethod.BACKUP_MODE
    )


def _statements(tablespaces: Iterable[str]) -> list[str]:
    return [text for name in tablespaces for text in (begin_statement(name), end_statement(name))]


def _window(window: Window) -> dict[str, Any]:
    return {
        "tablespace": window.tablespace,
        "con_id": window.con_id,
        "file_numbers": sorted(window.files),
        "begin_scn": plain(window.begin_scn),
        "end_scn": plain(window.end_scn),
        "opened_at": window.opened_at,
        "closed_at": window.closed_at,
        "closed_by": window.closed_by,
        "run_id": window.run_id,
    }
