# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would do, and what keeps it from starting."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    JournalState,
    replay,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    BackupMethod,
    Database,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan import (
    BackupPlan,
    BackupPolicy,
    plan_backup,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning

from unit.backup.samples import active, database, datafile, destination, instance, tablespace
from unit.backup.test_journal_state import INTENT, OPENED, STARTED, copied

SMALL = tablespace("SMALL", datafile(1, size_bytes=8192), number=1)
USERS = tablespace(
    "USERS",
    datafile(3, path="/u01/users01.dbf", creation_scn=30),
    datafile(4, path="/u01/users02.dbf", creation_scn=30, size_bytes=3145728),
)
HISTORY = tablespace("HISTORY", datafile(5), number=5, method=BackupMethod.PLAIN_COPY, reason="read only")
TEMP = tablespace("TEMP", number=2, temporary=True, method=BackupMethod.SKIP, reason="temporary")
LOST = tablespace("LOST", datafile(9), number=9, method=BackupMethod.BROKEN, reason="file 9: FILE NOT FOUND")
IDENTITY = {**STARTED, "dbid": 1684523458}


def plan(
    *tablespaces: Tablespace,
    db: Database | None = None,
    state: JournalState | None = None,
    policy: BackupPolicy | None = None,
    **options: Any,
) -> BackupPlan:
    return plan_backup(
        db or database(),
        tablespaces or (SMALL, USERS, HISTORY, TEMP),
        state or JournalState(),
        policy or BackupPolicy(),
        **options,
    )


def codes(found: BackupPlan) -> list[str]:
    return [problem.code for problem in found.problems]


def test_largest_tablespaces_and_files_come_first() -> None:
    found = plan()
    assert [item.tablespace.name for item in found.tablespaces] == ["USERS", "HISTORY", "SMALL"]
    assert [item.file_number for item in found.tablespaces[0].files] == [4, 3]
    assert [item.tablespace.name for item in found.skipped] == ["TEMP"]
    assert found.problems == () and found.file_count == 4
    assert found.copy_bytes == 8192 * 2 + (1048576 + 8192) * 2 + 3145728 + 8192


def test_plan_is_json_plain() -> None:
    result = plan(USERS, LOST).as_result()
    assert json.loads(json.dumps(result)) == result
    assert result["tablespaces"][0]["files"][0] == {
        "file_number": 4,
        "path": "/u01/users02.dbf",
        "size_bytes": 3153920,
    }


@pytest.mark.parametrize(
    ("db", "code", "words"),
    [
        (database(log_mode="NOARCHIVELOG"), "noarchivelog", "cold backup"),
        (database(role="PHYSICAL STANDBY"), "role", "PHYSICAL STANDBY"),
        (database(open_mode="MOUNTED"), "open_mode", "MOUNTED"),
        (database(open_mode="READ ONLY"), "open_mode", "READ ONLY"),
        (database(instances=(instance(archiver="FAILED"),)), "archiver", "FAILED"),
        (database(instances=(instance(archiver="STOPPED"),)), "archiver", "STOPPED"),
        (database(instances=(instance(log_switch_wait="ARCHIVE LOG"),)), "archiver", "V$ARCHIVE_DEST.ERROR"),
        (
            database(destinations=(destination(status="ERROR", error="ORA-19809: limit"),)),
            "archive_destination",
            "ORA-19809",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_database_that_cannot_be_backed_up_hot_is_refused(db: Database, code: str, words: str) -> None:
    found = plan(db=db)
    assert codes(found) == [code]
    with pytest.raises(PreconditionError) as caught:
        found.require_no_problems()
    assert words in str(caught.value)
    assert caught.value.details["problems"][0]["code"] == code


def test_one_valid_local_destination_is_enough() -> None:
    broken = destination(dest_id=2, status="ERROR")
    assert codes(plan(db=database(destinations=(destination(), broken)))) == []


def test_passing_log_switch_wait_is_no_problem() -> None:
    assert codes(plan(db=database(instances=(instance(log_switch_wait="CHECKPOINT"),)))) == []


def test_broken_tablespace_is_refused_unless_excluded() -> None:
    assert codes(plan(USERS, LOST)) == ["broken"]
    found = plan(USERS, LOST, policy=BackupPolicy(exclude=("LOST",)))
    assert codes(found) == []
    assert [(item.tablespace.name, item.reason) for item in found.excluded] == [("LOST", "excluded")]


def test_destination_problems_are_passed_on() -> None:
    assert codes(plan(destination_problems=["/backup has 5 bytes left"])) == ["destination"]


def test_selection_without_files_is_refused() -> None:
    assert codes(plan(policy=BackupPolicy(tablespaces=("TEMP",)))) == ["nothing_selected"]


def test_pattern_that_fits_nothing_is_refused() -> None:
    with pytest.raises(PreconditionError, match="NOSUCH"):
        plan(policy=BackupPolicy(tablespaces=("NOSUCH",)))


def test_backup_mode_of_somebody_else_is_refused_wherever_it_is() -> None:
    foreign = tablespace("USERS", active(datafile(3), 4711))
    found = plan(SMALL, foreign, policy=BackupPolicy(tablespaces=("SMALL",)))
    assert codes(found) == ["foreign_backup_mode"]
    assert "USERS" in found.problems[0].message


def test_window_that_a_dead_run_of_ours_left_is_ended_not_refused() -> None:
    left = tablespace("USERS", active(datafile(3), 4711), active(datafile(4), 4711))
    found = plan(left, state=replay([IDENTITY, INTENT, OPENED]))
    assert codes(found) == []
    assert [window.tablespace for window in found.stale_windows] == ["USERS"]


def test_resumed_run_copies_only_what_is_not_there() -> None:
    state = replay([IDENTITY, copied(3)])
    found = plan(USERS, state=state, intact_files={3})
    assert found.resumes
    assert [item.file_number for item in found.tablespaces[0].files] == [4]
    assert found.tablespaces[0].already_copied == (3,)


def test_finished_set_has_nothing_to_do() -> None:
    state = replay([IDENTITY, copied(3), copied(4, source="/u01/users02.dbf")])
    found = plan(USERS, state=state, intact_files={3, 4})
    assert not found.changes_anything and found.file_count == 0


@pytest.mark.parametrize(
    ("file", "intact"),
    [
        (datafile(3, path="/u01/users01.dbf", creation_scn=30), set()),
        (datafile(3, path="/u01/users01.dbf", creation_scn=31), {3}),
        (datafile(3, path="/u02/users01.dbf", creation_scn=30), {3}),
        (datafile(3, path="/u01/users01.dbf", creation_scn=30, unrecoverable_scn=4712), {3}),
    ],
    ids=["copy changed on disk", "another file of that number", "file moved", "written without redo since"],
)
def test_copy_that_cannot_be_trusted_is_made_again(file: Any, intact: set[int]) -> None:
    found = plan(tablespace("USERS", file), state=replay([IDENTITY, copied(3)]), intact_files=intact)
    assert [item.file_number for item in found.tablespaces[0].files] == [3]


@pytest.mark.parametrize(
    ("checkpoint", "method", "again"),
    [
        (4500, BackupMethod.PLAIN_COPY, False),
        (4600, BackupMethod.PLAIN_COPY, True),
        (4500, BackupMethod.BACKUP_MODE, True),
    ],
    ids=["still frozen", "written since", "read write now"],
)
def test_plain_copy_is_trusted_while_the_file_stays_frozen(
    checkpoint: int, method: BackupMethod, again: bool
) -> None:
    copy = copied(3, method="plain_copy", begin_scn=None, checkpoint_scn=4500)
    file = datafile(3, path="/u01/users01.dbf", creation_scn=30, header_checkpoint_scn=checkpoint)
    found = plan(tablespace("USERS", file, method=method), state=replay([IDENTITY, copy]), intact_files={3})
    assert bool(found.tablespaces[0].files) is again


def test_set_of_another_database_or_incarnation_is_refused() -> None:
    assert codes(plan(state=replay([STARTED]))) == ["other_database"]
    assert codes(plan(state=replay([{**IDENTITY, "resetlogs_id": 78}]))) == ["other_database"]


def test_resuming_with_another_policy_is_refused_but_other_streams_are_not() -> None:
    state = replay([IDENTITY])
    assert codes(plan(state=state, policy=BackupPolicy(exclude=("USERS",)))) == ["other_policy"]
    assert codes(plan(state=state, policy=BackupPolicy(tuning=CopyTuning(streams=8)))) == []


def test_planning_twice_gives_the_same_plan() -> None:
    assert plan() == plan()
