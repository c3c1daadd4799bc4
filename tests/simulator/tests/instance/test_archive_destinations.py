# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several archive destinations: which of them a log must reach, and what happens when one fails."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.archiving.archive_destinations import ArchiveDestination, parse_destination
from oracle_simulator.instance.parameter_changes import change_parameter, check_at_startup
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.instance.readings import Readings
from oracle_simulator.instance.redo import redo_switch
from oracle_simulator.storage.redo_log import read_records

from .conftest import Lab, codes_of
from .test_archiving import Background, wait_until


def folder(lab: Lab, name: str) -> Path:
    path = lab.home.root / name
    path.mkdir()
    return path


def copies(lab: Lab, sequence: int) -> set[int]:
    """The destinations whose copy of a log is registered; each file is there and whole."""
    found = [log for log in lab.instance.control.archived_logs if log.sequence == sequence]
    for log in found:
        assert log.name is not None
        assert Path(log.name).stat().st_size == (log.blocks + 1) * log.block_size
    return {log.dest_id for log in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LOCATION=/a", ArchiveDestination(1, "/a")),
        ('location="/a b" mandatory', ArchiveDestination(1, "/a b", mandatory=True)),
        ("LOCATION=/a OPTIONAL REOPEN=60", ArchiveDestination(1, "/a", reopen_seconds=60)),
        ("LOCATION=/a NOREOPEN", ArchiveDestination(1, "/a", reopen_seconds=0)),
        (
            "LOCATION=/a REOPEN=5 MAX_FAILURE=3 ALTERNATE=LOG_ARCHIVE_DEST_2",
            ArchiveDestination(1, "/a", reopen_seconds=5, max_failure=3, alternate=2),
        ),
        (
            "LOCATION=USE_DB_RECOVERY_FILE_DEST VALID_FOR=(ALL_ROLES, ONLINE_LOGFILES)",
            ArchiveDestination(1, "USE_DB_RECOVERY_FILE_DEST", valid_for=("ONLINE_LOGFILES", "ALL_ROLES")),
        ),
        ("SERVICE=standby ASYNC", ArchiveDestination(1, "standby", remote=True)),
    ],
)
def test_what_a_destination_says(text: str, expected: ArchiveDestination) -> None:
    assert parse_destination(1, text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/a", 16024),
        ("MANDATORY", 16024),
        ("LOCATION=/a SERVICE=b", 16024),
        ("LOCATION=/a LOUDLY", 16024),
        ("LOCATION=/a MANDATORY OPTIONAL", 16025),
        ("LOCATION=/a LOCATION=/b", 16025),
        ("LOCATION=/a MAX_FAILURE=1 NOREOPEN", 16025),
        ("LOCATION=/a REOPEN=soon", 16026),
        ("LOCATION=/a ALTERNATE=2", 16026),
    ],
)
def test_a_destination_nobody_understands(text: str, code: int) -> None:
    with pytest.raises(OracleError) as caught:
        parse_destination(1, text)
    assert caught.value.code == code


def test_what_alter_system_refuses(lab: Lab) -> None:
    def refusal(name: str, value: str) -> tuple[int, ...]:
        before = lab.instance.parameters.get(name)
        codes = codes_of(lambda: change_parameter(lab.instance, name, value))
        assert lab.instance.parameters.get(name) == before
        return codes

    assert refusal("log_archive_dest_2", "LOCATION=/no/such/folder") == (2097, 16032, 7286)
    assert refusal("log_archive_dest_2", "LOCATION=USE_DB_RECOVERY_FILE_DEST") == (2097, 16032, 19801)
    assert refusal("log_archive_dest_2", "here") == (2097, 16024)
    assert refusal("log_archive_dest_1", "") == (2097, 16028)
    assert refusal("log_archive_dest_state_1", "defer") == (2097, 16028)
    assert refusal("log_archive_dest_state_1", "off") == (2097, 96)
    assert refusal("log_archive_min_succeed_dest", "2") == (2097, 16020)
    assert refusal("log_archive_dest", str(lab.home.root)) == (2097, 16019)
    assert refusal("archive_lag_target", "59") == (2097, 68)
    assert refusal("db_recovery_file_dest", "/no/such/folder") == (2097, 1261, 1262)
    assert refusal("db_recovery_file_dest", str(lab.home.root)) == (2097, 19802)
    assert refusal("log_archive_format", "%s.arc") == (2095,)


