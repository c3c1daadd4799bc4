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
from threading import Event

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.assess import (
    assess_chain,
    assess_departure,
    reachable,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import ScnInterval
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.departure import (
    departure_from,
    living_part,
)
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
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import (
    Finding,
    Severity,
    Verdict,
    verdict_of,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digest_task import DigestTask
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    FileKind,
    read_redo_log_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import FileTask
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import (
    Checked,
    VerifyTask,
    find_problems,
    stored_datafile_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import require_readable
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.copy_settings import (
    bandwidth,
    stream_settings,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_reach import log_spans

NONE, HEADERS, FULL = "none", "headers", "full"
VERIFY_LEVELS = (NONE, HEADERS, FULL)


@dataclass(frozen=True)
class StoredLog:
    """A log of the redo store, by its own header."""

    resetlogs_id: int
    resetlogs_scn: int
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

    @property
    def age_key(self) -> tuple[str, str]:
        """Grows with the moment the set became what it is: when it was sealed; until then, when it was begun.

        The id says neither: it may be typed by hand, and a set may be resumed days after it was begun.
        """
        if self.manifest is not None:
            moment = self.manifest.sealed_at
        elif self.journal.exists:
            moment = self.journal.runs[0].started_at
        else:
            moment = self.layout.set_id
        to_the_second = "".join(filter(str.isdigit, moment))[:14]
        return (to_the_second, self.layout.set_id)


def newest_first(reports: Iterable[SetReport]) -> list[SetReport]:
    """Ordered by when they were sealed; those that are not, by when they were begun."""
    return sorted(reports, key=lambda report: report.age_key, reverse=True)


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
    tuning: CopyTuning,
    warn: Callable[[str], None],
    set_id: str | None = None,
) -> list[SetReport]:
    """Return the sets of a database, newest first (:func:`newest_first`); only the one of ``set_id`` if given.

    ``verify``: ``none`` believes the manifest, ``headers`` reads sizes and headers of the copies, ``full``
    every byte, as ``tuning`` says. The redo each set needs is looked for in ``logs`` whatever ``verify`` says. Raises
    PreconditionError if copies are to be read and are compressed by what this host cannot decompress.
    """
    if not layout.sets_folder.is_dir():
        return []
    reports = []
    for folder in sorted(layout.sets_folder.iterdir()):
        if not is_set_id(folder.name):
            warn(f"{folder} is not the folder of a set.")
            continue
        if set_id in (None, folder.name):
            reports.append(_read_set(layout.set(folder.name), logs, verify, tuning))
    return newest_first(reports)


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
        header.resetlogs_id,
        header.resetlogs_scn,
        header.thread,
        header.sequence,
        header.first_scn,
        header.next_scn,
        path,
        size,
    )


def _read_set(layout: SetLayout, logs: Sequence[StoredLog], verify: str, tuning: CopyTuning) -> SetReport:
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
    # The online logs, where they are on this host, know of a RESETLOGS that has no redo in the store yet.
    online = log_spans(manifest.database.online_logs, layout.dbid)
    departure = departure_from(manifest.database, [*logs, *online])
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
        *assess_departure(manifest, departure),
        *(_verify(layout, manifest, tuning, full=verify == FULL) if verify != NONE else ()),
    ]
    return SetReport(
        layout,
        manifest,
        journal,
        verdict_of(findings),
        tuple(findings),
        living_part(reachable(manifest, logs), departure),
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


@dataclass(frozen=True)
class _Check:
    """One stored file: what the first look at it found, and what reads all of it."""

    severity: Severity
    code: str
    path: str
    problems: tuple[str, ...]
    reading: FileTask[Checked]


def _verify(layout: SetLayout, manifest: Manifest, tuning: CopyTuning, *, full: bool) -> Iterator[Finding]:
    # A host that cannot decompress says nothing about the set.
    require_readable((str(layout.absolute(item.path)), item.compressed) for item in manifest.files)
    stop = Event()
    checks = list(
        _first_looks(
            layout, manifest, IoContext(cancelled=stop.is_set, bandwidth=bandwidth(tuning)), full=full
        )
    )
    if full:
        checks = _read_through(checks, tuning, stop)
    for check in checks:
        for problem in check.problems:
            yield Finding(check.severity, check.code, check.path, problem)


def _read_through(checks: Sequence[_Check], tuning: CopyTuning, stop: Event) -> list[_Check]:
    """The checks with what reading found; a file that looked wrong already is not read."""
    readings = [check.reading for check in checks if not check.problems]
    found = iter(find_problems(readings, stream_settings(tuning), stop))
    return [check if check.problems else replace(check, problems=next(found)) for check in checks]


def _first_looks(
    layout: SetLayout, manifest: Manifest, context: IoContext, *, full: bool
) -> Iterator[_Check]:
    dbid = manifest.database.dbid
    for item in manifest.files:
        path = layout.absolute(item.path)
        yield _Check(
            Severity.PREVENTS,
            "copy",
            item.path,
            _size_problems(path, item.stored_size_bytes)
            or (() if full else _header_problems(path, dbid, item)),
            _reading_of(path, dbid, item, context),
        )
    for control in manifest.control:
        path = layout.absolute(control.path)
        yield _Check(
            Severity.PREVENTS if control.kind == "control_file" else Severity.DEGRADES,
            "copy",
            control.path,
            _size_problems(path, control.size_bytes),
            DigestTask(str(path), control.digest, context=context),
        )
    for log in manifest.redo:
        # A missing log is the chain's matter; one that is there must be the one that was sealed.
        path = layout.redo_absolute(log.path)
        if path.exists():
            yield _Check(
                Severity.PREVENTS,
                "redo",
                log.path,
                _size_problems(path, log.size_bytes),
                DigestTask(str(path), log.digest, context=context),
            )


def _size_problems(path: Path, size_bytes: int) -> tuple[str, ...]:
    try:
        size = path.stat().st_size
    except OSError as exc:
        return (f"Failed to read {path}: {exc.strerror}.",)
    return () if size == size_bytes else (f"{path} has {size} bytes, not {size_bytes}.",)


def _header_problems(path: Path, dbid: int, item: ManifestFile) -> tuple[str, ...]:
    expected = FileExpectations(FileKind.DATAFILE, block_size=item.block_size, compressed=item.compressed)
    try:
        header = stored_datafile_header(str(path), expected)
    except BackupError as exc:
        return (exc.message,)
    found = (header.dbid, header.file_number, header.creation_scn, header.checkpoint_scn)
    if found != (dbid, item.file_number, item.creation_scn, item.checkpoint_scn):
        return (f"The header of {path} is not that of the file that was stored.",)
    return ()


def _reading_of(path: Path, dbid: int, item: ManifestFile, context: IoContext) -> VerifyTask:
    expected = FileExpectations(
        FileKind.DATAFILE,
        block_size=item.block_size,
        dbid=dbid,
        file_number=item.file_number,
        compressed=item.compressed,
    )
    return VerifyTask(str(path), expected, item.digest, context)
