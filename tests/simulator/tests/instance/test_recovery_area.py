# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast recovery area: its names, its books, what fills it and what empties it; and records that age out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import ArchivedLogRecord
from oracle_simulator.instance.parameter_changes import change_parameter
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.instance.redo import redo_switch
from oracle_simulator.program.rman import run_command
from oracle_simulator.storage.oracle_time import encode_time

from .conftest import MIB, Lab, codes_of
from .test_archiving import wait_until


@pytest.fixture
def area(lab: Lab) -> Path:
    """The laboratory archives into a recovery area of two megabytes; returns its folder."""
    folder = lab.home.root / "fra"
    folder.mkdir()
    change_parameter(lab.instance, "db_recovery_file_dest_size", "2M")
    change_parameter(lab.instance, "db_recovery_file_dest", str(folder))
    change_parameter(lab.instance, "log_archive_dest_1", "LOCATION=USE_DB_RECOVERY_FILE_DEST")
    return folder


def used(lab: Lab) -> tuple[int, int, int]:
    """(bytes used, bytes reclaimable, files) by the books."""
    with lab.instance.latch:
        usage = lab.instance.recovery_area.usage()
    return (
        sum(each.used for each in usage),
        sum(each.reclaimable for each in usage),
        sum(each.files for each in usage),
    )


def on_disk(area: Path) -> int:
    return sum(path.stat().st_size for path in area.rglob("*.arc"))


def fill(lab: Lab) -> None:
    """Archive logs of half a megabyte until the area takes no more."""
    while not lab.instance.archiver.failed:
        count = len(lab.instance.control.archived_logs)
        lab.grow_redo(600_000)
        redo_switch.switch_logfile(lab.instance)
        wait_until(lab, partial(_archived_or_failed, lab, count))


def _archived_or_failed(lab: Lab, count: int) -> bool:
    return lab.instance.archiver.failed or len(lab.instance.control.archived_logs) > count


def test_logs_in_the_area_have_managed_names_and_are_accounted_for(lab: Lab, area: Path) -> None:
    lab.fill(5, "managed")
    lab.archive_current()
    (log,) = lab.instance.control.archived_logs
    assert log.name is not None and log.in_recovery_area
    relative = str(Path(log.name).relative_to(area))
    day = datetime.now().strftime("%Y_%m_%d")
    assert re.fullmatch(rf"LAB/archivelog/{day}/o1_mf_1_1_[a-z0-9]{{8}}_\.arc", relative)
    assert used(lab) == (on_disk(area), 0, 1)


def test_a_full_area_stops_the_archiver_until_rman_makes_room(lab: Lab, area: Path) -> None:
    fill(lab)
    instance = lab.instance
    assert on_disk(area) <= 2 * MIB
    error = instance.archiver.destination(1).error
    assert error == "ORA-19809: limit exceeded for recovery files"
    alert = instance.log.path.read_text()
    for code in ("ORA-16038", "ORA-19809", "ORA-19804: cannot reclaim", "ORA-19815: WARNING"):
        assert code in alert
    assert codes_of(lambda: redo_switch.archive_log_all(instance)) == (16014, 312)
    # An operating system command empties the folder, not the books.
    before = used(lab)
    for path in area.rglob("*.arc"):
        path.unlink()
    instance.archiver.retry()
    assert codes_of(lambda: redo_switch.archive_log_all(instance)) == (16038, 19809, 19804, 312)
    assert used(lab) == before
    # Nor does DELETE without a crosscheck, which does not trust what it sees.
    assert run_command(instance, "DELETE NOPROMPT ARCHIVELOG ALL")[0].startswith("RMAN-06207")
    run_command(instance, "CROSSCHECK ARCHIVELOG ALL;")
    assert {log.status for log in instance.control.archived_logs} == {"X"}
    assert used(lab) == before
    run_command(instance, "DELETE NOPROMPT EXPIRED ARCHIVELOG ALL")
    wait_until(lab, lambda: not instance.archiver.unarchived())
    gone = [log for log in instance.control.archived_logs if log.deleted]
    assert {(log.name, log.status) for log in gone} == {(None, "D")}
    assert used(lab)[0] == on_disk(area) > 0


def test_raising_the_limit_lets_the_archiver_go_on(lab: Lab, area: Path) -> None:
    fill(lab)
    change_parameter(lab.instance, "db_recovery_file_dest_size", "8M")
    wait_until(lab, lambda: not lab.instance.archiver.unarchived())
    assert lab.instance.archiver.status == "STARTED"
    assert used(lab)[0] == on_disk(area)


def test_what_rman_has_backed_up_makes_room_by_itself(lab: Lab, area: Path) -> None:
    lab.grow_redo(600_000)
    lab.archive_current()
    run_command(lab.instance, "BACKUP ARCHIVELOG SEQUENCE 1")
    (first,) = lab.instance.control.archived_logs
    assert used(lab)[1] == used(lab)[0] > 0 and Path(first.name or "").is_file()
    name = first.name
    for _round in range(4):
        lab.grow_redo(600_000)
        redo_switch.switch_logfile(lab.instance)
    wait_until(lab, lambda: first.deleted)
    assert first.name is None and not Path(name or "").exists()
    assert f"Deleted Oracle managed file {name}" in lab.instance.log.path.read_text()


