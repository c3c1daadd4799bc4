# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal of a set says has happened: the records replayed into one value. Pure.

The journal is the only witness after a crash: which windows are ours and may still be open, which files are
in the set, what is known of redo and control file.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import COMPRESSIONS, NONE
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_model import (
    ControlSaved,
    CopiedFile,
    JournalState,
    RedoFile,
    RunRecord,
    Window,
    WindowState,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import safe_relative_path
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupStatus
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import parse_integer

__all__ = [
    "ControlSaved",
    "CopiedFile",
    "JournalState",
    "Ownership",
    "RedoFile",
    "RunRecord",
    "Window",
    "WindowState",
    "owned_windows",
    "replay",
]

Record = Mapping[str, Any]


def replay(records: Iterable[Record]) -> JournalState:
    """Return what ``records`` add up to; the empty state for none.

    Unknown events are passed over, so that a newer version's journal can still be read by the repair
    playbook. Raises VerificationError naming the record whose fields are not what they must be.
    """
    state = JournalState()
    for number, record in enumerate(records, start=1):
        event = record.get("event")
        apply = _EVENTS.get(event) if isinstance(event, str) else None
        if apply is None:
            continue
        try:
            state = apply(state, _Fields(record))
        except VerificationError as exc:
            raise VerificationError(
                f"The journal's record {number} ({event}) is not valid: {exc.message}"
            ) from exc
    return state


@dataclass(frozen=True)
class Ownership:
    """Files now in backup mode, divided by whether the journal shows them to be ours."""

    ours: tuple[Window, ...]
    foreign: tuple[int, ...]


def owned_windows(state: JournalState, status: Mapping[int, BackupStatus]) -> Ownership:
    """Divide the files that are in backup mode now into our open windows and somebody else's.

    A window is ours when all of its files that are active now are (see :meth:`Window.owns`).
    """
    ours: list[Window] = []
    owned: set[int] = set()
    for window in state.open_windows:
        active = {number for number in window.files if number in status and status[number].active}
        if not active:
            continue
        if all(window.owns(number, status[number]) for number in active):
            ours.append(window)
            owned |= active
    return Ownership(
        ours=tuple(ours),
        foreign=tuple(number for number in sorted(status) if status[number].active and number not in owned),
    )


class _Fields:
    """Typed access to one record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def text(self, name: str, default: str | None = None) -> str:
        value = self._record.get(name, default)
        if not isinstance(value, str):
            raise VerificationError(f"{name} must be text, found {value!r}.")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self._record.get(name) is None else self.text(name)

    def compression(self) -> str:
        """Records of versions that did not compress do not have it."""
        value = self.text("compression", NONE)
        if value not in COMPRESSIONS:
            raise VerificationError(f"compression must be one of {', '.join(COMPRESSIONS)}, found {value!r}.")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        return parse_integer(self._record.get(name, default), name)

    def integer_or_none(self, name: str) -> int | None:
        value = self._record.get(name)
        return None if value is None else parse_integer(value, name)

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self._record.get(name, {})
        if not isinstance(value, dict):
            raise VerificationError(f"{name} must be an object, found {value!r}.")
        return value

    def sequence(self, name: str) -> tuple[Any, ...]:
        value = self._record.get(name, [])
        if not isinstance(value, list):
            raise VerificationError(f"{name} must be a list, found {value!r}.")
        return tuple(value)

    def window_files(self) -> dict[int, int | None]:
        value = self._record.get("files", {})
        if isinstance(value, list):
            return {parse_integer(item, "a file number"): None for item in value}
        return {
            parse_integer(number, "a file number"): None if scn is None else parse_integer(scn, "a CHANGE#")
            for number, scn in self.mapping("files").items()
        }

    @property
    def window_key(self) -> tuple[str, int]:
        return (self.text("tablespace"), self.integer("con_id", 0))


def _run_started(state: JournalState, record: _Fields) -> JournalState:
    run = RunRecord(
        run_id=record.text("run_id"),
        host=record.text("host", ""),
        pid=record.integer("pid", 0),
        started_at=record.text("at", ""),
        startup_times=tuple(str(item) for item in record.sequence("startup_times")),
    )
    if not state.exists:
        state = replace(
            state,
            set_id=record.text("set_id"),
            dbid=record.integer("dbid"),
            db_unique_name=record.text("db_unique_name"),
            resetlogs_id=record.integer("resetlogs_id"),
            policy=record.mapping("policy"),
        )
    elif (record.integer("dbid"), record.text("set_id")) != (state.dbid, state.set_id):
        raise VerificationError("it belongs to another set or database than the records before it.")
    return replace(state, runs=(*state.runs, run), copied_end_scn=None)


def _run_outcome(outcome: str) -> Callable[[JournalState, _Fields], JournalState]:
    def apply(state: JournalState, record: _Fields) -> JournalState:
        run_id = record.text("run_id")
        return replace(
            state,
            runs=tuple(
                replace(run, outcome=outcome, message=record.text("msg", "")) if run.run_id == run_id else run
                for run in state.runs
            ),
        )

    return apply


def _window_intent(state: JournalState, record: _Fields) -> JournalState:
    tablespace, con_id = record.window_key
    window = Window(
        tablespace=tablespace,
        con_id=con_id,
        files=record.window_files(),
        state=WindowState.INTENDED,
        run_id=record.text("run_id", ""),
        intended_at=record.text("at", ""),
        intent_scn=record.integer_or_none("current_scn"),
    )
    return replace(state, windows=(*state.windows, window), control=None)


def _window_opened(state: JournalState, record: _Fields) -> JournalState:
    return _change_window(
        state,
        record,
        lambda window: replace(
            window, state=WindowState.OPEN, files=record.window_files(), opened_at=record.text("at", "")
        ),
    )


def _window_closing(state: JournalState, record: _Fields) -> JournalState:
    return _change_window(state, record, lambda window: replace(window, state=WindowState.CLOSING))


def _window_closed(state: JournalState, record: _Fields) -> JournalState:
    return _change_window(
        state,
        record,
        lambda window: replace(
            window,
            state=WindowState.CLOSED,
            closed_at=record.text("at", ""),
            closed_by=record.text("by", "runner"),
            end_scn=record.integer_or_none("end_scn"),
        ),
    )


def _change_window(state: JournalState, record: _Fields, change: Callable[[Window], Window]) -> JournalState:
    """Change the newest window of the record's tablespace that is not closed; closing twice is harmless."""
    key = record.window_key
    windows = list(state.windows)
    for position in reversed(range(len(windows))):
        window = windows[position]
        if (window.tablespace, window.con_id) == key and window.state is not WindowState.CLOSED:
            windows[position] = change(window)
            return replace(state, windows=tuple(windows))
    return state


def _file_copied(state: JournalState, record: _Fields) -> JournalState:
    copied = CopiedFile(
        file_number=record.integer("file_number"),
        tablespace=record.text("tablespace"),
        con_id=record.integer("con_id", 0),
        creation_scn=record.integer("creation_scn"),
        source=record.text("source"),
        path=safe_relative_path(record.text("path")),
        size_bytes=record.integer("size_bytes"),
        digest=record.text("digest"),
        chunk_digests=tuple(str(item) for item in record.sequence("chunk_digests")),
        chunk_size_bytes=record.integer("chunk_size_bytes", 0),
        inode=record.integer("inode", 0),
        mtime_ns=record.integer("mtime_ns", 0),
        faults=record.sequence("faults"),
        fault_count=record.integer("fault_count", 0),
        begin_scn=record.integer_or_none("begin_scn"),
        checkpoint_scn=record.integer_or_none("checkpoint_scn"),
        method=record.text("method"),
        unrecoverable_scn=record.integer("unrecoverable_scn", 0),
        header=record.mapping("header"),
        run_id=record.text("run_id", ""),
        copied_at=record.text("at", ""),
        compression=record.compression(),
        stored_size_bytes=record.integer("stored_size_bytes", record.integer("size_bytes")),
        stored_digest=record.text_or_none("stored_digest"),
        accelerator=record.text_or_none("accelerator"),
    )
    discarded = {number: why for number, why in state.discarded.items() if number != copied.file_number}
    files = {**state.files, copied.file_number: copied}
    return replace(state, files=files, discarded=discarded, control=None)


def _file_discarded(state: JournalState, record: _Fields) -> JournalState:
    number = record.integer("file_number")
    return replace(
        state,
        files={key: item for key, item in state.files.items() if key != number},
        discarded={**state.discarded, number: record.text("reason", "")},
    )


def _run_copied(state: JournalState, record: _Fields) -> JournalState:
    return replace(state, copied_end_scn=record.integer("end_scn"))


def _redo_copied(state: JournalState, record: _Fields) -> JournalState:
    redo = RedoFile(
        resetlogs_id=record.integer("resetlogs_id"),
        thread=record.integer("thread"),
        sequence=record.integer("sequence"),
        first_scn=record.integer("first_scn"),
        next_scn=record.integer("next_scn"),
        path=safe_relative_path(record.text("path")),
        size_bytes=record.integer("size_bytes"),
        digest=record.text("digest"),
    )
    return replace(state, redo={**state.redo, (redo.resetlogs_id, redo.thread, redo.sequence): redo})


def _control_saved(state: JournalState, record: _Fields) -> JournalState:
    saved = ControlSaved(
        files=record.sequence("files"),
        control_scn=record.integer_or_none("control_scn"),
        saved_at=record.text("at", ""),
    )
    return replace(state, control=saved)


def _sealed(state: JournalState, record: _Fields) -> JournalState:
    return replace(state, sealed=record.text("manifest_digest"))


_EVENTS: Mapping[str, Callable[[JournalState, _Fields], JournalState]] = {
    "run_started": _run_started,
    "window_intent": _window_intent,
    "window_opened": _window_opened,
    "window_closing": _window_closing,
    "window_closed": _window_closed,
    "file_copied": _file_copied,
    "file_discarded": _file_discarded,
    "run_copied": _run_copied,
    "redo_copied": _redo_copied,
    "control_saved": _control_saved,
    "run_failed": _run_outcome("failed"),
    "run_ended": _run_outcome("ended"),
    "sealed": _sealed,
}
