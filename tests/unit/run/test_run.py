# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from preflight to its last word, with trouble at every point."""

from __future__ import annotations

import sys
import threading

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    ConnectionLost,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import LiveSession
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import BlockFault
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal

from unit.run.fake_database import refused

STRUCTURE = {"SYSTEM": 1, "USERS": 3, "HISTORY": 1}


def test_run_copies_every_file_and_leaves_nothing_in_backup_mode(make_host):
    host = make_host(STRUCTURE, read_only=("HISTORY",))
    succeeded, status = host.run(streams=2)
    assert succeeded, status.error
    assert sorted(host.state.files) == [1, 2, 3, 4, 5]
    assert host.database.active() == []
    assert host.state.copied_end_scn is not None
    assert max(window.end_scn for window in host.state.windows) < host.state.copied_end_scn
    assert host.state.files[5].begin_scn is None
    assert "BEGIN HISTORY" not in host.database.log
    assert status.state == "succeeded"
    assert status.percent == 100


def test_each_tablespace_is_in_backup_mode_only_while_its_own_files_are_copied(make_host):
    host = make_host({"A": 3, "B": 3})
    assert host.run(streams=1)[0]
    log = host.database.log
    for name, numbers in (("A", (1, 2, 3)), ("B", (4, 5, 6))):
        begin, end = log.index(f"BEGIN {name}"), log.index(f"END {name}")
        assert [log.index(f"COPY {number}") in range(begin, end) for number in numbers] == [True] * 3
    assert log.index("END A") < log.index("BEGIN B") or log.index("END B") < log.index("BEGIN A")


def test_tablespaces_with_fewer_files_than_streams_share_the_streams(make_host):
    host = make_host({"A": 1, "B": 1, "C": 1})
    seen = []
    host.database.after_begin = lambda tablespace: seen.append(len(host.database.active()))
    assert host.run(streams=2)[0]
    assert max(seen) == 2


def test_intent_is_journalled_before_begin_and_window_after(make_host):
    host = make_host({"A": 1})
    at_begin = []
    host.database.before = lambda call: at_begin.append(host.events) if call == "begin_backup" else None
    assert host.run()[0]
    assert at_begin[0][-1] == "window_intent"
    assert [event for event in host.events if event.startswith("window")] == [
        "window_intent",
        "window_opened",
        "window_closing",
        "window_closed",
    ]


def test_second_run_copies_nothing_again(make_host):
    host = make_host(STRUCTURE)
    assert host.run("run1")[0]
    host.database.log.clear()
    succeeded, status = host.run("run2")
    assert succeeded
    assert status.resumed
    assert host.database.log == []


class OpenedFiles:
    """The paths that this process opens in a ``with`` block, as the interpreter itself reports them."""

    def __init__(self):
        self.paths = []
        self._watching = False
        sys.addaudithook(self._note)

    def _note(self, event, arguments):
        if self._watching and event == "open":
            self.paths.append(str(arguments[0]))

    def __enter__(self):
        self._watching = True
        return self

    def __exit__(self, *_exception):
        self._watching = False


def test_second_run_opens_no_stored_file_that_inode_size_and_time_vouch_for(make_host):
    host = make_host(STRUCTURE)
    assert host.run("run1")[0]
    with OpenedFiles() as opened:
        assert host.run("run2")[0]
    assert str(host.layout.journal_path) in opened.paths
    assert [path for path in opened.paths if path.startswith(str(host.layout.datafiles_folder))] == []


def test_every_bad_block_is_in_the_journal_in_short(make_host):
    host = make_host({"A": 2})
    zero = [BlockFault("a", number, number * 8192, "all_zero", "data") for number in range(100, 5100)]
    torn = [BlockFault("a", number, number * 8192, "fractured", "tail") for number in (7, 9, 10)]
    host.database.bad_blocks = {2: [*torn, *zero]}
    assert host.run()[0]
    (entry,) = [record for record in host.records if record["event"] == "bad_blocks"]
    assert (entry["file_number"], entry["run_id"]) == (2, "run1")
    assert entry["blocks"] == [[7, 7, "fractured"], [9, 10, "fractured"], [100, 5099, "all_zero"]]


