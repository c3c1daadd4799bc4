# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings of unverified points are chosen in the spec, and in a running instance."""

from __future__ import annotations

import pytest

from oracle_simulator.instance.readings import Readings
from oracle_simulator.program.cli import main
from oracle_simulator.program.local_socket import LocalError
from oracle_simulator.testing import MakeDatabase

REFUSED = "ALTER DATABASE DATAFILE 1 END BACKUP"


def test_readings_come_from_the_spec_and_from_the_command_line(
    make_database: MakeDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    database = make_database(spec={"readings": {"end_backup_of_datafile_when_open": False}})
    database.sql("ALTER TABLESPACE system BEGIN BACKUP")
    with pytest.raises(LocalError, match="ORA-01531"):
        database.sql(REFUSED)
    home = str(database.home.root)
    choice = ["--choose", "end_backup_of_datafile_when_open=true"]
    assert main(["readings", home, "--sid", database.sid, *choice]) == 0
    assert "end_backup_of_datafile_when_open=True" in capsys.readouterr().out
    database.sql(REFUSED)
    database.readings(end_backup_of_datafile_when_open=False)
    with pytest.raises(LocalError, match="no reading"):
        database.readings(whatever=True)


def test_a_wrong_reading_is_refused_when_the_database_is_made(make_database: MakeDatabase) -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        make_database(spec={"readings": {"wrong_log_ends_recovery": "perhaps"}}, start=None)


def test_numbers_and_names_are_readings_too() -> None:
    assert Readings().chosen(["wrong_log_ends_recovery=TRUE"]).wrong_log_ends_recovery
    with pytest.raises(ValueError, match="no reading 'unknown'"):
        Readings().chosen(["unknown=1"])
