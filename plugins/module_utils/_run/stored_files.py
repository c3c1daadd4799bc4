# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stored datafiles and logs of a set, beside what its journal says of them.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import TypeVar, Union

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import LogKey, log_key
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    CopiedFile,
    JournalState,
    RedoFile,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    DatafileHeader,
    FileKind,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import (
    VerifyTask,
    find_problems,
    stored_datafile_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.copy_settings import (
    bandwidth,
    stream_settings,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_store import (
    StoredLog,
    stored_log_of,
)

Key = TypeVar("Key", int, LogKey)
Item = TypeVar("Item")
Found = TypeVar("Found")
# Of a datafile its number, of a log its key.
_Key = Union[int, LogKey]


@dataclass(frozen=True)
class StoredFiles:
    """What is as the journal says: headers of datafiles by number, logs by key; and what is wrong with the others.

    ``problems`` has one for each, datafiles by number, then logs in the journal's order.
    """

    headers: Mapping[int, DatafileHeader]
    logs: Mapping[LogKey, StoredLog]
    problems: tuple[str, ...]


def examine(layout: SetLayout, state: JournalState, tuning: CopyTuning, *, full: bool) -> StoredFiles:
    """Compare sizes and headers of a set's stored files with its journal; with ``full``, read every byte as well.

    A file's problem does not hide another's; one that looks wrong already is not read.
    """
    files = dict(sorted(state.files.items()))
    problems: dict[_Key, str] = {}
    headers = _sound(files, partial(_datafile_header, layout), problems)
    logs = _sound(state.redo, partial(_log, layout), problems)
    if full:
        problems.update(_damage(layout, state, (*headers, *logs), tuning))
    return StoredFiles(
        {number: header for number, header in headers.items() if number not in problems},
        {key: log for key, log in logs.items() if key not in problems},
        tuple(problems[key] for key in (*files, *state.redo) if key in problems),
    )


def _sound(
    items: Mapping[Key, Item], look: Callable[[Item], Found], problems: MutableMapping[_Key, str]
) -> dict[Key, Found]:
    """What ``look`` found of each item; where it raised, the reason is added to the problems instead."""
    found = {}
    for key, item in items.items():
        try:
            found[key] = look(item)
        except BackupError as exc:
            problems[key] = exc.message
    return found


def _damage(
    layout: SetLayout, state: JournalState, keys: Sequence[_Key], tuning: CopyTuning
) -> dict[_Key, str]:
    """Read these files, all at the same time; the first problem of each that has one."""
    stop = Event()
    context = IoContext(cancelled=stop.is_set, bandwidth=bandwidth(tuning))
    tasks = [
        _datafile_reading(layout, state.files[key], context)
        if isinstance(key, int)
        else _log_reading(layout, state.redo[key], context)
        for key in keys
    ]
    found = find_problems(tasks, stream_settings(tuning), stop)
    return {key: problems[0] for key, problems in zip(keys, found) if problems}


def _datafile_reading(layout: SetLayout, copied: CopiedFile, context: IoContext) -> VerifyTask:
    expected = FileExpectations(
        FileKind.DATAFILE,
        dbid=layout.dbid,
        file_number=copied.file_number,
        compressed=copied.compressed,
    )
    return VerifyTask(str(layout.absolute(copied.path)), expected, copied.digest, context)


def _log_reading(layout: SetLayout, journalled: RedoFile, context: IoContext) -> VerifyTask:
    expected = FileExpectations(
        FileKind.REDO, dbid=layout.dbid, thread=journalled.thread, sequence=journalled.sequence
    )
    return VerifyTask(str(layout.redo_absolute(journalled.path)), expected, journalled.digest, context)


def _datafile_header(layout: SetLayout, copied: CopiedFile) -> DatafileHeader:
    """The header of a stored datafile. Raises VerificationError if it is not what the journal says."""
    path = layout.absolute(copied.path)
    if path.is_symlink() or not path.is_file():
        raise VerificationError(f"{path} is not there.")
    size_bytes = path.stat().st_size
    if size_bytes != copied.stored_size_bytes:
        raise VerificationError(f"{path} has {size_bytes} bytes, {copied.stored_size_bytes} were stored.")
    header = stored_datafile_header(
        str(path), FileExpectations(FileKind.DATAFILE, compressed=copied.compressed)
    )
    _check_header(copied, layout.dbid, header)
    return header


def _check_header(copied: CopiedFile, dbid: int, header: DatafileHeader) -> None:
    """A copy taken in backup mode carries its frozen checkpoint and the backup bit; one taken at rest
    neither.
    """
    found = {
        "DBID": (header.dbid, dbid),
        "file number": (header.file_number, copied.file_number),
        "creation SCN": (header.creation_scn, copied.creation_scn),
        "checkpoint SCN": (header.checkpoint_scn, copied.checkpoint_scn),
        "backup mode": (header.in_backup, copied.begin_scn is not None),
    }
    if copied.begin_scn is not None:
        found["begin-backup SCN"] = (header.checkpoint_scn, copied.begin_scn)
    for what, (is_now, must_be) in found.items():
        if is_now != must_be:
            raise VerificationError(f"The header of {copied.path} has {what} {is_now}, not {must_be}.")


def _log(layout: SetLayout, journalled: RedoFile) -> StoredLog:
    """A stored log by its header. Raises VerificationError if it is not what the journal says."""
    log = stored_log_of(layout.database, log_key(journalled))
    is_now = (log.first_scn, log.next_scn, log.size_bytes)
    must_be = (journalled.first_scn, journalled.next_scn, journalled.size_bytes)
    if is_now != must_be:
        raise VerificationError(f"{log.path} has SCNs and size {is_now}, not {must_be}.")
    return log
