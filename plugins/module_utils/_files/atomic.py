# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files and folders written so that a crash leaves the old state or the new one, never a mixture.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import (
    FileLayer,
    OsFileLayer,
    append_all,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained

_OS = OsFileLayer()
# What a folder answers that we may not open, or that keeps no names on storage (a mount map): we made nothing there.
_NEVER_OURS = frozenset({errno.EACCES, errno.EINVAL})


def write_atomically(
    path: str | os.PathLike[str],
    data: bytes,
    mode: int = 0o600,
    files: FileLayer = _OS,
    replace: bool = True,
) -> None:
    """Make ``data`` the whole content of ``path``, on stable storage, with exactly ``mode``.

    The bytes go to a temporary file in the same folder, which takes the name only after it has been flushed;
    then the folder is flushed, so that the new name survives a crash too. On any error the temporary file is
    gone and the earlier content untouched, or there is no file if there was none; only where the flush of the
    folder fails, an earlier content has been replaced already. Raises BackupError, also if the name was taken
    away again by another process; PreconditionError if there is an earlier content and ``replace`` is false.
    """
    target = Path(path)
    temporary = str(target.with_name(f".{target.name}.{secrets.token_hex(4)}"))
    with explained(f"Failed to write {target}"):
        written = _write_new(temporary, data, mode, files)
        replaced = False
        try:
            try:
                files.rename_new(temporary, str(target))
            except FileExistsError as exc:
                if not replace:
                    raise PreconditionError(f"Failed to write {target}: it exists.") from exc
                replaced = True
                files.rename(temporary, str(target))
            files.flush_folder(str(target.parent))
            found = files.status_of(str(target))
        except BaseException:
            _remove_if_same(temporary, written, files)
            # What was told to have failed must not be found there later: a manifest's presence says "sealed".
            if not replaced:
                _remove_if_same(str(target), written, files)
            raise
        if found is None or not os.path.samestat(found, written):
            raise BackupError(f"Failed to write {target}: it was removed or replaced meanwhile.")


def _write_new(path: str, data: bytes, mode: int, files: FileLayer) -> os.stat_result:
    descriptor = files.open_new(path)
    try:
        try:
            files.set_mode(descriptor, mode)
            append_all(files, descriptor, data)
            files.flush(descriptor)
            return files.status(descriptor)
        finally:
            files.close(descriptor)
    except BaseException:
        # The error that led here is the one to tell.
        with contextlib.suppress(OSError):
            files.remove(path)
        raise


def _remove_if_same(path: str, written: os.stat_result, files: FileLayer) -> None:
    with contextlib.suppress(OSError):
        found = files.status_of(path)
        if found is not None and os.path.samestat(found, written):
            files.remove(path)


def fsync_folder(path: str | os.PathLike[str], files: FileLayer = _OS) -> None:
    """Flush the names in a folder to stable storage. Raises BackupError."""
    with explained(f"Failed to flush folder {path}"):
        files.flush_folder(str(path))


def move_aside(path: str | os.PathLike[str], aside: str | os.PathLike[str], files: FileLayer = _OS) -> None:
    """Give a file another name in its folder, which must be free; the new one is on stable storage on return.

    What takes the first name afterwards can then cost nobody the file, whenever the power goes. Raises BackupError.
    """
    with explained(f"Failed to rename {path} to {aside}"):
        files.rename_new(str(path), str(aside))
        files.flush_folder(str(Path(aside).parent))


def remove_for_good(path: str | os.PathLike[str], files: FileLayer = _OS) -> None:
    """Remove a file, if it is there; no crash brings it back once this has returned. Raises BackupError."""
    with explained(f"Failed to remove {path}"):
        with contextlib.suppress(FileNotFoundError):
            files.remove(str(path))
        # Also where it is gone already: who removed it may have died before flushing that.
        files.flush_folder(str(Path(path).parent))


def make_private_folder(path: str | os.PathLike[str], files: FileLayer = _OS) -> None:
    """Make a folder and its missing parents, each with mode 0700; all are on stable storage when this returns.

    A folder that exists keeps its mode: it is the user's decision. Raises BackupError.
    """
    folder = Path(path).absolute()
    missing = []
    with explained(f"Failed to make folder {path}"):
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        _flush_name(folder, files)
        for step in reversed(missing):
            # Another stream may be making the same folder; is_dir() below is what counts.
            with contextlib.suppress(FileExistsError):
                files.make_folder(str(step))
            if not step.is_dir():
                raise BackupError(f"Failed to make folder {path}: {step} exists and is not a folder.")
            files.flush_folder(str(step.parent))


def _flush_name(folder: Path, files: FileLayer) -> None:
    """A folder that exists may be the work of a call that did not come as far as flushing its name."""
    try:
        files.flush_folder(str(folder.parent))
    except OSError as exc:
        if exc.errno not in _NEVER_OURS:
            raise


def safe_join(root: str | os.PathLike[str], relative: str) -> str:
    """Return ``root/relative`` if that cannot lie outside ``root``.

    Names in a manifest are untrusted input. Refused with VerificationError: an empty or absolute name, a NUL,
    a ``..`` component, and any symbolic link below ``root`` (the product never makes one, so a link is
    foreign).
    """
    if not relative or "\0" in relative:
        raise VerificationError(
            f"Failed to use file name {relative!r} below {root}: empty, or contains a NUL."
        )
    parts = [part for part in relative.split("/") if part not in ("", ".")]
    if relative.startswith("/") or ".." in parts or not parts:
        raise VerificationError(f"Failed to use file name {relative!r}: it leads outside {root}.")
    path = Path(root)
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise VerificationError(
                f"Failed to use file name {relative!r} below {root}: {path} is a symbolic link."
            )
    return str(path)
