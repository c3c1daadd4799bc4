# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guardian as a process: it learns of its runner's death from the pipe, whatever killed the runner."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError, ConnectError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.attach import follow_run
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import lease_holder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import (
    RunStatus,
    StatusWriter,
    read_status,
)

from unit.run.fake_database import DBID, RESETLOGS_ID
from unit.run.host import SET_ID

# A runner that takes the lease, starts a real guardian, and waits to be killed.
RUNNER = """
import json, os, sys, time
from pathlib import Path
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.guardian_link import GuardianLink
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.launcher import install_program
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import LeaseHolder, acquire_lease
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import GuardianRequest

state, journal, set_id = sys.argv[1:4]
lease = acquire_lease(Path(state) / "lease", LeaseHolder("runner", set_id, "run1", os.getpid(), "h", "t"))
program = install_program(Path(state) / "code", Path(state) / "log")
settings = json.dumps({"user": "u", "password": "p", "service": "S", "port": 1, "connect_timeout": 1})
link = GuardianLink(program, GuardianRequest(settings, journal, set_id, "run1", state, lease.fileno()))
link.ensure()
print(link._process.pid, flush=True)
if sys.stdin.readline() == "leave\\n":
    link.dismiss()
    print("dismissed", flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    folder = StateFolder(tmp_path / "state")
    folder.create()
    status = RunStatus(
        set_id=SET_ID, run_id="run1", pid=1, started_at="", journal_path=str(tmp_path / "journal")
    )
    StatusWriter(folder.status_path, status).update(message="copying")
    return folder


@pytest.fixture
def runner(folder, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(folder.root), str(tmp_path / "journal"), SET_ID],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    process.guardian = int(process.stdout.readline())
    yield process
    for pid in (process.pid, process.guardian):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def eventually(condition, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return False


def role_of(folder):
    holder = lease_holder(folder.lease_path)
    return holder.role if holder else None


def write_journal(path, *records):
    with Journal.open(path) as journal:
        journal.append(
            "run_started",
            run_id="run1",
            set_id=SET_ID,
            dbid=DBID,
            db_unique_name="ORA1",
            resetlogs_id=RESETLOGS_ID,
            startup_times=["t"],
            policy={},
        )
        for event, fields in records:
            journal.append(event, run_id="run1", **fields)


def test_dismissed_guardian_leaves_and_the_lease_is_free(runner, folder):
    runner.stdin.write("leave\n")
    runner.stdin.flush()
    assert runner.stdout.readline() == "dismissed\n"
    runner.wait()
    assert eventually(lambda: lease_holder(folder.lease_path) is None)
    assert read_status(folder.status_path).state == "running"


def test_killed_runner_is_noticed_and_written_down(runner, folder, tmp_path):
    write_journal(tmp_path / "journal")
    runner.kill()
    runner.wait()
    status = follow_run(folder, "run1", 30)
    assert status.state == "died"
    assert status.message == f"The runner of set {SET_ID} died; no tablespace was left in backup mode."
    assert eventually(lambda: lease_holder(folder.lease_path) is None)
    last = json.loads((tmp_path / "journal").read_text().splitlines()[-1])
    assert (last["event"], last["by"]) == ("run_failed", "guardian")


def test_guardian_keeps_the_lease_and_tries_again_while_the_database_is_unreachable(runner, folder, tmp_path):
    write_journal(
        tmp_path / "journal",
        ("window_intent", {"tablespace": "USERS", "con_id": 0, "files": [4], "current_scn": 100}),
        ("window_opened", {"tablespace": "USERS", "con_id": 0, "files": {"4": 101}}),
    )
    runner.kill()
    runner.wait()
    assert eventually(lambda: role_of(folder) == "guardian")
    assert eventually(lambda: "does not answer" in read_status(folder.status_path).message)
    assert read_status(folder.status_path).state == "running"
    os.kill(runner.guardian, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_guardian_is_deaf_to_the_signals_that_end_plays(runner, folder, number):
    os.kill(runner.guardian, number)
    runner.kill()
    runner.wait()
    assert follow_run(folder, "run1", 30).state == "died"


def test_guardian_process_does_not_share_the_runners_session(runner):
    assert os.getsid(runner.guardian) == runner.guardian
    assert os.getpgid(runner.guardian) != os.getpgid(runner.pid)


def test_guard_waits_for_the_database_and_then_ends_the_window(make_host):
    host = make_host({"A": 1})
    host.layout.set_folder.mkdir(parents=True)
    host.database.begin_by_hand("A")
    scn = host.database.status[1].scn
    write_journal(
        host.layout.journal_path,
        ("window_intent", {"tablespace": "A", "con_id": 0, "files": [1], "current_scn": scn - 1}),
        ("window_opened", {"tablespace": "A", "con_id": 0, "files": {"1": scn}}),
    )
    attempts = []

    def down(call):
        attempts.append(call)
        if len(attempts) < 30:
            raise ConnectError("no listener")

    host.database.before = down
    assert host.guard()
    assert host.database.active() == []
    assert host.state.windows[0].closed_by == "guardian"
    assert host.events[-1] == "run_failed"


def leave_windows_open(host, *names):
    """Journal and database of a run that died with these tablespaces in backup mode."""
    host.layout.set_folder.mkdir(parents=True)
    records = []
    numbers = {name: number for number, name in host.database.files.items()}
    for name in names:
        host.database.begin_by_hand(name)
        number = numbers[name]
        scn = host.database.status[number].scn
        window = {"tablespace": name, "con_id": 0}
        records.append(("window_intent", {**window, "files": [number], "current_scn": scn - 1}))
        records.append(("window_opened", {**window, "files": {str(number): scn}}))
    write_journal(host.layout.journal_path, *records)


def status_of_dead_runner(host, **fields):
    status = RunStatus(set_id=SET_ID, run_id="run1", pid=1, started_at="2026-03-01T01:00:02Z", **fields)
    StatusWriter(host.folder.status_path, status).update(message="copying")


def test_one_sentence_names_all_tablespaces_the_set_and_where_to_look_also_after_a_broken_attempt(make_host):
    host = make_host({"A": 1, "B": 1, "C": 1})
    leave_windows_open(host, "A", "B", "C")
    status_of_dead_runner(host, log_path="/state/runtime/x/runner.log")

    def lost_once_after_the_first(call):
        if "window_closed" in host.events and not broken:
            broken.append(call)
            raise ConnectError("no listener")

    broken = []
    host.database.before = lost_once_after_the_first
    assert host.guard()
    assert broken
    status = read_status(host.folder.status_path)
    expected = f"The runner of set {SET_ID} died; backup mode of A, B, C was ended by the guardian."
    assert (status.message, status.error["msg"]) == (expected, expected)
    assert f"same set_id again, {SET_ID}" in status.error["hint"]
    assert "/state/runtime/x/runner.log on the database host" in status.error["hint"]


def test_what_could_not_be_ended_is_named(make_host):
    host = make_host({"A": 1, "B": 1})
    leave_windows_open(host, "A", "B")
    status_of_dead_runner(host)

    def gone_after_the_first(call):
        if "window_closed" in host.events:
            raise BackupError("The state folder is gone.")

    host.database.before = gone_after_the_first
    assert not host.guard()
    status = read_status(host.folder.status_path)
    assert "backup mode of A was ended by the guardian; the guardian gave up:" in status.message
    assert status.message.endswith("perhaps still in backup mode: B.")
    assert status.windows_open == ("B",)


def test_a_damaged_journal_is_said_and_nothing_else_is_claimed(make_host):
    host = make_host({"A": 1})
    leave_windows_open(host, "A")
    host.layout.journal_path.write_bytes(b"{}\n" + host.layout.journal_path.read_bytes())
    status_of_dead_runner(host)
    assert not host.guard()
    message = read_status(host.folder.status_path).message
    assert "line 1 is not a journal entry" in message
    assert "no tablespace was left" not in message


def test_the_time_that_has_passed_is_the_runs_not_the_guardians(make_host):
    host = make_host({"A": 1})
    leave_windows_open(host, "A")
    status_of_dead_runner(host)
    before = (datetime.now(UTC) - datetime(2026, 3, 1, 1, 0, 2, tzinfo=UTC)).total_seconds()
    assert host.guard()
    assert read_status(host.folder.status_path).elapsed_seconds >= before