def test_delete_input_takes_one_copy_and_delete_all_input_every_copy(lab: Lab) -> None:
    second = lab.home.root / "second"
    second.mkdir()
    change_parameter(lab.instance, "log_archive_dest_2", f"LOCATION={second}")

    def copies(sequence: int) -> list[ArchivedLogRecord]:
        logs = [log for log in lab.instance.control.archived_logs if log.sequence == sequence]
        return sorted(logs, key=lambda log: log.dest_id)

    lab.archive_current()
    lab.archive_current()
    wait_until(lab, lambda: len(copies(1)) == len(copies(2)) == 2)
    names = [log.name for log in copies(1)]
    run_command(lab.instance, "BACKUP ARCHIVELOG SEQUENCE 1 DELETE INPUT")
    assert [(log.deleted, log.name) for log in copies(1)] == [(True, None), (False, names[1])]
    assert [Path(name or "").exists() for name in names] == [False, True]
    run_command(lab.instance, "BACKUP ARCHIVELOG SEQUENCE 2 DELETE ALL INPUT")
    assert [(log.deleted, log.name, log.status) for log in copies(2)] == [(True, None, "D")] * 2
    assert not list(lab.home.archive_folder.iterdir())


def test_records_can_be_withdrawn_forgotten_and_brought_back(lab: Lab) -> None:
    lab.archive_current()
    (log,) = lab.instance.control.archived_logs
    name = log.name
    run_command(lab.instance, "CHANGE ARCHIVELOG SEQUENCE 1 UNAVAILABLE")
    assert log.status == "U"
    run_command(lab.instance, "CHANGE ARCHIVELOG ALL AVAILABLE")
    assert log.status == "A"
    run_command(lab.instance, "CHANGE ARCHIVELOG ALL UNCATALOG")
    assert lab.instance.control.archived_logs == []
    assert Path(name or "").is_file()
    run_command(lab.instance, f"CATALOG ARCHIVELOG '{name}'")
    (again,) = lab.instance.control.archived_logs
    assert (again.name, again.registrar, again.dest_id) == (name, "RMAN", 0)
    assert (again.first_scn, again.next_scn, again.blocks) == (log.first_scn, log.next_scn, log.blocks)
    with pytest.raises(OracleError, match="ORA-16089"):
        run_command(lab.instance, f"CATALOG ARCHIVELOG '{name}'")
    with pytest.raises(ValueError, match="RMAN-01009"):
        run_command(lab.instance, "DELETE EVERYTHING")


def test_the_suggested_name_is_of_no_use_but_automatic_finds_the_log(lab: Lab, area: Path) -> None:
    copy = lab.copy(lab.file())
    lab.fill(9, "after the copy")
    for _round in range(4):  # so that it is in archived logs only
        lab.archive_current()
    lab.instance.shutdown()
    text = lab.home.parameter_file.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines(keepends=True) if "log_archive_dest_1" not in line]
    area_lines = f"*.db_recovery_file_dest='{area}'\n*.db_recovery_file_dest_size=2M\n"
    lab.home.parameter_file.write_text("".join(kept) + area_lines, encoding="utf-8")
    lab.mount()
    lab.restore(lab.file(), copy)
    asking = RecoverySession(lab.instance, RecoverySpec())
    with pytest.raises(OracleError) as caught:
        asking.start()
    assert caught.value.codes == (279, 289, 280)
    day = datetime.now().strftime("%Y_%m_%d")
    assert f"suggestion : {area}/LAB/archivelog/{day}/o1_mf_1_1_%u_.arc" in caught.value.message
    assert 308 in codes_of(asking.continue_default)
    asking.close()
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    lab.instance.open()
    lab.assert_contents()


def test_records_older_than_the_keep_time_are_reused_when_the_section_is_full(lab: Lab) -> None:
    control = lab.instance.control

    def history(ages_in_days: list[int]) -> list[int]:
        now = datetime.now()
        control.archived_log_records = 3
        control.archived_logs = [_record(n, now - timedelta(days=age)) for n, age in enumerate(ages_in_days)]
        lab.instance.save_control()
        return [log.sequence for log in control.archived_logs]

    assert history([30, 20, 10]) == [0, 1, 2]  # old, but there is room
    assert history([30, 20, 10, 1]) == [1, 2, 3]
    assert history([6, 5, 4, 3, 2]) == [0, 1, 2, 3, 4]  # too young: the section grows
    assert control.archived_log_records == 5
    change_parameter(lab.instance, "control_file_record_keep_time", "0")
    assert history([6, 5, 4, 3, 2]) == [2, 3, 4]


def _record(sequence: int, made: datetime) -> ArchivedLogRecord:
    stamp = encode_time(made.replace(microsecond=0))
    return ArchivedLogRecord(sequence + 1, stamp, "/a", 1, 1, sequence, 1, 1, 1, None, 2, None, 1, 512, None)
