# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control-file part of a set: binary copy, the two scripts, parameters, password file.

The server writes its files beside their final names; they get those only after they were verified here. So
the server's operating-system user and ours must be the same, or at least read each other's files.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.control_script import parse_trace
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    OracleRefused,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    JournalState,
    replay,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import Database
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import (
    make_private_folder,
    write_atomically,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.control_file import (
    changed_parameters,
    copy_control_file,
    copy_statement,
    create_pfile,
    pfile_statement,
    trace_control_file,
    trace_statement,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import current_scn
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.quoting import quote_literal

_INSUFFICIENT_PRIVILEGES = 1031
Warn = Callable[[str], None]


@dataclass(frozen=True)
class SavedFile:
    """One file of the control-file part. ``path`` is relative to the set's folder."""

    kind: str
    path: str
    size_bytes: int
    digest: str


@dataclass(frozen=True)
class ControlBackup:
    """The control-file part as it is on disk. ``control_scn``: the copy holds all that happened before it."""

    files: tuple[SavedFile, ...]
    control_scn: int | None


def read_state(layout: SetLayout) -> JournalState:
    """Return what the set's journal says, the empty state without one. Raises VerificationError."""
    return replay(read_journal(layout.journal_path)) if layout.journal_path.exists() else JournalState()


def check_set(layout: SetLayout, database: Database, state: JournalState) -> None:
    """Raise PreconditionError if the set is of another database or another incarnation of it."""
    if state.exists and (state.dbid, state.resetlogs_id) != (database.dbid, database.resetlogs_id):
        raise PreconditionError(
            f"Set {layout.set_id} is of DBID {state.dbid}, incarnation {state.resetlogs_id}; the database has DBID"
            f" {database.dbid}, incarnation {database.resetlogs_id}.",
            hint="Start a new set.",
        )


def saved_already(layout: SetLayout, state: JournalState) -> ControlBackup | None:
    """Return the control-file part if it is in the set, was saved after the last copied file, and is intact."""
    if state.control is None:
        return None
    end_scn = state.copied_end_scn
    if end_scn is not None and (state.control.control_scn is None or state.control.control_scn < end_scn):
        return None
    files = []
    for item in state.control.files:
        path = layout.absolute(str(item.get("path", "")))
        if not path.is_file() or path.stat().st_size != item.get("size_bytes"):
            return None
        if file_digest(path).digest != item.get("digest"):
            return None
        files.append(SavedFile(str(item["kind"]), str(item["path"]), item["size_bytes"], item["digest"]))
    return ControlBackup(tuple(files), state.control.control_scn)


def planned_statements(layout: SetLayout, database: Database) -> list[str]:
    """Return the statements that :func:`save` would execute."""
    return [
        copy_statement(str(_server_name(layout.control_copy))),
        trace_statement(str(_server_name(layout.noresetlogs_script)), False),
        trace_statement(str(_server_name(layout.resetlogs_script)), True),
        pfile_statement(str(_server_name(layout.pfile)), bool(database.parameter("spfile"))),
    ]


def planned_files(layout: SetLayout) -> list[dict[str, Any]]:
    """Return what :func:`save` would write for certain; sizes and digests are not known yet."""
    files = (
        ("control_file", layout.control_copy),
        ("noresetlogs_script", layout.noresetlogs_script),
        ("resetlogs_script", layout.resetlogs_script),
        ("pfile", layout.pfile),
    )
    return [
        {"kind": kind, "path": layout.relative(path), "size_bytes": None, "digest": None}
        for kind, path in files
    ]


def save(
    gateway: Gateway, layout: SetLayout, database: Database, password_file: Path | None, warn: Warn
) -> ControlBackup:
    """Write the control-file part into the set and note it in the journal.

    ``password_file``: where it should be, None if that is not known. Raises OracleRefused, VerificationError
    for a copy that is not the database's control file, BackupError for what cannot be written.
    """
    for folder in (layout.set_folder, layout.control_folder, layout.parameters_folder):
        make_private_folder(folder)
    scn = current_scn(gateway) if database.open_mode != "MOUNTED" else None
    saved = [
        _save_copy(gateway, layout, database),
        _save_script(gateway, layout, resetlogs=False),
        _save_script(gateway, layout, resetlogs=True),
        _save_pfile(gateway, layout, database, warn),
    ]
    if password_file is not None:
        saved += _save_password_file(layout, password_file, warn)
    with Journal.open(layout.journal_path) as journal:
        journal.append(
            "control_saved",
            run_id=uuid.uuid4().hex,
            files=[vars(item) for item in saved],
            control_scn=scn,
        )
    return ControlBackup(tuple(saved), scn)


def _save_copy(gateway: Gateway, layout: SetLayout, database: Database) -> SavedFile:
    with _written_by_server(layout.control_copy) as written:
        copy_control_file(gateway, str(written))
        _require_visible(written)
        copy_file(
            CopyRequest(
                source=str(written),
                destination=str(layout.control_copy),
                kind=FileKind.CONTROL,
                dbid=database.dbid,
                replace=True,
            )
        )
    return _saved("control_file", layout, layout.control_copy)


def _save_script(gateway: Gateway, layout: SetLayout, *, resetlogs: bool) -> SavedFile:
    target = layout.resetlogs_script if resetlogs else layout.noresetlogs_script
    with _written_by_server(target) as written:
        trace_control_file(gateway, str(written), resetlogs=resetlogs)
        _require_visible(written)
        script = parse_trace(_read_text(written), resetlogs=resetlogs)
    write_atomically(target, script.as_text().encode(errors="surrogateescape"))
    return _saved("resetlogs_script" if resetlogs else "noresetlogs_script", layout, target)


def _save_pfile(gateway: Gateway, layout: SetLayout, database: Database, warn: Warn) -> SavedFile:
    with _written_by_server(layout.pfile) as written:
        try:
            create_pfile(gateway, str(written), from_spfile=bool(database.parameter("spfile")))
            _require_visible(written)
            text = _read_text(written)
        except OracleRefused as exc:
            if exc.oracle_error is None or _INSUFFICIENT_PRIVILEGES not in exc.oracle_error.codes:
                raise
            # CREATE PFILE needs an administrative privilege that a daily backup account does not have.
            warn("The parameter file was made from V$PARAMETER2, as the account may not CREATE PFILE.")
            text = pfile_text(changed_parameters(gateway))
    write_atomically(layout.pfile, text.encode(errors="surrogateescape"))
    return _saved("pfile", layout, layout.pfile)


def pfile_text(parameters: list[tuple[str, str]]) -> str:
    """Return a text parameter file; values of one parameter that has several follow each other."""
    values: dict[str, list[str]] = {}
    for name, value in parameters:
        values.setdefault(name, []).append(value)
    return "".join(
        f"*.{name}={','.join(quote_literal(value) for value in several)}\n"
        for name, several in values.items()
    )


def _save_password_file(layout: SetLayout, source: Path, warn: Warn) -> list[SavedFile]:
    try:
        content = source.read_bytes()
    except OSError as exc:
        warn(f"The password file {source} is not in the set: {exc.strerror}.")
        return []
    target = layout.parameters_folder / source.name
    write_atomically(target, content)
    return [_saved("password_file", layout, target)]


@contextlib.contextmanager
def _written_by_server(target: Path) -> Iterator[Path]:
    """Give a free name beside ``target`` for the server to write to, and remove what it wrote.

    What an earlier run left there would be taken for what a server wrote that does not share this folder.
    """
    written = _server_name(target)
    _remove(written)
    try:
        yield written
    finally:
        # Not flushed: a name that comes back is removed by the next run, and no manifest names it.
        _remove(written)


def _remove(path: Path) -> None:
    with explained(f"Failed to remove {path}, which the server wrote"):
        path.unlink(missing_ok=True)


def _server_name(target: Path) -> Path:
    return target.with_name(f".{target.name}.from_server")


def _require_visible(written: Path) -> None:
    if not written.is_file():
        raise BackupError(
            f"The server wrote {written}, but it cannot be seen from here.",
            hint="The module must run on the database host, and see the destination under the same path.",
        )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as exc:
        raise BackupError(
            f"Failed to read {path}, which the server wrote: {exc.strerror}.",
            hint="Run the module as the operating-system user that owns the database.",
        ) from exc


def _saved(kind: str, layout: SetLayout, path: Path) -> SavedFile:
    found = file_digest(path)
    return SavedFile(kind, layout.relative(path), found.size_bytes, found.digest)


def keystore_report(database: Database) -> Mapping[str, Any]:
    """Return what is known of the keystore, which is never copied beside the data it protects."""
    return {
        "status": database.wallet_status,
        "wallet_root": database.parameter("wallet_root") or None,
    }
