# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trouble on demand, and what an instance does about it: failing and slow files, stops at steps, storms, clocks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode
from oracle_simulator.instance.cache.checkpoint import checkpoint_now
from oracle_simulator.instance.datafiles import online
from oracle_simulator.instance.faults import Action, Faults, FaultyDisk, Step, StepFault, When
from oracle_simulator.instance.faults.unsynced import UnsyncedWrites, lose_power
from oracle_simulator.instance.headers import backup_status
from oracle_simulator.instance.media_failure import CRASH_PARAMETER
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.instance.redo import redo_switch
from oracle_simulator.program.fault_desk import FaultDesk
from oracle_simulator.sql.session_registry import SessionRegistry
from oracle_simulator.storage.redo_log import read_records

from .conftest import WAIT, Lab, codes_of


def ask(lab: Lab, **request: Any) -> FaultDesk:
    desk = FaultDesk(lab.instance, SessionRegistry(lab.instance.wall_clock))
    desk.set(request)
    return desk


def alert(lab: Lab) -> str:
    return lab.home.alert_log.read_text(encoding="utf-8")


def wait_until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + WAIT
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


# ---------------------------------------------------------------- datafiles


@pytest.mark.parametrize(("trouble", "number"), [("error", 5), ("full", 28)])
def test_a_failed_write_of_a_datafile_ends_the_instance_and_loses_nothing(
    lab: Lab, trouble: str, number: int
) -> None:
    lab.fill(5, "before")
    ask(lab, io=trouble, on=str(lab.file().file_number), operations=["write"])
    assert codes_of(lambda: checkpoint_now(lab.instance))[:1] in [(1092,), (1114,)]
    assert lab.instance.terminated.wait(WAIT)
    said = alert(lab)
    assert "ORA-63999" in said
    assert "ORA-01114: IO error writing block to file" in said
    assert f"Linux-x86_64 Error: {number}:" in said
    lab.open()
    lab.assert_contents()


def test_or_the_file_goes_offline_where_that_is_wanted_and_is_recovered(lab: Lab) -> None:
    lab.instance.parameters.set(CRASH_PARAMETER, "FALSE")
    record = lab.file()
    lab.fill(5, "before")
    ask(lab, io="error", on=str(record.file_number), operations=["write"])
    checkpoint_now(lab.instance)
    assert record.status == "RECOVER"
    assert "Automatic datafile offline due to write error" in alert(lab)
    assert codes_of(lambda: lab.fill(1, "refused")) == (376, 1110)
    lab.fill(3, "elsewhere", "APP")
    ask(lab, repair=True)
    assert codes_of(lambda: online(lab.instance, [record])) == (1113, 1110)
    lab.recover_with_archives(RecoverySession(lab.instance, RecoverySpec((record.file_number,))))
    online(lab.instance, [record])
    lab.assert_contents()
    lab.fill(5, "after")
    lab.assert_contents()


@pytest.mark.parametrize("tablespace", ["SYSTEM", "UNDOTBS1"])
def test_system_and_undo_are_never_done_without(lab: Lab, tablespace: str) -> None:
    lab.instance.parameters.set(CRASH_PARAMETER, "FALSE")
    ask(lab, io="error", on=str(lab.file(tablespace).file_number), operations=["write"])
    assert codes_of(lambda: checkpoint_now(lab.instance)), "its header cannot be written"
    assert lab.instance.terminated.wait(WAIT)


def test_backup_mode_cannot_begin_on_a_failing_file(lab: Lab) -> None:
    ask(lab, io="error", on=lab.file().path, operations=["write"])
    assert codes_of(lambda: backup_mode.begin_tablespace(lab.instance, "USERS"))[:2] == (1114, 1110)
    assert lab.instance.terminated.wait(WAIT)
    lab.open()
    assert {row.status for row in backup_status(lab.instance)} == {"NOT ACTIVE"}


def test_a_failed_read_is_the_readers_trouble_alone(lab: Lab) -> None:
    file = lab.file().file_number
    ask(lab, io="error", on=str(file), operations=["read"], nth=2)

    def read(block: int) -> None:
        with lab.instance.latch:
            lab.instance.cache.get(file, block)

    assert codes_of(lambda: read(150)) == ()
    assert codes_of(lambda: read(151)) == (1115, 1110, 27072)
    ask(lab, repair=str(file))
    assert codes_of(lambda: read(151)) == ()


# ---------------------------------------------------------------- control files, logs, archive


