# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup mode: what it does to headers and redo, and what it refuses."""

from __future__ import annotations

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode, datafiles
from oracle_simulator.instance.cache.checkpoint import checkpoint_now
from oracle_simulator.instance.headers import backup_status
from oracle_simulator.instance.readings import Readings
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.storage.datafile import Datafile, DatafileHeader, HeaderStatus
from oracle_simulator.storage.redo_log import read_records
from oracle_simulator.storage.redo_record import BlockVector, EndBackup, Image

from .conftest import FIRST_BLOCK, Lab, codes_of


def header(lab: Lab, tablespace: str = "USERS") -> DatafileHeader:
    with Datafile.open(lab.file(tablespace).path, writable=False) as datafile:
        return datafile.read_header()


def images_of(lab: Lab, block: int) -> int:
    """How many whole-block images of a block of USERS are in the current log."""
    file = lab.file().file_number
    member = lab.instance.control.current_group.members[0]
    return sum(
        isinstance(vector, BlockVector)
        and (vector.file_number, vector.block_number) == (file, block)
        and isinstance(vector.operations[0], Image)
        for entry in read_records(member)
        for vector in entry.record.vectors
    )


def test_begin_freezes_the_header_checkpoint(lab: Lab) -> None:
    lab.fill(5, "before")
    scn = backup_mode.begin_tablespace(lab.instance, "USERS")
    frozen = header(lab)
    assert frozen.status & HeaderStatus.HOT_BACKUP
    assert not frozen.status & HeaderStatus.ONLINE_FUZZY
    assert frozen.checkpoint.scn == frozen.begin_backup_scn == scn
    lab.fill(5, "during")
    lab.archive_current()
    checkpoint_now(lab.instance)
    assert header(lab).checkpoint == frozen.checkpoint
    assert lab.file().checkpoint.scn > scn


def test_begin_writes_everything_older_to_the_files(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 3), b"in memory only")
    backup_mode.begin_tablespace(lab.instance, "USERS")
    with Datafile.open(lab.file().path, writable=False) as datafile:
        assert b"in memory only" in datafile.read_block(FIRST_BLOCK)


def test_end_advances_the_header_to_the_database_checkpoint(lab: Lab) -> None:
    scn = backup_mode.begin_tablespace(lab.instance, "USERS")
    checkpoint = checkpoint_now(lab.instance)
    backup_mode.end_tablespace(lab.instance, "USERS")
    after = header(lab)
    assert after.checkpoint == checkpoint
    assert after.status & HeaderStatus.ONLINE_FUZZY and not after.in_backup
    assert after.begin_backup_scn == scn


def test_end_writes_a_redo_record_with_the_begin_scn(lab: Lab) -> None:
    scn = backup_mode.begin_tablespace(lab.instance, "USERS")
    backup_mode.end_tablespace(lab.instance, "USERS")
    member = lab.instance.control.current_group.members[0]
    markers = [vector for entry in read_records(member) for vector in entry.record.vectors]
    assert EndBackup(lab.file().file_number, scn) in markers


def test_status_is_active_only_in_backup_and_keeps_the_last_scn(lab: Lab) -> None:
    file = lab.file().file_number
    scn = backup_mode.begin_tablespace(lab.instance, "USERS")
    rows = {row.file_number: row for row in backup_status(lab.instance)}
    assert (rows[file].status, rows[file].change) == ("ACTIVE", scn)
    assert (rows[1].status, rows[1].change) == ("NOT ACTIVE", 0)
    backup_mode.end_tablespace(lab.instance, "USERS")
    rows = {row.file_number: row for row in backup_status(lab.instance)}
    assert (rows[file].status, rows[file].change) == ("NOT ACTIVE", scn)


def test_the_first_change_of_a_block_logs_its_image_once(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"before")
    assert images_of(lab, FIRST_BLOCK) == 0
    backup_mode.begin_tablespace(lab.instance, "USERS")
    lab.put((file, FIRST_BLOCK, 0), b"first")
    lab.put((file, FIRST_BLOCK, 0), b"second")
    assert images_of(lab, FIRST_BLOCK) == 1
    backup_mode.end_tablespace(lab.instance, "USERS")
    lab.put((file, FIRST_BLOCK, 0), b"after")
    assert images_of(lab, FIRST_BLOCK) == 1


def test_a_block_that_comes_back_into_the_cache_logs_its_image_again(lab: Lab) -> None:
    file = lab.file().file_number
    backup_mode.begin_tablespace(lab.instance, "USERS")
    lab.put((file, FIRST_BLOCK, 0), b"formatted since, so no image")
    lab.put((file, FIRST_BLOCK, 0), b"first")
    checkpoint_now(lab.instance)
    with lab.instance.latch:
        lab.instance.cache.forget_file(file)
    lab.put((file, FIRST_BLOCK, 0), b"second")
    assert images_of(lab, FIRST_BLOCK) == 1


def test_every_window_logs_images_anew(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"x")
    for _window in range(2):
        backup_mode.begin_tablespace(lab.instance, "USERS")
        lab.put((file, FIRST_BLOCK, 0), b"y")
        backup_mode.end_tablespace(lab.instance, "USERS")
    assert images_of(lab, FIRST_BLOCK) == 2


