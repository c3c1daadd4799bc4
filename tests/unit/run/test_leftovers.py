# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which windows of a dead run are ended, and what becomes of the copies made in them."""

from __future__ import annotations

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import LiveSession
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.leftovers import end_leftovers
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.windows import Patience

from unit.run.fake_database import DBID, FILE_BYTES, RESETLOGS_ID
from unit.run.host import SET_ID

INTENT_SCN = 1500
BEGIN_SCN = 1510


@pytest.fixture
def host(make_host):
    host = make_host({"A": 2})
    host.layout.set_folder.mkdir(parents=True)
    return host


def journal(host, *events, copied=()):
    """A journal that goes as far as ``events`` say; ``copied`` files were copied in the window."""
    with Journal.open(host.layout.journal_path) as made:
        made.append(
            "run_started",
            run_id="run1",
            set_id=SET_ID,
            dbid=DBID,
            db_unique_name="ORA1",
            resetlogs_id=RESETLOGS_ID,
            startup_times=[host.database.startup],
            policy={},
        )
        fields = {
            "window_intent": {
                "files": [1, 2],
                "current_scn": INTENT_SCN,
                "startup_times": [host.database.startup],
            },
            "window_opened": {"files": {"1": BEGIN_SCN, "2": BEGIN_SCN}},
            "window_closing": {},
            "window_closed": {"files": {"1": BEGIN_SCN}, "end_scn": 1600, "by": "runner"},
        }
        for event in events:
            made.append(event, run_id="run1", tablespace="A", con_id=0, **fields[event])
            for number in copied if event == "window_opened" else ():
                made.append(
                    "file_copied",
                    run_id="run1",
                    file_number=number,
                    tablespace="A",
                    creation_scn=number * 10,
                    source=f"/oradata/a{number:02d}.dbf",
                    path=f"datafiles/{number}_a.dbf",
                    size_bytes=FILE_BYTES,
                    digest="0" * 64,
                    begin_scn=BEGIN_SCN,
                    checkpoint_scn=BEGIN_SCN,
                    method="backup_mode",
                )


def backup_mode(host, scn):
    """Put A in backup mode with this CHANGE#."""
    host.database.scn = scn - 10
    host.database.begin_by_hand("A")


def settle(host):
    patience = Patience(10, sleep=lambda seconds: None)
    return end_leftovers(host.database, host.layout.journal_path, "guardian", patience, lambda text: None)


def test_nothing_is_ended_without_a_window_in_the_journal(host):
    journal(host)
    backup_mode(host, BEGIN_SCN)
    assert settle(host) == []
    assert host.database.active() == [1, 2]


def test_window_that_was_closed_is_not_touched(host):
    journal(host, "window_intent", "window_opened", "window_closing", "window_closed")
    backup_mode(host, BEGIN_SCN)
    assert settle(host) == []
    assert host.database.active() == [1, 2]


def test_intent_without_begin_is_closed_in_the_journal_only(host):
    journal(host, "window_intent")
    settle(host)
    assert host.database.log == []
    assert host.state.open_windows == ()


def test_intended_window_that_was_begun_is_ended(host):
    journal(host, "window_intent")
    backup_mode(host, BEGIN_SCN)
    settle(host)
    assert host.database.log == ["END A"]
    assert host.state.windows[0].closed_by == "guardian"


def test_backup_mode_older_than_the_intent_is_not_ours(host):
    journal(host, "window_intent")
    backup_mode(host, INTENT_SCN - 1)
    settle(host)
    assert host.database.active() == [1, 2]
    assert host.database.log == []
    assert host.state.open_windows == ()


@pytest.mark.parametrize(
    "events", [("window_intent", "window_opened"), ("window_intent", "window_opened", "window_closing")]
)
def test_open_window_is_ended_and_its_finished_copies_are_kept(host, events):
    journal(host, *events, copied=(1,))
    backup_mode(host, BEGIN_SCN)
    settle(host)
    assert host.database.log == ["END A"]
    assert sorted(host.state.files) == [1]
    window = host.state.windows[0]
    assert (window.closed_by, window.end_scn is not None) == ("guardian", True)


def test_moved_change_number_is_somebody_elses_and_the_copies_are_discarded(host):
    journal(host, "window_intent", "window_opened", copied=(1,))
    backup_mode(host, BEGIN_SCN + 100)
    settle(host)
    assert host.database.active() == [1, 2]
    assert host.database.log == []
    assert host.state.files == {}
    assert host.state.windows[0].closed_by == "user"


def test_window_ended_by_somebody_else_discards_the_copies(host):
    journal(host, "window_intent", "window_opened", copied=(1,))
    backup_mode(host, BEGIN_SCN)
    host.database.end_by_hand("A")
    settle(host)
    assert host.state.files == {}
    assert 1 in host.state.discarded


def test_end_that_took_effect_before_the_runner_died_keeps_the_copies(host):
    journal(host, "window_intent", "window_opened", "window_closing", copied=(1, 2))
    backup_mode(host, BEGIN_SCN)
    host.database.end_by_hand("A")
    settle(host)
    assert sorted(host.state.files) == [1, 2]
    assert host.state.windows[0].closed_by == "guardian"


def test_restart_since_makes_the_copies_worthless_even_if_end_was_announced(host):
    journal(host, "window_intent", "window_opened", "window_closing", copied=(1, 2))
    backup_mode(host, BEGIN_SCN)
    host.database.restart()
    settle(host)
    assert host.state.files == {}


def test_dead_session_is_waited_for_before_backup_mode_is_read(host):
    journal(host, "window_intent")
    looks = []
    host.database.sessions = [LiveSession(1, 5, 1, SET_ID, "dbhost01", "python")]

    def late_begin(call):
        looks.append(call)
        if looks.count("live_sessions") == 5 and host.database.sessions:
            # The server finishes the dead client's BEGIN BACKUP, then notices that nobody is there.
            backup_mode(host, BEGIN_SCN)
            host.database.sessions = []

    host.database.before = late_begin
    settle(host)
    assert host.database.log == ["END A"]
    assert host.database.active() == []


def test_settling_twice_is_the_same_as_once(host):
    journal(host, "window_intent", "window_opened")
    backup_mode(host, BEGIN_SCN)
    settle(host)
    before = host.records
    assert settle(host) == []
    assert host.records == before
