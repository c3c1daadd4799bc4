# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""log_switch and archive_wait."""

from __future__ import annotations

from unit.modules.conftest import LOGIN, RunModule
from unit.oracle.fake_database import FakeDatabase

SWITCH = "ALTER SYSTEM ARCHIVE LOG CURRENT"


def test_switch_returns_what_must_become_archived(fake: FakeDatabase, run_module: RunModule) -> None:
    result = run_module("log_switch", **LOGIN)
    assert result["changed"] and result["statements"] == [SWITCH]
    assert result["threads"] == [{"thread": 1, "sequence": 11, "first_scn": 4800, "next_scn": 5010}]


def test_switch_through_an_scn_is_made_once(fake: FakeDatabase, run_module: RunModule) -> None:
    first = run_module("log_switch", through_scn=5000, **LOGIN)
    second = run_module("log_switch", through_scn=5000, **LOGIN)
    assert (first["changed"], second["changed"]) == (True, False)
    assert second["threads"] == first["threads"]
    assert fake.connection.executed == [SWITCH]


def test_switch_in_check_mode_says_which_log_would_be_left(fake: FakeDatabase, run_module: RunModule) -> None:
    result = run_module("log_switch", check=True, **LOGIN)
    assert result["changed"] and result["statements"] == [SWITCH]
    assert result["threads"] == [{"thread": 1, "sequence": 11, "first_scn": 4800, "next_scn": None}]
    assert fake.connection.executed == []


def test_switch_is_bounded_by_the_call_time_out(fake: FakeDatabase, run_module: RunModule) -> None:
    run_module("log_switch", login_call_timeout=7, **LOGIN)
    assert fake.connection.timeouts == [7000]


def test_result_of_the_switch_can_be_waited_for(fake: FakeDatabase, run_module: RunModule) -> None:
    threads = run_module("log_switch", **LOGIN)["threads"]
    result = run_module("archive_wait", logs=threads, **LOGIN)
    assert result["complete"] and not result["changed"]
    assert result["logs"] == [
        {
            "thread": 1,
            "sequence": 11,
            "first_scn": 4800,
            "next_scn": 5010,
            "dest_id": 1,
            "path": "/nowhere/archive/1_11_77.arc",
            "size_bytes": 101 * 512,
        }
    ]


def test_wait_through_an_scn(fake: FakeDatabase, run_module: RunModule) -> None:
    assert [log["sequence"] for log in run_module("archive_wait", through_scn=4500, **LOGIN)["logs"]] == [10]
    refused = run_module("archive_wait", through_scn=4900, **LOGIN)
    assert refused["failed"] and "log_switch" in refused["msg"]


def test_one_look_without_waiting(fake: FakeDatabase, run_module: RunModule) -> None:
    fake.switch_log(archived=False)
    wanted = [{"thread": 1, "sequence": 11}]
    for options in ({"wait": False}, {"check": True}):
        result = run_module("archive_wait", logs=wanted, **options, **LOGIN)
        assert (result["complete"], result["missing"]) == (False, wanted)


def test_time_out_carries_the_last_observation(fake: FakeDatabase, run_module: RunModule) -> None:
    fake.switch_log(archived=False)
    result = run_module("archive_wait", logs=[{"thread": 1, "sequence": 11}], wait_timeout=0, **LOGIN)
    assert result["failed"]
    assert result["last_observation"]["missing"] == [{"thread": 1, "sequence": 11}]


def test_wanted_destination_counts(fake: FakeDatabase, run_module: RunModule) -> None:
    options = {"logs": [{"thread": 1, "sequence": 10}], "wait": False, **LOGIN}
    assert run_module("archive_wait", dest_ids=[1], **options)["complete"]
    assert not run_module("archive_wait", dest_ids=[2], **options)["complete"]


def test_one_of_logs_and_scn_is_needed(fake: FakeDatabase, run_module: RunModule) -> None:
    assert run_module("archive_wait", **LOGIN)["failed"]
    assert run_module("archive_wait", logs=[], through_scn=1, **LOGIN)["failed"]
