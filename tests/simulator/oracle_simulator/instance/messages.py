# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wording of errors that name a file, and other error lines used in more than one place."""

from __future__ import annotations

from typing import Protocol

from oracle_simulator.errors import OracleError

ErrorLine = tuple[int, str]


class NamedFile(Protocol):
    """What an ORA-01110 line needs of a datafile record."""

    file_number: int
    path: str


def datafile_line(file: NamedFile) -> ErrorLine:
    """ORA-01110: data file n: 'name'."""
    return (1110, f"data file {file.file_number}: '{file.path}'")


def os_lines(exc: OSError) -> list[ErrorLine]:
    """The operating system's part of a stack: ORA-27037 for a missing file, ORA-27041 or ORA-27072 else."""
    number = exc.errno or 0
    if isinstance(exc, FileNotFoundError):
        return [(27037, f"unable to obtain file status\nLinux-x86_64 Error: {number}: {exc.strerror}")]
    if isinstance(exc, PermissionError | IsADirectoryError):
        return [(27041, f"unable to open file\nLinux-x86_64 Error: {number}: {exc.strerror}")]
    if exc.errno is None:  # fewer bytes than there should be
        return [(27063, "number of bytes read/written is incorrect")]
    return [(27072, f"File I/O error\nLinux-x86_64 Error: {number}: {exc.strerror}")]


def file_not_created(path: object, exc: OSError) -> OracleError:
    """ORA-01119 for a datafile that cannot be made: ORA-27038 it exists, ORA-27040 there is no such folder."""
    lines = os_lines(exc)
    if isinstance(exc, FileExistsError):
        lines = [(27038, "created file already exists")]
    elif isinstance(exc, FileNotFoundError):
        text = f"file create error, unable to create file\nLinux-x86_64 Error: {exc.errno}: {exc.strerror}"
        lines = [(27040, text)]
    return OracleError(1119, f"error in creating database file '{path}'", *lines)


def cannot_identify(file: NamedFile) -> OracleError:
    """ORA-01157 for a datafile that is missing, unreadable or no datafile."""
    text = f"cannot identify/lock data file {file.file_number} - see DBWR trace file"
    return OracleError(1157, text, datafile_line(file))


def needs_media_recovery(file: NamedFile) -> OracleError:
    """ORA-01113."""
    return OracleError(1113, f"file {file.file_number} needs media recovery", datafile_line(file))


def interrupted() -> OracleError:
    """ORA-01013."""
    return OracleError(1013, "user requested cancel of current operation")


def terminated() -> OracleError:
    """ORA-01092, for every call that was waiting when the instance went down."""
    return OracleError(1092, "ORACLE instance terminated. Disconnection forced")


def not_mounted() -> OracleError:
    return OracleError(1507, "database not mounted")


def not_open() -> OracleError:
    return OracleError(1109, "database not open")


def read_only() -> OracleError:
    return OracleError(16000, "database or pluggable database open for read-only access")


def backup_mode_unfinished(file: NamedFile) -> OracleError:
    """ORA-10873: a file in backup mode since before the database, or its container, was closed."""
    text = f"file {file.file_number} needs to be either taken out of backup mode or media recovered"
    return OracleError(10873, text, datafile_line(file))
