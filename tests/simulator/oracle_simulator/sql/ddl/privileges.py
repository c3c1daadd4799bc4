# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what (Oracle Database Security Guide, "Administrative Privileges"; SQL Reference, GRANT)."""

from __future__ import annotations

from collections.abc import Iterable

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import AdminMode

_SYSBACKUP = frozenset(
    {
        "ALTER DATABASE",
        "ALTER SESSION",
        "ALTER SYSTEM",
        "ALTER TABLESPACE",
        "CREATE ANY TABLE",
        "CREATE CONTROLFILE",
        "CREATE PFILE",
        "CREATE SESSION",
        "DROP DATABASE",
        "DROP TABLESPACE",
        "MANAGE TABLESPACE",
        "MOUNT",
        "RECOVER",
        "RECOVER INCOMPLETE",
        "RESTRICTED SESSION",
        "SELECT ANY DICTIONARY",
        "SHUTDOWN",
        "STARTUP",
        "UNLIMITED TABLESPACE",
    }
)
_SYSOPER = frozenset(
    {
        "ALTER DATABASE",
        "ALTER SESSION",
        "ALTER SYSTEM",
        "CREATE PFILE",
        "CREATE SESSION",
        "MOUNT",
        "RECOVER",
        "RESTRICTED SESSION",
        "SELECT ANY DICTIONARY",
        "SHUTDOWN",
        "STARTUP",
    }
)
_ROLES = {
    "CONNECT": frozenset({"CREATE SESSION", "SET CONTAINER"}),
    "RESOURCE": frozenset({"CREATE TABLE"}),
    "PDB_DBA": frozenset({"CREATE SESSION", "SET CONTAINER"}),
    "SELECT_CATALOG_ROLE": frozenset({"SELECT ANY DICTIONARY"}),
    "EXP_FULL_DATABASE": frozenset({"SELECT ANY TABLE", "SELECT ANY DICTIONARY"}),
}
_ONLY_ADMINISTRATIVE = frozenset(
    {"MOUNT", "STARTUP", "SHUTDOWN", "RECOVER", "RECOVER INCOMPLETE", "CREATE CONTROLFILE", "CREATE PFILE"}
)
ADMINISTRATIVE_PRIVILEGES = frozenset({"SYSDBA", "SYSOPER", "SYSBACKUP"})
"""Privileges that live in the password file."""


class Privileges:
    """The privileges of one session. An ordinary user's are read from the dictionary each time."""

    def __init__(self, user: str, mode: AdminMode) -> None:
        self.user = user
        self._mode = mode

    def system(self, dictionary: Dictionary | None) -> frozenset[str] | None:
        """System privileges, None for all of them."""
        if self._mode is AdminMode.SYSDBA:
            return None
        if self._mode is AdminMode.SYSBACKUP:
            return _SYSBACKUP
        if self._mode is AdminMode.SYSOPER:
            return _SYSOPER
        if dictionary is None:
            return frozenset()
        found: set[str] = set()
        for row in (*dictionary.privileges_of(self.user), *dictionary.privileges_of("PUBLIC")):
            if row.object is not None:
                continue
            if row.privilege in ("DBA", "ALL PRIVILEGES"):
                return None
            found.add(row.privilege)
            found |= _ROLES.get(row.privilege, frozenset())
        return frozenset(found)

    def has(self, dictionary: Dictionary | None, *anyone: str) -> bool:
        """Whether the session has one of these system privileges."""
        owned = self.system(dictionary)
        if owned is None:
            # The DBA role is everything that a grant can give.
            return self._mode is AdminMode.SYSDBA or not set(anyone) <= _ONLY_ADMINISTRATIVE
        return any(privilege in owned for privilege in anyone)

    def require(self, dictionary: Dictionary | None, *anyone: str) -> None:
        """Raises ORA-01031 unless the session has one of these."""
        if not self.has(dictionary, *anyone):
            raise OracleError(1031, "insufficient privileges")

    def on_object(
        self, dictionary: Dictionary, owner: str, names: Iterable[str], wanted: Iterable[str]
    ) -> bool:
        """Whether an object was granted to the session's user (or to everybody) with one of ``wanted``."""
        allowed = {*wanted, "ALL", "ALL PRIVILEGES"}
        names = set(names)
        rows = (*dictionary.privileges_of(self.user), *dictionary.privileges_of("PUBLIC"))
        return any(row.owner == owner and row.object in names and row.privilege in allowed for row in rows)