def test_wrong_use_is_refused_with_oracles_codes(lab: Lab) -> None:
    instance = lab.instance
    assert codes_of(lambda: backup_mode.end_tablespace(instance, "USERS")) == (1142, 1110)
    assert codes_of(lambda: backup_mode.end_database(instance)) == (1142,)
    assert codes_of(lambda: backup_mode.begin_tablespace(instance, "NONE")) == (959,)
    assert codes_of(lambda: backup_mode.begin_tablespace(instance, "TEMP")) == (3217,)
    assert codes_of(lambda: backup_mode.begin_tablespace(instance, "OLD")) == (1642,)
    assert codes_of(lambda: backup_mode.end_tablespace(instance, "OLD")) == (1642,)
    backup_mode.begin_tablespace(instance, "USERS")
    assert codes_of(lambda: backup_mode.begin_tablespace(instance, "USERS")) == (1146, 1110)
    assert codes_of(lambda: backup_mode.begin_database(instance)) == (1146, 1110)
    backup_mode.end_database(instance)
    datafiles.offline(instance, [lab.file()])
    assert codes_of(lambda: backup_mode.begin_tablespace(instance, "USERS")) == (1128, 1110)
    assert codes_of(lambda: backup_mode.end_tablespace(instance, "USERS")) == (1140, 1110)


def test_ending_one_file_first_makes_the_tablespace_end_a_warning(lab: Lab) -> None:
    instance = lab.instance
    backup_mode.begin_tablespace(instance, "APP")
    first = lab.file("APP")
    backup_mode.end_files(instance, [first])
    assert codes_of(lambda: backup_mode.end_files(instance, [first])) == (1199, 1110)
    assert codes_of(lambda: backup_mode.end_tablespace(instance, "APP")) == (1260,)
    assert not any(record.in_backup for record in lab.all_files)


def test_ending_single_files_of_an_open_database_is_a_reading(lab: Lab) -> None:
    lab.instance.shutdown()
    lab.readings = Readings(end_backup_of_datafile_when_open=False)
    lab.open()
    backup_mode.begin_tablespace(lab.instance, "USERS")
    assert codes_of(lambda: backup_mode.end_files(lab.instance, [lab.file()])) == (1531,)


def test_database_mode_skips_read_only_files(lab: Lab) -> None:
    backup_mode.begin_database(lab.instance)
    active = {row.file_number for row in backup_status(lab.instance) if row.status == "ACTIVE"}
    assert active == {record.file_number for record in lab.all_files} - {lab.file("OLD").file_number}
    backup_mode.end_database(lab.instance)
    assert {row.status for row in backup_status(lab.instance)} == {"NOT ACTIVE"}


def test_noarchivelog_refuses_backup_mode(lab: Lab) -> None:
    lab.instance.shutdown()
    lab.mount().control.database.log_mode = "NOARCHIVELOG"
    lab.instance.open()
    assert codes_of(lambda: backup_mode.begin_tablespace(lab.instance, "USERS")) == (1123,)
    assert codes_of(lambda: backup_mode.begin_database(lab.instance)) == (1123,)


@pytest.mark.parametrize("mode", ["normal", "immediate"])
def test_orderly_shutdown_is_refused_and_the_database_stays_open(lab: Lab, mode: str) -> None:
    backup_mode.begin_tablespace(lab.instance, "USERS")
    assert codes_of(lambda: lab.instance.shutdown(mode)) == (1149, 1110)
    lab.fill(3, "still open")
    backup_mode.end_tablespace(lab.instance, "USERS")
    lab.instance.shutdown(mode)


def test_open_after_a_crash_in_backup_mode_is_refused(lab: Lab) -> None:
    backup_mode.begin_tablespace(lab.instance, "USERS")
    lab.fill(20, "during")
    lab.crash()
    with pytest.raises(OracleError) as caught:
        lab.open()
    assert caught.value.codes == (10873, 1110)


def test_end_backup_at_mount_lets_the_originals_open(lab: Lab) -> None:
    backup_mode.begin_tablespace(lab.instance, "USERS")
    lab.fill(20, "during")
    lab.archive_current()
    lab.fill(20, "later")
    lab.crash()
    lab.mount()
    backup_mode.end_database(lab.instance)
    lab.instance.open()
    lab.assert_contents()


def test_recover_database_lets_the_originals_open_too(lab: Lab) -> None:
    backup_mode.begin_tablespace(lab.instance, "USERS")
    lab.fill(20, "during")
    lab.crash()
    lab.mount()
    RecoverySession(lab.instance, RecoverySpec()).start()
    lab.instance.open()
    lab.assert_contents()
    assert not lab.file().in_backup


def test_end_backup_on_a_restored_file_loses_rows_silently(lab: Lab) -> None:
    backup_mode.begin_tablespace(lab.instance, "USERS")
    copy = lab.copy(lab.file())
    lab.fill(20, "during")
    lab.archive_current()
    checkpoint_now(lab.instance)
    lab.crash()
    lab.mount()
    lab.restore(lab.file(), copy)
    backup_mode.end_database(lab.instance)
    lab.instance.open()
    with pytest.raises(AssertionError):
        lab.assert_contents()


def test_a_second_crash_after_end_backup_at_mount_is_harmless(lab: Lab) -> None:
    backup_mode.begin_database(lab.instance)
    lab.fill(10, "during")
    lab.crash()
    lab.mount()
    backup_mode.end_database(lab.instance)
    lab.crash()
    lab.open()
    lab.assert_contents()
