# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets below a destination, as their own files show them: no database is asked.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.assess import (
    assess_chain,
    reachable,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import ScnInterval
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    JournalState,
    replay,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import (
    DatabaseLayout,
    SetLayout,
    is_set_id,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import (
    Manifest,
    ManifestFile,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import (
    Finding,
    Severity,
    Verdict,
    verdict_of,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    FileKind,
    read_redo_log_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import (
    stored_datafile_header,
    verify_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import require_readable
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.copy_settings import VERIFY_STREAMS

NONE, HEADERS, FULL = "none", "headers", "full"
VERIFY_LEVELS = (NONE, HEADERS, FULL)


@dataclass(frozen=True)
class StoredLog:
    """A log of the redo store, by its own header."""

    resetlogs_id: int
    thread: int
    sequence: int
    first_scn: int
    next_scn: int
    path: Path
    size_bytes: int


@dataclass(frozen=True)
class SetReport:
    """What is known of one set. ``manifest`` is None while it is not sealed, or when the manifest is not
    valid.
    """

    layout: SetLayout
    manifest: Manifest | None
    journal: JournalState
    verdict: Verdict
    findings: tuple[Finding, ...]
    reachable: ScnInterval | None

    @property
    def sealed(self) -> bool:
        return self.manifest is not None


def find_databases(destination: Path, db_unique_name: str | None, dbid: int | None) -> list[DatabaseLayout]:
    """Return the databases that have a folder below ``destination``, by name. Raises PreconditionError."""
    if not destination.is_dir():
        raise PreconditionError(f"The destination {destination} is not a folder.")
    found = [
        DatabaseLayout.from_folder(folder) for folder in sorted(destination.iterdir()) if folder.is_dir()
    ]
    return [
        layout
        for layout in found
        if layout is not None
        and db_unique_name in (None, layout.db_unique_name)
        and dbid in (None, layout.dbid)
    ]


def read_redo_store(layout: DatabaseLayout) -> tuple[list[StoredLog], list[str]]:
    """Return the logs of a redo store by their headers, and what is wrong with the others."""
    logs: list[StoredLog] = []
    problems: list[str] = []
    for path in sorted(layout.redo_folder.glob("*/t*/*.arc")) if layout.redo_folder.is_dir() else ():
        try:
            logs.append(_read_log(layout, path))
        except BackupError as exc:
            problems.append(exc.message)
    return logs, problems


def read_sets(
    layout: DatabaseLayout,
    logs: Sequence[StoredLog],
    verify: str,
    warn: Callable[[str], None],
    set_id: str | None = None,
) -> list[SetReport]:
    """Return the sets of a database, newest first; only the one of ``set_id`` if given.

    ``verify``: ``none`` believes the manifest, ``headers`` reads sizes and headers of the copies, ``full``
    every byte. The redo each set needs is looked for in ``logs`` whatever ``verify`` says. Raises
    PreconditionError if copies are to be read and are compressed by what this host cannot decompress.
    """
    if not layout.sets_folder.is_dir():
        return []
    reports = []
    for folder in sorted(layout.sets_folder.iterdir(), reverse=True):
        if not is_set_id(folder.name):
            warn(f"{folder} is not the folder of a set.")
            continue
        if set_id in (None, folder.name):
            reports.append(_read_set(layout.set(folder.name), logs, verify))
    return reports


def _read_log(layout: DatabaseLayout, path: Path) -> StoredLog:
    header = read_redo_log_header(str(path))
    key = layout.redo_key(path)
    if header.dbid != layout.dbid or key != (header.resetlogs_id, header.thread, header.sequence):
        raise VerificationError(
            f"{path} holds thread {header.thread} sequence {header.sequence} of incarnation"
            f" {header.resetlogs_id}, DBID {header.dbid}."
        )
    if header.next_scn is None:
        raise VerificationError(f"{path} is a current log, not an archived one.")
    size = path.stat().st_size
    if header.size_bytes_expected is not None and size != header.size_bytes_expected:
        raise VerificationError(f"{path} has {size} bytes, not {header.size_bytes_expected}.")
    return StoredLog(
        header.resetlogs_id, header.thread, header.sequence, header.first_scn, header.next_scn, path, size
    )


def _read_set(layout: SetLayout, logs: Sequence[StoredLog], verify: str) -> SetReport:
    try:
        journal = (
            replay(read_journal(layout.journal_path)) if layout.journal_path.exists() else JournalState()
        )
    except BackupError as exc:
        journal = JournalState()
        journal_findings = [Finding(Severity.NOTICE, "journal", layout.set_id, exc.message)]
    else:
        journal_findings = []
    if not layout.manifest_path.exists():
        return SetReport(layout, None, journal, Verdict.UNKNOWN, tuple(journal_findings), None)
    try:
        manifest = read_manifest(layout)
    except BackupError as exc:
        finding = Finding(Severity.PREVENTS, "manifest", layout.set_id, exc.message)
        return SetReport(layout, None, journal, Verdict.UNUSABLE, (finding, *journal_findings), None)
    findings = [
        *manifest.findings,
        *journal_findings,
        *assess_chain(
            logs,
            resetlogs_id=manifest.database.resetlogs_id,
            threads=manifest.database.threads,
            begin_scn=manifest.begin_scn,
            end_scn=manifest.end_scn,
        ),
        *(_verify(layout, manifest, full=verify == FULL) if verify != NONE else ()),
    ]
    return SetReport(
        layout, manifest, journal, verdict_of(findings), tuple(findings), reachable(manifest, logs)
    )


def read_manifest(layout: SetLayout) -> Manifest:
    """Return the manifest of a sealed set.

    Raises VerificationError if it is not valid or of another set or database, BackupError if it cannot be
    read.
    """
    try:
        text = layout.manifest_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise BackupError(f"Failed to read {layout.manifest_path}: {exc}.") from exc
    manifest = Manifest.from_json(text)
    found = (manifest.set_id, manifest.database.dbid, manifest.database.unique_name)
    if found != (layout.set_id, layout.dbid, layout.db_unique_name):
        raise VerificationError(
            f"{layout.manifest_path} is the manifest of set {found[0]} of {found[2]}, DBID {found[1]}."
        )
    return manifest


def _verify(layout: SetLayout, manifest: Manifest, *, full: bool) -> Iterator[Finding]:
    # A host that cannot decompress says nothing about the set.
    require_readable((str(layout.absolute(item.path)), item.compressed) for item in manifest.files)
    for item in manifest.files:
        path = layout.absolute(item.path)
        for problem in _datafile_problems(path, manifest.database.dbid, item, full=full):
            yield Finding(Severity.PREVENTS, "copy", item.path, problem)
    for control in manifest.control:
        severity = Severity.PREVENTS if control.kind == "control_file" else Severity.DEGRADES
        for problem in _plain_problems(
            layout.absolute(control.path), control.size_bytes, control.digest, full
        ):
            yield Finding(severity, "copy", control.path, problem)
    for log in manifest.redo:
        # A missing log is the chain's matter; one that is there must be the one that was sealed.
        path = layout.redo_absolute(log.path)
        if path.exists():
            for problem in _plain_problems(path, log.size_bytes, log.digest, full):
                yield Finding(Severity.PREVENTS, "redo", log.path, problem)


def _datafile_problems(path: Path, dbid: int, item: ManifestFile, *, full: bool) -> Iterable[str]:
    try:
        size = path.stat().st_size
        if size != item.stored_size_bytes:
            return (f"{path} has {size} bytes, not {item.stored_size_bytes}.",)
        expected = FileExpectations(FileKind.DATAFILE, block_size=item.block_size, compressed=item.compressed)
        if full:
            expected = replace(expected, dbid=dbid, file_number=item.file_number)
            return verify_file(
                str(path), expected, item.digest, settings=StreamSettings(VERIFY_STREAMS)
            ).problems
        header = stored_datafile_header(str(path), expected)
        found = (header.dbid, header.file_number, header.creation_scn, header.checkpoint_scn)
        if found != (dbid, item.file_number, item.creation_scn, item.checkpoint_scn):
            return (f"The header of {path} is not that of the file that was stored.",)
    except OSError as exc:
        return (f"Failed to read {path}: {exc.strerror}.",)
    except BackupError as exc:
        return (exc.message,)
    return ()


def _plain_problems(path: Path, size_bytes: int, digest: str, full: bool) -> Iterable[str]:
    try:
        size = path.stat().st_size
    except OSError as exc:
        return (f"Failed to read {path}: {exc.strerror}.",)
    if size != size_bytes:
        return (f"{path} has {size} bytes, not {size_bytes}.",)
    if not full:
        return ()
    try:
        found = file_digest(path).digest
    except BackupError as exc:
        return (exc.message,)
    return () if found == digest else (f"{path} has digest {found}, not {digest}.",)
