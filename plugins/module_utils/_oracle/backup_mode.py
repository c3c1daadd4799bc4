# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BEGIN BACKUP and END BACKUP, each confirmed by reading V$BACKUP.

Statements: SQL Language Reference, ALTER TABLESPACE and ALTER DATABASE.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    OracleRefused,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupStatus
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import (
    container_name,
    read_backup_status,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.quoting import quote_identifier

Statuses = dict[int, BackupStatus]

# Cannot end: no file / all files offline or read only / some files / this file is not in backup mode.
_NOT_IN_BACKUP = frozenset({1142, 1140, 1260, 1199})
_HINTS = {
    1146: "Another backup may be running, or one stopped half-way; see the playbook end_stale_backup_mode.",
    1123: "A hot backup needs ARCHIVELOG mode.",
    1128: "The tablespace has an offline file.",
    1642: "The tablespace is read only: copy its files plainly.",
    1031: "The account needs MANAGE TABLESPACE, for SYSAUX perhaps SYSBACKUP.",
    65040: "Connect to the root of the container database.",
    257: "Free space in the archive destination.",
}


def begin_statement(tablespace: str) -> str:
    return f"ALTER TABLESPACE {quote_identifier(tablespace)} BEGIN BACKUP"


def end_statement(tablespace: str) -> str:
    return f"ALTER TABLESPACE {quote_identifier(tablespace)} END BACKUP"


BEGIN_DATABASE = "ALTER DATABASE BEGIN BACKUP"
END_DATABASE = "ALTER DATABASE END BACKUP"


def begin_backup(gateway: Gateway, tablespace: str, con_id: int, file_numbers: Collection[int]) -> Statuses:
    """Put a tablespace in backup mode and return V$BACKUP of its files, all active.

    Raises OracleRefused; VerificationError if a file is not in backup mode afterwards; ConnectionLost and
    WaitTimeout, after which backup mode may be on.
    """
    with _explained(f"put tablespace {tablespace} in backup mode"):
        with gateway.in_container(container_name(gateway, con_id)):
            gateway.execute(begin_statement(tablespace))
        return _require_active(gateway, f"tablespace {tablespace}", file_numbers)


def end_backup(gateway: Gateway, tablespace: str, con_id: int, file_numbers: Collection[int]) -> Statuses:
    """Take a tablespace out of backup mode and return V$BACKUP of its files, none active.

    A tablespace that is not in backup mode is left alone: V$BACKUP decides, not the answer's code. The
    CHANGE# in the result is the one backup mode last began with; compare it with what BEGIN gave. Raises as
    :func:`begin_backup`.
    """
    with _explained(f"take tablespace {tablespace} out of backup mode"):
        with gateway.in_container(container_name(gateway, con_id)):
            _execute_end(gateway, end_statement(tablespace), file_numbers)
        return _require_inactive(gateway, f"tablespace {tablespace}", file_numbers)


def begin_database(gateway: Gateway, file_numbers: Collection[int]) -> Statuses:
    """Put the whole database in backup mode and return V$BACKUP of ``file_numbers``, all active.

    Oracle passes over offline and read-only files, so ``file_numbers`` are the online read-write ones. Raises
    as :func:`begin_backup`.
    """
    with _explained("put the database in backup mode"):
        gateway.execute(BEGIN_DATABASE)
        return _require_active(gateway, "the database", file_numbers)


def end_database(gateway: Gateway, file_numbers: Collection[int] | None = None) -> Statuses:
    """Take all files out of backup mode, of a mounted or open database; raises as :func:`begin_backup`.

    On a database that is only mounted this repairs the file headers: never after a file was restored.
    """
    with _explained("take the database out of backup mode"):
        _execute_end(gateway, END_DATABASE, file_numbers)
        return _require_inactive(gateway, "the database", file_numbers)


def _execute_end(gateway: Gateway, statement: str, file_numbers: Collection[int] | None) -> None:
    if not _active(read_backup_status(gateway, file_numbers)):
        return
    try:
        gateway.execute(statement)
    except OracleRefused as exc:
        # Somebody may have ended it since we looked; the reading that follows decides.
        if exc.oracle_error is None or not _NOT_IN_BACKUP.intersection(exc.oracle_error.codes):
            raise


def _require_active(gateway: Gateway, what: str, file_numbers: Collection[int]) -> Statuses:
    statuses = read_backup_status(gateway, file_numbers)
    missing = sorted(
        number for number in file_numbers if number not in statuses or not statuses[number].active
    )
    if missing:
        raise VerificationError(
            f"{what} was put in backup mode but file {_listed(missing)} is not ACTIVE in V$BACKUP.",
            hint="Something else ends backup mode on this database.",
        )
    return statuses


def _require_inactive(gateway: Gateway, what: str, file_numbers: Collection[int] | None) -> Statuses:
    statuses = read_backup_status(gateway, file_numbers)
    active = _active(statuses)
    if active:
        raise VerificationError(
            f"{what} was taken out of backup mode but file {_listed(active)} is still ACTIVE in V$BACKUP."
        )
    return statuses


def _active(statuses: Statuses) -> list[int]:
    return sorted(number for number, status in statuses.items() if status.active)


def _listed(numbers: Collection[int]) -> str:
    return ", ".join(str(number) for number in numbers)


@contextmanager
def _explained(attempt: str) -> Iterator[None]:
    """Give Oracle's refusal its place in a sentence, and the next step."""
    try:
        yield
    except OracleRefused as exc:
        if exc.oracle_error is None:
            raise
        codes = (exc.oracle_error.code, *exc.oracle_error.codes)
        raise OracleRefused(
            f"Failed to {attempt}: {exc.oracle_error.message}.",
            hint=next((_HINTS[code] for code in codes if code in _HINTS), exc.hint),
            oracle_error=exc.oracle_error,
            details=exc.details,
        ) from exc
