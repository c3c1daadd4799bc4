# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""backup_mode: begins and ends what is ours, and leaves the rest alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal

from unit.modules.conftest import LOGIN, RunModule
from unit.oracle.fake_database import FakeDatabase

BEGIN_USERS = 'ALTER TABLESPACE "USERS" BEGIN BACKUP'
END_USERS = 'ALTER TABLESPACE "USERS" END BACKUP'


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    return {**LOGIN, "state_dir": str(tmp_path / "state")}


def active_files(fake: FakeDatabase) -> list[int]:
    return [row["file#"] for row in fake.views["v$backup"] if row["status"] == "ACTIVE"]


def test_begin_twice_then_end_twice(
    fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    begun = run_module("backup_mode", state="active", tablespaces=["USERS"], diff=True, **options)
    assert (begun["changed"], begun["statements"]) == (True, [BEGIN_USERS])
    assert begun["tablespaces"] == [
        {
            "label": "USERS",
            "active": True,
            "files": [{"file_number": 3, "begin_scn": 5010}, {"file_number": 4, "begin_scn": 5010}],
        }
    ]
    assert begun["diff"] == {"before": {"USERS": "inactive"}, "after": {"USERS": "active"}}
    assert active_files(fake) == [3, 4]
    assert run_module("backup_mode", state="active", tablespaces=["USERS"], **options)["changed"] is False
    ended = run_module("backup_mode", state="inactive", tablespaces=["USERS"], **options)
    assert ended["changed"] and active_files(fake) == []
    assert run_module("backup_mode", state="inactive", tablespaces=["USERS"], **options)["changed"] is False
    assert fake.connection.executed == [BEGIN_USERS, END_USERS]


@pytest.mark.parametrize("scope", [{"tablespaces": ["USERS"]}, {"scope": "database"}], ids=["one", "all"])
def test_check_mode_says_what_would_be_done_and_does_nothing(
    scope: dict[str, Any], fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    checked = run_module("backup_mode", state="active", check=True, **scope, **options)
    assert fake.connection.executed == [] and not Path(options["state_dir"]).exists()
    done = run_module("backup_mode", state="active", **scope, **options)
    assert checked["changed"] and set(checked) == set(done)
    assert checked["statements"] == done["statements"]
    assert [item["active"] for item in checked["tablespaces"]] == [
        item["active"] for item in done["tablespaces"]
    ]


def test_database_begins_with_one_statement_and_skips_what_needs_none(
    fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    result = run_module("backup_mode", state="active", scope="database", **options)
    assert result["statements"] == ["ALTER DATABASE BEGIN BACKUP"]
    assert [item["label"] for item in result["not_concerned"]] == ["TEMP", "HISTORY"]
    assert active_files(fake) == [1, 2, 3, 4]
    run_module("backup_mode", state="inactive", scope="database", **options)
    assert active_files(fake) == []


def test_intent_is_on_disk_before_the_statement(
    fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    journal = Path(options["state_dir"]) / "backup_mode.jsonl"
    seen: list[list[str]] = []
    react = fake.connection.react

    def look(statement: str) -> None:
        seen.append([entry["event"] for entry in read_journal(journal)])
        react(statement)

    fake.connection.react = look
    run_module("backup_mode", state="active", tablespaces=["USERS"], **options)
    assert seen == [["window_intent"]]
    assert [entry["event"] for entry in read_journal(journal)] == ["window_intent", "window_opened"]


def test_foreign_backup_mode_is_not_ended_unless_it_is_named(
    fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    fake.activate(3, 4, scn=4711)
    refused = run_module("backup_mode", state="inactive", tablespaces=["USERS"], **options)
    assert refused["failed"] and refused["foreign"] == ["USERS"]
    assert active_files(fake) == [3, 4]
    run_module("backup_mode", state="inactive", tablespaces=["USERS"], end_foreign=["USERS"], **options)
    assert active_files(fake) == []


def test_backup_mode_begun_again_by_somebody_else_is_not_ours(
    fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    run_module("backup_mode", state="active", tablespaces=["USERS"], **options)
    fake.activate(3, 4, scn=9999)
    assert run_module("backup_mode", state="inactive", tablespaces=["USERS"], **options)["failed"]
    assert active_files(fake) == [3, 4]


def test_window_of_a_dead_run_is_ours_and_its_journal_learns_of_the_end(
    fake: FakeDatabase, run_module: RunModule, options: dict[str, Any], tmp_path: Path
) -> None:
    fake.activate(3, 4, scn=4711)
    folder = tmp_path / "backup/ORCL-1684523458/sets/20261121T221500Z"
    folder.mkdir(parents=True)
    with Journal.open(folder / "journal.jsonl") as journal:
        fields = {"run_id": "r1", "tablespace": "USERS", "con_id": 0}
        journal.append("window_intent", files=[3, 4], current_scn=4700, **fields)
        journal.append("window_opened", files={"3": 4711, "4": 4711}, **fields)
    destination = str(tmp_path / "backup")
    run_module("backup_mode", state="inactive", scope="database", destination=destination, **options)
    assert active_files(fake) == []
    last = read_journal(folder / "journal.jsonl")[-1]
    assert (last["event"], last["by"]) == ("window_closed", "user")


def test_live_run_is_left_alone(fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]) -> None:
    fake.views["gv$session"] = [
        {
            "inst_id": 1,
            "sid": 41,
            "serial#": 7,
            "module": "hotbackup.oracle",
            "action": "20261121T221500Z",
            "machine": "dbhost01",
            "program": "python",
        }
    ]
    fake.activate(3, 4, scn=4711)
    result = run_module(
        "backup_mode", state="inactive", tablespaces=["USERS"], end_foreign=["USERS"], **options
    )
    assert result["failed"] and "20261121T221500Z" in result["msg"]
    assert active_files(fake) == [3, 4]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"state": "active"}, "tablespaces"),
        ({"state": "active", "scope": "database", "tablespaces": ["USERS"]}, "cannot be combined"),
        ({"state": "active", "tablespaces": ["USERS"], "end_foreign": ["USERS"]}, "cannot be combined"),
        ({"state": "active", "tablespaces": ["NOSUCH"]}, "matches no tablespace"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    wrong: dict[str, Any], words: str, fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    result = run_module("backup_mode", **wrong, **options)
    assert result["failed"] and words in result["msg"]
    assert fake.connection.executed == []


def test_noarchivelog_is_refused(fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]) -> None:
    fake.database_row["log_mode"] = "NOARCHIVELOG"
    result = run_module("backup_mode", state="active", tablespaces=["USERS"], **options)
    assert result["failed"] and "NOARCHIVELOG" in result["msg"]


def test_backup_mode_is_not_ended_on_a_database_that_is_only_mounted(
    fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    """At mount the statement repairs headers only, which destroys a database with restored files."""
    run_module("backup_mode", state="active", scope="database", **options)
    fake.views["v$database"][0]["open_mode"] = "MOUNTED"
    before = list(fake.connection.executed)
    failed = run_module("backup_mode", state="inactive", scope="database", **options)
    assert failed["failed"] and "RECOVER DATABASE" in failed["msg"]
    assert fake.connection.executed == before
    assert active_files(fake) == [1, 2, 3, 4]
