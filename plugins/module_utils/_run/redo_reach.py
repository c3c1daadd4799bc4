# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a set can be recovered with all the redo there is: looked at before anything is overwritten.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.assess import reachable
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import ScnInterval
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.log_search import (
    FoundLog,
    files_below,
    search_logs,
)

OPEN_END = 1 << 64
"""Next SCN of a current log: beyond every SCN."""

_LOCATION = re.compile(r"(?:LOCATION\s*=\s*)?\"?(/[^\"\s,]+)", re.IGNORECASE)


@dataclass(frozen=True)
class _Span:
    """A found log as the chain wants it."""

    resetlogs_id: int
    thread: int
    sequence: int
    first_scn: int
    next_scn: int


def archive_folders(parameters: Mapping[str, str]) -> list[str]:
    """The local folders that the archiver writes to, by the parameters the set remembers."""
    wanted = re.compile(r"log_archive_dest(_\d+)?$|db_recovery_file_dest$")
    values = [value for name, value in sorted(parameters.items()) if wanted.match(name.lower())]
    return [found.group(1) for found in map(_LOCATION.match, values) if found]


def redo_reach(manifest: Manifest, layout: SetLayout) -> ScnInterval | None:
    """The SCNs the set can be recovered to with redo store, archive destinations and online logs.

    ``through_scn`` is OPEN_END - 1 where the current online logs survive: recovery can then be complete.
    """
    folders = [str(layout.redo_folder), *archive_folders(dict(manifest.database.parameters))]
    paths = [*files_below(dict.fromkeys(folders)), *manifest.database.online_logs]
    return reachable(manifest, list(_spans(search_logs(paths, manifest.database.dbid))))


def require_living_branch(manifest: Manifest, through_scn: int | None) -> None:
    """Raise PreconditionError when the set, or the target, lies on a branch that RESETLOGS cut off.

    The online logs belong to the incarnation the database is in now. What an earlier incarnation did from
    that one's resetlogs SCN on was given up when it was opened, and must not come back unnoticed.
    """
    logs = search_logs(manifest.database.online_logs, manifest.database.dbid)
    for log in logs:
        header, own = log.header, manifest.database
        if header.resetlogs_id == own.resetlogs_id or header.resetlogs_scn <= own.resetlogs_scn:
            continue
        if max(manifest.end_scn, through_scn or 0) >= header.resetlogs_scn:
            raise PreconditionError(
                f"Set {manifest.set_id} belongs to a branch of {own.unique_name}'s history that was given up at"
                f" SCN {header.resetlogs_scn}, when the database was opened with RESETLOGS. Nothing was changed.",
                hint="Name a set made before that SCN with a target before it, or one made since (restore_set_id).",
            )


def require_reach(manifest: Manifest, reach: ScnInterval | None, through_scn: int | None) -> None:
    """Raise PreconditionError unless recovery through an SCN, or complete recovery (None), can succeed."""
    if reach is None:
        raise PreconditionError(
            f"Set {manifest.set_id} cannot be restored: redo between SCN {manifest.begin_scn} and"
            f" {manifest.end_scn} is missing. Nothing was changed.",
            hint="Bring the archived logs back to the redo store, or choose another set.",
        )
    last = "the end of redo" if reach.through_scn == OPEN_END - 1 else f"SCN {reach.through_scn}"
    if through_scn is None:
        if reach.through_scn != OPEN_END - 1:
            raise PreconditionError(
                f"Complete recovery is impossible: the redo found for set {manifest.set_id} ends at {last}."
                " Nothing was changed.",
                hint=f"Bring the missing logs back, or recover through SCN {reach.through_scn} (restore_until_scn)"
                " and lose what was committed later.",
            )
    elif through_scn not in reach:
        raise PreconditionError(
            f"Set {manifest.set_id} can be recovered from SCN {reach.from_scn} through {last},"
            f" not to {through_scn}. Nothing was changed.",
            hint="Choose another set, or another SCN.",
        )


def _spans(logs: Iterable[FoundLog]) -> Iterable[_Span]:
    for log in logs:
        header = log.header
        yield _Span(
            header.resetlogs_id,
            header.thread,
            header.sequence,
            header.first_scn,
            OPEN_END if header.next_scn is None else header.next_scn,
        )
