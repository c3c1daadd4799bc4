# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide how a database is brought back: which files, and with which control file. Pure.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest, ManifestFile


class ControlFileMethod(str, Enum):
    """Where the control file for the recovery comes from.

    ``current``: it survived, and recovery is complete. ``create``: CREATE CONTROLFILE ... NORESETLOGS,
    possible while every online redo log survives, and then complete recovery makes no new incarnation.
    ``backup``: the set's binary copy, which needs USING BACKUP CONTROLFILE and OPEN RESETLOGS.
    """

    CURRENT = "current"
    CREATE = "create"
    BACKUP = "backup"


@dataclass(frozen=True)
class ControlFilePlan:
    """The method, why it was chosen, and the control files to write: target path to source path."""

    method: ControlFileMethod
    reason: str
    copies: Mapping[str, str]


def plan_control_file(
    wanted: Sequence[str],
    usable: Sequence[str],
    lost_online_logs: Sequence[str],
    *,
    complete: bool,
    backup_copy: str,
) -> ControlFilePlan:
    """Choose the control file.

    Incomplete recovery takes the set's: the current one has forgotten the tablespaces that were dropped after
    the target, demands files that were added after it, and may be of a later incarnation.

    :param wanted: the paths the database expects, all of them.
    :param usable: those of them that exist and belong to the database.
    :param lost_online_logs: members of online redo logs that are missing.
    :param complete: whether recovery is to be complete.
    :param backup_copy: the set's binary copy.
    """
    if usable and complete:
        missing = [path for path in wanted if path not in usable]
        reason = f"{missing[0]} is lost, {usable[0]} survived" if missing else "the control files survived"
        return ControlFilePlan(ControlFileMethod.CURRENT, reason, dict.fromkeys(missing, usable[0]))
    if complete and not lost_online_logs:
        reason = (
            "all control files are lost, the online redo logs survived: recovery stays in this incarnation"
        )
        return ControlFilePlan(ControlFileMethod.CREATE, reason, {})
    if complete:
        why = f"all control files are lost and online redo log {lost_online_logs[0]} is lost too"
    else:
        why = "a past state needs the control file of the set"
    return ControlFilePlan(
        ControlFileMethod.BACKUP,
        f"{why}: a new incarnation begins",
        dict.fromkeys(wanted, backup_copy),
    )


def select_files(
    manifest: Manifest, *, file_numbers: Sequence[int], tablespaces: Sequence[str]
) -> tuple[ManifestFile, ...]:
    """The set's files that are wanted; all without a selection. Raises PreconditionError for unknown ones."""
    by_number = {item.file_number: item for item in manifest.files}
    names = {item.tablespace for item in manifest.files}
    unknown = [str(number) for number in file_numbers if number not in by_number]
    unknown += [name for name in tablespaces if name not in names]
    if unknown:
        raise PreconditionError(
            f"Set {manifest.set_id} holds no {', '.join(unknown)}.",
            hint=f"It holds the tablespaces {', '.join(sorted(names))}.",
        )
    if not file_numbers and not tablespaces:
        return manifest.files
    return tuple(
        item for item in manifest.files if item.file_number in file_numbers or item.tablespace in tablespaces
    )


def check_confirmation(confirm: str | None, manifest: Manifest, host: str) -> None:
    """Raise PreconditionError unless ``confirm`` names the database that would be overwritten."""
    victim = f"{manifest.database.unique_name}@{host}"
    if confirm != victim:
        given = f"{confirm!r} was given" if confirm else "nothing was given"
        raise PreconditionError(
            f"A restore overwrites the datafiles of {victim}; it needs that name as confirmation, {given}.",
            hint=f"Set restore_confirm (or the module's option confirm) to {victim} if that is what you want.",
        )