def test_a_failed_write_of_one_control_file_ends_the_instance(lab: Lab) -> None:
    lab.fill(2, "before")
    ask(lab, io="error", on="control:2")
    assert codes_of(lambda: checkpoint_now(lab.instance))
    assert lab.instance.terminated.wait(WAIT)
    assert "ORA-00221" in alert(lab)
    lab.open()
    lab.assert_contents()


def test_a_failed_write_of_the_whole_current_group_ends_the_instance(lab: Lab) -> None:
    lab.fill(2, "before")
    ask(lab, io="error", on="redo:current", operations=["write"])
    assert codes_of(lambda: lab.fill(1, "never")) == (1092,)
    assert "ORA-00340" in alert(lab)
    lab.open()
    lab.assert_contents()


def test_redo_that_cannot_be_read_keeps_the_database_closed(lab: Lab) -> None:
    lab.fill(3, "before")
    lab.crash()
    lab.mount()
    ask(lab, io="error", on="redo:current", operations=["read"], nth=7)
    assert codes_of(lab.instance.open)[:2] == (333, 312)
    ask(lab, repair=True)
    lab.instance.open()
    lab.assert_contents()


def test_a_full_archive_destination_fails_the_archiver_until_there_is_room(lab: Lab) -> None:
    ask(lab, io="full", on="archive:1")
    lab.fill(2, "before")
    redo_switch.switch_logfile(lab.instance)
    assert wait_until(lambda: lab.instance.archiver.failed)
    assert "Linux-x86_64 Error: 28: No space left on device" in alert(lab)
    ask(lab, repair="archive:1")
    lab.archive_current()
    assert not lab.instance.archiver.failed


# ---------------------------------------------------------------- time


def test_a_slow_file_delays_its_reader_until_it_is_repaired(lab: Lab) -> None:
    file = lab.file().file_number
    ask(lab, io="slow", on=str(file), operations=["read"], seconds=600)
    done = threading.Event()

    def read() -> None:
        lab.instance.files.get(file).read_block(150)
        done.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert not done.is_set()
    ask(lab, repair=True)
    reader.join(WAIT)
    assert done.is_set()


def test_a_clock_set_back_leaves_the_scn_growing(lab: Lab) -> None:
    first = lab.fill(1, "before")
    ask(lab, clock_jump=-7200)
    second = lab.fill(1, "after")
    assert second > first
    records = [entry.record for entry in read_records(lab.instance.control.current_group.members[0])]
    times = {record.scn: record.time for record in records}
    assert times[second] < times[first] - timedelta(seconds=7000)
    assert lab.instance.wall_clock.now() < datetime.now() - timedelta(seconds=7000)


def test_until_time_stops_at_the_first_record_of_that_time_whatever_the_clock_did_later(lab: Lab) -> None:
    lab.instance.shutdown()
    lab.mount()
    copies = [(record, lab.copy(record)) for record in lab.all_files]
    lab.instance.open()
    lab.fill(2, "before")
    ask(lab, clock_jump=7200)
    ahead = lab.fill(1, "ahead")
    ask(lab, clock_jump=-7200)
    lab.fill(2, "back")
    lab.archive_current()
    lab.instance.shutdown()
    for record, copy in copies:
        lab.restore(record, copy)
    lab.mount()
    target = datetime.now().replace(microsecond=0) + timedelta(hours=1)
    lab.recover_with_archives(RecoverySession(lab.instance, RecoverySpec(until_time=target)))
    lab.instance.open(resetlogs=True)
    lab.assert_contents(before_scn=ahead)


def test_a_storm_of_redo_fills_and_switches_logs_and_ends(lab: Lab) -> None:
    lab.fill(3, "before")
    before = lab.instance.control.thread.sequence
    desk = ask(lab, redo_storm=50)
    assert wait_until(lambda: lab.instance.control.thread.sequence >= before + 3)
    desk.set({"redo_storm": 0})
    lab.crash()
    lab.open()
    lab.assert_contents()


# ---------------------------------------------------------------- steps


def status_of(lab: Lab, file_number: int) -> str:
    return next(row.status for row in backup_status(lab.instance) if row.file_number == file_number)