def test_copy_that_changed_on_disk_is_made_again(make_host):
    host = make_host({"A": 2})
    assert host.run("run1")[0]
    path = host.layout.absolute(host.state.files[2].path)
    path.write_bytes(b"x")
    host.database.log.clear()
    assert host.run("run2")[0]
    assert [entry for entry in host.database.log if entry.startswith("COPY")] == ["COPY 2"]


def test_datafile_added_during_the_run_is_copied_too(make_host):
    host = make_host({"A": 1, "B": 1})
    added = []

    def add(tablespace):
        if tablespace == "B" and not added:
            added.append(host.database.add_file("A"))

    host.database.after_begin = add
    assert host.run()[0]
    assert sorted(host.state.files) == [1, 2, 3]


def test_window_ended_by_somebody_else_is_copied_once_more(make_host):
    host = make_host({"A": 2})
    disturbed = []

    def disturb(call):
        if call == "copy 2" and not disturbed:
            disturbed.append(call)
            host.database.end_by_hand("A")

    host.database.before = disturb
    succeeded, status = host.run()
    assert succeeded, status.error
    assert host.database.log.count("BEGIN A") == 2
    begun = {item.begin_scn for item in host.state.files.values()}
    assert begun == {host.state.windows[-1].begin_scn}


def test_window_disturbed_again_and_again_fails_the_run(make_host):
    host = make_host({"A": 1})
    host.database.before = lambda call: host.database.end_by_hand("A") if call == "copy 1" else None
    succeeded, status = host.run()
    assert not succeeded
    assert "twice" in status.error["msg"]
    assert host.state.files == {}
    assert host.database.active() == []


def test_moved_change_number_discards_the_copies_and_ends_nothing(make_host):
    host = make_host({"A": 1})
    disturbed = []

    def disturb(call):
        if call == "copy 1" and not disturbed:
            disturbed.append(call)
        elif call == "backup_status" and disturbed == ["copy 1"] and "COPY 1" in host.database.log:
            disturbed.append("moved")
            host.database.end_by_hand("A")
            host.database.begin_by_hand("A")

    host.database.before = disturb
    succeeded, status = host.run()
    assert not succeeded
    # What is in backup mode now is somebody else's.
    assert host.database.active() == [1]
    assert "END A" not in host.database.log
    assert "foreign" in str(status.error) or "not by this" in str(status.error)


def test_failed_copy_ends_the_windows_and_keeps_what_is_finished(make_host):
    host = make_host({"A": 3})

    def fail(call):
        if call == "copy 3":
            raise BackupError("Failed to read /oradata/a03.dbf: Input/output error.")

    host.database.before = fail
    succeeded, status = host.run()
    assert not succeeded
    assert "Input/output error" in status.error["msg"]
    assert host.database.active() == []
    assert host.events[-1] == "run_failed"
    host.database.before = lambda call: None
    host.database.log.clear()
    assert host.run("run2")[0]
    assert len([entry for entry in host.database.log if entry.startswith("COPY")]) < 3


def test_run_that_is_asked_to_stop_ends_its_windows(make_host):
    host = make_host({"A": 1, "B": 1})
    host.database.before = lambda call: host.stop.set() if call == "copy 1" else None
    succeeded, status = host.run()
    assert not succeeded
    assert status.error["msg"] == "The run was asked to stop."
    assert host.database.active() == []
    assert host.state.open_windows == ()


@pytest.mark.parametrize("lost_at", ["end_backup", "backup_status", "current_scn", "startup_times"])
def test_lost_connection_at_the_end_of_a_window_is_survived(make_host, lost_at):
    host = make_host({"A": 1})
    lost = []

    def lose(call):
        if call == lost_at and "COPY 1" in host.database.log and len(lost) < 3:
            lost.append(call)
            raise ConnectionLost("gone")

    host.database.before = lose
    succeeded, status = host.run()
    if lost_at != "current_scn":
        assert succeeded, status.error
    assert host.database.active() == []


