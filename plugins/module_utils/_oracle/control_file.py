# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Having the server write copies of its control file and parameters.

Statements: SQL Language Reference, ALTER DATABASE (controlfile_clauses) and CREATE PFILE. All files are
written by the server, as its operating-system user, on its host.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import OracleRefused
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.quoting import quote_literal

# Another backup of the control file runs (244), the snapshot control file is busy (230), it changed meanwhile
# (235).
_BUSY = frozenset({244, 230, 235})
_ATTEMPTS = 5
_HINTS = {
    245: "On a cluster the folder must be visible from all instances.",
    1580: "The server's operating-system user must be able to write in that folder.",
    27040: "The server's operating-system user must be able to write in that folder.",
    10469: "Open the database once: its control file was made anew.",
}


def copy_statement(path: str) -> str:
    return f"ALTER DATABASE BACKUP CONTROLFILE TO {quote_literal(path)} REUSE"


def trace_statement(path: str, resetlogs: bool) -> str:
    variant = "RESETLOGS" if resetlogs else "NORESETLOGS"
    return f"ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS {quote_literal(path)} REUSE {variant}"


def pfile_statement(path: str, from_spfile: bool) -> str:
    return f"CREATE PFILE = {quote_literal(path)} FROM {'SPFILE' if from_spfile else 'MEMORY'}"


def copy_control_file(gateway: Gateway, path: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Have a binary copy of the control file written to ``path``, replacing what is there. Raises
    OracleRefused.
    """
    _patiently(gateway, copy_statement(path), "copy the control file", sleep)


def trace_control_file(
    gateway: Gateway, path: str, *, resetlogs: bool, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Have one variant of the CREATE CONTROLFILE script written to ``path``, replacing what is there.

    Raises OracleRefused.
    """
    _patiently(gateway, trace_statement(path, resetlogs), "write the control file script", sleep)


def create_pfile(gateway: Gateway, path: str, *, from_spfile: bool) -> None:
    """Have a text parameter file written to ``path``; needs SYSDBA, SYSOPER or SYSBACKUP. Raises
    OracleRefused.
    """
    gateway.execute(pfile_statement(path, from_spfile))


def changed_parameters(gateway: Gateway) -> list[tuple[str, str]]:
    """Return the parameters that were set explicitly, by name, for an account that may not CREATE PFILE.

    A parameter with several values appears once for each.
    """
    rows = gateway.query(
        "SELECT name, value FROM v$parameter2 WHERE isdefault = 'FALSE' AND value IS NOT NULL"
        " ORDER BY name, ordinal"
    )
    return [(row["name"], row["value"]) for row in rows]


def _patiently(gateway: Gateway, statement: str, attempt: str, sleep: Callable[[float], None]) -> None:
    for number in range(1, _ATTEMPTS + 1):
        try:
            gateway.execute(statement)
            return
        except OracleRefused as exc:
            error = exc.oracle_error
            if error is None:
                raise
            if not _BUSY.intersection(error.codes) or number == _ATTEMPTS:
                raise OracleRefused(
                    f"Failed to {attempt}: {error.message}.",
                    hint=next((_HINTS[code] for code in error.codes if code in _HINTS), ""),
                    oracle_error=error,
                ) from exc
        sleep(float(number))
