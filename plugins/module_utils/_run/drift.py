# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did the database change under a set since it was copied? Pure. Private to the collection.

What must not have happened refuses the seal; what a restore can live with becomes a finding.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    CopiedFile,
    JournalState,
    WindowState,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    BackupMethod,
    Database,
    Datafile,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.selection import Selection
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import Finding, Severity


@dataclass(frozen=True)
class Drift:
    """``problems`` refuse the seal, each a sentence; ``findings`` go into the manifest."""

    problems: tuple[str, ...]
    findings: tuple[Finding, ...]


def find_drift(database: Database, selection: Selection, state: JournalState) -> Drift:
    """Compare what is in the set with what the database is now, of what was asked for."""
    problems = [*_identity_problems(database, state), *_window_problems(state)]
    findings: list[Finding] = []
    present: set[int] = set()
    for tablespace in selection.tablespaces:
        for datafile in tablespace.datafiles:
            present.add(datafile.file_number)
            copied = state.files.get(datafile.file_number)
            problem = _file_problem(state.set_id, tablespace, datafile, copied)
            if problem:
                problems.append(problem)
            elif copied is not None:
                findings += _file_findings(datafile, copied)
    for number in sorted(set(state.files) - present - _numbers_of_excluded(selection)):
        copied = state.files[number]
        findings.append(
            Finding(
                Severity.NOTICE,
                "dropped",
                copied.source,
                f"Datafile {number} of tablespace {copied.tablespace} was dropped after it was copied.",
            )
        )
    return Drift(tuple(problems), tuple(findings))


def _identity_problems(database: Database, state: JournalState) -> list[str]:
    problems = []
    if state.dbid != database.dbid:
        problems.append(f"The set is of DBID {state.dbid}, the database has DBID {database.dbid}.")
    if state.resetlogs_id != database.resetlogs_id:
        problems.append(
            f"The database was opened with RESETLOGS since: the set is of incarnation {state.resetlogs_id}, the "
            f"database is in {database.resetlogs_id}."
        )
    if database.role != "PRIMARY":
        problems.append(f"The database is a {database.role} now.")
    return problems


def _window_problems(state: JournalState) -> list[str]:
    problems = [
        f"Tablespace {window.tablespace} is not known to have left backup mode."
        for window in state.open_windows
    ]
    ended = {
        (number, scn)
        for window in state.windows
        if window.state is WindowState.CLOSED and window.closed_by != "user"
        for number, scn in window.files.items()
    }
    problems += [
        f"The window in which datafile {copied.file_number} was copied was not ended by END BACKUP of ours."
        for copied in state.files.values()
        if copied.begin_scn is not None
        and (copied.file_number, copied.begin_scn) not in ended
        and not state.open_windows
    ]
    return problems


def _file_problem(set_id: str, tablespace: Tablespace, datafile: Datafile, copied: CopiedFile | None) -> str:
    where = f"Datafile {datafile.file_number} ({datafile.path}) of tablespace {tablespace.label}"
    if tablespace.method is BackupMethod.SKIP:
        return ""
    if copied is None:
        return f"{where} is not in set {set_id}: it was added after the files were copied."
    if copied.creation_scn != datafile.creation_scn:
        return f"{where} is not the file of that number in set {set_id}: it was dropped and added again."
    if copied.method == BackupMethod.PLAIN_COPY.value:
        now = datafile.header_checkpoint_scn or datafile.checkpoint_scn
        if tablespace.method is not BackupMethod.PLAIN_COPY or now != copied.checkpoint_scn:
            return f"{where} was copied at rest and has been written since."
    return ""


def _file_findings(datafile: Datafile, copied: CopiedFile) -> list[Finding]:
    findings = []
    since = copied.begin_scn if copied.begin_scn is not None else copied.checkpoint_scn
    if since is not None and datafile.unrecoverable_scn > since:
        findings.append(
            Finding(
                Severity.NOTICE,
                "nologging",
                copied.source,
                f"Datafile {datafile.file_number} was written without redo at SCN {datafile.unrecoverable_scn}, after "
                f"SCN {since} at which its copy begins: those blocks cannot be recovered (ORA-26040).",
            )
        )
    if datafile.path != copied.source:
        findings.append(
            Finding(
                Severity.NOTICE,
                "renamed",
                copied.source,
                f"Datafile {datafile.file_number} was copied as {copied.source} and is {datafile.path} now.",
            )
        )
    return findings


def _numbers_of_excluded(selection: Selection) -> set[int]:
    return {
        datafile.file_number
        for tablespace, _reason in selection.excluded
        for datafile in tablespace.datafiles
    }


def fault_findings(copied: CopiedFile) -> list[Finding]:
    """What blocks that stayed bad when read again mean.

    A block that the database was writing all the time is whole again after recovery: while in backup mode its
    full image is in the redo. Any other damage was in the source, and comes back with a restore.
    """
    if not copied.fault_count:
        return []
    kinds = {str(fault.get("kind")) for fault in copied.faults if isinstance(fault, dict)}
    torn_only = kinds == {"fractured"} and copied.fault_count == len(copied.faults)
    covered = torn_only and copied.begin_scn is not None
    blocks = ", ".join(str(fault.get("block")) for fault in copied.faults[:10] if isinstance(fault, dict))
    return [
        Finding(
            Severity.NOTICE if covered else Severity.DEGRADES,
            "fractured_blocks" if covered else "corrupt_blocks",
            copied.source,
            f"Datafile {copied.file_number} has {copied.fault_count} bad blocks "
            f"({', '.join(sorted(kinds))}): {blocks}. "
            + ("Redo repairs them." if covered else "They are bad in the database itself."),
        )
    ]
