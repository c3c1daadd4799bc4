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
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.departure import (
    Departure,
    departure_from,
    living_part,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.log_search import (
    FoundLog,
    files_below,
    search_logs,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.scn import decode_oracle_time

OPEN_END = 1 << 64
"""Next SCN of a current log: beyond every SCN."""

_NEW_BACKUP = "If the database still opens, do not restore: take a new backup."
_LOCATION = re.compile(r"(?:LOCATION\s*=\s*)?\"?(/[^\"\s,]+)", re.IGNORECASE)


@dataclass(frozen=True)
class LogSpan:
    """A found log as the chain wants it, and as it tells of its incarnation."""

    resetlogs_id: int
    resetlogs_scn: int
    thread: int
    sequence: int
    first_scn: int
    next_scn: int
    path: str


@dataclass(frozen=True)
class RedoReach:
    """The SCNs that the redo found leads a set to, None if it does not carry even the set itself; and where the
    database left the set's incarnation, if it did.

    ``by_redo.through_scn`` is OPEN_END - 1 where the current online logs survive: recovery can then be complete.
    """

    by_redo: ScnInterval | None
    departure: Departure | None = None

    @property
    def living(self) -> ScnInterval | None:
        """What a restore may go to: the only SCNs that are ever advised."""
        return living_part(self.by_redo, self.departure)


def archive_folders(parameters: Mapping[str, str]) -> list[str]:
    """The local folders that the archiver writes to, by the parameters the set remembers."""
    wanted = re.compile(r"log_archive_dest(_\d+)?$|db_recovery_file_dest$")
    values = [value for name, value in sorted(parameters.items()) if wanted.match(name.lower())]
    return [found.group(1) for found in map(_LOCATION.match, values) if found]


def redo_reach(manifest: Manifest, layout: SetLayout) -> RedoReach:
    """How far the set can be recovered with redo store, archive destinations and online logs."""
    folders = [str(layout.redo_folder), *archive_folders(dict(manifest.database.parameters))]
    paths = [*files_below(dict.fromkeys(folders)), *manifest.database.online_logs]
    logs = log_spans(paths, manifest.database.dbid)
    return RedoReach(reachable(manifest, logs), departure_from(manifest.database, logs))


def log_spans(paths: Iterable[str], dbid: int) -> list[LogSpan]:
    """The logs of a database among these files; a current one ends at OPEN_END."""
    return [_span(log) for log in search_logs(paths, dbid)]


def require_reach(manifest: Manifest, reach: RedoReach, through_scn: int | None) -> None:
    """Raise PreconditionError unless recovery through an SCN, or complete recovery (None), can succeed and leads to
    nothing that was given up with RESETLOGS.
    """
    departure, living = reach.departure, reach.living
    if departure is not None and departure.scn <= manifest.end_scn:
        raise PreconditionError(
            f"Set {manifest.set_id} cannot be restored: it is complete only from SCN {manifest.end_scn} on, and"
            f" {_given_up(manifest, departure)} Nothing was changed.",
            hint=f"Restore another set: one made since then, or, to go back further, one that is complete before SCN"
            f" {departure.scn}. {_NEW_BACKUP}",
        )
    if living is None:
        raise PreconditionError(
            f"Set {manifest.set_id} cannot be restored: redo between SCN {manifest.begin_scn} and"
            f" {manifest.end_scn} is missing. Nothing was changed.",
            hint="Bring the archived logs back to the redo store, or choose another set.",
        )
    if departure is not None and (through_scn is None or through_scn >= departure.scn):
        wish = "to the end of redo" if through_scn is None else f"to SCN {through_scn}"
        raise PreconditionError(
            f"Set {manifest.set_id} cannot be recovered {wish}: {_given_up(manifest, departure)}"
            " Nothing was changed.",
            hint="Restore a set made since then, if there is one (backup_set_info lists them, restore_set_id names"
            f" one). With this set only SCN {living.from_scn} to {living.through_scn} can be reached"
            " (restore_until_scn), and everything committed later is lost. " + _NEW_BACKUP,
        )
    last = "the end of redo" if living.through_scn == OPEN_END - 1 else f"SCN {living.through_scn}"
    if through_scn is None:
        if living.through_scn != OPEN_END - 1:
            raise PreconditionError(
                f"Complete recovery is impossible: the redo found for set {manifest.set_id} ends at {last}."
                " Nothing was changed.",
                hint=f"Bring the missing logs back, or recover through SCN {living.through_scn} (restore_until_scn)"
                " and lose what was committed later.",
            )
    elif through_scn not in living:
        raise PreconditionError(
            f"Set {manifest.set_id} can be recovered from SCN {living.from_scn} through {last},"
            f" not to {through_scn}. Nothing was changed.",
            hint="Choose an SCN in between (restore_until_scn), or a set that reaches the wanted one"
            " (restore_set_id).",
        )


def _given_up(manifest: Manifest, departure: Departure) -> str:
    database = manifest.database
    return (
        f"what {database.unique_name} did in incarnation {database.resetlogs_id}, to which the set belongs, was given"
        f" up from SCN {departure.scn} on when the database was opened with RESETLOGS{_moment(departure)}:"
        f" incarnation {departure.resetlogs_id} began there, as {departure.shown_by} shows."
    )


def _moment(departure: Departure) -> str:
    try:
        return f" at {decode_oracle_time(departure.resetlogs_id)} of its host's time"
    except VerificationError:
        return ""


def _span(log: FoundLog) -> LogSpan:
    header = log.header
    return LogSpan(
        header.resetlogs_id,
        header.resetlogs_scn,
        header.thread,
        header.sequence,
        header.first_scn,
        OPEN_END if header.next_scn is None else header.next_scn,
        log.path,
    )