def test_startup_looks_at_the_parameters_of_archiving() -> None:
    def refusal(**settings: str) -> tuple[int, ...]:
        return codes_of(lambda: check_at_startup(Parameters(settings)))

    assert refusal() == ()
    assert refusal(log_archive_format="%s_%t.arc") == (19905,)
    assert refusal(log_archive_dest_1="LOCATION=/not/looked/at") == ()
    assert refusal(log_archive_dest_1="LOCATION=/a", log_archive_min_succeed_dest="2") == (16020,)
    assert refusal(log_archive_dest_1="LOCATION=/a", log_archive_dest="/b") == (16019,)


def test_every_destination_gets_its_copy_and_its_row(lab: Lab) -> None:
    second, third = folder(lab, "second"), folder(lab, "third")
    change_parameter(lab.instance, "log_archive_dest_2", f"LOCATION={second} MANDATORY")
    change_parameter(lab.instance, "log_archive_dest_3", f"LOCATION={third}")
    change_parameter(lab.instance, "log_archive_dest_state_3", "DEFER")
    lab.fill(5, "two")
    redo_switch.archive_log_current(lab.instance)
    wait_until(lab, lambda: copies(lab, 1) == {1, 2})
    assert not list(third.iterdir())
    change_parameter(lab.instance, "log_archive_dest_state_3", "enable")
    redo_switch.archive_log_current(lab.instance)
    wait_until(lab, lambda: copies(lab, 2) == {1, 2, 3})
    first = lab.home.archive_folder
    names = [sorted(path.name for path in place.iterdir()) for place in (first, second, third)]
    assert names[0] == names[1] and names[2] == names[0][1:]
    for name in names[0]:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_an_optional_destination_that_failed_misses_the_log_for_ever(lab: Lab) -> None:
    instance, second = lab.instance, folder(lab, "second")
    change_parameter(instance, "log_archive_dest_2", f"LOCATION={second} REOPEN=3600")
    instance.faults.fail_destination(2)
    redo_switch.archive_log_current(instance)
    wait_until(lab, lambda: instance.archiver.destination(2).error is not None)
    status = instance.archiver.destination(2)
    assert status.error is not None and status.error.startswith("ORA-19504")
    assert (status.fail_sequence, status.failures) == (1, 1)
    assert instance.archiver.status == "STARTED"
    # Until REOPEN has passed it isn't even tried.
    redo_switch.archive_log_current(instance)
    wait_until(lab, lambda: not instance.archiver.unarchived())
    assert instance.archiver.destination(2).failures == 1
    instance.faults.fail_destination(2, None)
    for _round in range(3):
        redo_switch.archive_log_current(instance)
    wait_until(lab, lambda: not instance.archiver.unarchived())
    assert [copies(lab, sequence) for sequence in range(1, 6)] == [{1}, {1}, {1, 2}, {1, 2}, {1, 2}]
    assert all(group.sequence > 2 for group in instance.control.redo_groups)


def test_a_mandatory_destination_that_fails_keeps_the_log_and_stalls_the_database(lab: Lab) -> None:
    instance, second = lab.instance, folder(lab, "second")
    change_parameter(instance, "log_archive_dest_2", f"LOCATION={second} MANDATORY REOPEN=1")
    shutil.rmtree(second)
    for _round in range(2):
        redo_switch.switch_logfile(instance)
    third = Background(lambda: redo_switch.switch_logfile(instance))
    wait_until(lab, lambda: instance.log_switch_wait == "ARCHIVE LOG")
    assert instance.archiver.status == "FAILED" and instance.archiver.stuck
    # The other destination has its copy, and its row, long before the log may be overwritten.
    assert copies(lab, 1) == {1}
    assert not next(group for group in instance.control.redo_groups if group.sequence == 1).archived
    second.mkdir()
    third.join()
    assert third.codes == ()
    wait_until(lab, lambda: not instance.archiver.unarchived())
    assert [copies(lab, sequence) for sequence in (1, 2, 3)] == [{1, 2}] * 3
    log = instance.log.path.read_text()
    for code in ("ORA-16038", "ORA-19504", "ORA-27040", "ORA-00312", "ORA-00270"):
        assert code in log


