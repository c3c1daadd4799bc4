# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows that a play opens and closes itself, for copies it makes by other means, such as snapshots.

They are kept in a journal like a run's, on the database host, so that it can be told later whose backup mode
it is. Windows that dead runs left open are recognised by the journals of their sets.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    Window,
    owned_windows,
    replay,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import DatabaseLayout, is_set_id
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.mode_plan import ModeChange
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupStatus, Tablespace
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.backup_mode import (
    BEGIN_DATABASE,
    END_DATABASE,
    begin_backup,
    begin_database,
    begin_statement,
    end_backup,
    end_database,
    end_statement,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import current_scn
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway

JOURNAL_NAME = "backup_mode.jsonl"
_CLOSED_BY = "user"


@dataclass(frozen=True)
class OwnedWindow:
    """A window of ours whose files are in backup mode now, and the journal that shows it."""

    window: Window
    journal_path: Path


def journals_of(state_folder: Path, sets: DatabaseLayout | None) -> list[Path]:
    """Return the journals that can show a window to be ours; ``sets`` adds those of the unfinished sets."""
    found = [state_folder / JOURNAL_NAME]
    if sets is not None and sets.sets_folder.is_dir():
        for folder in sorted(sets.sets_folder.iterdir()):
            if is_set_id(folder.name) and not sets.set(folder.name).manifest_path.exists():
                found.append(sets.set(folder.name).journal_path)
    return [path for path in found if path.is_file()]


def find_owned(journals: Sequence[Path], status: Mapping[int, BackupStatus]) -> list[OwnedWindow]:
    """Return our windows among the files that are in backup mode. Raises VerificationError for a bad journal."""
    return [
        OwnedWindow(window, path)
        for path in journals
        for window in owned_windows(replay(read_journal(path)), status).ours
    ]


def statement_of(change: ModeChange, *, active: bool) -> str:
    """Return the statement a change comes to, for check mode."""
    if change.tablespace is None:
        return BEGIN_DATABASE if active else END_DATABASE
    name = change.tablespace.name
    return begin_statement(name) if active else end_statement(name)


def open_window(
    gateway: Gateway, journal: Journal, change: ModeChange, tablespaces: Sequence[Tablespace], run_id: str
) -> dict[int, BackupStatus]:
    """Put a change's files in backup mode; the intent is on disk before. Raises as the gateway does."""
    concerned = _tablespaces_of(change, tablespaces)
    scn = current_scn(gateway)
    for tablespace, numbers in concerned:
        journal.append(
            "window_intent",
            run_id=run_id,
            tablespace=tablespace.name,
            con_id=tablespace.con_id,
            files=list(numbers),
            current_scn=scn,
        )
    if change.tablespace is None:
        statuses = begin_database(gateway, change.file_numbers)
    else:
        statuses = begin_backup(
            gateway, change.tablespace.name, change.tablespace.con_id, change.file_numbers
        )
    for tablespace, numbers in concerned:
        journal.append(
            "window_opened",
            run_id=run_id,
            tablespace=tablespace.name,
            con_id=tablespace.con_id,
            files={str(number): statuses[number].scn for number in numbers},
        )
    return statuses


def close_window(
    gateway: Gateway, change: ModeChange, owned: Sequence[OwnedWindow], run_id: str
) -> dict[int, BackupStatus]:
    """Take a change's files out of backup mode and note it where their windows are known.

    Raises as the gateway does; then nothing is noted and the windows stay known as ours.
    """
    if change.tablespace is None:
        statuses = end_database(gateway, change.file_numbers)
    else:
        statuses = end_backup(gateway, change.tablespace.name, change.tablespace.con_id, change.file_numbers)
    for item in owned:
        if set(item.window.files).isdisjoint(change.file_numbers):
            continue
        with Journal.open(item.journal_path) as journal:
            journal.append(
                "window_closed",
                run_id=run_id,
                tablespace=item.window.tablespace,
                con_id=item.window.con_id,
                files=sorted(item.window.files),
                by=_CLOSED_BY,
            )
    return statuses


def _tablespaces_of(
    change: ModeChange, tablespaces: Sequence[Tablespace]
) -> list[tuple[Tablespace, tuple[int, ...]]]:
    wanted = set(change.file_numbers)
    result = []
    for tablespace in tablespaces:
        numbers = tuple(item.file_number for item in tablespace.datafiles if item.file_number in wanted)
        if numbers:
            result.append((tablespace, numbers))
    return result
