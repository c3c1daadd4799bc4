# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a run must know before it changes anything. Reads only. Private to the collection.

Check mode ends with this; the runner begins with it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import NONE, Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    JournalState,
    replay,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout, is_set_id
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    BackupStatus,
    Database,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan import (
    BackupPlan,
    BackupPolicy,
    Problem,
    plan_backup,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.selection import Search
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.space import free_bytes, require_space
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import require_compressor
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.leftovers import find_leftovers

# Headers, journal, control file and parameters beside the datafiles.
_SPARE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Preflight:
    """What was found and what follows from it. ``stale_journals`` are other sets' journals whose dead runs
    left tablespaces in backup mode: ended before anything else. ``warnings`` are no reason to refuse.
    """

    database: Database
    plan: BackupPlan
    state: JournalState
    stale_journals: tuple[Path, ...]
    stale_tablespaces: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def as_result(self) -> dict[str, Any]:
        """The plan as modules document it, with the windows of all dead runs among those to be ended."""
        result = self.plan.as_result()
        result["stale_windows"] = sorted({*result["stale_windows"], *self.stale_tablespaces})
        return result


def read_state(layout: SetLayout) -> JournalState:
    """What is known of the set; the empty state of one that was never begun. Raises VerificationError."""
    return replay(read_journal(layout.journal_path)) if layout.journal_path.exists() else JournalState()


def examine(
    database: Database,
    tablespaces: Sequence[Tablespace],
    layout: SetLayout,
    policy: BackupPolicy,
    search: Search | None = None,
) -> Preflight:
    """Plan a set's run from what was read of its database. Raises PreconditionError, VerificationError."""
    state = read_state(layout)
    journals, owned = _other_leftovers(layout, tablespaces)
    seen = _without_backup_mode(tablespaces, owned)
    intact = intact_files(layout, state)
    plan = plan_backup(database, seen, state, policy, intact_files=intact, search=search)
    problems = destination_problems(layout, _needed_bytes(plan))
    if problems:
        plan = plan_backup(
            database,
            seen,
            state,
            policy,
            intact_files=intact,
            destination_problems=problems,
            search=search,
        )
    plan = replace(plan, problems=(*plan.problems, *_compression_problems(plan, policy.compression)))
    names = {
        tablespace.label
        for tablespace in tablespaces
        if any(datafile.file_number in owned for datafile in tablespace.datafiles)
    }
    return Preflight(database, plan, state, journals, tuple(sorted(names)), _space_warnings(layout, plan))


def intact_files(layout: SetLayout, state: JournalState) -> frozenset[int]:
    """The files whose copies are still what the journal says, by inode, size and time; nothing is read."""
    return frozenset(
        number
        for number, copied in state.files.items()
        if _same(layout.absolute(copied.path), copied.inode, copied.stored_size_bytes, copied.mtime_ns)
    )


def destination_problems(layout: SetLayout, needed_bytes: int) -> list[str]:
    """What makes the place of the set unfit for ``needed_bytes`` more."""
    existing = layout.set_folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    problems = []
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        problems.append(f"The user of this task cannot write to {existing}.")
    if needed_bytes:
        try:
            require_space(layout.destination, needed_bytes)
        except BackupError as exc:
            problems.append(exc.message)
    return problems


def _needed_bytes(plan: BackupPlan) -> int:
    """The room without which a run is not begun.

    How small compressed copies get nobody knows beforehand: half-empty files shrink to almost nothing. To demand
    their whole size would refuse what fits. A run that does find the disk full ends its windows, and the set is
    resumed once there is room; so it is warned of, not refused.
    """
    if not plan.copy_bytes:
        return 0
    return _SPARE_BYTES + (plan.copy_bytes if plan.compression == NONE else 0)


def _space_warnings(layout: SetLayout, plan: BackupPlan) -> tuple[str, ...]:
    free = free_bytes(layout.destination)
    if plan.compression == NONE or free >= plan.copy_bytes + _SPARE_BYTES:
        return ()
    return (
        f"{layout.destination} has {free} bytes free, the files to copy have {plan.copy_bytes} before they are"
        " compressed: whether they fit shows while they are copied.",
    )


def _compression_problems(plan: BackupPlan, wanted: Compression) -> tuple[Problem, ...]:
    """Why this interpreter, which is also the runner's, cannot compress as wanted."""
    if wanted.name == NONE or not plan.file_count:
        return ()
    try:
        require_compressor(wanted)
    except PreconditionError as exc:
        return (Problem("compression", exc.message, exc.hint),)
    return ()


def _same(path: Path, inode: int, size_bytes: int, mtime_ns: int) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return (status.st_ino, status.st_size, status.st_mtime_ns) == (inode, size_bytes, mtime_ns)


def _other_leftovers(
    layout: SetLayout, tablespaces: Sequence[Tablespace]
) -> tuple[tuple[Path, ...], frozenset[int]]:
    """Journals of other sets with windows left open, and the files those windows still hold."""
    status = {
        datafile.file_number: BackupStatus(datafile.backup_status, datafile.backup_scn, datafile.backup_time)
        for tablespace in tablespaces
        for datafile in tablespace.datafiles
        if datafile.in_backup_mode
    }
    if not status:
        return (), frozenset()
    journals: list[Path] = []
    owned: set[int] = set()
    for journal in sorted(layout.database.sets_folder.glob("*/journal.jsonl")):
        if not is_set_id(journal.parent.name) or journal == layout.journal_path:
            continue
        files = _files_still_held(journal, status)
        if files:
            journals.append(journal)
            owned |= files
    return tuple(journals), frozenset(owned)


def _files_still_held(journal: Path, status: Mapping[int, BackupStatus]) -> set[int]:
    return {
        number
        for leftover in find_leftovers(read_journal(journal))
        if leftover.is_ours(status)
        for number in leftover.window.files
        if number in status
    }


def _without_backup_mode(
    tablespaces: Sequence[Tablespace], file_numbers: Collection[int]
) -> list[Tablespace]:
    """The tablespaces as they will be once the windows of ``file_numbers`` have been ended."""
    if not file_numbers:
        return list(tablespaces)
    return [
        replace(
            tablespace,
            datafiles=tuple(
                replace(datafile, backup_status="NOT ACTIVE")
                if datafile.file_number in file_numbers
                else datafile
                for datafile in tablespace.datafiles
            ),
        )
        for tablespace in tablespaces
    ]
