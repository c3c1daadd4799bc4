# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password file (orapw<SID>): who may log on with an administrative privilege, and their verifiers.

Oracle's header block and signature, 512-byte blocks; the entries are JSON of our own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from oracle_simulator.storage.block import block_zero, read_block_zero

BLOCK_SIZE = 512
_SIGNATURE = b"ORACLE Remote Password file"


class PasswordFileCorrupt(ValueError):
    """A file that is no password file."""


@dataclass(frozen=True)
class PasswordFileEntry:
    """One administrative user. ``privileges`` of SYSDBA, SYSOPER, SYSBACKUP; ``salt``, ``pw_key`` and
    ``rounds`` are the 12c verifier of the password."""

    user: str
    privileges: frozenset[str]
    salt: bytes
    pw_key: bytes
    rounds: int = 4096


def write_password_file(path: Path | str, entries: Iterable[PasswordFileEntry]) -> None:
    """Replace the password file in one step. Raises OSError."""
    users = [
        {
            "user": entry.user,
            "privileges": sorted(entry.privileges),
            "salt": entry.salt.hex(),
            "pw_key": entry.pw_key.hex(),
            "rounds": entry.rounds,
        }
        for entry in entries
    ]
    body = _SIGNATURE + b"\0" + json.dumps(users).encode()
    body += bytes(-len(body) % BLOCK_SIZE)
    path = Path(path)
    temporary = path.with_name(path.name + ".new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(block_zero(BLOCK_SIZE, len(body) // BLOCK_SIZE) + body)
    temporary.replace(path)


def read_password_file(path: Path | str) -> list[PasswordFileEntry]:
    """The entries of a password file. Raises PasswordFileCorrupt, OSError."""
    data = Path(path).read_bytes()
    found = read_block_zero(data)
    signature, _ignored, rest = data[BLOCK_SIZE:].partition(b"\0")
    if found is None or not found.valid or signature != _SIGNATURE:
        raise PasswordFileCorrupt(f"{path} is not a password file")
    try:
        return [
            PasswordFileEntry(
                user["user"],
                frozenset(user["privileges"]),
                bytes.fromhex(user["salt"]),
                bytes.fromhex(user["pw_key"]),
                user["rounds"],
            )
            for user in json.loads(rest.rstrip(b"\0"))
        ]
    except (KeyError, TypeError, ValueError) as exc:
        raise PasswordFileCorrupt(f"{path}: {exc}") from exc
