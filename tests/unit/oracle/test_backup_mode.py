# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BEGIN and END BACKUP are believed only when V$BACKUP shows them."""

from __future__ import annotations

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    OracleRefused,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.backup_mode import (
    begin_backup,
    begin_database,
    end_backup,
    end_database,
)

from unit.oracle.fake_database import FakeDatabase, ora

BEGIN_USERS = 'ALTER TABLESPACE "USERS" BEGIN BACKUP'
END_USERS = 'ALTER TABLESPACE "USERS" END BACKUP'


def test_begin_returns_the_change_numbers_read_back() -> None:
    fake = FakeDatabase()
    found = begin_backup(fake.gateway, "USERS", 0, [3, 4])
    assert {number: (status.active, status.scn) for number, status in found.items()} == {
        3: (True, 5010),
        4: (True, 5010),
    }
    assert fake.gateway.statements == [BEGIN_USERS]


def test_begin_that_did_not_reach_every_file_is_an_error() -> None:
    fake = FakeDatabase()
    with pytest.raises(VerificationError, match="file 5"):
        begin_backup(fake.gateway, "USERS", 0, [3, 4, 5])


def test_refused_begin_says_what_when_and_why() -> None:
    fake = FakeDatabase()
    fake.activate(3, scn=4711)
    with pytest.raises(OracleRefused) as caught:
        begin_backup(fake.gateway, "USERS", 0, [3, 4])
    assert "put tablespace USERS in backup mode: ORA-01146" in str(caught.value)
    assert "end_stale_backup_mode" in str(caught.value)
    assert caught.value.oracle_error is not None and caught.value.oracle_error.code == 1146


def test_end_leaves_no_file_active_and_keeps_the_change_number() -> None:
    fake = FakeDatabase()
    fake.activate(3, 4, scn=4711)
    found = end_backup(fake.gateway, "USERS", 0, [3, 4])
    assert [(item.active, item.scn) for item in found.values()] == [(False, 4711)] * 2
    assert fake.gateway.statements == [END_USERS]


def test_end_does_nothing_when_nothing_is_active() -> None:
    fake = FakeDatabase()
    end_backup(fake.gateway, "USERS", 0, [3, 4])
    assert fake.gateway.statements == []


def test_end_that_somebody_else_did_meanwhile_is_no_error() -> None:
    fake = FakeDatabase()
    fake.activate(3, 4, scn=4711)

    def already_ended(_statement: str) -> None:
        fake.backup(3)["status"] = fake.backup(4)["status"] = "NOT ACTIVE"
        raise ora(1142, "cannot end online backup - none of the files are in backup")

    fake.connection.react = already_ended
    assert not any(item.active for item in end_backup(fake.gateway, "USERS", 0, [3, 4]).values())


def test_end_that_left_a_file_active_is_an_error_whatever_was_answered() -> None:
    fake = FakeDatabase()
    fake.activate(3, 4, scn=4711)
    fake.refusals[END_USERS] = ora(1142)
    with pytest.raises(VerificationError, match="still ACTIVE"):
        end_backup(fake.gateway, "USERS", 0, [3, 4])


def test_end_that_is_refused_for_another_reason_is_an_error() -> None:
    fake = FakeDatabase()
    fake.activate(3, 4, scn=4711)
    fake.refusals[END_USERS] = ora(257, "archiver error")
    with pytest.raises(OracleRefused, match="Free space"):
        end_backup(fake.gateway, "USERS", 0, [3, 4])


def test_tablespace_of_a_pluggable_database_is_begun_inside_it() -> None:
    fake = FakeDatabase()
    fake.views["v$containers"] = [{"con_id": 3, "name": "PDB1", "open_mode": "READ WRITE"}]
    begin_backup(fake.gateway, "USERS", 3, [3, 4])
    assert fake.connection.executed == [
        'ALTER SESSION SET CONTAINER = "PDB1"',
        BEGIN_USERS,
        'ALTER SESSION SET CONTAINER = "CDB$ROOT"',
    ]


def test_database_as_a_whole_begins_and_ends() -> None:
    fake = FakeDatabase()
    assert all(item.active for item in begin_database(fake.gateway, [1, 2, 3, 4]).values())
    assert not any(item.active for item in end_database(fake.gateway).values())
    assert fake.gateway.statements == ["ALTER DATABASE BEGIN BACKUP", "ALTER DATABASE END BACKUP"]
