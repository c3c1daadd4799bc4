# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements that make the server write its control file and parameters."""

from __future__ import annotations

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import OracleRefused
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle import control_file

from unit.oracle.fake_database import FakeDatabase, ora


def test_statements_name_their_file_as_a_literal() -> None:
    fake = FakeDatabase()
    control_file.copy_control_file(fake.gateway, "/b/o'x.ctl")
    control_file.trace_control_file(fake.gateway, "/b/t.sql", resetlogs=False)
    control_file.trace_control_file(fake.gateway, "/b/t.sql", resetlogs=True)
    control_file.create_pfile(fake.gateway, "/b/init.ora", from_spfile=True)
    assert fake.gateway.statements == [
        "ALTER DATABASE BACKUP CONTROLFILE TO '/b/o''x.ctl' REUSE",
        "ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '/b/t.sql' REUSE NORESETLOGS",
        "ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '/b/t.sql' REUSE RESETLOGS",
        "CREATE PFILE = '/b/init.ora' FROM SPFILE",
    ]


def test_busy_control_file_is_tried_again() -> None:
    fake = FakeDatabase()
    errors = [ora(244, "concurrent control file backup operation in progress")] * 2
    pauses: list[float] = []

    def react(_statement: str) -> None:
        if errors:
            raise errors.pop()

    fake.connection.react = react
    control_file.copy_control_file(fake.gateway, "/b/x.ctl", sleep=pauses.append)
    assert pauses == [1.0, 2.0]


def test_control_file_that_stays_busy_is_an_error() -> None:
    fake = FakeDatabase()
    fake.refusals["ALTER DATABASE"] = ora(244)
    with pytest.raises(OracleRefused, match="copy the control file"):
        control_file.copy_control_file(fake.gateway, "/b/x.ctl", sleep=lambda _seconds: None)
    assert len(fake.gateway.statements) == 5


def test_other_refusals_are_not_repeated() -> None:
    fake = FakeDatabase()
    fake.refusals["ALTER DATABASE"] = ora(1580, "error creating control backup file")
    with pytest.raises(OracleRefused, match="able to write"):
        control_file.copy_control_file(fake.gateway, "/b/x.ctl", sleep=lambda _seconds: None)
    assert len(fake.gateway.statements) == 1


def test_parameters_with_several_values_appear_once_for_each() -> None:
    fake = FakeDatabase()
    fake.views["v$parameter2"] = [
        {"name": "control_files", "value": "/u01/c1.ctl", "isdefault": "FALSE"},
        {"name": "control_files", "value": "/u01/c2.ctl", "isdefault": "FALSE"},
        {"name": "db_files", "value": "200", "isdefault": "TRUE"},
    ]
    assert control_file.changed_parameters(fake.gateway) == [
        ("control_files", "/u01/c1.ctl"),
        ("control_files", "/u01/c2.ctl"),
    ]
