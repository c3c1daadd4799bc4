# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files taken away from, or changed under, an instance that has them in use; steps that break off and are repeated."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oracle_simulator.instance import backup_mode
from oracle_simulator.instance.cache.checkpoint import checkpoint_now
from oracle_simulator.instance.control_file.control import ControlState, RedoGroup
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.instance.redo import redo_groups, redo_switch
from oracle_simulator.instance.redo.redo_groups import log_header
from oracle_simulator.storage.control_file import read_control_file
from oracle_simulator.storage.log_header import LogHeader
from oracle_simulator.storage.redo_log import RedoLogFile, closed, read_records

from .conftest import WAIT, Lab, codes_of


def _die_in_a_log_switch(lab: Lab, close_old: bool) -> None:
    """Leave the logs as a process does that is killed before the control file knows of the switch."""
    instance = lab.instance
    control = instance.control
    old = control.current_group
    new = min((group for group in control.redo_groups if group is not old), key=lambda group: group.sequence)
    lab.crash()
    *_records, last = read_records(old.members[0])
    scn, now = last.record.scn + 1, last.record.time
    instance.use_control(control)
    for member in new.members:
        log = RedoLogFile.open(member)
        log.write_header(log_header(instance, new, old.sequence + 1, scn, now))
        log.close()
    instance.use_control(None)
    for member in old.members if close_old else []:
        log = RedoLogFile.open(member)
        log.write_header(closed(log.read_header(), scn, now, last.end_block))
        log.close()


def _archive_thrice(lab: Lab) -> None:
    for _switch in range(3):
        lab.fill(3, "before")
        redo_switch.archive_log_current(lab.instance)
    checkpoint_now(lab.instance)
    lab.fill(9, "last")


@pytest.mark.parametrize("close_old", [False, True])
def test_a_crash_in_a_log_switch_is_recovered_at_open(lab: Lab, close_old: bool) -> None:
    _archive_thrice(lab)
    _die_in_a_log_switch(lab, close_old)
    lab.open()
    lab.assert_contents()
    lab.fill(3, "after")
    redo_switch.archive_log_current(lab.instance)
    lab.crash()
    lab.open()
    lab.assert_contents()


def test_media_recovery_ends_where_a_log_switch_was_broken_off(lab: Lab) -> None:
    record = lab.file()
    backup_mode.begin_tablespace(lab.instance, "USERS")
    copy = lab.copy(record)
    backup_mode.end_tablespace(lab.instance, "USERS")
    _archive_thrice(lab)
    _die_in_a_log_switch(lab, close_old=True)
    lab.restore(record, copy)
    lab.mount()
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    lab.instance.open()
    lab.assert_contents()


@pytest.mark.parametrize("statement", ["checkpoint", "shutdown"])
def test_a_deleted_control_file_does_not_come_back(lab: Lab, statement: str) -> None:
    path = lab.instance.parameters.control_files[-1]
    path.unlink()
    actions: dict[str, Callable[[], object]] = {
        "checkpoint": lambda: checkpoint_now(lab.instance),
        "shutdown": lab.instance.shutdown,
    }
    assert codes_of(actions[statement])[0] in (221, 1092)
    assert lab.instance.terminated.is_set()
    assert codes_of(lab.mount)[0] == 205
    assert not path.exists()


@pytest.mark.parametrize("statement", ["checkpoint", "begin"])
def test_a_copy_put_over_an_open_file_ends_the_instance(lab: Lab, statement: str) -> None:
    record = lab.file()
    lab.fill(20, "old")
    checkpoint_now(lab.instance)
    copy = lab.copy(record)
    lab.fill(20, "new")
    checkpoint_now(lab.instance)
    shutil.copyfile(copy, record.path)  # over the very file the instance has open
    action = {
        "checkpoint": lambda: checkpoint_now(lab.instance),
        "begin": lambda: backup_mode.begin_tablespace(lab.instance, "USERS"),
    }[statement]
    assert {1122, 1110, 1208} <= set(codes_of(action))
    assert lab.instance.terminated.is_set()
    lab.mount()
    assert codes_of(lab.instance.open)[0] == 1113
    lab.recover_with_archives(RecoverySession(lab.instance, RecoverySpec()))
    lab.instance.open()
    lab.assert_contents()


