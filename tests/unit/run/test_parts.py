# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small parts: status file, state folder, logout check, the start of a run, progress lines."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from ansible_collections.hotbackup.oracle.plugins.action.tablespace_backup import (
    beginning_line,
    progress_line,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    LeaseHeld,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan import BackupPolicy
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.attach import (
    follow_run,
    raise_failure,
    start_run,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.beginning import begin, is_done
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import LeaseHolder, acquire_lease
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.logind import ends_processes_at_logout
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.preflight import examine
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import RunRequest
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import (
    RunStatus,
    StatusWriter,
    read_status,
)

from unit.run.fake_database import DBID
from unit.run.host import SET_ID

DEFAULT_POLICY = BackupPolicy()


def status_of(**fields):
    return RunStatus(**{"set_id": SET_ID, "run_id": "run1", "pid": os.getpid(), "started_at": "", **fields})


def look(host, set_id=SET_ID, policy=DEFAULT_POLICY):
    database, tablespaces = host.database.discover()
    return examine(database, tablespaces, host.layout.database.set(set_id), policy)


def request_of(host, run_id="run2"):
    return RunRequest(
        connection='{"user": "u", "password": "p", "service": "S", "port": 1, "connect_timeout": 1}',
        destination=host.layout.destination,
        db_unique_name="ORA1",
        dbid=DBID,
        set_id=SET_ID,
        run_id=run_id,
        policy=BackupPolicy(),
        max_window_seconds=0,
        state_dir=str(host.folder.root),
    )


def hold_lease(folder, role="runner", set_id=SET_ID, run_id="run1"):
    return acquire_lease(folder.lease_path, LeaseHolder(role, set_id, run_id, os.getpid(), "h", "t"))


def test_status_is_written_at_most_once_a_second_but_every_new_phase(tmp_path):
    moments = [0.0]
    writer = StatusWriter(tmp_path / "status.json", status_of(), monotonic=lambda: moments[0])
    writer.update(phase="copy")
    writer.update(bytes_done=1)
    assert read_status(tmp_path / "status.json").bytes_done == 0
    moments[0] = 1.5
    writer.update(bytes_done=2)
    assert read_status(tmp_path / "status.json").bytes_done == 2
    writer.update(phase="finish", bytes_done=3)
    assert read_status(tmp_path / "status.json") == writer.status


def test_time_is_counted_from_the_start_of_the_run_by_a_clock_that_nobody_sets(tmp_path):
    moments = [100.0]
    status = RunStatus(set_id=SET_ID, run_id="run1", pid=1, started_at="2026-03-01T01:00:00Z")
    minutes_later = datetime(2026, 3, 1, 1, 2, tzinfo=UTC)
    writer = StatusWriter(tmp_path / "s", status, monotonic=lambda: moments[0], now=lambda: minutes_later)
    moments[0] = 103.0
    writer.update(phase="guardian")
    assert writer.status.elapsed_seconds == 123.0


def test_status_that_cannot_be_written_does_not_stop_a_run(tmp_path):
    writer = StatusWriter(tmp_path / "missing" / "status.json", status_of())
    writer.update(phase="copy")
    assert writer.status.phase == "copy"


def test_state_folder_that_others_may_write_to_is_refused(tmp_path):
    root = tmp_path / "state"
    root.mkdir()
    root.chmod(0o770)
    with pytest.raises(PreconditionError, match="writable by nobody else"):
        StateFolder(root).create()


def test_only_the_newest_runtimes_are_kept_and_always_the_own(tmp_path):
    folder = StateFolder(tmp_path)
    for day in range(1, 9):
        folder.code_folder(f"2026030{day}T010000Z").mkdir(parents=True)
    folder.forget_old_runs("20260301T010000Z", keep=3)
    kept = sorted(path.name for path in (tmp_path / "runtime").iterdir())
    assert kept == ["20260301T010000Z", "20260307T010000Z", "20260308T010000Z"]


def test_followed_run_whose_processes_are_gone_is_reported_as_died(tmp_path):
    folder = StateFolder(tmp_path)
    StatusWriter(folder.status_path, status_of()).update(phase="copy")
    status = follow_run(folder, "run1", 5)
    assert status.state == "died"
    with pytest.raises(BackupError, match=f"same set_id again, {SET_ID}") as caught:
        raise_failure(status)
    assert caught.value.details["run"]["run_id"] == "run1"


def test_following_an_unknown_run_is_an_error(tmp_path):
    with pytest.raises(BackupError, match="Nothing is known"):
        follow_run(StateFolder(tmp_path), "run1", 0)


def test_following_returns_after_the_time_given_while_the_run_lives(make_host):
    host = make_host({"A": 1})
    StatusWriter(host.folder.status_path, status_of()).update(phase="copy")
    lease = hold_lease(host.folder)
    assert follow_run(host.folder, "run1", 0).state == "running"
    lease.close()


def test_live_run_of_the_same_set_is_attached_to(make_host):
    host = make_host({"A": 1})
    StatusWriter(host.folder.status_path, status_of()).update(phase="copy")
    lease = hold_lease(host.folder)
    status = begin(request_of(host), host.folder, look(host), host.layout)
    assert status.run_id == "run1"
    lease.close()


def test_live_run_of_another_set_is_refused(make_host):
    host = make_host({"A": 1})
    lease = hold_lease(host.folder, set_id="20250101T000000Z")
    with pytest.raises(LeaseHeld, match="20250101T000000Z"):
        begin(request_of(host), host.folder, look(host), host.layout)
    lease.close()


def test_guardian_at_work_is_waited_for(make_host):
    host = make_host({"A": 1})
    lease = hold_lease(host.folder, role="guardian")
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            lease.close()
            host.database.log.append("free")

    found = look(host)
    host.database.begin_by_hand("A")
    with pytest.raises(PreconditionError, match="backup mode"):
        # Reached only once the guardian let go.
        begin(request_of(host), host.folder, look(host), host.layout, sleep)
    assert host.database.log == ["free"]
    assert found.plan.problems == ()


def test_finished_and_sealed_sets_need_no_run(make_host):
    host = make_host({"A": 1})
    assert not is_done(look(host), host.layout)
    assert host.run()[0]
    assert is_done(look(host), host.layout)
    host.database.add_file("A")
    assert not is_done(look(host), host.layout)
    host.layout.manifest_path.write_text("{}")
    assert is_done(look(host), host.layout)


def test_other_policy_is_refused_even_if_the_set_is_finished(make_host):
    host = make_host({"A": 1, "B": 1})
    assert host.run()[0]
    with pytest.raises(PreconditionError, match="was begun with"):
        is_done(look(host, policy=BackupPolicy(exclude=("B",))), host.layout)


def test_other_number_of_streams_is_the_same_policy(make_host):
    host = make_host({"A": 1})
    assert host.run()[0]
    assert is_done(look(host, policy=BackupPolicy(tuning=CopyTuning(streams=8))), host.layout)


def test_started_run_that_cannot_connect_fails_with_the_reason(make_host):
    host = make_host({"A": 1})
    first = start_run(request_of(host), host.folder)
    assert first.run_id == "run2"
    status = follow_run(host.folder, "run2", 60)
    assert status.state == "failed"
    assert "Failed to connect" in status.error["msg"]
    assert not host.layout.database_folder.exists()


def test_second_runner_is_told_who_was_quicker(make_host):
    host = make_host({"A": 1})
    lease = hold_lease(host.folder)
    with pytest.raises(LeaseHeld, match="Another run was quicker"):
        start_run(request_of(host), host.folder)
    lease.close()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", False),
        ("[Login]\nKillUserProcesses=yes\n", True),
        ("[Login]\n#KillUserProcesses=yes\n", False),
        ("[Login]\nKillUserProcesses=yes\nKillExcludeUsers=root oracle\n", False),
        ("[Login]\nKillUserProcesses=no\n", False),
    ],
)
def test_logout_that_ends_processes_is_noticed(tmp_path, content, expected):
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/systemd/logind.conf").write_text(content)
    assert ends_processes_at_logout("oracle", tmp_path) is expected


def test_drop_in_overrides_the_main_file(tmp_path):
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/logind.conf.d").mkdir(parents=True)
    (tmp_path / "etc/systemd/logind.conf").write_text("[Login]\nKillUserProcesses=yes\n")
    (tmp_path / "etc/systemd/logind.conf.d/10.conf").write_text("[Login]\nKillUserProcesses=no\n")
    assert ends_processes_at_logout("oracle", tmp_path) is False


def test_the_first_line_names_the_set_to_continue_with():
    run = {"set_id": "20260301T010000Z", "log_path": "/state/runner.log"}
    assert beginning_line("ORA1", run) == "ORA1: set 20260301T010000Z, log /state/runner.log"


def test_progress_line_says_how_far_the_copy_is():
    run = status_of(
        phase="copy",
        tablespaces=("USERS",),
        files_done=3,
        files_total=7,
        bytes_done=43,
        bytes_total=100,
        bytes_per_second=120_000_000,
    ).as_result()
    assert progress_line("ORA1", run) == "ORA1: 43% USERS 3/7 files 120 MB/s"


def test_progress_line_before_the_copy_says_what_happens():
    run = status_of(phase="preflight", message="reading the database").as_result()
    assert progress_line("ORA1", run) == "ORA1: preflight: reading the database"
