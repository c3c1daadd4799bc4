# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redo threads below SQL: what headers say of them, and recovery across their being enabled and disabled."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import (
    DatabaseDefinition,
    FileDefinition,
    RedoThreadDefinition,
    TablespaceDefinition,
)
from oracle_simulator.errors import OracleError
from oracle_simulator.instance import cluster
from oracle_simulator.instance.control_file import control_file_backup
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.instance.redo import redo_switch, thread_enabling

from .conftest import FIRST_BLOCK, MIB, Lab, codes_of

THREAD = RedoThreadDefinition(size_bytes=MIB)


def make_lab(folder: Path, *threads: RedoThreadDefinition, instances: int = 2) -> Lab:
    """An open database with these redo threads."""
    home = Home(folder / "home", "LAB")
    definition = DatabaseDefinition(
        name="LAB",
        tablespaces=(TablespaceDefinition("USERS", (FileDefinition(2 * MIB),)),),
        redo_threads=threads,
        verifier_rounds=1,
        parameters={"cluster_database": "TRUE", "cluster_database_instances": str(instances)},
    )
    create_database(home, definition)
    (folder / "copies").mkdir()
    lab = Lab(home, folder / "copies")
    lab.open()
    return lab


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Lab]:
    """Two threads, both open."""
    lab = make_lab(tmp_path, THREAD, THREAD)
    yield lab
    lab.down()


@pytest.fixture
def disabled(tmp_path: Path) -> Iterator[Lab]:
    """A second thread that is not enabled."""
    lab = make_lab(tmp_path, THREAD, replace(THREAD, enabled="DISABLED"), instances=1)
    yield lab
    lab.down()


def put(lab: Lab, thread: int, slot: int, data: bytes) -> None:
    """One commit of an instance."""
    with lab.instance.redo.on_behalf_of(thread):
        lab.put((lab.file().file_number, FIRST_BLOCK, slot), data)


def test_one_block_changed_by_both_threads_in_turn_survives_a_crash(pair: Lab) -> None:
    for number in range(60):
        put(pair, 1 + number % 2, number % 5, b"change %d" % number)
    records = [writer.next_address().block for writer in pair.instance.redo.writers]
    assert min(records) > 20  # both have written
    pair.crash()
    pair.open()
    pair.assert_contents()


def test_headers_name_their_thread_and_all_enabled_ones(pair: Lab) -> None:
    with pair.instance.redo.on_behalf_of(2):
        redo_switch.switch_logfile(pair.instance)
    by_thread = {1: set(), 2: set()}  # type: dict[int, set[int]]
    for group in pair.instance.control.redo_groups:
        if group.sequence:
            (thread,) = struct.unpack_from("<H", Path(group.members[0]).read_bytes(), 512 + 176)
            by_thread[thread].add(group.sequence)
    assert by_thread == {1: {1}, 2: {1, 2}}
    header = Path(pair.file().path).read_bytes()[8192:16384]
    assert struct.unpack_from("<Q", header, 484 + 28) == (0b110,)


def back_up(lab: Lab) -> dict[str, Path]:
    """Copies of a database that stands still are good ones, too: all datafiles, and a control file."""
    lab.instance.shutdown()
    lab.mount()
    copies = {record.path: lab.copy(record) for record in lab.all_files}
    target = lab.copies / "control.bak"
    control_file_backup.to_file(lab.instance, target)
    lab.instance.open()
    return {**copies, **{str(path): target for path in lab.home.control_files}}


def recover(lab: Lab, copies: dict[str, Path]) -> set[int]:
    """Everything lost and restored, recovered with the archived logs; the threads that were asked for."""
    lab.crash()
    for path, copy in copies.items():
        shutil.copyfile(copy, path)
    for log in lab.home.redo_folder.iterdir():
        log.unlink()
    lab.mount()
    session = RecoverySession(lab.instance, RecoverySpec(until_cancel=True, using_backup_controlfile=True))
    asked: set[int] = set()
    call = session.start
    while True:
        try:
            call()
        except OracleError as error:
            assert error.code == 279, error
            asked.add(int(error.text.rsplit(" ", 1)[1]))
            if 308 in error.codes:
                break
            call = session.continue_default
    session.cancel()
    return asked


