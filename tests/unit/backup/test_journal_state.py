# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal's records add up to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import CompressedForm
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    WindowState,
    owned_windows,
    replay,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupStatus

from unit.backup.samples import DIGEST

AT = "2026-11-21T22:15:00.000000Z"


def record(event: str, **fields: Any) -> dict[str, Any]:
    return {"at": AT, "event": event, "run_id": "r1", **fields}


STARTED = record(
    "run_started",
    set_id="20261121T221500Z",
    dbid=17,
    db_unique_name="ORCL",
    resetlogs_id=77,
    host="dbhost01",
    pid=4711,
    startup_times=["2026-11-21T08:14:38"],
    policy={"tablespaces": [], "exclude": [], "query": ""},
)
INTENT = record("window_intent", tablespace="USERS", con_id=0, files=[3, 4], current_scn=4700)
OPENED = record("window_opened", tablespace="USERS", con_id=0, files={"3": 4711, "4": 4711})
CLOSING = record("window_closing", tablespace="USERS")
CLOSED = record("window_closed", tablespace="USERS", con_id=0, files=[3, 4], end_scn=4800, by="runner")


def copied(number: int = 3, **changes: Any) -> dict[str, Any]:
    fields = {
        "file_number": number,
        "tablespace": "USERS",
        "creation_scn": 30,
        "source": "/u01/users01.dbf",
        "path": f"datafiles/{number}_users01.dbf",
        "size_bytes": 8192,
        "digest": DIGEST,
        "chunk_digests": [DIGEST],
        "chunk_size_bytes": 67108864,
        "inode": 1,
        "mtime_ns": 2,
        "faults": [],
        "fault_count": 0,
        "begin_scn": 4711,
        "checkpoint_scn": 4711,
        "method": "backup_mode",
        "unrecoverable_scn": 0,
        "header": {},
    }
    return record("file_copied", **{**fields, **changes})


def status(**scns: int) -> dict[int, BackupStatus]:
    return {int(name[1:]): BackupStatus("ACTIVE", scn, None) for name, scn in scns.items()}


def test_empty_journal_is_the_empty_state() -> None:
    state = replay([])
    assert not state.exists and state.open_windows == () and state.begin_scn is None


def test_identity_and_policy_are_those_of_the_first_run() -> None:
    again = {**STARTED, "run_id": "r2", "policy": {"tablespaces": ["X"]}}
    state = replay([STARTED, again])
    assert (state.set_id, state.dbid, state.db_unique_name, state.resetlogs_id) == (
        "20261121T221500Z",
        17,
        "ORCL",
        77,
    )
    assert state.policy == STARTED["policy"]
    assert [run.run_id for run in state.runs] == ["r1", "r2"]
    assert state.runs[0].startup_times == ("2026-11-21T08:14:38",)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([INTENT], WindowState.INTENDED),
        ([INTENT, OPENED], WindowState.OPEN),
        ([INTENT, OPENED, CLOSING], WindowState.CLOSING),
    ],
    ids=["intended", "open", "closing"],
)
def test_window_that_is_not_known_to_be_closed_is_open(
    records: list[dict[str, Any]], expected: WindowState
) -> None:
    (window,) = replay([STARTED, *records]).open_windows
    assert window.state is expected


def test_closed_window_is_kept_with_who_closed_it() -> None:
    state = replay([STARTED, INTENT, OPENED, CLOSING, CLOSED])
    assert state.open_windows == ()
    assert (state.windows[0].closed_by, state.windows[0].end_scn, state.windows[0].begin_scn) == (
        "runner",
        4800,
        4711,
    )


def test_closing_twice_and_reopening_are_told_apart() -> None:
    state = replay([STARTED, INTENT, OPENED, CLOSED, CLOSED, INTENT])
    assert [window.state for window in state.windows] == [WindowState.CLOSED, WindowState.INTENDED]


def test_equal_names_in_two_containers_are_two_windows() -> None:
    other = {**INTENT, "con_id": 3, "files": [9]}
    state = replay([STARTED, INTENT, other, {**CLOSED, "con_id": 3}])
    assert [window.con_id for window in state.open_windows] == [0]


def test_last_copy_of_a_file_counts_and_a_discarded_one_does_not() -> None:
    state = replay([STARTED, copied(3), copied(3, begin_scn=4900), copied(4)])
    assert state.files[3].begin_scn == 4900
    state = replay([STARTED, copied(3), record("file_discarded", file_number=3, reason="restart")])
    assert state.files == {} and state.discarded == {3: "restart"}
    state = replay([STARTED, record("file_discarded", file_number=3, reason="restart"), copied(3)])
    assert state.discarded == {}


