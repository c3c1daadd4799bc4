# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password file."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle_simulator.storage.password_file import (
    PasswordFileCorrupt,
    PasswordFileEntry,
    read_password_file,
    write_password_file,
)

from .independent import xor16

SYS = PasswordFileEntry("SYS", frozenset({"SYSDBA", "SYSOPER"}), b"s" * 16, b"k" * 64, 4096)
BACKUP = PasswordFileEntry("BACKUP_ADMIN", frozenset({"SYSBACKUP"}), b"t" * 16, b"l" * 64, 100)


def test_users_survive(tmp_path: Path) -> None:
    write_password_file(tmp_path / "orapwORA1", [SYS, BACKUP])
    assert read_password_file(tmp_path / "orapwORA1") == [SYS, BACKUP]


def test_the_file_is_private_and_carries_oracles_signature(tmp_path: Path) -> None:
    path = tmp_path / "orapwORA1"
    write_password_file(path, [SYS])
    data = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert xor16(data[:512]) == 0
    assert data[512:].startswith(b"ORACLE Remote Password file")


def test_rewriting_replaces_everything(tmp_path: Path) -> None:
    path = tmp_path / "orapwORA1"
    write_password_file(path, [SYS, BACKUP])
    write_password_file(path, [BACKUP])
    assert read_password_file(path) == [BACKUP]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("contents", [b"", b"x" * 2000])
def test_something_else_is_refused(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "orapwORA1"
    path.write_bytes(contents)
    with pytest.raises(PasswordFileCorrupt):
        read_password_file(path)
