# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log switches and the wait for the archiver, with a clock that only our pauses move."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    OracleRefused,
    PreconditionError,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    ArchivedLog,
    CurrentLog,
    Database,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle import redo
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import read_database

from unit.oracle.fake_database import FakeDatabase, driver_error


class Clock:
    """Time that passes in pauses; ``happens[n]`` is called before the n-th look after the first."""

    def __init__(self, *happens: Callable[[], None]) -> None:
        self.now = 0.0
        self._happens = list(happens)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)
        if self._happens:
            self._happens.pop(0)()


def nothing() -> None:
    return None


def database_of(fake: FakeDatabase) -> Database:
    return read_database(fake.gateway, sleep=lambda _seconds: None)


def wait(fake: FakeDatabase, clock: Clock, *names: tuple[int, int], **options: object) -> list[ArchivedLog]:
    return redo.wait_until_archived(
        fake.gateway,
        names,
        clock=clock,
        sleep=clock.sleep,
        resetlogs_id=77,
        **options,  # type: ignore[arg-type]  # each test names the options it is about
    )


def test_switch_returns_the_logs_that_were_current() -> None:
    fake = FakeDatabase()
    left = redo.switch_logs(fake.gateway, database_of(fake), 60)
    assert left == [CurrentLog(1, 11, 4800)]
    assert fake.gateway.statements == ["ALTER SYSTEM ARCHIVE LOG CURRENT"]
    assert fake.connection.timeouts == [60_000]
    assert redo.current_logs(fake.gateway) == [CurrentLog(1, 12, 5010)]


def test_switch_that_happened_although_the_call_timed_out_counts() -> None:
    fake = FakeDatabase()

    def late(_statement: str) -> None:
        fake.switch_log(archived=False)
        raise driver_error("DPY-4024: call timeout", full_code="DPY-4024")

    fake.connection.react = late
    assert redo.switch_logs(fake.gateway, database_of(fake), 1) == [CurrentLog(1, 11, 4800)]


def test_switch_that_did_not_happen_reports_the_archiver() -> None:
    fake = FakeDatabase()
    fake.views["gv$archive_dest"][0].update({"status": "ERROR", "error": "ORA-19502: write error on file"})
    fake.refusals["ALTER SYSTEM"] = driver_error("DPY-4024: call timeout", full_code="DPY-4024")
    with pytest.raises(WaitTimeout, match="ORA-19502") as caught:
        redo.switch_logs(fake.gateway, database_of(fake), 1)
    assert "ORA-19502" in caught.value.details["last_observation"]


def test_noarchivelog_switches_the_only_thread() -> None:
    fake = FakeDatabase()
    fake.database_row["log_mode"] = "NOARCHIVELOG"
    redo.switch_logs(fake.gateway, database_of(fake), 1)
    assert fake.gateway.statements == ["ALTER SYSTEM SWITCH LOGFILE"]


def test_noarchivelog_with_several_threads_is_refused() -> None:
    fake = FakeDatabase()
    fake.database_row["log_mode"] = "NOARCHIVELOG"
    fake.views["v$thread"].append({**fake.views["v$thread"][0], "thread#": 2})
    with pytest.raises(PreconditionError):
        redo.switch_logs(fake.gateway, database_of(fake), 1)


def test_wait_returns_at_once_what_is_archived() -> None:
    clock = Clock()
    assert [log.sequence for log in wait(FakeDatabase(), clock, (1, 10))] == [10]
    assert clock.now == 0


def test_wait_goes_on_while_logs_keep_coming() -> None:
    fake = FakeDatabase()
    archive = fake.views["v$archived_log"].append
    clock = Clock(
        lambda: archive(fake.archived(11, 4800, 4900)),
        nothing,
        nothing,
        lambda: archive(fake.archived(12, 4900, 5000)),
    )
    seen: list[int] = []
    found = wait(
        fake,
        clock,
        (1, 11),
        (1, 12),
        timeout=8,
        interval=2,
        on_progress=lambda progress: seen.append(progress.archived),
    )
    assert [log.sequence for log in found] == [11, 12]
    assert seen[0] == 0 and seen[-1] == 1
    assert clock.now > 8