def test_deferring_a_mandatory_destination_gives_it_up(lab: Lab) -> None:
    instance, second = lab.instance, folder(lab, "second")
    change_parameter(instance, "log_archive_dest_2", f"LOCATION={second} MANDATORY")
    instance.faults.fail_destination(2)
    redo_switch.switch_logfile(instance)
    wait_until(lab, lambda: instance.archiver.failed)
    change_parameter(instance, "log_archive_dest_state_2", "defer")
    wait_until(lab, lambda: not instance.archiver.failed)
    assert copies(lab, 1) == {1}


def test_so_many_destinations_must_succeed(lab: Lab) -> None:
    instance = lab.instance
    for number in (2, 3):
        change_parameter(instance, f"log_archive_dest_{number}", f"LOCATION={folder(lab, str(number))}")
    change_parameter(instance, "log_archive_min_succeed_dest", "2")
    instance.faults.fail_destination(2)
    lab.archive_current()
    wait_until(lab, lambda: copies(lab, 1) == {1, 3})
    instance.faults.fail_destination(3)
    redo_switch.switch_logfile(instance)
    wait_until(lab, lambda: instance.archiver.failed)
    assert copies(lab, 2) == {1}
    change_parameter(instance, "log_archive_min_succeed_dest", "1")
    wait_until(lab, lambda: not instance.archiver.unarchived())


def test_an_alternate_takes_the_place_of_a_disabled_destination(lab: Lab) -> None:
    instance = lab.instance
    second, third = folder(lab, "second"), folder(lab, "third")
    change_parameter(
        instance, "log_archive_dest_2", f"LOCATION={second} MANDATORY NOREOPEN ALTERNATE=LOG_ARCHIVE_DEST_3"
    )
    change_parameter(instance, "log_archive_dest_state_3", "ALTERNATE")
    change_parameter(instance, "log_archive_dest_3", f"LOCATION={third} MANDATORY")
    lab.archive_current()
    wait_until(lab, lambda: copies(lab, 1) == {1, 2})
    instance.faults.fail_destination(2)
    lab.archive_current()
    wait_until(lab, lambda: copies(lab, 2) == {1, 3})
    assert instance.archiver.destination(2).disabled
    instance.faults.fail_destination(2, None)
    lab.archive_current()
    wait_until(lab, lambda: copies(lab, 3) == {1, 3})
    change_parameter(instance, "log_archive_dest_state_2", "ENABLE")
    lab.archive_current()
    wait_until(lab, lambda: copies(lab, 4) == {1, 2})


def test_no_destination_may_be_tried(lab: Lab) -> None:
    instance = lab.instance
    change_parameter(instance, "log_archive_dest_1", f"LOCATION={lab.home.archive_folder} REOPEN=3600")
    instance.faults.fail_destination(1)
    redo_switch.switch_logfile(instance)
    wait_until(lab, lambda: instance.archiver.failed)
    assert codes_of(lambda: redo_switch.archive_log_all(instance)) == (16014, 312)