def test_whoever_comes_to_a_step_is_held_there_until_released(lab: Lab) -> None:
    record = lab.file()
    ask(lab, hold_at="end_backup.header", file=record.file_number)
    backup_mode.begin_tablespace(lab.instance, "USERS")
    ending = threading.Thread(target=lambda: backup_mode.end_tablespace(lab.instance, "USERS"))
    ending.start()
    held = lab.instance.faults.steps.wait_until_held(WAIT)
    assert held == (Step.END_BACKUP_HEADER, record.file_number, None)
    assert status_of(lab, record.file_number) == "ACTIVE"
    ask(lab, release=True)
    ending.join(WAIT)
    assert status_of(lab, record.file_number) == "NOT ACTIVE"


def test_a_crash_between_the_redo_and_the_header_of_end_backup_leaves_the_file_in_backup(lab: Lab) -> None:
    record = lab.file()
    backup_mode.begin_tablespace(lab.instance, "USERS")
    lab.fill(3, "during")
    ask(lab, hold_at="end_backup.header")
    ending = threading.Thread(
        target=lambda: codes_of(lambda: backup_mode.end_tablespace(lab.instance, "USERS"))
    )
    ending.start()
    assert lab.instance.faults.steps.wait_until_held(WAIT)
    lab.instance.save_control()  # as any log switch does
    lab.crash()
    ending.join(WAIT)
    lab.mount()
    assert codes_of(lab.instance.open) == (10873, 1110), "not 1113: it is the original"
    backup_mode.end_files(lab.instance, [lab.file()])
    lab.instance.open()
    lab.assert_contents()
    assert status_of(lab, record.file_number) == "NOT ACTIVE"


def test_a_kill_waits_for_the_occurrence_and_the_edge_it_was_armed_for() -> None:
    killed: list[str] = []
    faults = Faults(kill=lambda: killed.append("killed"))
    faults.steps.arm(StepFault(Step.REDO_WRITE, Action.KILL, When.AFTER, occurrence=2))
    for expected in ([], ["killed"]):
        with faults.steps.at(Step.REDO_WRITE):
            assert not killed
        assert killed == expected


# ---------------------------------------------------------------- lost power


def on_a_cord(tmp_path: Path) -> tuple[FaultyDisk, Path, Path]:
    folder = tmp_path / "unsynced"
    return FaultyDisk(Faults().files, UnsyncedWrites(folder)), folder, tmp_path / "file"


def test_lost_power_takes_back_to_the_last_sync_and_not_further(tmp_path: Path) -> None:
    disk, folder, path = on_a_cord(tmp_path)
    with disk.open(path, 0o102) as file:
        file.write_at(b"a" * 2000, 0)
        file.sync()
        file.write_at(b"b" * 1000, 500)
        file.write_at(b"c" * 3000, 1000)
        file.truncate(700)
    lose_power(folder)
    assert path.read_bytes() == b"a" * 2000


def test_a_new_file_that_was_never_synced_is_gone(tmp_path: Path) -> None:
    disk, folder, path = on_a_cord(tmp_path)
    disk.open(path, 0o102).close()
    assert path.exists()
    lose_power(folder)
    assert not path.exists()


def test_some_sectors_may_have_reached_the_disk_each_as_it_once_was(tmp_path: Path) -> None:
    seen = set()
    for seed in range(20):
        disk, folder, path = on_a_cord(tmp_path)
        with disk.open(path, 0o102) as file:
            file.write_at(b"0" * 2048, 0)
            file.sync()
            file.write_at(b"1" * 2048, 0)
            file.write_at(b"2" * 2048, 0)
        lose_power(folder, Random(seed))
        data = path.read_bytes()
        sectors = [data[start : start + 512] for start in range(0, 2048, 512)]
        assert all(sector in (b"0" * 512, b"1" * 512, b"2" * 512) for sector in sectors)
        seen.add(tuple(chr(sector[0]) for sector in sectors))
        path.unlink()
    assert len(seen) > 10, "the seeds pick different ones"


def test_the_operating_system_keeps_what_a_killed_process_wrote(tmp_path: Path) -> None:
    disk, folder, path = on_a_cord(tmp_path)
    with disk.open(path, 0o102) as file:
        file.write_at(b"a" * 100, 0)
    UnsyncedWrites(folder)  # the next instance starts: no power was lost
    assert lose_power(folder) == []
    assert path.read_bytes() == b"a" * 100


def test_words_nobody_knows_are_refused(lab: Lab) -> None:
    for request in ({"kill_at": "nowhere"}, {"io": "melt", "on": "4"}, {"hold_at": "redo.write", "nth": 0}):
        with pytest.raises(ValueError, match=r"is not a valid|number 1"):
            ask(lab, **request)
    with pytest.raises(OracleError, match="ORA-01516"):
        ask(lab, io="error", on="99")
