# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run will do, decided before anything is done. Pure.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    CopiedFile,
    JournalState,
    Window,
    owned_windows,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    BackupMethod,
    BackupStatus,
    Database,
    Datafile,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan_text import plan_text
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.selection import (
    Search,
    select_tablespaces,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning


@dataclass(frozen=True)
class BackupPolicy:
    """What the user asked for. ``tuning`` and ``compression`` may differ between the runs of a set, the rest may
    not.
    """

    tablespaces: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    query: str = ""
    tuning: CopyTuning = field(default_factory=CopyTuning)
    compression: Compression = field(default_factory=Compression)

    def identity(self) -> dict[str, Any]:
        """Return the part that a resumed run must ask for again, as the journal holds it."""
        return {"tablespaces": list(self.tablespaces), "exclude": list(self.exclude), "query": self.query}


@dataclass(frozen=True)
class PlannedTablespace:
    """One tablespace and the files that are still to be copied, largest first."""

    tablespace: Tablespace
    files: tuple[Datafile, ...]
    already_copied: tuple[int, ...]

    @property
    def method(self) -> BackupMethod:
        return self.tablespace.method

    @property
    def copy_bytes(self) -> int:
        """Bytes to copy now; files whose size the database does not know count as 0."""
        return sum(datafile.size_on_disk for datafile in self.files)


@dataclass(frozen=True)
class LeftOut:
    """A tablespace that will not be in the set."""

    tablespace: Tablespace
    reason: str


@dataclass(frozen=True)
class Problem:
    """A reason to refuse the run. ``code`` is stable for programs."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class BackupPlan:
    """The run as data: check mode, the printed plan and the run itself are views of it.

    ``tablespaces`` includes those with nothing left to copy. ``stale_windows`` are ours, left open by a dead
    run, and are to be ended first.
    """

    tablespaces: tuple[PlannedTablespace, ...]
    streams: int
    compression: str
    skipped: tuple[LeftOut, ...]
    excluded: tuple[LeftOut, ...]
    broken: tuple[LeftOut, ...]
    stale_windows: tuple[Window, ...]
    problems: tuple[Problem, ...]
    resumes: bool

    @property
    def copy_bytes(self) -> int:
        return sum(item.copy_bytes for item in self.tablespaces)

    @property
    def file_count(self) -> int:
        return sum(len(item.files) for item in self.tablespaces)

    @property
    def changes_anything(self) -> bool:
        """False when every file is in the set already and no window of ours is open."""
        return bool(self.file_count or self.stale_windows)

    def require_no_problems(self) -> None:
        """Raise PreconditionError with the first problem as message and all of them in ``details``."""
        if not self.problems:
            return
        first, rest = self.problems[0], len(self.problems) - 1
        more = f" ({rest} more in problems)" if rest else ""
        raise PreconditionError(
            first.message + more,
            hint=first.hint,
            details={"problems": [_problem_result(problem) for problem in self.problems]},
        )

    def as_result(self) -> dict[str, Any]:
        """Return the plan in JSON types, as modules document it."""
        result: dict[str, Any] = {
            "tablespaces": [
                {
                    "name": item.tablespace.name,
                    "label": item.tablespace.label,
                    "con_id": item.tablespace.con_id,
                    "method": item.method.value,
                    "reason": item.tablespace.reason,
                    "copy_bytes": item.copy_bytes,
                    "files": [
                        {
                            "file_number": datafile.file_number,
                            "path": datafile.path,
                            "size_bytes": datafile.size_on_disk,
                        }
                        for datafile in item.files
                    ],
                    "already_copied": list(item.already_copied),
                }
                for item in self.tablespaces
            ],
            "streams": self.streams,
            "compression": self.compression,
            "file_count": self.file_count,
            "copy_bytes": self.copy_bytes,
            "skipped": [_left_out_result(item) for item in self.skipped],
            "excluded": [_left_out_result(item) for item in self.excluded],
            "broken": [_left_out_result(item) for item in self.broken],
            "stale_windows": [window.tablespace for window in self.stale_windows],
            "problems": [_problem_result(problem) for problem in self.problems],
            "resumes": self.resumes,
        }
        return {**result, "text": plan_text(result)}


def plan_backup(
    database: Database,
    tablespaces: Sequence[Tablespace],
    journal_state: JournalState,
    policy: BackupPolicy,
    *,
    intact_files: Set[int] = frozenset(),
    destination_problems: Sequence[str] = (),
    search: Search | None = None,
) -> BackupPlan:
    """Decide what a run copies, in which order, and whether it may start at all.

    ``intact_files`` are the file numbers whose copies the caller found on disk with the inode, size and time
    that the journal records: only those are trusted. ``destination_problems`` is what the caller found wrong
    with the place of the set. Raises PreconditionError only for a selection that fits nothing; everything
    else that forbids the run is in the plan's ``problems``.
    """
    selection = select_tablespaces(tablespaces, policy.tablespaces, policy.exclude, policy.query, search)
    status = {
        datafile.file_number: BackupStatus(datafile.backup_status, datafile.backup_scn, datafile.backup_time)
        for tablespace in tablespaces
        for datafile in tablespace.datafiles
    }
    ownership = owned_windows(journal_state, status)
    planned = [
        _plan_tablespace(tablespace, journal_state.files, intact_files)
        for tablespace in selection.tablespaces
        if tablespace.method in (BackupMethod.BACKUP_MODE, BackupMethod.PLAIN_COPY)
    ]
    broken = _with_method(selection.tablespaces, BackupMethod.BROKEN)
    problems = [
        *_database_problems(database),
        *_journal_problems(database, journal_state, policy),
        *_foreign_problems(tablespaces, ownership.foreign),
        *(
            Problem(
                "broken",
                f"Tablespace {item.tablespace.label} cannot be backed up: {item.reason}.",
                "Repair it, or exclude the tablespace to back up the others.",
            )
            for item in broken
        ),
        *(Problem("destination", message) for message in destination_problems),
    ]
    if not planned and not broken:
        problems.append(Problem("nothing_selected", "The selection holds no tablespace with datafiles."))
    return BackupPlan(
        # Largest first keeps the last stream from starting the longest copy when the others are done.
        tablespaces=tuple(
            sorted(
                planned, key=lambda item: (-item.copy_bytes, item.tablespace.con_id, item.tablespace.number)
            )
        ),
        streams=policy.tuning.streams,
        compression=policy.compression.name,
        skipped=_with_method(selection.tablespaces, BackupMethod.SKIP),
        excluded=tuple(LeftOut(tablespace, reason) for tablespace, reason in selection.excluded),
        broken=broken,
        stale_windows=ownership.ours,
        problems=tuple(problems),
        resumes=journal_state.exists,
    )


def _plan_tablespace(
    tablespace: Tablespace, copied: Mapping[int, CopiedFile], intact_files: Set[int]
) -> PlannedTablespace:
    done = {
        datafile.file_number
        for datafile in tablespace.datafiles
        if datafile.file_number in intact_files and _still_valid(datafile, tablespace, copied)
    }
    todo = [datafile for datafile in tablespace.datafiles if datafile.file_number not in done]
    return PlannedTablespace(
        tablespace=tablespace,
        files=tuple(sorted(todo, key=lambda datafile: (-datafile.size_on_disk, datafile.file_number))),
        already_copied=tuple(sorted(done)),
    )


def _still_valid(datafile: Datafile, tablespace: Tablespace, copied: Mapping[int, CopiedFile]) -> bool:
    """A finished copy stays valid for the same file, unless redo cannot bring it up to date."""
    copy = copied.get(datafile.file_number)
    if copy is None or copy.creation_scn != datafile.creation_scn or copy.source != datafile.path:
        return False
    if copy.begin_scn is not None and datafile.unrecoverable_scn > copy.begin_scn:
        return False
    # A plain copy is as of the file's frozen checkpoint; once that moved, the file was written again.
    if copy.method == BackupMethod.PLAIN_COPY.value:
        return tablespace.method is BackupMethod.PLAIN_COPY and copy.checkpoint_scn == (
            datafile.header_checkpoint_scn or datafile.checkpoint_scn
        )
    return True


def _with_method(tablespaces: Sequence[Tablespace], method: BackupMethod) -> tuple[LeftOut, ...]:
    return tuple(LeftOut(item, item.reason) for item in tablespaces if item.method is method)


def _database_problems(database: Database) -> list[Problem]:
    name = database.unique_name
    problems = []
    if database.log_mode != "ARCHIVELOG":
        problems.append(
            Problem(
                "noarchivelog",
                f"{name} runs in {database.log_mode} mode, in which a hot copy cannot be made consistent"
                " (ORA-01123).",
                "Put the database in ARCHIVELOG mode, or take a cold backup: stop it cleanly, then copy.",
            )
        )
    if database.role != "PRIMARY":
        problems.append(
            Problem(
                "role", f"{name} is a {database.role} database.", "Hot backups are taken from the primary."
            )
        )
    if database.open_mode != "READ WRITE":
        problems.append(
            Problem(
                "open_mode", f"{name} is {database.open_mode}, not open READ WRITE.", "Open the database."
            )
        )
    for instance in database.instances:
        if instance.archiver != "STARTED" and database.log_mode == "ARCHIVELOG":
            problems.append(
                Problem(
                    "archiver",
                    f"The archiver of instance {instance.name} is {instance.archiver}.",
                    "Free space in the archive destination or repair it; backup mode would only add redo.",
                )
            )
        elif instance.log_switch_wait == "ARCHIVE LOG":
            problems.append(
                Problem(
                    "archiver",
                    f"Instance {instance.name} waits for the archiver and cannot switch logs.",
                    "Find out what keeps the archiver from writing; see V$ARCHIVE_DEST.ERROR.",
                )
            )
    local = [item for item in database.destinations if item.target in ("PRIMARY", "LOCAL")]
    if database.log_mode == "ARCHIVELOG" and local and not any(item.status == "VALID" for item in local):
        reasons = "; ".join(
            f"{item.name} is {item.status}: {item.error or 'no error text'}" for item in local
        )
        problems.append(
            Problem("archive_destination", f"No local archive destination of {name} is valid: {reasons}.")
        )
    return problems


def _journal_problems(database: Database, state: JournalState, policy: BackupPolicy) -> list[Problem]:
    if not state.exists:
        return []
    if (state.dbid, state.resetlogs_id) != (database.dbid, database.resetlogs_id):
        return [
            Problem(
                "other_database",
                f"Set {state.set_id} was begun for DBID {state.dbid}, incarnation {state.resetlogs_id};"
                f" this is DBID {database.dbid}, incarnation {database.resetlogs_id}.",
                "Start a new set.",
            )
        ]
    begun = {key: state.policy.get(key) for key in policy.identity()}
    if begun != policy.identity():
        return [
            Problem(
                "other_policy",
                f"Set {state.set_id} was begun with {begun}, now {policy.identity()} is asked for.",
                "Ask for the same, or start a new set.",
            )
        ]
    return []


def _foreign_problems(tablespaces: Sequence[Tablespace], foreign: Sequence[int]) -> list[Problem]:
    problems = []
    for tablespace in tablespaces:
        numbers = [item.file_number for item in tablespace.datafiles if item.file_number in foreign]
        if not numbers:
            continue
        since = min(
            (
                item.backup_time.isoformat()
                for item in tablespace.datafiles
                if item.backup_time and item.in_backup_mode
            ),
            default="an unknown time",
        )
        files = ", ".join(str(number) for number in numbers)
        problems.append(
            Problem(
                "foreign_backup_mode",
                f"Tablespace {tablespace.label} is in backup mode since {since} (file {files}), and not ours.",
                "Another backup may be running. If none is, see the playbook end_stale_backup_mode.",
            )
        )
    return problems


def _left_out_result(item: LeftOut) -> dict[str, Any]:
    return {
        "name": item.tablespace.name,
        "label": item.tablespace.label,
        "con_id": item.tablespace.con_id,
        "reason": item.reason,
    }


def _problem_result(problem: Problem) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "hint": problem.hint}
