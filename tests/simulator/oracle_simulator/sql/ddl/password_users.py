# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrative users: the entries of the password file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.home import Home
from oracle_simulator.net.backend import Verifier
from oracle_simulator.storage.password_file import (
    PasswordFileCorrupt,
    PasswordFileEntry,
    read_password_file,
    write_password_file,
)


def administrative_users(home: Home) -> dict[str, PasswordFileEntry]:
    """The entries by user; none when the file is missing or damaged, as Oracle then lets nobody in."""
    try:
        return {entry.user: entry for entry in read_password_file(home.password_file)}
    except (OSError, PasswordFileCorrupt):
        return {}


def change_password(home: Home, user: str, verifier: Verifier) -> None:
    """Give an administrative user a new password; others are no matter of this file."""
    entries = administrative_users(home)
    if user in entries:
        entries[user] = replace(
            entries[user], salt=verifier.salt, pw_key=verifier.pw_key, rounds=verifier.rounds
        )
        write_password_file(home.password_file, entries.values())


def grant_administration(
    home: Home,
    user: str,
    verifier: tuple[bytes, bytes, int] | None,
    privileges: Iterable[str],
    *,
    revoke: bool = False,
) -> None:
    """Add privileges to a user's entry (made with ``verifier``) or take them out. Raises ORA-01994."""
    entries = administrative_users(home)
    entry = entries.get(user)
    if entry is None:
        if revoke:
            return
        if verifier is None:
            raise OracleError(1994, "GRANT failed: password file missing or disabled")
        entry = PasswordFileEntry(user, frozenset(), *verifier)
    owned = entry.privileges - set(privileges) if revoke else entry.privileges | set(privileges)
    if owned:
        entries[user] = replace(entry, privileges=frozenset(owned))
    else:
        del entries[user]
    try:
        write_password_file(home.password_file, entries.values())
    except OSError:
        raise OracleError(1994, "GRANT failed: password file missing or disabled") from None
