# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The redo store takes only logs that are what they are wanted for, from whichever copy is sound."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import JournalState
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_intake import store_logs
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_store import (
    ScnRange,
    archived_through,
    missing_from_store,
    planned_log,
    prove_stored,
    range_of_set,
    required_logs,
    stored_logs,
)

from unit.run.fake_database import RESETLOGS_ID
from unit.run.small_set import FIRST_SEQUENCE, archive_logs, archived, key, make_copied_set, write_log

RANGE = ScnRange(2000, 2100)


def store_log(layout, key, copies):
    (stored,) = store_logs(layout, {key: copies}, CopyTuning())
    return stored


@pytest.fixture
def layout(make_host):
    return make_host({"A": 1}).layout.database


@pytest.fixture
def logs(tmp_path):
    return archive_logs(tmp_path / "archive")


def test_log_is_stored_once_and_unchanged_the_second_time(layout, logs):
    first = store_log(layout, key(7), [logs[0]])
    inode = layout.redo_path(*key(7)).stat().st_ino
    second = store_log(layout, key(7), [logs[0]])
    assert (first.changed, second.changed) == (True, False)
    assert first.digest == second.digest
    assert layout.redo_path(*key(7)).stat().st_ino == inode
    assert layout.redo_path(*key(7)).read_bytes() == Path(logs[0].path).read_bytes()


def test_log_of_the_store_is_enough_when_all_archived_copies_are_gone(layout, logs):
    store_log(layout, key(7), [logs[0]])
    assert not store_log(layout, key(7), [archived(None, 7, 1900, 2050)]).changed


def test_next_destination_is_used_when_a_copy_is_missing_or_damaged(layout, logs, tmp_path):
    good = archived(write_log(tmp_path / "second", 7, 1900, 2050), 7, 1900, 2050, dest_id=2)
    damaged = tmp_path / "archive" / "1_7.arc"
    content = bytearray(damaged.read_bytes())
    content[5 * 512 + 40] ^= 1
    damaged.write_bytes(content)
    gone = archived(tmp_path / "nowhere.arc", 7, 1900, 2050, dest_id=3)
    stored = store_log(layout, key(7), [gone, logs[0], good])
    assert stored.changed
    assert layout.redo_path(*key(7)).read_bytes() == Path(good.path).read_bytes()
    assert [path.name for path in layout.redo_path(*key(7)).parent.iterdir()] == ["7.arc"]


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("another sequence", {"sequence": 8}),
        ("another thread", {"thread": 2}),
        ("another incarnation", {"resetlogs_id": 5}),
        ("other SCNs", {"next_scn": 2049}),
    ],
)
def test_file_that_is_another_log_is_refused(layout, tmp_path, what, fields):
    values = {"sequence": 7, "first_scn": 1900, "next_scn": 2050, **fields}
    path = write_log(tmp_path / "archive", **values)
    with pytest.raises(BackupError, match="cannot be kept") as caught:
        store_log(layout, key(7), [archived(path, 7, 1900, 2050)])
    assert len(caught.value.details["lost_logs"][0]["reasons"]) == 1
    assert not layout.redo_path(*key(7)).exists()


def test_half_written_log_is_refused(layout, logs, tmp_path):
    path = tmp_path / "archive" / "1_7.arc"
    path.write_bytes(path.read_bytes()[:-512])
    with pytest.raises(BackupError, match="cannot be kept"):
        store_log(layout, key(7), [logs[0]])


def test_damaged_file_of_the_store_is_kept_aside_and_replaced(layout, logs):
    store_log(layout, key(7), [logs[0]])
    path = layout.redo_path(*key(7))
    path.write_bytes(b"damaged")
    assert store_log(layout, key(7), [logs[0]]).changed
    assert path.with_name("7.arc.damaged1").read_bytes() == b"damaged"
    assert path.read_bytes() == Path(logs[0].path).read_bytes()


def test_damaged_file_of_the_store_without_another_copy_is_an_error(layout, logs):
    store_log(layout, key(7), [logs[0]])
    layout.redo_path(*key(7)).write_bytes(b"damaged")
    with pytest.raises(BackupError, match="in the store"):
        store_log(layout, key(7), [archived(None, 7, 1900, 2050)])
    assert layout.redo_path(*key(7)).read_bytes() == b"damaged"


def test_required_logs_are_those_of_the_range(layout, logs):
    early = archived(None, 6, 1800, 1900)
    late = archived(None, 9, 2200, 2300)
    required = required_logs(layout, [early, *logs, late], RANGE, RESETLOGS_ID, {1})
    assert sorted(required) == [key(7), key(8)]


def test_gap_is_named(layout, logs):
    with pytest.raises(BackupError, match="from sequence 8 on") as caught:
        required_logs(layout, logs[:1], RANGE, RESETLOGS_ID, {1})
    assert caught.value.details["gaps"][0]["thread"] == 1


def test_store_fills_what_has_aged_out_of_the_control_file(layout, logs):
    store_log(layout, key(7), [logs[0]])
    required = required_logs(layout, logs[1:], RANGE, RESETLOGS_ID, {1})
    assert required[key(7)] == []
    assert not store_log(layout, key(7), required[key(7)]).changed


def test_chain_is_proved_from_the_stored_headers(layout, logs):
    stored = [store_log(layout, key(log.sequence), [log]) for log in logs]
    assert prove_stored(stored, RANGE, RESETLOGS_ID, {1}).complete
    with pytest.raises(BackupError, match="not complete in the redo store"):
        prove_stored(stored[:1], RANGE, RESETLOGS_ID, {1})
    assert [log.sequence for log in stored_logs(layout, RESETLOGS_ID)] == [7, 8]


def test_check_mode_view_tells_what_is_missing_and_writes_nothing(layout, logs):
    store_log(layout, key(7), [logs[0]])
    required = required_logs(layout, logs, RANGE, RESETLOGS_ID, {1})
    assert missing_from_store(layout, required) == [key(8)]
    planned = planned_log(layout, key(8), required[key(8)], True)
    assert (planned.changed, planned.digest, planned.first_scn) == (True, None, 2050)
    assert not layout.redo_path(*key(8)).exists()


def test_range_of_a_set_is_from_the_lowest_begin_to_its_end(make_host):
    host = make_host({"A": 2})
    with pytest.raises(PreconditionError, match="not finished"):
        range_of_set(JournalState())
    make_copied_set(host)
    assert range_of_set(host.state) == RANGE


def test_archived_through_is_the_slowest_thread(logs):
    assert archived_through(logs, {1}) == 2199
    assert archived_through(logs, {1, 2}) is None
    assert logs[0].sequence == FIRST_SEQUENCE
