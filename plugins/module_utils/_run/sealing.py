# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seal a set: prove from what is stored that it is complete, then write the manifest, last and atomically.

Private to the collection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    CopiedFile,
    JournalState,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import (
    Manifest,
    ManifestControl,
    ManifestDatabase,
    ManifestExcluded,
    ManifestFile,
    ManifestRedo,
    ManifestTempfile,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import Database, OnlineLog
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import iso_time
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.selection import Selection
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import (
    Finding,
    Severity,
    verdict_of,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import write_atomically
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    DatafileHeader,
    read_control_file_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import require_readable
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.drift import (
    fault_findings,
    find_drift,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_store import (
    ScnRange,
    StoredLog,
    prove_stored,
    range_of_set,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.stored_files import examine
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.version import VERSION

FULL = "full"
_REQUIRED_CONTROL = ("control_file", "noresetlogs_script", "resetlogs_script")


@dataclass(frozen=True)
class Seen:
    """What the database says at the moment of sealing. ``threads`` are those whose redo the set needs."""

    database: Database
    selection: Selection
    online_logs: Sequence[OnlineLog]
    threads: Collection[int]


def prove(
    layout: SetLayout, state: JournalState, seen: Seen, verify: str, tuning: CopyTuning, now: datetime
) -> Manifest:
    """Return the manifest of a complete set; nothing is written.

    ``verify``: ``headers`` reads sizes and headers of the stored files, ``full`` every byte, as ``tuning`` says. Raises
    PreconditionError if work is left to do or compressed files cannot be read here, VerificationError naming
    everything that is not what the journal says it is.
    """
    if not state.exists:
        raise PreconditionError(
            f"Nothing was copied into set {layout.set_id} of {layout.db_unique_name} in {layout.destination}.",
            hint="Run hotbackup.oracle.tablespace_backup with this set_id first.",
        )
    drift = find_drift(seen.database, seen.selection, state)
    if drift.problems:
        raise PreconditionError(
            f"Set {layout.set_id} cannot be sealed: {' '.join(drift.problems)}",
            hint="Run hotbackup.oracle.tablespace_backup and what follows it again with the same set_id.",
            details={"problems": list(drift.problems)},
        )
    require_readable(
        (str(layout.absolute(copied.path)), copied.compressed) for copied in state.files.values()
    )
    wanted = range_of_set(state)
    stored = examine(layout, state, tuning, full=verify == FULL)
    files = [_file(state.files[number], header) for number, header in stored.headers.items()]
    problems = list(stored.problems)
    redo = _redo(state, stored.logs.values(), seen, wanted, problems)
    control, control_findings = _control(layout, state, wanted, problems)
    if problems:
        raise VerificationError(
            f"Set {layout.set_id} cannot be sealed, it is not what its journal says: {' '.join(problems)}",
            hint="Run the backup again with the same set_id: what is damaged or missing is made again.",
            details={"problems": problems},
        )
    findings = [*drift.findings, *control_findings]
    for copied in state.files.values():
        findings += fault_findings(copied)
    return Manifest(
        set_id=layout.set_id,
        tool_version=VERSION,
        sealed_at=iso_time(now),
        database=_database(seen),
        begin_scn=wanted.begin_scn,
        end_scn=wanted.end_scn,
        control_scn=None if state.control is None else state.control.control_scn,
        files=tuple(files),
        redo=tuple(redo),
        control=tuple(control),
        tempfiles=_tempfiles(seen.database),
        excluded=_excluded(seen.selection),
        verdict=verdict_of(findings),
        findings=tuple(findings),
    )


def write_seal(layout: SetLayout, manifest: Manifest) -> None:
    """Write the manifest, whose presence seals the set, then note it in the journal.

    Raises PreconditionError if somebody else has sealed it meanwhile, BackupError.
    """
    text = manifest.to_json()
    # What cannot be read back must not become the seal.
    Manifest.from_json(text)
    data = text.encode("utf-8")
    write_atomically(layout.manifest_path, data, replace=False)
    note_seal(layout, data)


def note_seal(layout: SetLayout, manifest_data: bytes) -> None:
    """Record the seal in the journal."""
    with Journal.open(layout.journal_path) as journal:
        journal.append("sealed", run_id="", manifest_digest=hashlib.sha256(manifest_data).hexdigest())


def read_manifest(layout: SetLayout) -> Manifest | None:
    """The manifest of a sealed set, None of one that is not. Raises VerificationError, BackupError."""
    try:
        text = layout.manifest_path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise BackupError(f"Failed to read {layout.manifest_path}: {exc}.") from exc
    manifest = Manifest.from_json(text)
    if (manifest.set_id, manifest.database.dbid) != (layout.set_id, layout.dbid):
        raise VerificationError(
            f"{layout.manifest_path} is the manifest of set {manifest.set_id} of DBID {manifest.database.dbid}."
        )
    return manifest


def _file(copied: CopiedFile, header: DatafileHeader) -> ManifestFile:
    """The entry of one datafile."""
    return ManifestFile(
        file_number=copied.file_number,
        con_id=copied.con_id,
        tablespace=copied.tablespace,
        tablespace_number=header.tablespace_number,
        bigfile=header.bigfile,
        source=copied.source,
        path=copied.path,
        size_bytes=copied.size_bytes,
        block_size=header.block_size,
        digest=copied.digest,
        chunk_digests=copied.chunk_digests,
        chunk_size_bytes=copied.chunk_size_bytes,
        method=copied.method,
        creation_scn=copied.creation_scn,
        begin_scn=copied.begin_scn,
        checkpoint_scn=header.checkpoint_scn,
        unrecoverable_scn=copied.unrecoverable_scn,
        fault_count=copied.fault_count,
        faults=tuple(
            (int(fault["block"]), str(fault["kind"])) for fault in copied.faults if isinstance(fault, dict)
        ),
        compression=copied.compression,
        stored_size_bytes=copied.stored_size_bytes,
        stored_digest=copied.stored_digest,
    )


def _redo(
    state: JournalState,
    stored: Iterable[StoredLog],
    seen: Seen,
    wanted: ScnRange,
    problems: list[str],
) -> list[ManifestRedo]:
    """The logs of the set's range, proved unbroken from their own headers."""
    try:
        chain = prove_stored(stored, wanted, state.resetlogs_id, seen.threads)
    except BackupError as exc:
        problems.append(exc.message)
        return []
    return [
        ManifestRedo(
            resetlogs_id=log.resetlogs_id,
            thread=log.thread,
            sequence=log.sequence,
            first_scn=log.first_scn,
            next_scn=log.next_scn,
            path=log.path,
            size_bytes=log.size_bytes,
            digest=log.digest,
        )
        for log in (state.redo[key] for key in chain.required)
    ]


def _control(
    layout: SetLayout, state: JournalState, wanted: ScnRange, problems: list[str]
) -> tuple[list[ManifestControl], list[Finding]]:
    """The control-file part: small, so its digests are always read; newer than the last END BACKUP."""
    if state.control is None:
        problems.append("The control file was not saved: run hotbackup.oracle.controlfile_backup.")
        return [], []
    scn = state.control.control_scn
    if scn is not None and scn < wanted.end_scn:
        problems.append(
            f"The control file was saved at SCN {scn}, before the last END BACKUP (SCN {wanted.end_scn}): run "
            "hotbackup.oracle.controlfile_backup again."
        )
    entries = []
    for item in state.control.files:
        entry = ManifestControl(
            str(item.get("kind")),
            str(item.get("path")),
            int(item.get("size_bytes", 0)),
            str(item.get("digest")),
        )
        path = layout.absolute(entry.path)
        try:
            found = file_digest(path)
            if (found.size_bytes, found.digest) != (entry.size_bytes, entry.digest):
                raise VerificationError(f"{path} is not what was saved.")
            if entry.kind == "control_file" and read_control_file_header(str(path)).dbid != layout.dbid:
                raise VerificationError(f"{path} is the control file of another database.")
        except BackupError as exc:
            problems.append(exc.message)
        entries.append(entry)
    kinds = {entry.kind for entry in entries}
    problems += [f"The {kind} was not saved." for kind in _REQUIRED_CONTROL if kind not in kinds]
    findings = []
    if "pfile" not in kinds:
        message = "The set has no parameter file: one must be written by hand before a restore elsewhere."
        findings.append(Finding(Severity.DEGRADES, "no_parameters", "init.ora", message))
    return entries, findings


def _database(seen: Seen) -> ManifestDatabase:
    database = seen.database
    return ManifestDatabase(
        dbid=database.dbid,
        name=database.name,
        unique_name=database.unique_name,
        resetlogs_id=database.resetlogs_id,
        resetlogs_scn=database.resetlogs_scn,
        version=database.version,
        platform=database.platform,
        cdb=database.cdb,
        threads=tuple(sorted(seen.threads)),
        startup_times=database.startup_times,
        control_files=database.control_files,
        online_logs=tuple(member for log in seen.online_logs for member in log.members),
        parameters=tuple(sorted(database.parameters)),
        wallet_status=database.wallet_status,
    )


def _tempfiles(database: Database) -> tuple[ManifestTempfile, ...]:
    return tuple(
        ManifestTempfile(
            file_number=item.file_number,
            con_id=item.con_id,
            tablespace=item.tablespace,
            path=item.path,
            size_bytes=item.size_bytes,
            autoextend=item.autoextend,
        )
        for item in database.tempfiles
    )


def _excluded(selection: Selection) -> tuple[ManifestExcluded, ...]:
    return tuple(
        ManifestExcluded(
            tablespace=tablespace.name,
            con_id=tablespace.con_id,
            file_numbers=tuple(sorted(item.file_number for item in tablespace.datafiles)),
            reason=reason,
        )
        for tablespace, reason in selection.excluded
    )