@pytest.mark.parametrize("awaits_optional", [False, True])
def test_whether_optional_destinations_are_awaited_is_a_reading(lab: Lab, awaits_optional: bool) -> None:
    lab.readings = Readings(archive_current_awaits_optional=awaits_optional)
    lab.instance.shutdown()
    instance = lab.open()
    second = folder(lab, "second")
    change_parameter(instance, "log_archive_dest_1", f"LOCATION={lab.home.archive_folder} MANDATORY")
    change_parameter(instance, "log_archive_dest_2", f"LOCATION={second}")
    instance.faults.set_archiver_delay(600.0, dest_id=2)
    statement = Background(lambda: redo_switch.archive_log_current(instance))
    wait_until(lab, lambda: copies(lab, 1) == {1} and any(second.iterdir()))
    if awaits_optional:
        threading.Event().wait(0.3)
        assert statement.running
    else:
        statement.join()
    assert copies(lab, 1) == {1}
    # Either way the log is not overwritten while a copy of it is being made.
    assert not next(group for group in instance.control.redo_groups if group.sequence == 1).archived
    instance.faults.set_archiver_delay(0.0, dest_id=2)
    lab.down()
    statement.join()


def test_a_log_can_be_archived_to_another_place_by_hand(lab: Lab) -> None:
    instance, other = lab.instance, folder(lab, "other")
    instance.faults.stop_archiver()
    redo_switch.switch_logfile(instance)
    redo_switch.archive_log_sequence(instance, 1, to=str(other))
    (log,) = instance.control.archived_logs
    assert log.name is not None and Path(log.name).parent == other
    assert log.dest_id == 0
    assert not instance.archiver.unarchived()
    assert not list(lab.home.archive_folder.iterdir())
    redo_switch.switch_logfile(instance)
    missing = lab.home.root / "missing"
    assert codes_of(lambda: redo_switch.archive_log_all(instance, to=str(missing))) == (
        16038,
        19504,
        27040,
        312,
    )


def test_without_any_destination_logs_go_to_the_default_of_oracle_home(lab: Lab) -> None:
    lab.instance.shutdown()
    text = lab.home.parameter_file.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines(keepends=True) if "log_archive_dest_1" not in line]
    lab.home.parameter_file.write_text("".join(kept), encoding="utf-8")
    lab.open()
    lab.archive_current()
    (log,) = lab.instance.control.archived_logs
    assert log.name is not None and log.name.startswith(f"{lab.home.dbs}/arch1_1_")
    assert Path(log.name).is_file()


def test_a_remote_destination_is_out_of_reach_and_counts_for_nothing(lab: Lab) -> None:
    instance = lab.instance
    change_parameter(instance, "log_archive_dest_2", "SERVICE=elsewhere ASYNC")
    lab.archive_current()
    wait_until(lab, lambda: instance.archiver.destination(2).error is not None)
    assert (instance.archiver.destination(2).error or "").startswith("ORA-12154")
    assert copies(lab, 1) == {1}
    refused = codes_of(lambda: change_parameter(instance, "log_archive_min_succeed_dest", "2"))
    assert refused == (2097, 16020)


def test_a_late_log_is_switched_by_time(lab: Lab) -> None:
    instance = lab.instance
    sequence = instance.control.thread.sequence
    instance.wall_clock.jump(61)
    change_parameter(instance, "archive_lag_target", "120")
    assert instance.control.thread.sequence == sequence
    instance.wall_clock.jump(60)
    change_parameter(instance, "archive_lag_target", "60")  # and so it looks at the clock again
    wait_until(lab, lambda: instance.control.thread.sequence == sequence + 1)
    wait_until(lab, lambda: copies(lab, sequence) == {1})
    assert instance.control.thread.sequence == sequence + 1


def test_the_current_log_of_a_mounted_database_is_archived_without_a_switch(lab: Lab) -> None:
    lab.archive_current()
    scn = lab.fill(9, "still current")
    lab.crash()
    lab.mount()
    redo_switch.archive_log_noswitch(lab.instance)
    last = max(lab.instance.control.archived_logs, key=lambda log: log.sequence)
    current = lab.instance.control.current_group
    assert (last.sequence, last.first_scn) == (current.sequence, current.first_scn)
    assert last.next_scn > scn
    assert max(entry.record.scn for entry in read_records(last.name or "")) >= scn
    lab.instance.open()
    lab.assert_contents()