def test_recovery_follows_a_thread_from_its_enabling_to_its_disabling(disabled: Lab) -> None:
    lab, instance = disabled, disabled.instance
    assert codes_of(lambda: cluster.start_instance(instance, 2)) == (1618,)
    copies = back_up(lab)
    instance = lab.instance
    put(lab, 1, 0, b"before")
    thread_enabling.enable_thread(instance, 2, public=False)
    assert instance.control.thread_record(2).enabled == "PRIVATE"
    cluster.start_instance(instance, 2)
    put(lab, 2, 0, b"by the second")
    put(lab, 1, 1, b"by the first")
    put(lab, 2, 1, b"by the second again")
    assert codes_of(lambda: thread_enabling.disable_thread(instance, 2)) == (1616,)
    cluster.stop_instance(instance, 2)
    thread_enabling.disable_thread(instance, 2)
    put(lab, 1, 2, b"after")
    redo_switch.archive_log_current(instance)
    instance.wait_for(lambda: not instance.archiver.unarchived())
    assert recover(lab, copies) == {1, 2}
    lab.instance.open(resetlogs=True)
    lab.assert_contents()
    assert lab.instance.control.thread_record(2).enabled == "DISABLED"


def test_a_thread_is_enabled_although_the_instance_died_before_the_control_file_knew(
    disabled: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(thread_enabling, "note_thread", die)
        thread_enabling.enable_thread(disabled.instance, 2, public=True)
    disabled.crash()
    disabled.open()
    assert disabled.instance.control.thread_record(2).enabled == "PUBLIC"
    cluster.start_instance(disabled.instance, 2)
    put(disabled, 2, 0, b"it works")
    disabled.crash()
    disabled.open()
    disabled.assert_contents()


@pytest.mark.parametrize("trusted", [False, True])
def test_whether_a_closed_thread_is_asked_for_is_a_reading(tmp_path: Path, trusted: bool) -> None:
    lab = make_lab(tmp_path, THREAD, THREAD, instances=1)
    lab.readings = replace(lab.readings, closed_thread_is_trusted=trusted)
    put(lab, 1, 0, b"one")
    copies = back_up(lab)
    put(lab, 1, 1, b"two")
    redo_switch.archive_log_current(lab.instance)
    assert (2 in recover(lab, copies)) is not trusted
    lab.instance.open(resetlogs=True)
    lab.assert_contents()
    lab.down()


def test_resetlogs_wants_logs_for_every_enabled_thread_unless_told_otherwise(pair: Lab) -> None:
    copies = back_up(pair)
    put(pair, 2, 0, b"kept")
    redo_switch.archive_log_current(pair.instance)
    recover(pair, copies)
    control = pair.instance.control
    for group in control.groups_of(2):
        control.redo_groups.remove(group)
    assert codes_of(lambda: pair.instance.open(resetlogs=True)) == (38856,)
    pair.instance.parameters.set("_no_recovery_through_resetlogs", "TRUE")
    pair.instance.open(resetlogs=True)
    pair.assert_contents()
    assert [record.enabled for record in control.threads] == ["PUBLIC", "DISABLED"]


def test_a_closed_thread_without_a_free_log_cannot_switch(tmp_path: Path) -> None:
    lab = make_lab(tmp_path, THREAD, replace(THREAD, groups=2), instances=1)
    lab.instance.faults.stop_archiver()
    never = codes_of(lambda: redo_switch.archive_log_current(lab.instance, lambda: True))
    assert never == (1013,)
    assert codes_of(lambda: redo_switch.archive_log_current(lab.instance, lambda: True))[:2] == (262, 312)
    lab.down()
