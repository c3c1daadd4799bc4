# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One restore or recovery of a database at a time, and none of one that is open."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    LeaseHeld,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.closed_database import (
    ClosedDatabase,
    run_program,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import LeaseHolder, acquire_lease
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.restore_lease import (
    RECOVERY,
    RESTORE,
    require_no_restore,
    restore_lease,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder

SET = "20260101T000000Z"


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.mark.parametrize("first", [RESTORE, RECOVERY])
@pytest.mark.parametrize("second", [RESTORE, RECOVERY])
def test_a_second_one_is_refused_and_told_who_is_first(folder: StateFolder, first: str, second: str) -> None:
    with restore_lease(folder, first, SET):
        told = f"the {first} of set {SET} .*process {os.getpid()} on"
        with pytest.raises(LeaseHeld, match=told) as caught, restore_lease(folder, second, SET):
            pytest.fail("both have it")
        assert "Wait until it has ended" in (caught.value.hint or "")
        assert caught.value.details["lease_holder"]["pid"] == os.getpid()
        with pytest.raises(LeaseHeld):
            require_no_restore(folder)
    require_no_restore(folder)
    with restore_lease(folder, second, SET):
        pass


def test_a_failure_gives_it_up(folder: StateFolder) -> None:
    with pytest.raises(ValueError, match="broken"), restore_lease(folder, RESTORE, SET):
        raise ValueError("broken")
    require_no_restore(folder)


def test_looking_makes_nothing(folder: StateFolder) -> None:
    require_no_restore(folder)
    assert not folder.root.exists()


def test_a_backups_lease_does_not_keep_a_restore_away(folder: StateFolder) -> None:
    folder.create()
    guardian = LeaseHolder("guardian", SET, "run", os.getpid(), "host", "now")
    lease = acquire_lease(folder.lease_path, guardian)
    with restore_lease(folder, RESTORE, SET):
        pass
    lease.close()


# --- a database that must stay closed


class Instance:
    """Says one state after the other, the last for ever."""

    oracle_sid = "ORCL"

    def __init__(self, *states: str) -> None:
        self.asked = 0
        self._states = list(states)

    def state(self) -> str:
        self.asked += 1
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]


@pytest.mark.parametrize("state", ["open", "read_only"])
def test_an_open_database_is_refused(state: str) -> None:
    with pytest.raises(PreconditionError, match="ORCL is open; its datafiles cannot be replaced"):
        ClosedDatabase(Instance(state)).require()


@pytest.mark.parametrize("state", ["stopped", "nomount", "mounted"])
def test_a_closed_database_is_none_of_those(state: str) -> None:
    closed = ClosedDatabase(Instance(state))
    closed.require()
    closed.require_lately()


def test_one_that_is_opened_meanwhile_is_noticed_within_seconds() -> None:
    moments: Iterator[float] = iter([0.0, 1.0, 4.9, 5.0, 5.1])
    instance = Instance("mounted", "open")
    closed = ClosedDatabase(instance, lambda: next(moments))
    closed.require()
    closed.require_lately()
    closed.require_lately()
    assert instance.asked == 1
    with pytest.raises(PreconditionError):
        closed.require_lately()


def test_an_unanswered_question_is_no_answer() -> None:
    class Silent(Instance):
        def state(self) -> str:
            raise BackupError("no answer")

    closed = ClosedDatabase(Silent("mounted"))
    for ask in (closed.require, closed.require_lately):
        with pytest.raises(BackupError, match="no answer"):
            ask()


def test_a_program_gets_its_input_and_environment() -> None:
    script = "import os, sys; print(sys.stdin.read() + os.environ['ORACLE_SID']); sys.exit(3)"
    assert run_program([sys.executable, "-c", script], "in ", {"ORACLE_SID": "ORCL"}) == (3, "in ORCL\n", "")
    with pytest.raises(BackupError, match="/nowhere"):
        run_program(["/nowhere"], "", {})
