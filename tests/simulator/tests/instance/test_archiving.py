# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log switches, archiving and what a stuck archiver stops."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode
from oracle_simulator.instance.cache.changes import BlockChange, wait_durable, wait_for_space, write_changes
from oracle_simulator.instance.redo import redo_switch
from oracle_simulator.storage.redo_log import read_log_header, read_records
from oracle_simulator.storage.redo_record import Format, Put

from .conftest import FIRST_BLOCK, WAIT, Lab, codes_of


class Background:
    """An action in a thread of its own, and what came of it."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.codes: tuple[int, ...] = ()
        self._thread = threading.Thread(target=self._run, args=(action,), daemon=True)
        self._thread.start()

    def _run(self, action: Callable[[], object]) -> None:
        self.codes = codes_of(action)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> None:
        self._thread.join(WAIT)
        assert not self._thread.is_alive()


def wait_until(lab: Lab, condition: Callable[[], bool]) -> None:
    """Wait for a condition that the instance announces."""
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come"
        with lab.instance.latch:
            lab.instance.changed.wait(0.05)


def fill_until_stalled(lab: Lab) -> list[Background]:
    """Sessions that write until redo has no room; they are still waiting when this returns."""
    instance, file = lab.instance, lab.file().file_number

    def write() -> None:
        while True:
            with instance.latch:
                wait_for_space(instance)
                commit = write_changes(
                    instance,
                    [BlockChange(file, 190, Format(6, 1)), BlockChange(file, 190, Put(0, bytes(6000)))],
                )
            wait_durable(instance, commit.position)

    writers = [Background(write) for _round in range(2)]
    wait_until(lab, lambda: instance.log_switch_wait is not None and instance.archiver.failed)
    return writers


def test_switch_returns_at_once_and_archive_current_waits(lab: Lab) -> None:
    lab.instance.faults.stop_archiver()
    sequence = redo_switch.switch_logfile(lab.instance)
    group = next(group for group in lab.instance.control.redo_groups if group.sequence == sequence)
    assert not group.archived
    waiting = Background(lambda: redo_switch.archive_log_current(lab.instance))
    wait_until(lab, lambda: lab.instance.control.thread.sequence == sequence + 2)
    assert waiting.running
    lab.instance.faults.stop_archiver(False)
    waiting.join()
    assert waiting.codes == ()
    assert group.archived


def test_waiting_for_the_archiver_can_be_cancelled(lab: Lab) -> None:
    lab.instance.faults.stop_archiver()
    cancel = threading.Event()
    waiting = Background(lambda: redo_switch.archive_log_current(lab.instance, cancel.is_set))
    wait_until(lab, lambda: lab.instance.control.thread.sequence == 2)
    cancel.set()
    waiting.join()
    assert waiting.codes == (1013,)


def test_archived_logs_have_consecutive_ranges_and_the_right_size(lab: Lab) -> None:
    for number in range(4):
        lab.fill(5, f"log {number}")
        lab.archive_current()
    logs = sorted(lab.instance.control.archived_logs, key=lambda log: log.sequence)
    assert [log.sequence for log in logs] == [1, 2, 3, 4]
    for log, following in itertools.pairwise(logs):
        assert log.next_scn == following.first_scn
    for log in logs:
        assert log.name is not None
        path = Path(log.name)
        header = read_log_header(path)
        assert path.stat().st_size == (log.blocks + 1) * log.block_size
        assert (header.sequence, header.first_scn, header.next_scn) == (
            log.sequence,
            log.first_scn,
            log.next_scn,
        )
        assert all(log.first_scn <= entry.record.scn < log.next_scn for entry in read_records(path))


def test_a_log_being_archived_is_visible_half_written(lab: Lab) -> None:
    lab.grow_redo(600_000)
    instance = lab.instance
    instance.faults.set_archiver_delay(600.0)
    redo_switch.switch_logfile(instance)
    name = instance.parameters.archived_log_name(1, 1, instance.control.database.resetlogs_id)
    path = lab.home.archive_folder / name
    wait_until(lab, lambda: path.exists() and path.stat().st_size >= 2 * 512)  # its header is there
    blocks = read_log_header(path).next_available_block
    assert blocks is not None and path.stat().st_size < blocks * 512
    assert not instance.control.archived_logs


def test_archive_all_archives_what_is_full(lab: Lab) -> None:
    assert codes_of(lambda: redo_switch.archive_log_all(lab.instance)) == (271,)
    assert codes_of(lambda: redo_switch.archive_log_next(lab.instance)) == (271,)
    lab.instance.faults.stop_archiver()
    redo_switch.switch_logfile(lab.instance)
    lab.fill(1, "x")
    redo_switch.archive_log_all(lab.instance)
    assert [log.sequence for log in lab.instance.control.archived_logs] == [1]
    current = lab.instance.control.thread.sequence
    assert codes_of(lambda: redo_switch.archive_log_sequence(lab.instance, 1)) == (16013,)
    assert codes_of(lambda: redo_switch.archive_log_sequence(lab.instance, current)) == (259,)


def test_noarchivelog_switches_but_does_not_archive(lab: Lab) -> None:
    lab.instance.shutdown()
    lab.mount().control.database.log_mode = "NOARCHIVELOG"
    lab.instance.open()
    for _round in range(5):
        redo_switch.switch_logfile(lab.instance)
    assert codes_of(lambda: redo_switch.archive_log_current(lab.instance)) == (258,)
    assert lab.instance.archiver.status == "STOPPED"
    lab.fill(5, "x")
    lab.crash()
    lab.open()
    lab.assert_contents()


@pytest.mark.covers("2.7/connection-gone/ORA-01092")
def test_a_full_destination_stalls_the_database_until_it_has_room(lab: Lab) -> None:
    instance = lab.instance
    instance.faults.fail_destination(1)
    writers = fill_until_stalled(lab)
    assert instance.log_switch_wait == "ARCHIVE LOG"
    assert instance.archiver.status == "FAILED" and instance.archiver.stuck
    error = instance.archiver.destination(1).error
    assert error is not None and error.startswith("ORA-19504: failed to create file")
    assert "ORA-00270" in instance.log.path.read_text()
    with instance.latch:
        cancelled = codes_of(lambda: wait_for_space(instance, lambda: True))
    assert cancelled == (1013,)
    instance.faults.fail_destination(1, None)
    wait_until(lab, lambda: instance.log_switch_wait is None)
    assert instance.archiver.status == "STARTED"
    sequence = instance.control.thread.sequence
    wait_until(lab, lambda: instance.control.thread.sequence > sequence)
    lab.crash()
    for writer in writers:
        writer.join()
        assert writer.codes == (1092,)
    lab.open()


def test_backup_mode_cannot_begin_while_redo_is_stuck(lab: Lab) -> None:
    instance = lab.instance
    lab.instance.faults.stop_archiver()
    for _round in range(2):
        redo_switch.switch_logfile(instance)
    switch = Background(lambda: redo_switch.switch_logfile(instance))
    wait_until(lab, lambda: instance.log_switch_wait == "ARCHIVE LOG")
    # Redo still fits the current log: backup mode works, as on Oracle, until that is full too.
    backup_mode.begin_tablespace(instance, "USERS")
    backup_mode.end_tablespace(instance, "USERS")
    instance.faults.stop_archiver(False)
    switch.join()


def test_a_mandatory_destination_must_take_every_log(lab: Lab) -> None:
    second = lab.home.root / "second"
    second.mkdir()
    instance = lab.instance
    instance.parameters.set("log_archive_dest_2", f"LOCATION={second} OPTIONAL")
    instance.faults.fail_destination(2)
    lab.archive_current()
    assert [log.dest_id for log in instance.control.archived_logs] == [1]
    assert instance.archiver.status == "STARTED"
    instance.parameters.set("log_archive_dest_2", f"LOCATION={second} MANDATORY")
    redo_switch.switch_logfile(instance)
    wait_until(lab, lambda: instance.archiver.failed)
    instance.faults.fail_destination(2, None)
    lab.archive_current()
    assert {log.dest_id for log in instance.control.archived_logs if log.sequence == 2} == {1, 2}


def test_open_after_a_crash_fails_when_no_log_can_be_archived(lab: Lab) -> None:
    instance = lab.instance
    instance.faults.stop_archiver()
    for _round in range(2):
        redo_switch.switch_logfile(instance)
    lab.crash()
    lab.mount()
    lab.instance.faults.fail_destination(1)
    assert codes_of(lab.instance.open)[0] == 16038
    lab.open()


def test_throughput_of_small_commits(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """1500 commits a second from four sessions, not counting the disk."""
    monkeypatch.setattr("os.fdatasync", lambda _fd: None)
    monkeypatch.setattr("os.fsync", lambda _fd: None)
    instance, file = lab.instance, lab.file().file_number
    count = 750

    def session(block: int) -> None:
        for number in range(count):
            with instance.latch:
                wait_for_space(instance)
                changes = [BlockChange(file, block, Put(number % 50, b"row of a table" * 4))]
                if number == 0:
                    changes.insert(0, BlockChange(file, block, Format(6, 1)))
                commit = write_changes(instance, changes)
            wait_durable(instance, commit.position)

    started = time.process_time()
    sessions = [Background(partial(session, block)) for block in range(150, 154)]
    for one in sessions:
        one.join()
    # Processor time, so that a busy machine does not fail the test.
    assert 4 * count / (time.process_time() - started) > 1500


def test_an_idle_instance_uses_no_processor_time(lab: Lab) -> None:
    lab.fill(5, "x")
    wait_until(lab, lambda: not lab.instance.cache.dirty)
    before = time.process_time()
    threading.Event().wait(1.0)
    assert time.process_time() - before < 0.05


def test_a_cancelled_wait_for_durability_says_so(lab: Lab) -> None:
    instance = lab.instance
    instance.faults.stop_archiver()
    redo_switch.switch_logfile(instance)
    redo_switch.switch_logfile(instance)
    switch = Background(lambda: redo_switch.switch_logfile(instance))
    wait_until(lab, lambda: instance.log_switch_wait is not None)
    with pytest.raises(OracleError) as caught:
        wait_durable(instance, instance.redo.appended_position + 100, lambda: True)
    assert caught.value.codes == (1013,)
    lab.put((lab.file().file_number, FIRST_BLOCK, 0), b"fits the current log")
    instance.faults.stop_archiver(False)
    switch.join()
