# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recovery statement's answer means. Pure.

Every prompt of SQL*Plus's RECOVER is an error raised by ALTER DATABASE RECOVER; success means that
recovery has finished. Numbers decide, never prose: messages are translated (Oracle Error Help, ORA-00279
to ORA-00289; SQL Reference, ALTER DATABASE, general_recovery).

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

_CHANGE = re.compile(r"ORA-00279:\D+(\d+).*?(\d+)\s*$", re.MULTILINE)
_SEQUENCE = re.compile(r"ORA-00280:\D+(\d+)\D+(\d+)\D+(\d+)")
_SUGGESTION = re.compile(r"ORA-00289:[^:\n]*: (.+)")
_DATA_FILE = re.compile(r"ORA-01110:\D+(\d+): '(.*)'")


class Meaning(Enum):
    """What to do about an answer."""

    FINISHED = "finished"
    NEEDS_LOG = "needs_log"
    LOG_NOT_FOUND = "log_not_found"
    WRONG_LOG = "wrong_log"
    CONTINUE = "continue"
    NOT_CONSISTENT = "not_consistent"
    UNKNOWN_FILE = "unknown_file"
    READ_ONLY_FILE = "read_only_file"
    NEEDS_BACKUP_CONTROL_FILE = "needs_backup_control_file"
    NO_SESSION = "no_session"
    FAILED = "failed"


@dataclass(frozen=True)
class LogRequest:
    """The redo that recovery asks for: everything from ``scn`` on, of one thread."""

    scn: int
    thread: int
    sequence: int | None
    suggestion: str | None


@dataclass(frozen=True)
class DataFileNamed:
    """A datafile that an error stack names (ORA-01110)."""

    file_number: int
    path: str


@dataclass(frozen=True)
class Answer:
    """An answer, understood."""

    meaning: Meaning
    request: LogRequest | None = None
    data_files: tuple[DataFileNamed, ...] = ()


# The order decides: ORA-00283 is only the lid on most failures, and ORA-00279 keeps the session alive
# whatever else is in the stack (a name that could not be opened, the log applied before).
_BY_CODE = (
    ((279,), Meaning.NEEDS_LOG),
    ((1547, 1194, 1195, 1152, 1196), Meaning.NOT_CONSISTENT),
    ((264,), Meaning.FINISHED),
    ((1244,), Meaning.UNKNOWN_FILE),
    ((1233,), Meaning.READ_ONLY_FILE),
    ((1610,), Meaning.NEEDS_BACKUP_CONTROL_FILE),
    ((310, 325, 326, 328, 342, 367), Meaning.WRONG_LOG),
    ((308,), Meaning.LOG_NOT_FOUND),
    ((288, 284), Meaning.CONTINUE),
    ((1112,), Meaning.NO_SESSION),
)


def understand(codes: Sequence[int], message: str) -> Answer:
    """Read an error stack raised by a recovery statement.

    :param codes: every ORA- number of the stack.
    :param message: the stack's whole text.
    """
    for wanted, meaning in _BY_CODE:
        if any(code in codes for code in wanted):
            request = _log_request(message) if meaning is Meaning.NEEDS_LOG else None
            if meaning is Meaning.NEEDS_LOG and request is None:
                return Answer(Meaning.FAILED)
            return Answer(meaning, request, data_files_named(message))
    return Answer(Meaning.FAILED, data_files=data_files_named(message))


def data_files_named(message: str) -> tuple[DataFileNamed, ...]:
    """Every ORA-01110 line of a stack."""
    return tuple(DataFileNamed(int(number), path) for number, path in _DATA_FILE.findall(message))


def _log_request(message: str) -> LogRequest | None:
    change = _CHANGE.search(message)
    if not change:
        return None
    suggestion = _SUGGESTION.search(message)
    sequence = _SEQUENCE.search(message)
    return LogRequest(
        scn=int(change.group(1)),
        thread=int(change.group(2)),
        sequence=int(sequence.group(3)) if sequence else None,
        suggestion=suggestion.group(1).strip() if suggestion else None,
    )