def test_begin_is_the_lowest_of_the_hot_copies() -> None:
    plain = copied(5, begin_scn=None, checkpoint_scn=10, method="plain_copy")
    assert replay([STARTED, copied(3), copied(4, begin_scn=4600), plain]).begin_scn == 4600
    assert replay([STARTED, plain]).begin_scn == 10


def test_control_file_is_forgotten_when_something_is_copied_after_it() -> None:
    saved = record("control_saved", files=[{"path": "control/control.ctl"}], control_scn=4900)
    assert replay([STARTED, copied(3), saved]).control is not None
    assert replay([STARTED, saved, copied(3)]).control is None
    assert replay([STARTED, saved, INTENT]).control is None


def test_redo_run_and_seal_are_noted() -> None:
    redo = record(
        "redo_copied",
        resetlogs_id=77,
        thread=1,
        sequence=11,
        first_scn="4000",
        next_scn=str(2**60),
        path="redo/77/t1/11.arc",
        size_bytes=1024,
        digest=DIGEST,
    )
    state = replay(
        [
            STARTED,
            record("run_copied", end_scn=4800),
            redo,
            record("run_ended"),
            record("sealed", manifest_digest=DIGEST),
        ]
    )
    assert state.redo[(77, 1, 11)].next_scn == 2**60
    assert (state.copied_end_scn, state.sealed, state.runs[0].outcome) == (4800, DIGEST, "ended")


def test_new_run_must_copy_to_its_end_again() -> None:
    assert (
        replay([STARTED, record("run_copied", end_scn=1), {**STARTED, "run_id": "r2"}]).copied_end_scn is None
    )


def test_failed_run_keeps_its_message() -> None:
    state = replay([STARTED, record("run_failed", msg="disk full")])
    assert (state.runs[0].outcome, state.runs[0].message) == ("failed", "disk full")


def test_unknown_events_are_passed_over() -> None:
    assert replay([STARTED, record("from_the_future", x=1)]).exists


@pytest.mark.parametrize(
    "bad",
    [
        copied(path="../../x"),
        copied(digest=None),
        copied(file_number="three"),
        record("window_opened", tablespace="USERS", files={"3": "x"}),
        {**STARTED, "dbid": 18},
    ],
    ids=["path", "digest", "number", "change number", "other database"],
)
def test_bad_record_is_refused_by_its_number(bad: dict[str, Any]) -> None:
    with pytest.raises(VerificationError, match="record 3"):
        replay([STARTED, INTENT, bad])


@pytest.mark.parametrize(
    ("records", "now", "ours", "foreign"),
    [
        pytest.param([INTENT, OPENED], status(f3=4711, f4=4711), 1, (), id="as recorded"),
        pytest.param([INTENT, OPENED], status(f3=4711), 1, (), id="partly ended"),
        pytest.param([INTENT, OPENED], status(f3=4999, f4=4999), 0, (3, 4), id="begun again by somebody"),
        pytest.param([INTENT], status(f3=4711, f4=4711), 1, (), id="killed before reading back"),
        pytest.param([INTENT], status(f3=4600, f4=4600), 0, (3, 4), id="begun before the intent"),
        pytest.param([INTENT, OPENED, CLOSED], status(f3=4711), 0, (3,), id="closed by us"),
        pytest.param([INTENT, OPENED], status(f3=4711, f9=1), 1, (9,), id="ours and another"),
        pytest.param([INTENT, OPENED], {}, 0, (), id="nothing active"),
    ],
)
def test_ownership(
    records: list[dict[str, Any]], now: dict[int, BackupStatus], ours: int, foreign: tuple[int, ...]
) -> None:
    found = owned_windows(replay([STARTED, *records]), now)
    assert (len(found.ours), found.foreign) == (ours, foreign)


def test_copies_of_versions_that_did_not_compress_are_stored_as_they_are() -> None:
    found = replay([STARTED, copied()]).files[3]
    assert (found.compression, found.stored_size_bytes, found.compressed) == ("none", 8192, None)


def test_how_a_copy_is_stored_is_read_back() -> None:
    fields = {"compression": "zstd", "stored_size_bytes": 517, "stored_digest": DIGEST}
    found = replay([STARTED, copied(**fields)]).files[3]
    assert (found.size_bytes, found.stored_size_bytes) == (8192, 517)
    assert found.compressed == CompressedForm(8192, DIGEST)


def test_unknown_compression_is_refused() -> None:
    with pytest.raises(VerificationError, match="compression must be one of none, zstd, found 'lzma'"):
        replay([STARTED, copied(compression="lzma")])
