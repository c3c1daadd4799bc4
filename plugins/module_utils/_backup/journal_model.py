# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal tells, as values: runs, windows, copied files, redo, control file.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import NONE, CompressedForm
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupStatus


class WindowState(str, Enum):
    """How far a window got, by the journal."""

    INTENDED = "intended"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True)
class Window:
    """One tablespace's time in backup mode. ``files`` maps file numbers to V$BACKUP.CHANGE#, None before read
    back.
    """

    tablespace: str
    con_id: int
    files: Mapping[int, int | None]
    state: WindowState
    run_id: str
    intended_at: str
    opened_at: str | None = None
    closed_at: str | None = None
    closed_by: str | None = None
    end_scn: int | None = None
    intent_scn: int | None = None

    def owns(self, file_number: int, status: BackupStatus) -> bool:
        """Tell whether a file that is in backup mode now got there by this window's BEGIN BACKUP.

        A window that was read back is known by its CHANGE#; another one means that somebody ended and began
        backup mode since. Of a window that was only intended it is known that no file was in backup mode at
        the SCN read right before.
        """
        if file_number not in self.files or not status.active:
            return False
        begun = self.files[file_number]
        return status.scn == begun if begun is not None else status.scn >= (self.intent_scn or 0)

    @property
    def begin_scn(self) -> int | None:
        """Lowest begin-backup SCN of its files, None before it was read back."""
        known = [scn for scn in self.files.values() if scn is not None]
        return min(known) if known else None


@dataclass(frozen=True)
class CopiedFile:
    """A datafile that is in the set. ``path`` is relative to the set's folder; ``header`` as journalled.

    ``stored_size_bytes`` is what the copy has on disk, ``stored_digest`` the SHA-256 of a compressed copy's bytes.
    ``accelerator`` is what checked its blocks: ``numpy``, ``none``, or None where an older journal does not say.
    """

    file_number: int
    tablespace: str
    creation_scn: int
    source: str
    path: str
    size_bytes: int
    digest: str
    chunk_digests: tuple[str, ...]
    chunk_size_bytes: int
    inode: int
    mtime_ns: int
    faults: tuple[Any, ...]
    fault_count: int
    begin_scn: int | None
    checkpoint_scn: int | None
    method: str
    unrecoverable_scn: int
    header: Mapping[str, Any]
    run_id: str
    copied_at: str
    stored_size_bytes: int
    con_id: int = 0
    compression: str = NONE
    stored_digest: str | None = None
    accelerator: str | None = None

    @property
    def compressed(self) -> CompressedForm | None:
        """How it is stored; None is "as it is"."""
        return None if self.compression == NONE else CompressedForm(self.size_bytes, self.stored_digest)


@dataclass(frozen=True)
class RedoFile:
    """An archived log in the redo store. ``path`` is relative to the database's folder."""

    resetlogs_id: int
    thread: int
    sequence: int
    first_scn: int
    next_scn: int
    path: str
    size_bytes: int
    digest: str


@dataclass(frozen=True)
class ControlSaved:
    """The control-file part of a set. It is forgotten when a file is copied later, which it might not know."""

    files: tuple[Mapping[str, Any], ...]
    control_scn: int | None
    saved_at: str


@dataclass(frozen=True)
class RunRecord:
    """One run of the set. ``outcome`` is None while it lives or when it died without a word."""

    run_id: str
    host: str
    pid: int
    started_at: str
    startup_times: tuple[str, ...]
    outcome: str | None = None
    message: str = ""


@dataclass(frozen=True)
class JournalState:
    """Everything a plan, a guardian or a seal needs to know of earlier runs."""

    set_id: str = ""
    dbid: int = 0
    db_unique_name: str = ""
    resetlogs_id: int = 0
    policy: Mapping[str, Any] = field(default_factory=dict)
    runs: tuple[RunRecord, ...] = ()
    windows: tuple[Window, ...] = ()
    files: Mapping[int, CopiedFile] = field(default_factory=dict)
    discarded: Mapping[int, str] = field(default_factory=dict)
    redo: Mapping[tuple[int, int, int], RedoFile] = field(default_factory=dict)
    control: ControlSaved | None = None
    copied_end_scn: int | None = None
    sealed: str | None = None

    @property
    def exists(self) -> bool:
        """False for the state of an empty journal."""
        return bool(self.runs)

    @property
    def open_windows(self) -> tuple[Window, ...]:
        """Windows that may still be open: intended or opened and not known to be closed."""
        return tuple(window for window in self.windows if window.state is not WindowState.CLOSED)

    @property
    def begin_scn(self) -> int | None:
        """The SCN from which a restore needs redo: the lowest begin-backup SCN of the copied files.

        A set of plain copies only starts at the lowest checkpoint.
        """
        hot = [item.begin_scn for item in self.files.values() if item.begin_scn is not None]
        if hot:
            return min(hot)
        checkpoints = [item.checkpoint_scn for item in self.files.values() if item.checkpoint_scn is not None]
        return min(checkpoints) if checkpoints else None