def test_open_resetlogs_may_be_repeated_when_it_could_not_make_the_logs(lab: Lab) -> None:
    lab.fill(20, "kept")
    redo_switch.archive_log_current(lab.instance)
    backup_mode.begin_database(lab.instance)
    copies = {
        record.file_number: lab.copy(record) for record in lab.all_files if record.enabled == "READ WRITE"
    }
    backup_mode.end_database(lab.instance)
    redo_switch.archive_log_current(lab.instance)
    target = lab.instance.clock.current() + 1
    lab.crash()
    lab.mount()
    for record in lab.all_files:
        if record.file_number in copies:
            lab.restore(record, copies[record.file_number])
    session = RecoverySession(lab.instance, RecoverySpec(until_scn=target, automatic=True))
    lab.recover_with_archives(session)
    folder = Path(lab.instance.control.redo_groups[0].members[0]).parent
    folder.rename(folder.with_name("elsewhere"))
    assert codes_of(lambda: lab.instance.open(resetlogs=True))[0] == 344
    folder.mkdir()
    lab.instance.open(resetlogs=True)
    assert [incarnation.status for incarnation in lab.instance.control.incarnations] == ["PARENT", "CURRENT"]
    lab.assert_contents()


def _recover_killed_while_it_writes(lab: Lab, until_scn: int) -> None:
    """An incomplete recovery that dies between the two pieces of a block; the database is mounted again after."""
    lab.instance.faults.hold_between_pieces(lab.file().file_number)
    session = RecoverySession(lab.instance, RecoverySpec(automatic=True, until_scn=until_scn))
    codes: list[tuple[int, ...]] = []
    recovering = threading.Thread(target=lambda: codes.append(codes_of(session.start)))
    recovering.start()
    assert lab.instance.faults.wait_until_held(WAIT)
    lab.instance.terminate()
    recovering.join()
    assert codes == [(1092,)]
    lab.crash()
    lab.mount()


def test_a_broken_off_recovery_to_a_point_may_be_repeated_but_not_to_an_earlier_one(lab: Lab) -> None:
    backup_mode.begin_database(lab.instance)
    copies = {record.path: lab.copy(record) for record in lab.all_files if record.enabled == "READ WRITE"}
    backup_mode.end_database(lab.instance)
    middle = lab.fill(10, "one") + 1
    end = lab.fill(10, "two") + 1
    lab.fill(10, "three")
    redo_switch.archive_log_current(lab.instance)
    lab.crash()
    lab.mount()
    for record in lab.all_files:
        if record.path in copies:
            lab.restore(record, copies[record.path])
    _recover_killed_while_it_writes(lab, end)
    earlier = RecoverySession(lab.instance, RecoverySpec(automatic=True, until_scn=middle))
    assert codes_of(earlier.start) == (1547, 1194, 1110)
    RecoverySession(lab.instance, RecoverySpec(automatic=True, until_scn=end)).start()
    lab.instance.open(resetlogs=True)
    lab.assert_contents(end)


def test_the_control_file_gives_a_log_up_before_its_redo_is_gone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: list[tuple[str, bool]] = []

    def look_at_control_file(instance: Instance, group: RedoGroup, *arguments: Any) -> LogHeader:
        state = ControlState.from_dict(read_control_file(instance.parameters.control_files[-1]))
        found = next(other for other in state.redo_groups if other.group == group.group)
        on_disk.append((found.status, found.archived))
        return log_header(instance, group, *arguments)

    monkeypatch.setattr(redo_groups, "log_header", look_at_control_file)
    for _switch in range(6):
        lab.fill(2, "more")
        redo_switch.archive_log_current(lab.instance)
    assert len(on_disk) == 6
    assert set(on_disk) <= {("UNUSED", True), ("INACTIVE", True)}