def test_end_backup_is_repeated_while_the_database_cannot_write_redo(make_host):
    host = make_host({"A": 1})
    attempts = []

    def stuck(call):
        if call == "end_backup" and len(attempts) < 40:
            attempts.append(call)
            raise refused(257)

    host.database.before = stuck
    succeeded, status = host.run()
    assert succeeded, status.error
    assert len(attempts) == 40
    assert host.database.active() == []


def test_restart_of_an_instance_invalidates_the_window_open_then(make_host):
    host = make_host({"A": 1, "B": 1})

    def restart(call):
        if call == "copy 2" and host.database.startup.endswith("00:00:00"):
            host.database.restart()

    host.database.before = restart
    succeeded, status = host.run()
    assert not succeeded
    assert "restarted" in status.error["msg"]
    assert sorted(host.state.files) == [1]
    assert host.run("run2")[0]
    assert sorted(host.state.files) == [1, 2]


def test_refused_begin_leaves_no_window_in_the_journal(make_host):
    host = make_host({"A": 1})

    def refuse(call):
        if call == "begin_backup":
            raise refused(1123)

    host.database.before = refuse
    succeeded, status = host.run()
    assert not succeeded
    assert status.error["oracle_error"]["code"] == 1123
    assert host.state.open_windows == ()


def test_begin_whose_answer_was_lost_is_read_back(make_host):
    host = make_host({"A": 1})
    lost = []

    def lose(tablespace):
        if not lost:
            lost.append(tablespace)
            raise ConnectionLost("gone")

    host.database.after_begin = lose
    succeeded, status = host.run()
    assert succeeded, status.error
    assert host.database.log.count("BEGIN A") == 1


def test_foreign_backup_mode_is_refused_before_anything_is_changed(make_host):
    host = make_host({"A": 1, "B": 1})
    host.database.begin_by_hand("B")
    succeeded, status = host.run()
    assert not succeeded
    assert status.error["details"]["problems"][0]["code"] == "foreign_backup_mode"
    assert not host.layout.database_folder.exists()
    assert host.database.active() == [2]


def test_live_session_of_another_run_is_refused(make_host):
    host = make_host({"A": 1})
    host.database.sessions = [LiveSession(2, 77, 1, "20260301T000000Z", "dbhost02", "python")]
    host.stop.wait = lambda seconds: False
    succeeded, status = host.run()
    assert not succeeded
    assert "dbhost02" in status.error["msg"]
    assert host.database.log == []


def test_window_longer_than_allowed_is_ended(make_host, monkeypatch):
    host = make_host({"A": 2})
    moments = iter(range(0, 100_000, 50))
    monkeypatch.setattr("time.monotonic", lambda: float(next(moments)))
    from ansible_collections.hotbackup.oracle.plugins.module_utils._run import copying

    original = copying.Copying.__init__
    monkeypatch.setattr(
        copying.Copying,
        "__init__",
        lambda self, **fields: original(self, **fields, monotonic=lambda: float(next(moments))),
    )
    succeeded, status = host.run(max_window_seconds=10)
    assert not succeeded
    assert "over 10 s" in status.error["msg"]
    assert host.database.active() == []


def test_a_stream_that_hangs_keeps_no_tablespace_in_backup_mode(make_host):
    host = make_host({"A": 1, "B": 1})
    ended, in_time = threading.Event(), []

    def before(call):
        if call == "copy 1":
            # As in a read from a server that is gone: nothing can make it return.
            host.stop.set()
            in_time.append(ended.wait(5))
        elif call == "end_backup":
            ended.set()

    host.database.before = before
    succeeded, status = host.run(streams=1)
    assert not succeeded
    assert "asked to stop" in status.error["msg"]
    assert in_time == [True]
    assert host.database.active() == []
    assert host.state.files == {}


