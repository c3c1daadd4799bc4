# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What putting tablespaces in backup mode, or taking them out, comes to. Pure.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupMethod, Tablespace


@dataclass(frozen=True)
class ModeChange:
    """One statement's worth: a tablespace, or the whole database when ``tablespace`` is None."""

    tablespace: Tablespace | None
    file_numbers: tuple[int, ...]


@dataclass(frozen=True)
class ModePlan:
    """The changes to make; ``skipped`` are selected tablespaces that backup mode does not concern, with the
    reason.
    """

    changes: tuple[ModeChange, ...]
    skipped: tuple[tuple[Tablespace, str], ...]


def plan_active(
    tablespaces: Sequence[Tablespace], owned_files: Set[int], *, whole_database: bool
) -> ModePlan:
    """Return what puts ``tablespaces`` in backup mode.

    ``owned_files`` are the files whose backup mode is ours: those count as done. Raises PreconditionError for
    a tablespace that cannot be begun, or that somebody else has in backup mode.
    """
    broken = [f"{item.label}: {item.reason}" for item in tablespaces if item.method is BackupMethod.BROKEN]
    if broken:
        raise PreconditionError(f"Cannot be put in backup mode: {'; '.join(broken)}.")
    concerned = [item for item in tablespaces if item.method is BackupMethod.BACKUP_MODE]
    skipped = tuple(
        (item, item.reason) for item in tablespaces if item.method is not BackupMethod.BACKUP_MODE
    )
    pending = []
    for tablespace in concerned:
        active = _active_files(tablespace)
        if not active <= owned_files:
            raise PreconditionError(
                f"Tablespace {tablespace.label} is in backup mode already, and was not put there by this module.",
                hint="Another backup may be running. If none is, see the playbook end_stale_backup_mode.",
            )
        if not active:
            pending.append(tablespace)
        elif len(active) < len(tablespace.datafiles):
            raise PreconditionError(
                f"Tablespace {tablespace.label} is in backup mode only in part: a file was added since.",
                hint="Take it out of backup mode first.",
            )
    if not whole_database:
        changes = tuple(ModeChange(tablespace, _numbers([tablespace])) for tablespace in pending)
        return ModePlan(changes, skipped)
    if pending and len(pending) < len(concerned):
        done = ", ".join(item.label for item in concerned if item not in pending)
        raise PreconditionError(
            f"Tablespace {done} is in backup mode already; the database as a whole cannot begin (ORA-01146).",
            hint="Take it out of backup mode first, or use scope=tablespace.",
        )
    return ModePlan((ModeChange(None, _numbers(pending)),) if pending else (), skipped)


def plan_inactive(
    tablespaces: Sequence[Tablespace],
    owned_files: Set[int],
    end_foreign: Iterable[str],
    *,
    whole_database: bool,
) -> ModePlan:
    """Return what takes ``tablespaces`` out of backup mode.

    ``end_foreign`` names the tablespaces that may be ended although their backup mode is not ours. Raises
    PreconditionError for one that is foreign and not named.
    """
    named = set(end_foreign)
    active = [item for item in tablespaces if _active_files(item)]
    foreign = [
        item
        for item in active
        if not _active_files(item) <= owned_files and not named.intersection((item.name, item.label))
    ]
    if foreign:
        labels = ", ".join(item.label for item in foreign)
        raise PreconditionError(
            f"Tablespace {labels} is in backup mode, but not by us; ending it can ruin somebody else's backup.",
            hint="If no other backup is running, name it in end_foreign.",
            details={"foreign": [item.label for item in foreign]},
        )
    skipped = tuple((item, "not in backup mode") for item in tablespaces if item not in active)
    if not whole_database:
        return ModePlan(
            tuple(ModeChange(item, tuple(sorted(_active_files(item)))) for item in active), skipped
        )
    numbers = tuple(sorted(number for item in active for number in _active_files(item)))
    return ModePlan((ModeChange(None, numbers),) if numbers else (), skipped)


def _active_files(tablespace: Tablespace) -> set[int]:
    return {datafile.file_number for datafile in tablespace.datafiles if datafile.in_backup_mode}


def _numbers(tablespaces: Iterable[Tablespace]) -> tuple[int, ...]:
    return tuple(sorted(datafile.file_number for item in tablespaces for datafile in item.datafiles))
