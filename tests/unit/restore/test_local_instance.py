# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping through SQL*Plus: what is asked, and how its text is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    OracleRefused,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.local_instance import (
    STATES,
    LocalInstance,
    commands_to_reach,
)

IDLE = "ERROR:\nORA-01034: ORACLE not available\nProcess ID: 0\n"
HEADING = "'HOTBACKUP_STATUS='||STATUS\n---------------------------\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    program = tmp_path / "bin" / "sqlplus"
    program.parent.mkdir()
    program.touch(mode=0o700)
    return tmp_path


class Program:
    """Stands for the SQL*Plus executable: remembers how it was called."""

    def __init__(self, output: str, status: int = 0) -> None:
        self.output = output
        self.status = status
        self.calls: list[tuple[list[str], str, dict[str, str]]] = []

    def __call__(
        self, arguments: list[str], standard_input: str, environment: Mapping[str, str]
    ) -> tuple[int, str, str]:
        self.calls.append((arguments, standard_input, dict(environment)))
        return self.status, self.output, ""


@pytest.mark.parametrize(
    ("output", "state"),
    [
        (IDLE, "stopped"),
        (
            HEADING + "HOTBACKUP_STATUS=STARTED\nERROR at line 1:\nORA-01507: database not mounted\n",
            "nomount",
        ),
        (HEADING + "HOTBACKUP_STATUS=MOUNTED\nHOTBACKUP_MODE=MOUNTED\n", "mounted"),
        ("HOTBACKUP_STATUS=OPEN\nHOTBACKUP_MODE=READ WRITE\n", "open"),
        ("HOTBACKUP_STATUS=OPEN\nHOTBACKUP_MODE=READ ONLY\n", "read_only"),
        ("HOTBACKUP_STATUS=OPEN\nHOTBACKUP_MODE=READ ONLY WITH APPLY\n", "read_only"),
    ],
    ids=["idle", "nomount", "mounted", "open", "read only", "standby applying"],
)
def test_the_state_is_read_from_marked_lines(home: Path, output: str, state: str) -> None:
    assert LocalInstance(str(home), "ORCL", Program(output)).state() == state


def test_an_answer_that_is_no_state_is_an_error_with_oracles_code(home: Path) -> None:
    instance = LocalInstance(str(home), "ORCL", Program("ERROR:\nORA-01031: insufficient privileges\n", 1))
    with pytest.raises(OracleRefused, match="ORA-01031") as caught:
        instance.state()
    assert caught.value.oracle_error is not None
    assert caught.value.oracle_error.code == 1031


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("ORA-01078: failure in processing system parameters\nLRM-00109: could not open\n", "init.ora"),
        ("ORA-10873: file 1 needs end backup\nORA-01110: data file 1\n", "No END BACKUP"),
        ("ORA-01149: cannot shutdown - file 4 has online backup set\n", "end_stale_backup_mode"),
        ("ORA-01157: cannot identify/lock data file 4\nORA-01110: data file 4\n", "datafile_restore"),
        ("ORA-00600: internal error code\n", "alert log"),
    ],
    ids=[
        "no parameter file",
        "backup mode at open",
        "backup mode at shutdown",
        "a lost file",
        "anything else",
    ],
)
def test_a_refusal_says_what_to_do_next(home: Path, output: str, advice: str) -> None:
    with pytest.raises(OracleRefused) as caught:
        LocalInstance(str(home), "ORCL", Program(output, 0)).perform("STARTUP")
    assert advice in caught.value.hint


def test_an_error_is_found_although_sqlplus_ends_with_status_0(home: Path) -> None:
    program = Program("ORACLE instance started.\nORA-00205: error in identifying control file\n", 0)
    with pytest.raises(OracleRefused, match="ORA-00205"):
        LocalInstance(str(home), "ORCL", program).perform("STARTUP MOUNT")


def test_commands_go_through_standard_input_and_the_environment_names_the_instance(home: Path) -> None:
    program = Program("Database mounted.\n")
    LocalInstance(str(home), "ORCL", program).perform("STARTUP MOUNT")
    arguments, script, environment = program.calls[0]
    assert arguments == [f"{home}/bin/sqlplus", "-S", "-L", "/", "as", "sysdba"]
    assert script.startswith("WHENEVER SQLERROR EXIT FAILURE\nSTARTUP MOUNT\n")
    assert environment["ORACLE_SID"] == "ORCL"


def test_a_home_without_sqlplus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match="no SQL\\*Plus"):
        LocalInstance(str(tmp_path), "ORCL", Program("")).state()


@pytest.mark.parametrize("current", STATES)
def test_no_command_when_the_state_is_reached(current: str) -> None:
    assert commands_to_reach(current, current, "immediate") == []


@pytest.mark.parametrize(
    ("current", "wanted", "commands"),
    [
        ("stopped", "nomount", ["STARTUP NOMOUNT"]),
        ("nomount", "mounted", ["ALTER DATABASE MOUNT;"]),
        ("mounted", "open", ["ALTER DATABASE OPEN;"]),
        ("open", "stopped", ["SHUTDOWN ABORT"]),
        ("open", "mounted", ["SHUTDOWN ABORT", "STARTUP MOUNT"]),
        ("mounted", "nomount", ["SHUTDOWN ABORT", "STARTUP NOMOUNT"]),
        ("read_only", "open", ["SHUTDOWN ABORT", "STARTUP"]),
    ],
)
def test_the_way_from_state_to_state(current: str, wanted: str, commands: list[str]) -> None:
    assert commands_to_reach(current, wanted, "abort") == commands