def test_guardian_is_made_sure_of_before_each_window(make_host):
    host = make_host({"A": 1, "B": 1})
    asked = []
    assert host.run(ensure_guardian=lambda: asked.append(list(host.database.log)))[0]
    assert len(asked) >= 3


def test_no_window_is_opened_without_a_guardian(make_host):
    host = make_host({"A": 1})

    def fail():
        raise BackupError("The guardian did not start.")

    succeeded, _status = host.run(ensure_guardian=fail)
    assert not succeeded
    assert host.database.log == []


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the run works any more from here on."""


def kill_at(host, monkeypatch, moment):
    """Let the run die at its ``moment``-th contact with database or journal; returns the counter."""
    contacts = []
    append = Journal.append

    def contact(what):
        contacts.append(what)
        if len(contacts) >= moment:
            raise Killed

    def journalled(self, event, **fields):
        contact(f"before {event}")
        append(self, event, **fields)
        contact(f"after {event}")

    host.database.before = contact
    host.database.after_begin = lambda tablespace: contact(f"after BEGIN {tablespace}")
    monkeypatch.setattr(Journal, "append", journalled)
    return contacts


def revive(host, monkeypatch):
    monkeypatch.undo()
    host.database.before = lambda call: None
    host.database.after_begin = lambda tablespace: None


def contacts_of_a_whole_run(make_host, monkeypatch):
    host = make_host({"A": 2, "B": 1}, read_only=())
    contacts = kill_at(host, monkeypatch, 10**9)
    assert host.run()[0]
    revive(host, monkeypatch)
    return len(contacts)


@pytest.mark.parametrize("with_guardian", [True, False], ids=["guardian", "next_run"])
@pytest.mark.parametrize("moment", range(1, 61))
def test_run_killed_at_any_moment_leaves_no_backup_mode_and_can_be_completed(
    make_host, monkeypatch, moment, with_guardian
):
    host = make_host({"A": 2, "B": 1})
    kill_at(host, monkeypatch, moment)
    try:
        succeeded, _status = host.run()
    except Killed:
        succeeded = False
    revive(host, monkeypatch)
    if with_guardian and not succeeded:
        assert host.guard()
        assert host.database.active() == []
        assert host.state.open_windows == ()
    ends = host.database.log.count("END A") + host.database.log.count("END B")
    begins = host.database.log.count("BEGIN A") + host.database.log.count("BEGIN B")
    if with_guardian:
        assert ends == begins
    finished = {number: item.begin_scn for number, item in host.state.files.items()}
    host.database.log.clear()
    completed, status = host.run("run2")
    assert completed, status.error
    assert sorted(host.state.files) == [1, 2, 3]
    assert host.database.active() == []
    ended = {
        (number, scn)
        for window in host.state.windows
        if window.closed_by != "user"
        for number, scn in window.files.items()
    }
    assert {(number, item.begin_scn) for number, item in host.state.files.items()} <= ended
    kept = [number for number, scn in finished.items() if host.state.files[number].begin_scn == scn]
    assert not [number for number in kept if f"COPY {number}" in host.database.log]


def test_the_moments_above_cover_a_whole_run(make_host, monkeypatch):
    assert contacts_of_a_whole_run(make_host, monkeypatch) <= 60


def test_stale_windows_of_another_set_are_ended_by_the_next_run(make_host, monkeypatch):
    host = make_host({"A": 1, "B": 1})
    kill_at(host, monkeypatch, 18)
    with pytest.raises(Killed):
        host.run()
    revive(host, monkeypatch)
    assert host.database.active() == [1]
    succeeded, status = host.run("run2", set_id="20260302T010000Z")
    assert succeeded, status.error
    assert host.database.active() == []
    assert host.state.open_windows == ()
    assert host.state.windows[-1].closed_by == "next_run"