def test_wait_without_progress_ends_with_the_last_observation() -> None:
    with pytest.raises(WaitTimeout, match="thread 1 sequence 11") as caught:
        wait(FakeDatabase(), Clock(), (1, 10), (1, 11), timeout=5)
    assert caught.value.details["last_observation"] == {
        "archived": 1,
        "wanted": 2,
        "missing": [{"thread": 1, "sequence": 11}],
        "archiver": "the archiver reports no error",
    }


@pytest.mark.parametrize(
    ("view", "change"),
    [
        ("gv$instance", {"archiver": "FAILED"}),
        ("gv$archive_dest", {"status": "ERROR", "error": "ORA-19809: limit exceeded for recovery files"}),
        ("gv$archive_dest", {"status": "FULL", "error": None}),
    ],
    ids=["archiver failed", "destination in error", "destination full"],
)
def test_failing_archiver_ends_the_wait_early(view: str, change: dict[str, object]) -> None:
    fake = FakeDatabase()
    fake.views[view][0].update(change)
    clock = Clock()
    with pytest.raises(OracleRefused):
        wait(fake, clock, (1, 11), timeout=600)
    assert clock.now < 10


def test_failure_that_is_over_at_the_next_look_does_not_end_the_wait() -> None:
    fake = FakeDatabase()
    row = fake.views["gv$instance"][0]
    row["archiver"] = "FAILED"

    def repaired() -> None:
        row["archiver"] = "STARTED"
        fake.switch_log()

    assert [log.sequence for log in wait(fake, Clock(repaired), (1, 11))] == [11]


def test_error_of_a_destination_that_is_not_wanted_does_not_matter() -> None:
    fake = FakeDatabase()
    broken = {"dest_id": 2, "status": "ERROR", "error": "ORA-12541: no listener"}
    fake.views["gv$archive_dest"].append({**fake.views["gv$archive_dest"][0], **broken})
    assert redo.archiver_trouble(fake.gateway) == ""
    assert "ORA-12541" in redo.archiver_trouble(fake.gateway, [2])


def test_only_copies_in_wanted_destinations_count() -> None:
    with pytest.raises(WaitTimeout):
        wait(FakeDatabase(), Clock(), (1, 10), dest_ids=[2], timeout=1)


def test_log_whose_copies_were_removed_is_an_error_at_once() -> None:
    fake = FakeDatabase()
    fake.views["v$archived_log"] = [fake.archived(10, 4000, 4800, deleted="YES")]
    with pytest.raises(BackupError, match="gone"):
        wait(fake, Clock(), (1, 10))


def test_copy_whose_file_is_shorter_than_it_must_be_does_not_count(tmp_path: Path) -> None:
    fake = FakeDatabase()
    file = tmp_path / "1_10.arc"
    file.write_bytes(b"x" * 512)
    fake.views["v$archived_log"] = [fake.archived(10, 4000, 4800, name=str(file), blocks=3)]

    def finish() -> None:
        file.write_bytes(b"x" * 2048)

    clock = Clock(nothing, finish)
    assert [log.sequence for log in wait(fake, clock, (1, 10))] == [10]
    assert clock.now > 0


def test_redo_still_in_a_current_log_cannot_be_waited_for() -> None:
    fake = FakeDatabase()
    with pytest.raises(PreconditionError, match="log_switch"):
        redo.unarchived_logs(fake.gateway, database_of(fake), 4900)


def test_redo_through_an_scn_is_the_log_that_holds_it_and_older_ones_not_archived() -> None:
    fake = FakeDatabase()
    fake.switch_log(archived=False)
    assert redo.unarchived_logs(fake.gateway, database_of(fake), 4900) == [CurrentLog(1, 11, 4800)]
    assert redo.unarchived_logs(fake.gateway, database_of(fake), 4100) == [CurrentLog(1, 10, 4000)]
