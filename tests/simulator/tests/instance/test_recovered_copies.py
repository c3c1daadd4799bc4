# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media recovery of every kind of copy: taken in backup mode or not, missing, of another database."""

from __future__ import annotations

from pathlib import Path

from oracle_simulator.instance import backup_mode, datafiles
from oracle_simulator.instance.cache.checkpoint import checkpoint_now
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.storage.datafile import Datafile

from .conftest import FIRST_BLOCK, WAIT, Lab, codes_of
from .copies import restore_all


def test_an_offline_file_cannot_be_read(lab: Lab) -> None:
    record = lab.file()
    datafiles.offline(lab.instance, [record])
    with lab.instance.latch:
        assert codes_of(lambda: lab.instance.cache.get(record.file_number, FIRST_BLOCK)) == (376, 1110)


def test_a_copy_without_backup_mode_is_fuzzy_until_complete_recovery(lab: Lab) -> None:
    lab.fill(10, "before")
    copies = {record.file_number: lab.copy(record) for record in lab.all_files}
    lab.fill(10, "after")
    lab.archive_current()
    lab.fill(10, "last")
    lab.instance.shutdown()
    lab.mount()
    restore_all(lab, copies)
    session = RecoverySession(lab.instance, RecoverySpec(until_cancel=True))
    assert codes_of(session.start) == (279, 289, 280)
    codes_of(session.continue_default)
    assert codes_of(session.cancel) == (1547, 1194, 1110)
    lab.recover_with_archives(RecoverySession(lab.instance, RecoverySpec()))
    lab.instance.open()
    lab.assert_contents()


def test_a_fractured_copy_without_backup_mode_is_stuck(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"old")
    checkpoint_now(lab.instance)
    lab.put((file, FIRST_BLOCK, 0), b"new" * 1000)
    lab.instance.faults.hold_between_pieces(file)
    assert lab.instance.faults.wait_until_held(WAIT)
    copy = lab.copy(lab.file())
    lab.instance.faults.release()
    lab.put((file, FIRST_BLOCK, 0), b"newer")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    codes = codes_of(RecoverySession(lab.instance, RecoverySpec()).start)
    assert codes[0] == 283 and 10562 in codes and 10564 in codes and 1110 in codes


def test_a_fractured_copy_in_backup_mode_is_repaired_by_the_image(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"old")
    backup_mode.begin_tablespace(lab.instance, "USERS")
    lab.put((file, FIRST_BLOCK, 0), b"new" * 1000)
    lab.instance.faults.hold_between_pieces(file)
    assert lab.instance.faults.wait_until_held(WAIT)
    copy = lab.copy(lab.file())
    lab.instance.faults.release()
    lab.put((file, FIRST_BLOCK, 0), b"newer")
    backup_mode.end_tablespace(lab.instance, "USERS")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    RecoverySession(lab.instance, RecoverySpec()).start()
    lab.instance.open()
    lab.assert_contents()


def test_missing_file_is_named(lab: Lab) -> None:
    record = lab.file()
    lab.crash()
    lab.mount()
    Path(record.path).unlink()
    assert codes_of(RecoverySession(lab.instance, RecoverySpec()).start) == (283, 1157, 1110)


def test_a_file_of_another_database_is_refused(lab: Lab, tmp_path: Path) -> None:
    record = lab.file()
    path = record.path
    lab.instance.shutdown()
    with Datafile.open(path) as datafile:
        datafile.update_header(dbid=4711)
    assert codes_of(lab.open) == (1122, 1110, 1206)


def test_recovery_of_a_lost_file_from_its_creation_redo(lab: Lab) -> None:
    record = lab.file()
    lab.instance.shutdown()
    lab.mount()
    assert codes_of(lambda: datafiles.create_datafile(lab.instance, lab.all_files[0])) == (1180,)
    Path(record.path).unlink()
    record = lab.file()
    record.creation_scn = 0
    assert codes_of(lambda: datafiles.create_datafile(lab.instance, record)) == (1181, 1110)
