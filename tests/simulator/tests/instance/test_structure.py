# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery across changes of structure: read only, offline, resized, dropped, added and dropped again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oracle_simulator.data.definition import FileDefinition
from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.dictionary_check import reconcile
from oracle_simulator.data.file_sizes import resize_datafile
from oracle_simulator.data.locks import Owner
from oracle_simulator.data.tablespace_state import (
    bring_online,
    make_read_only,
    make_read_write,
    take_offline,
)
from oracle_simulator.data.tablespaces import create_tablespace, drop_tablespace
from oracle_simulator.data.transaction import Transactions
from oracle_simulator.instance import datafiles
from oracle_simulator.instance.cache.changes import wait_durable, write_changes
from oracle_simulator.instance.control_file import control_file_backup
from oracle_simulator.instance.headers import inspect_headers
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.storage.datafile import Datafile
from oracle_simulator.storage.redo_record import TablespaceState

from .conftest import FIRST_BLOCK, MIB, Lab, codes_of
from .copies import restore_all, whole_copy

FROM_BACKUP = RecoverySpec(using_backup_controlfile=True, until_cancel=True, automatic=True)


class Logical:
    """The data layer over the laboratory's instance."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        lab.instance.shutdown()
        self.open(lab.mount().open)

    def open(self, opening: Callable[[], None]) -> None:
        instance = self.lab.instance
        instance.dictionary_check = self._load
        opening()

    def _load(self) -> None:
        self.dictionary = Dictionary(self.lab.instance)
        self.dictionary.load()
        reconcile(self.dictionary)
        self.transactions = Transactions(self.lab.instance, self.dictionary)
        self.owner = Owner("test")

    def read_only(self, name: str) -> None:
        make_read_only(self.transactions, name, self.owner)

    def offline(self, name: str, mode: str = "NORMAL") -> None:
        take_offline(self.transactions, name, self.owner, mode)


@pytest.fixture
def logical(lab: Lab) -> Logical:
    return Logical(lab)


def backup_then_lose_everything(lab: Lab, change: Callable[[], None]) -> None:
    """Copies and an old control file restored after ``change`` was made and archived; mounted."""
    copies = whole_copy(lab)
    control = lab.copies / "control.ctl"
    control_file_backup.to_file(lab.instance, control)
    change()
    lab.archive_current()
    lab.crash()
    for path in lab.home.control_files:
        shutil.copyfile(control, path)
    lab.mount()
    restore_all(lab, copies)
    datafiles.offline(lab.instance, [lab.file("OLD")])


def recover_and_open(lab: Lab, logical: Logical) -> None:
    session = RecoverySession(lab.instance, FROM_BACKUP)
    assert 308 in codes_of(session.start)
    session.cancel()
    logical.open(lambda: lab.instance.open(resetlogs=True))


def test_a_copy_from_before_read_only_is_recovered_up_to_that_point(lab: Lab, logical: Logical) -> None:
    copies = whole_copy(lab)
    lab.fill(10, "last changes")
    logical.read_only("USERS")
    lab.archive_current()
    app = lab.file("APP").file_number
    lab.put((app, FIRST_BLOCK, 0), b"life elsewhere")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copies[lab.file().file_number])
    assert codes_of(lab.instance.open) == (1113, 1110)
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    logical.open(lab.instance.open)
    lab.assert_contents()


def test_a_copy_taken_read_only_needs_no_recovery(lab: Lab, logical: Logical) -> None:
    lab.fill(10, "last changes")
    logical.read_only("USERS")
    copy = lab.copy(lab.file())
    lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    logical.open(lab.instance.open)
    lab.assert_contents()


def test_a_copy_taken_read_only_and_written_since_is_recovered(lab: Lab, logical: Logical) -> None:
    lab.fill(10, "first")
    logical.read_only("USERS")
    copy = lab.copy(lab.file())
    make_read_write(logical.dictionary, "USERS")
    lab.fill(10, "second")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    assert codes_of(lab.instance.open) == (1113, 1110)
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    logical.open(lab.instance.open)
    lab.assert_contents()


def test_an_older_control_file_learns_of_read_only(lab: Lab, logical: Logical) -> None:
    def change() -> None:
        lab.fill(10, "last changes")
        logical.read_only("USERS")

    backup_then_lose_everything(lab, change)
    recover_and_open(lab, logical)
    assert lab.file().enabled == "READ ONLY"
    lab.assert_contents()
    make_read_write(logical.dictionary, "USERS")
    lab.fill(5, "again")
    lab.crash()
    logical.open(lab.mount().open)
    lab.assert_contents()


def test_an_older_control_file_follows_read_only_and_back(lab: Lab, logical: Logical) -> None:
    def change() -> None:
        lab.fill(10, "first")
        logical.read_only("USERS")
        make_read_write(logical.dictionary, "USERS")
        lab.fill(10, "second")

    backup_then_lose_everything(lab, change)
    recover_and_open(lab, logical)
    assert lab.file().enabled == "READ WRITE"
    lab.assert_contents()


def test_an_older_control_file_follows_offline_normal(lab: Lab, logical: Logical) -> None:
    def change() -> None:
        lab.fill(10, "first")
        logical.offline("USERS")

    backup_then_lose_everything(lab, change)
    recover_and_open(lab, logical)
    if lab.file().file_number not in lab.instance.files:
        bring_online(logical.dictionary, "USERS")
    lab.assert_contents()


def test_an_older_control_file_forgets_a_dropped_tablespace(lab: Lab, logical: Logical) -> None:
    def change() -> None:
        drop_tablespace(logical.dictionary, "APP", including_contents=True, and_datafiles=False)
        lab.fill(10, "later")

    backup_then_lose_everything(lab, change)
    recover_and_open(lab, logical)
    assert lab.instance.control.tablespace_named("APP") is None
    lab.assert_contents()


def test_a_file_that_grew_since_the_copy_is_extended(lab: Lab, logical: Logical) -> None:
    copies = whole_copy(lab)
    record = lab.file()
    resize_datafile(logical.dictionary, record.file_number, 3 * MIB)
    lab.put((record.file_number, 300, 0), b"behind the old end")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copies[record.file_number])
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    logical.open(lab.instance.open)
    lab.assert_contents()
    with Datafile.open(lab.file().path) as datafile:
        assert datafile.blocks == datafile.read_header().blocks == 3 * MIB // 8192


def test_a_file_that_shrank_since_the_copy_is_cut(lab: Lab, logical: Logical) -> None:
    record = lab.file()
    resize_datafile(logical.dictionary, record.file_number, 3 * MIB)
    lab.put((record.file_number, 300, 0), b"to be cut off")
    lab.ledger.clear()
    copies = whole_copy(lab)
    resize_datafile(logical.dictionary, record.file_number, 2 * MIB)
    lab.fill(5, "later")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copies[record.file_number])
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    logical.open(lab.instance.open)
    lab.assert_contents()
    with Datafile.open(lab.file().path) as datafile:
        assert datafile.blocks == 2 * MIB // 8192


def test_crashes_around_resizing_are_harmless(lab: Lab, logical: Logical) -> None:
    record = lab.file()
    lab.instance.database_writer.trickle_seconds = 600.0
    resize_datafile(logical.dictionary, record.file_number, 3 * MIB)
    lab.put((record.file_number, 300, 0), b"to be cut off")
    lab.ledger.clear()
    resize_datafile(logical.dictionary, record.file_number, 2 * MIB)
    lab.fill(5, "later")
    lab.crash()
    logical.open(lab.mount().open)
    lab.assert_contents()


def test_a_tablespace_added_after_the_backup_is_rebuilt_from_redo(lab: Lab, logical: Logical) -> None:
    path = lab.home.datafile_folder / "fresh01.dbf"

    def change() -> None:
        create_tablespace(logical.dictionary, "FRESH", [FileDefinition(2 * MIB, path)])
        lab.fill(5, "in the new tablespace", "FRESH")

    backup_then_lose_everything(lab, change)
    path.unlink()
    assert codes_of(RecoverySession(lab.instance, FROM_BACKUP).start) == (283, 1244, 1110)
    datafiles.create_datafile(lab.instance, lab.file("FRESH"), str(path))
    recover_and_open(lab, logical)
    lab.assert_contents(tablespace="FRESH")
    assert {facts.error for facts in inspect_headers(lab.instance)} == {None, "OFFLINE NORMAL"} or {
        facts.error for facts in inspect_headers(lab.instance)
    } == {None}


def test_offline_immediate_needs_recovery_of_the_tablespace(lab: Lab, logical: Logical) -> None:
    copies = whole_copy(lab)
    lab.fill(10, "x")
    logical.offline("USERS", "IMMEDIATE")
    record = lab.file()
    lab.restore(record, copies[record.file_number])
    assert codes_of(lambda: bring_online(logical.dictionary, "USERS")) == (1113, 1110)
    RecoverySession(lab.instance, RecoverySpec((record.file_number,), automatic=True)).start()
    bring_online(logical.dictionary, "USERS")
    lab.assert_contents()


def test_a_missing_tempfile_is_made_anew_at_open(lab: Lab) -> None:
    path = Path(lab.instance.control.tempfiles[0].path)
    lab.instance.shutdown()
    path.unlink()
    lab.open()
    with Datafile.open(path) as tempfile:
        assert tempfile.read_header().temporary


@pytest.mark.parametrize("state", ["read_only", "offline"])
def test_a_crash_before_the_control_file_knows_the_new_state(lab: Lab, logical: Logical, state: str) -> None:
    lab.fill(5, "x")
    lab.instance.save_control()
    saved = [path.read_bytes() for path in lab.home.control_files]
    record = lab.file()
    row = logical.dictionary.find_tablespace("USERS")
    with lab.instance.latch:
        commit = write_changes(lab.instance, [], [TablespaceState(row.number, state, (record.file_number,))])
    wait_durable(lab.instance, commit.position)
    lab.crash()
    for path, data in zip(lab.home.control_files, saved, strict=True):
        path.write_bytes(data)
    lab.open()
    record = lab.file()
    assert record.enabled == ("READ ONLY" if state == "read_only" else "DISABLED")
    assert record.stop_scn == record.checkpoint.scn
    if state == "read_only":
        lab.assert_contents()
