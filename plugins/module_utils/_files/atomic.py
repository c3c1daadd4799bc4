# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files and folders written so that a crash leaves the old state or the new one, never a mixture.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    VerificationError,
)


def write_atomically(path: str | os.PathLike[str], data: bytes, mode: int = 0o600) -> None:
    """Make ``data`` the whole content of ``path``, on stable storage, with exactly ``mode``.

    The bytes go to a temporary file in the same folder, which takes the name only after it has been flushed;
    then the folder is flushed, so that the new name survives a crash too. On any error the earlier content is
    untouched and the temporary file is gone. Raises BackupError.
    """
    target = Path(path)
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as exc:
        raise _failed_to_write(target, exc) from exc
    try:
        try:
            os.fchmod(descriptor, mode)
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        Path(temporary).replace(target)
    except BaseException as exc:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        if isinstance(exc, OSError):
            raise _failed_to_write(target, exc) from exc
        raise
    fsync_folder(target.parent)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of ``data`` at the descriptor's position; a regular file may take it in several pieces."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def fsync_folder(path: str | os.PathLike[str]) -> None:
    """Flush the names in a folder to stable storage. Raises BackupError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise BackupError(f"Failed to flush folder {path}: {exc.strerror}.") from exc


def make_private_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder and its missing parents, each with mode 0700 and flushed into its own parent.

    A folder that exists keeps its mode: it is the user's decision. Raises BackupError.
    """
    folder = Path(path).absolute()
    missing = []
    try:
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for step in reversed(missing):
            # Another stream may be making the same folder; is_dir() below is what counts.
            with contextlib.suppress(FileExistsError):
                step.mkdir(mode=0o700)
                # mkdir's mode is cut by the umask; a umask of 0277 would lock out the owner.
                step.chmod(0o700)
            if not step.is_dir():
                raise BackupError(f"Failed to make folder {path}: {step} exists and is not a folder.")
            fsync_folder(step.parent)
    except OSError as exc:
        raise BackupError(f"Failed to make folder {path}: {exc.strerror}.") from exc


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


def _failed_to_write(path: Path, exc: OSError) -> BackupError:
    return BackupError(f"Failed to write {path}: {exc.strerror}.")
