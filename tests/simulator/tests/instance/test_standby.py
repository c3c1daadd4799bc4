# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A physical standby: made from a hot copy, brought forward with the primary's logs, opened read only, activated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import DatabaseDefinition
from oracle_simulator.instance import backup_mode
from oracle_simulator.instance.archiving.archived_log_upkeep import register
from oracle_simulator.instance.control_file import control_file_backup
from oracle_simulator.instance.datafiles import rename
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.instance import Instance, InstanceState
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.instance.readings import Readings
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.instance.redo import redo_switch
from oracle_simulator.instance.standby import activate

from .conftest import Lab, codes_of


@dataclass
class Pair:
    """A primary (the laboratory) and its standby."""

    lab: Lab
    standby: Lab

    def ship(self) -> None:
        """Copy the archived logs the standby does not have to where it looks for them."""
        for path in self.lab.home.archive_folder.iterdir():
            target = self.standby.home.archive_folder / path.name
            if not target.exists():
                shutil.copyfile(path, target)

    def recover(self) -> tuple[int, ...]:
        """RECOVER AUTOMATIC STANDBY DATABASE, then CANCEL; returns what asked for more."""
        session = RecoverySession(self.standby.instance, RecoverySpec(automatic=True, standby=True))
        codes = codes_of(session.start)
        session.cancel()
        return codes


@pytest.fixture
def pair(lab: Lab, tmp_path: Path) -> Iterator[Pair]:
    """The standby is mounted; its datafiles are copies made in backup mode under load, no log applied yet."""
    home = Home(tmp_path / "standby", "LAB")
    for folder in home.folders:
        folder.mkdir(parents=True)
    lab.fill(9, "before")
    backup_mode.begin_database(lab.instance)
    for record in lab.all_files:
        shutil.copyfile(record.path, home.datafile_folder / Path(record.path).name)
        lab.fill(7, f"during {record.file_number}")
    backup_mode.end_database(lab.instance)
    lab.archive_current()
    control_file = tmp_path / "standby.ctl"
    control_file_backup.to_standby_file(lab.instance, control_file)
    for path in home.control_files:
        shutil.copyfile(control_file, path)
    text = lab.home.parameter_file.read_text(encoding="utf-8")
    home.parameter_file.write_text(text.replace(str(lab.home.root), str(home.root)), encoding="utf-8")
    standby = replace(lab, home=home, running=None)
    standby.mount()
    names = [record.path for record in standby.all_files]
    rename(standby.instance, [(name, str(home.datafile_folder / Path(name).name)) for name in names])
    yield Pair(lab, standby)
    standby.down()


def test_a_standby_follows_its_primary_and_opens_read_only(pair: Pair) -> None:
    lab, standby = pair.lab, pair.standby
    database = standby.instance.control.database
    assert (database.is_standby, database.control_file_type) == (True, "STANDBY")
    assert codes_of(standby.instance.open)[:2] in {(10458, 1195), (10458, 1194)}
    pair.ship()
    codes = pair.recover()
    assert codes[0] == 279 and 308 in codes  # it always wants one more
    standby.instance.open()
    assert standby.instance.state is InstanceState.OPEN_READ_ONLY
    standby.assert_contents()
    standby.mount()
    lab.fill(9, "later")
    lab.archive_current()
    pair.ship()
    pair.recover()
    standby.instance.open(read_only=True)
    standby.assert_contents()
    applied = {log.sequence for log in standby.instance.control.archived_logs if log.applied}
    assert applied == set()  # nobody has registered them here


def test_registered_logs_are_found_wherever_they_are(pair: Pair) -> None:
    elsewhere = pair.standby.home.root / "elsewhere"
    elsewhere.mkdir()
    instance = pair.standby.instance
    for number, path in enumerate(sorted(pair.lab.home.archive_folder.iterdir())):
        target = elsewhere / f"log{number}"
        shutil.copyfile(path, target)
        register(instance, target, "RFS")
        assert codes_of(partial(register, instance, target, "RFS")) == (16089,)
    pair.recover()
    own = [log for log in instance.control.archived_logs if log.registrar == "RFS"]
    assert [log.applied for log in own] == [True] * len(own)
    instance.open()
    pair.standby.assert_contents()


def test_what_a_standby_refuses(pair: Pair) -> None:
    instance = pair.standby.instance
    assert codes_of(lambda: instance.open(read_write=True)) == (16003,)
    assert codes_of(lambda: instance.open(resetlogs=True)) == (1666,)
    assert codes_of(RecoverySession(instance, RecoverySpec()).start) == (283, 1666)
    primary = pair.lab.instance
    assert codes_of(lambda: activate(primary)) == (1665,)
    primary.shutdown()
    mounted = pair.lab.mount()
    assert codes_of(RecoverySession(mounted, RecoverySpec(standby=True)).start) == (283, 1665)
    assert codes_of(lambda: pair.lab.nomount().mount(standby=True)) == (1665,)
    pair.ship()
    pair.recover()
    instance.open()
    assert codes_of(lambda: redo_switch.switch_logfile(instance)) == (16000,)
    assert codes_of(lambda: redo_switch.archive_log_current(instance)) == (16000,)


@pytest.mark.parametrize("code", [16000, 1109, 1666])
@pytest.mark.parametrize("opened", [False, True])
def test_a_standby_refuses_backup_mode_with_a_code_that_is_a_reading(
    tmp_path: Path, code: int, opened: bool
) -> None:
    home = Home(tmp_path / "home", "STBY")
    create_database(home, DatabaseDefinition("STBY", standby=True, verifier_rounds=1))
    instance = Instance(
        home, Parameters.read(home.parameter_file), readings=Readings(standby_begin_backup=code)
    )
    instance.startup()
    instance.mount(standby=True)
    if opened:
        instance.open()
    assert codes_of(lambda: backup_mode.begin_tablespace(instance, "USERS")) == (code,)
    assert codes_of(lambda: backup_mode.begin_database(instance)) == (code,)
    assert not any(record.in_backup for record in instance.control.datafiles)
    instance.abandon()


def test_an_activated_standby_is_a_primary_of_its_own(pair: Pair) -> None:
    pair.ship()
    pair.recover()
    instance = pair.standby.instance
    activate(instance)
    assert not instance.control.database.is_standby
    instance.open()
    assert instance.state is InstanceState.OPEN
    pair.standby.assert_contents()
    assert len(instance.control.incarnations) == 2
    pair.standby.fill(3, "its own life")
    pair.standby.assert_contents()


def test_a_standby_control_file_needs_a_current_one(lab: Lab, tmp_path: Path) -> None:
    backup = tmp_path / "backup.ctl"
    control_file_backup.to_file(lab.instance, backup)
    lab.instance.shutdown()
    for path in lab.home.control_files:
        shutil.copyfile(backup, path)
    lab.mount()
    refused = codes_of(lambda: control_file_backup.to_standby_file(lab.instance, tmp_path / "standby.ctl"))
    assert refused == (1671,)
