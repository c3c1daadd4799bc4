# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a set's files back in their places. Only those that differ are written.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from threading import Event

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import DatabaseLayout, SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest, ManifestFile
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.restore_plan import (
    ControlFilePlan,
    plan_control_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import make_private_folder
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digest_task import DigestTask
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    FileKind,
    read_control_file_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext, ignore
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.space import require_space
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import run_all
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import VerifyTask
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.whole_copy import copy_whole
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import require_readable
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.copy_settings import (
    bandwidth,
    stream_settings,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.restore_progress import (
    COMPARE,
    COPY,
    VERIFY,
    RestoreProgress,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.set_catalog import (
    find_databases,
    read_manifest,
)


@dataclass(frozen=True)
class PlannedFile:
    """One datafile of the set and whether its place already holds exactly it."""

    file: ManifestFile
    stored: str
    target: str
    equal: bool


def open_set(destination: str, set_id: str, dbid: int | None) -> tuple[SetLayout, Manifest]:
    """Find a sealed set below a destination and read its manifest.

    Raises PreconditionError when there is none, or several databases have a set of that id;
    VerificationError when the manifest is damaged.
    """
    layouts = [database.set(set_id) for database in find_databases(Path(destination), None, dbid)]
    sealed = [layout for layout in layouts if layout.manifest_path.is_file()]
    if not sealed:
        unfinished = [layout for layout in layouts if layout.set_folder.is_dir()]
        state = "is unfinished: it was never sealed" if unfinished else "is not there"
        raise PreconditionError(
            f"Set {set_id} below {destination} {state}.",
            hint="backup_set_info lists the sets; only a sealed set is a backup.",
        )
    if len(sealed) > 1:
        names = ", ".join(f"{layout.db_unique_name}-{layout.dbid}" for layout in sealed)
        raise PreconditionError(f"Several databases have a set {set_id}: {names}.", hint="Give dbid as well.")
    return sealed[0], read_manifest(sealed[0])


_UNTOLD = RestoreProgress()


def plan_files(
    layout: SetLayout,
    files: Sequence[ManifestFile],
    tuning: CopyTuning,
    progress: RestoreProgress = _UNTOLD,
) -> list[PlannedFile]:
    """Compare every place with the set (size first, then digest).

    Raises PreconditionError for a copy that is gone or needs a library that is missing, VerificationError for
    one of another size, BackupError for a place that cannot be read.
    """
    places: dict[str, int] = {}
    for item in files:
        twin = places.setdefault(item.source, item.file_number)
        if twin != item.file_number:
            raise PreconditionError(
                f"Files {twin} and {item.file_number} of the set both belong at {item.source}. Nothing was changed.",
                hint="One was dropped and the name used again: restore the wanted one alone (file_numbers).",
            )
        stored = layout.absolute(item.path)
        if not stored.is_file():
            raise PreconditionError(
                f"The set's copy of file {item.file_number} is gone: {stored}. Nothing was changed.",
                hint="Bring it back from where the destination is kept a second time, or restore from another set.",
            )
        if stored.stat().st_size != item.stored_size_bytes:
            raise VerificationError(
                f"{stored} has {stored.stat().st_size} bytes, not {item.stored_size_bytes}. Nothing was changed.",
                hint="The set is damaged: restore from another one.",
            )
        if not Path(item.source).is_absolute():
            raise VerificationError(
                f"The manifest's place of file {item.file_number} is no path: {item.source!r}. Nothing was changed.",
                hint="The set is damaged: restore from another one.",
            )
    equal = _places_that_hold_their_file(files, tuning, progress)
    planned = [
        PlannedFile(item, str(layout.absolute(item.path)), item.source, item.source in equal)
        for item in files
    ]
    require_readable((item.stored, item.file.compressed) for item in planned if not item.equal)
    return planned


def _places_that_hold_their_file(
    files: Sequence[ManifestFile], tuning: CopyTuning, progress: RestoreProgress
) -> set[str]:
    """A file that differs is read up to its first chunk that does."""
    stop = Event()
    context = IoContext(bandwidth=bandwidth(tuning), cancelled=stop.is_set, progress=progress.add_bytes)
    alike = [
        item
        for item in files
        if Path(item.source).is_file() and Path(item.source).stat().st_size == item.size_bytes
    ]
    progress.begin(
        COMPARE,
        "comparing the files in place with the set",
        len(alike),
        sum(item.size_bytes for item in alike),
    )
    tasks = [
        DigestTask(item.source, item.digest, item.chunk_size_bytes, item.chunk_digests, context)
        for item in alike
    ]
    return {result.path for result in run_all(tasks, stream_settings(tuning), stop) if result.intact}


def require_sound_copies(
    planned: Sequence[PlannedFile], tuning: CopyTuning, progress: RestoreProgress = _UNTOLD
) -> None:
    """Read the copies that would replace a file which still exists, all of them before the first is replaced.

    Where the place is empty nothing can be lost, and the copying itself finds the damage: no time is spent.
    Raises VerificationError for a copy that is not what was stored.
    """
    endangering = [item for item in planned if not item.equal and Path(item.target).exists()]
    progress.begin(
        VERIFY,
        "reading the copies that will replace a file",
        len(endangering),
        sum(item.file.size_bytes for item in endangering),
    )
    stop = Event()
    context = IoContext(bandwidth=bandwidth(tuning), cancelled=stop.is_set, progress=progress.add_bytes)
    tasks = [
        VerifyTask(
            item.stored,
            FileExpectations(
                FileKind.DATAFILE, block_size=item.file.block_size, compressed=item.file.compressed
            ),
            item.file.digest,
            context,
        )
        for item in endangering
    ]
    for result in run_all(tasks, stream_settings(tuning), stop):
        if not result.intact:
            raise VerificationError(
                f"{result.problems[0]} No file was replaced.",
                hint="The set is damaged: restore from another one.",
            )


def require_sound_control_copy(manifest: Manifest, layout: SetLayout, sources: Iterable[str]) -> None:
    """Read the set's control file before it takes the place of any, if it is to.

    Raises VerificationError if it is not what was stored, BackupError if it cannot be read.
    """
    if str(layout.control_copy) not in sources:
        return
    wanted = {layout.absolute(item.path): item.digest for item in manifest.control}.get(layout.control_copy)
    found = file_digest(layout.control_copy).digest
    if found != wanted:
        raise VerificationError(
            f"{layout.control_copy} has digest {found}, not {wanted}. No file was replaced.",
            hint="The set is damaged: restore from another one.",
        )


def restore_files(
    planned: Sequence[PlannedFile],
    dbid: int,
    tuning: CopyTuning,
    accept: Callable[[CopyResult], None] = ignore,
    progress: RestoreProgress = _UNTOLD,
) -> int:
    """Write the files that differ; returns the bytes written.

    Each copy is checked block by block and against the set's digest before it takes the place of what is
    there, and ``accept`` is asked right before; what it raises ends the restore. Raises VerificationError, or
    OSError's explanation by the copy engine.
    """
    wanted = [item for item in planned if not item.equal]
    folders: dict[str, int] = {}
    for item in wanted:
        folder = str(Path(item.target).parent)
        make_private_folder(folder)
        folders[folder] = folders.get(folder, 0) + item.file.size_bytes
    for folder, needed in folders.items():
        require_space(folder, needed)
    progress.begin(
        COPY, "writing the files that differ", len(wanted), sum(item.file.size_bytes for item in wanted)
    )

    requests = [
        CopyRequest(
            source=item.stored,
            destination=item.target,
            kind=FileKind.DATAFILE,
            block_size=item.file.block_size,
            dbid=dbid,
            file_number=item.file.file_number,
            expected_digest=item.file.digest,
            replace=True,
            reflink=tuning.reflink,
            source_form=item.file.compressed,
            accept=accept,
        )
        for item in wanted
    ]
    context = IoContext(bandwidth=bandwidth(tuning), progress=progress.add_bytes)
    results = copy_many(
        requests, stream_settings(tuning), context, finished=lambda _copy: progress.file_done()
    )
    return sum(result.size_bytes for result in results)


def choose_control_file(manifest: Manifest, layout: SetLayout, *, complete: bool) -> ControlFilePlan:
    """Look at what survived on disk and choose (restore_plan.plan_control_file)."""
    wanted = manifest.database.control_files
    return plan_control_file(
        wanted,
        [path for path in wanted if _is_control_file_of(path, manifest.database.dbid)],
        [path for path in manifest.database.online_logs if not Path(path).is_file()],
        complete=complete,
        backup_copy=str(layout.control_copy),
    )


def _is_control_file_of(path: str, dbid: int) -> bool:
    try:
        return read_control_file_header(path).dbid == dbid
    except BackupError:
        return False


def restore_control_files(copies: Mapping[str, str]) -> None:
    """Copy control files to their places, each replaced as a whole. Raises BackupError."""
    for target, source in copies.items():
        make_private_folder(str(Path(target).parent))
        copy_whole(source, target)


def preserve(paths: Sequence[str], layout: DatabaseLayout, now: datetime) -> list[str]:
    """Keep copies of what no backup holds (current control files, online redo) before a restore changes it.

    Returns the copies' paths, below ``preserved/<moment>`` of the database's folder. Raises BackupError.
    """
    existing = [path for path in paths if Path(path).is_file()]
    if not existing:
        return []
    folder = layout.database_folder / "preserved" / now.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    make_private_folder(str(folder))
    kept = []
    for number, path in enumerate(existing, start=1):
        target = folder / f"{number}_{Path(path).name}"
        copy_whole(path, str(target))
        kept.append(str(target))
    return kept
