# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control files: copies, backups, re-creation; and OPEN RESETLOGS."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode, datafiles
from oracle_simulator.instance.cache.changes import BlockChange, wait_durable, write_changes
from oracle_simulator.instance.control_file import control_file_backup, create_control_file
from oracle_simulator.instance.control_file.control import DatafileRecord, TablespaceRecord
from oracle_simulator.instance.control_file.create_control_file import (
    ControlFileDefinition,
    RedoGroupDefinition,
)
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.instance.redo import redo_switch
from oracle_simulator.storage.datafile import Checkpoint, Datafile, DatafileHeader, HeaderStatus
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_log import read_log_header
from oracle_simulator.storage.redo_record import FileCreated, Format, Put, TablespaceCreated

from .conftest import FIRST_BLOCK, Lab, codes_of
from .copies import archived, restore_all, whole_copy

BACKUP = RecoverySpec(using_backup_controlfile=True, until_cancel=True)


def restore_control_file(lab: Lab, copy: Path) -> None:
    for path in lab.home.control_files:
        shutil.copyfile(copy, path)


def definition(lab: Lab, resetlogs: bool) -> ControlFileDefinition:
    control = lab.instance.control
    return ControlFileDefinition(
        database="LAB",
        resetlogs=resetlogs,
        groups=tuple(
            RedoGroupDefinition(tuple(group.members), group.group, group.size_bytes)
            for group in control.redo_groups
        ),
        datafiles=tuple(record.path for record in control.datafiles if record.enabled == "READ WRITE"),
        archivelog=True,
        reuse=True,
    )


# ---------------------------------------------------------------- copies of the control file


def test_a_missing_or_damaged_copy_is_205(lab: Lab) -> None:
    lab.instance.shutdown()
    first, second = lab.home.control_files
    kept = second.read_bytes()
    second.write_bytes(kept[:16384] + b"\xff" * (len(kept) - 16384))
    assert codes_of(lab.mount) == (205,)
    second.unlink()
    assert codes_of(lab.mount) == (205,)
    shutil.copyfile(first, second)
    lab.open()


def test_copies_of_different_times_are_214(lab: Lab) -> None:
    _first, second = lab.home.control_files
    old = second.read_bytes()
    lab.archive_current()
    lab.instance.shutdown()
    second.write_bytes(old)
    assert codes_of(lab.mount) == (214,)


def test_an_old_control_file_is_1207(lab: Lab) -> None:
    saved = [path.read_bytes() for path in lab.home.control_files]
    lab.archive_current()
    lab.instance.shutdown()
    for path, data in zip(lab.home.control_files, saved, strict=True):
        path.write_bytes(data)
    assert codes_of(lab.open) == (1122, 1110, 1207)


# ---------------------------------------------------------------- backups of the control file


def test_binary_backup_refuses_an_existing_file(lab: Lab) -> None:
    target = lab.copies / "control.ctl"
    control_file_backup.to_file(lab.instance, target)
    assert codes_of(lambda: control_file_backup.to_file(lab.instance, target)) == (1580, 27038)
    control_file_backup.to_file(lab.instance, target, reuse=True)
    own = lab.file().path
    assert codes_of(lambda: control_file_backup.to_file(lab.instance, own, reuse=True)) == (238,)
    missing = lab.copies / "no" / "folder"
    assert codes_of(lambda: control_file_backup.to_file(lab.instance, missing)) == (1580, 27040)


def test_a_restored_backup_control_file_demands_resetlogs(lab: Lab) -> None:
    lab.fill(10, "x")
    copy = lab.copies / "control.ctl"
    control_file_backup.to_file(lab.instance, copy)
    lab.instance.shutdown()
    restore_control_file(lab, copy)
    database = lab.mount().control.database
    assert (database.control_file_type, database.open_resetlogs) == ("BACKUP", "REQUIRED")
    assert codes_of(lab.instance.open) == (1589,)
    assert codes_of(lambda: lab.instance.open(resetlogs=False)) == (1588,)
    assert codes_of(RecoverySession(lab.instance, RecoverySpec()).start) == (283, 1610)


def test_everything_lost_but_backup_and_archives(lab: Lab) -> None:
    copies = whole_copy(lab)
    last = lab.fill(10, "archived")
    lab.archive_current()
    copy = lab.copies / "control.ctl"
    control_file_backup.to_file(lab.instance, copy)
    lab.fill(10, "lost")
    members = [member for group in lab.instance.control.redo_groups for member in group.members]
    lab.crash()
    restore_control_file(lab, copy)
    lab.mount()
    restore_all(lab, copies)
    for member in members:
        Path(member).unlink()
    old = lab.file("OLD")
    session = RecoverySession(lab.instance, BACKUP)
    assert codes_of(session.start) == (283, 1233, 1110)
    datafiles.offline(lab.instance, [old])
    assert codes_of(session.start)[:3] == (279, 289, 280)
    for log in archived(lab):
        assert codes_of(partial(session.logfile, log)) == (279, 289, 280, 278)
    session.cancel()
    lab.instance.open(resetlogs=True)
    lab.assert_contents(before_scn=last + 1)
    datafiles.online(lab.instance, [old])
    control = lab.instance.control
    assert control.database.control_file_type == "CURRENT"
    assert control.current_group.sequence == 1
    assert [record.status for record in control.incarnations] == ["PARENT", "CURRENT"]
    lab.ledger[:] = [entry for entry in lab.ledger if entry.scn <= last]
    lab.fill(10, "new life")
    lab.crash()
    lab.open()
    lab.assert_contents()


def test_the_current_online_log_given_by_name_completes_recovery(lab: Lab) -> None:
    lab.fill(10, "x")
    copy = lab.copies / "control.ctl"
    control_file_backup.to_file(lab.instance, copy)
    lab.archive_current()
    lab.fill(10, "in the current log")
    current = lab.instance.control.current_group.members[0]
    lab.crash()
    restore_control_file(lab, copy)
    lab.mount()
    datafiles.offline(lab.instance, [lab.file("OLD")])
    session = RecoverySession(lab.instance, RecoverySpec(using_backup_controlfile=True))
    codes = codes_of(session.start)
    while codes and 308 not in codes:
        codes = codes_of(session.continue_default)
    assert codes_of(lambda: session.logfile(current)) == ()
    lab.instance.open(resetlogs=True)
    lab.assert_contents()


def test_resetlogs_archives_the_online_logs_first(lab: Lab) -> None:
    copies = whole_copy(lab)
    lab.archive_current()
    stop = lab.fill(5, "x")
    sequence = lab.instance.control.thread.sequence
    lab.instance.shutdown()
    lab.mount()
    restore_all(lab, copies)
    RecoverySession(lab.instance, RecoverySpec(until_scn=stop, automatic=True)).start()
    old = lab.instance.control.database.resetlogs_id
    lab.instance.open(resetlogs=True)
    name = lab.instance.parameters.archived_log_name(1, sequence, old)
    header = read_log_header(lab.home.archive_folder / name)
    assert header.sequence == sequence and header.next_scn is not None and header.next_scn > stop


def test_resetlogs_is_only_for_incomplete_recovery(lab: Lab) -> None:
    lab.instance.shutdown()
    lab.mount()
    assert codes_of(lambda: lab.instance.open(resetlogs=True)) == (1139,)
    session = RecoverySession(lab.instance, RecoverySpec(until_cancel=True))
    assert codes_of(session.start) == ()
    assert codes_of(lab.instance.open) == (1589,)
    lab.instance.open(resetlogs=True)
    lab.assert_contents()


def test_resetlogs_refuses_to_lose_an_offline_file(lab: Lab) -> None:
    copies = whole_copy(lab)
    stop = lab.fill(5, "x")
    lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    restore_all(lab, copies)
    app = lab.file("APP")
    app.stop_scn = None
    datafiles.offline(lab.instance, [app])
    RecoverySession(lab.instance, RecoverySpec(until_scn=stop, automatic=True)).start()
    assert codes_of(lambda: lab.instance.open(resetlogs=True)) == (1245, 1110)


def test_a_file_from_before_resetlogs_is_refused(lab: Lab) -> None:
    copies = whole_copy(lab)
    stop = lab.fill(5, "x")
    lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    restore_all(lab, copies)
    RecoverySession(lab.instance, RecoverySpec(until_scn=stop, automatic=True)).start()
    lab.instance.open(resetlogs=True)
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copies[lab.file().file_number])
    assert codes_of(lab.instance.open) == (1190, 1110)


def test_an_old_backup_can_be_rolled_through_resetlogs(lab: Lab) -> None:
    copies = whole_copy(lab)
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"kept")
    stop = lab.put((file, FIRST_BLOCK, 0), b"undone by the first recovery")
    lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    restore_all(lab, copies)
    RecoverySession(lab.instance, RecoverySpec(until_scn=stop, automatic=True)).start()
    lab.instance.open(resetlogs=True)
    lab.ledger[:] = [entry for entry in lab.ledger if entry.scn < stop]
    lab.fill(10, "second incarnation")
    lab.archive_current()
    lab.fill(10, "current log of the second incarnation")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copies[file])
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    lab.instance.open()
    lab.assert_contents()


# ---------------------------------------------------------------- CREATE CONTROLFILE


def test_noresetlogs_after_a_clean_shutdown_opens_at_once(lab: Lab) -> None:
    lab.fill(10, "x")
    wanted = definition(lab, resetlogs=False)
    incarnation = lab.instance.control.database.resetlogs_id
    lab.instance.shutdown()
    create_control_file.create(lab.nomount(), wanted)
    assert lab.instance.control.database.control_file_type == "CREATED"
    lab.instance.open()
    lab.assert_contents()
    assert lab.instance.control.database.resetlogs_id == incarnation


def test_noresetlogs_after_a_crash_needs_recovery_and_no_new_incarnation(lab: Lab) -> None:
    lab.fill(10, "x")
    lab.archive_current()
    last = lab.fill(20, "y")
    wanted = definition(lab, resetlogs=False)
    incarnation = lab.instance.control.database.resetlogs_id
    lab.crash()
    for path in lab.home.control_files:
        path.unlink()
    create_control_file.create(lab.nomount(), wanted)
    assert codes_of(lab.instance.open) == (1113, 1110)
    lab.recover_with_archives(RecoverySession(lab.instance, RecoverySpec()))
    redo_switch.archive_log_all(lab.instance)
    lab.instance.open()
    lab.assert_contents()
    assert lab.instance.control.database.resetlogs_id == incarnation
    assert lab.instance.clock.current() > last


def test_noresetlogs_needs_the_current_log(lab: Lab) -> None:
    wanted = definition(lab, resetlogs=False)
    current = lab.instance.control.current_group
    groups = tuple(group for group in wanted.groups if group.group != current.group)
    lab.crash()
    fewer = ControlFileDefinition(**{**vars(wanted), "groups": groups})
    assert codes_of(lambda: create_control_file.create(lab.nomount(), fewer)) == (1503, 1229, 1110)
    Path(current.members[0]).unlink()
    assert codes_of(lambda: create_control_file.create(lab.nomount(), wanted)) == (1503, 1565, 27037)


def test_resetlogs_variant_recovers_like_a_backup_control_file(lab: Lab) -> None:
    copies = whole_copy(lab)
    last = lab.fill(10, "x")
    lab.archive_current()
    wanted = definition(lab, resetlogs=True)
    logs = archived(lab)
    records = lab.all_files
    members = [member for group in lab.instance.control.redo_groups for member in group.members]
    lab.crash()
    for record in records:
        lab.restore(record, copies[record.file_number])
    for member in members:
        Path(member).unlink()
    create_control_file.create(lab.nomount(), wanted)
    assert codes_of(RecoverySession(lab.instance, RecoverySpec()).start) == (283, 1610)
    session = RecoverySession(lab.instance, BACKUP)
    codes_of(session.start)
    for log in logs:
        codes_of(partial(session.logfile, log))
    session.cancel()
    lab.instance.open(resetlogs=True)
    lab.assert_contents(before_scn=last + 1)


def test_creation_checks_what_it_is_given(lab: Lab) -> None:
    wanted = definition(lab, resetlogs=False)
    assert codes_of(lambda: create_control_file.create(lab.instance, wanted)) == (1100,)
    lab.instance.shutdown()
    fresh = ControlFileDefinition(**{**vars(wanted), "reuse": False})
    assert codes_of(lambda: create_control_file.create(lab.nomount(), fresh)) == (1503, 200, 202, 27038)
    other = ControlFileDefinition(**{**vars(wanted), "database": "OTHER"})
    assert codes_of(lambda: create_control_file.create(lab.nomount(), other)) == (1503, 1161, 1110)
    twice = ControlFileDefinition(**{**vars(wanted), "datafiles": wanted.datafiles * 2})
    assert codes_of(lambda: create_control_file.create(lab.nomount(), twice)) == (1503, 1167, 1110)
    lost = ControlFileDefinition(**{**vars(wanted), "datafiles": (*wanted.datafiles, "/no/such/file")})
    assert codes_of(lambda: create_control_file.create(lab.nomount(), lost)) == (1503, 1565, 27037)


def test_a_read_only_file_left_out_comes_back_as_missing(lab: Lab) -> None:
    wanted = definition(lab, resetlogs=False)
    old = lab.file("OLD")
    lab.instance.shutdown()
    instance = lab.nomount()

    def dictionary_check() -> None:
        name = str(lab.home.dbs / f"MISSING{old.file_number:05d}")
        instance.control.tablespaces.append(
            TablespaceRecord(old.tablespace_number, "OLD", status="READ ONLY")
        )
        instance.control.datafiles.append(
            DatafileRecord(
                old.file_number, old.relative_file_number, old.tablespace_number, name, 0, status="RECOVER"
            )
        )

    create_control_file.create(instance, wanted)
    instance.dictionary_check = dictionary_check
    instance.open()
    missing = f"MISSING{old.file_number:05d}"
    datafiles.rename(instance, [(missing, old.path)])
    record = datafiles.find(instance, old.file_number)
    assert (record.enabled, record.status) == ("READ ONLY", "OFFLINE")
    datafiles.online(instance, [record])
    with instance.latch:
        assert instance.cache.get(old.file_number, 2).block.slots


# ---------------------------------------------------------------- the trace script


def test_the_trace_script_has_both_variants(lab: Lab) -> None:
    target = control_file_backup.to_trace(lab.instance, lab.copies / "trace.sql")
    text = target.read_text()
    assert text.count('CREATE CONTROLFILE REUSE DATABASE "LAB" NORESETLOGS ARCHIVELOG') == 1
    assert text.count('CREATE CONTROLFILE REUSE DATABASE "LAB" RESETLOGS ARCHIVELOG') == 1
    group = lab.instance.control.redo_groups[0]
    assert f"  GROUP 1 '{group.members[0]}'  SIZE 1M BLOCKSIZE 512," in text
    old = lab.file("OLD")
    statement = text[text.index("DATAFILE") : text.index("CHARACTER SET")]
    assert old.path not in statement and lab.file().path in statement
    assert f"ALTER DATABASE RENAME FILE 'MISSING{old.file_number:05d}'\n  TO '{old.path}';" in text
    assert 'ALTER TABLESPACE "OLD" ONLINE;' in text
    assert 'ALTER TABLESPACE "TEMP" ADD TEMPFILE' in text and " REUSE AUTOEXTEND" in text
    again = codes_of(lambda: control_file_backup.to_trace(lab.instance, lab.copies / "trace.sql"))
    assert again == (1580, 27038)


def test_the_trace_script_with_one_variant(lab: Lab) -> None:
    target = control_file_backup.to_trace(lab.instance, lab.copies / "t", resetlogs=True)
    text = target.read_text()
    assert "NORESETLOGS" not in text and "ALTER DATABASE OPEN RESETLOGS;" in text
    assert control_file_backup.to_trace(lab.instance).parent == lab.home.trace_folder


# ---------------------------------------------------------------- files the control file does not know


def add_file(lab: Lab, number: int) -> Path:
    """A new tablespace with one file, as the dictionary layer makes it."""
    instance = lab.instance
    control = instance.control
    path = lab.home.datafile_folder / f"new{number}.dbf"
    with instance.latch:
        scn = instance.clock.next()
        address = instance.redo.next_address()
        database = control.database
        moment = database.created
        assert moment is not None
        header = DatafileHeader(
            database.dbid, "LAB", number, number, number, f"NEW{number}", 200,
            creation_scn=scn, creation_time=moment, resetlogs_scn=database.resetlogs_scn,
            resetlogs_id=database.resetlogs_id, checkpoint=Checkpoint(scn, moment, 1, *address),
            status=HeaderStatus.ONLINE_FUZZY,
        )  # fmt: skip
        record = DatafileRecord(
            number, number, number, str(path), 200, creation_scn=scn, creation_time=moment,
            checkpoint=header.checkpoint, create_blocks=200,
        )  # fmt: skip
        control.tablespaces.append(TablespaceRecord(number, f"NEW{number}"))
        control.datafiles.append(record)
        instance.files.add(OpenFile(record, Datafile.create(path, header), bigfile=False))
        commit = write_changes(
            instance,
            [BlockChange(number, 140, Format(6, 1)), BlockChange(number, 140, Put(0, b"in the new file"))],
            [
                TablespaceCreated(number, f"NEW{number}", False, "PERMANENT"),
                FileCreated(number, number, number, str(path), 200, 8192, scn, encode_time(moment)),
            ],
        )
    wait_durable(instance, commit.position)
    instance.save_control()
    return path


@pytest.mark.parametrize("copied", [False, True])
def test_a_file_unknown_to_the_control_file_gets_an_unnamed_entry(lab: Lab, copied: bool) -> None:
    copies = whole_copy(lab)
    copy = lab.copies / "control.ctl"
    control_file_backup.to_file(lab.instance, copy)
    path = add_file(lab, 20)
    backup_mode.begin_tablespace(lab.instance, "NEW20")
    shutil.copyfile(path, lab.copies / "new20.dbf")
    backup_mode.end_tablespace(lab.instance, "NEW20")
    lab.put((20, 140, 1), b"more in the new file")
    lab.archive_current()
    lab.crash()
    path.unlink()
    restore_control_file(lab, copy)
    lab.mount()
    restore_all(lab, copies)
    datafiles.offline(lab.instance, [lab.file("OLD")])
    spec = RecoverySpec(using_backup_controlfile=True, until_cancel=True, automatic=True)
    assert codes_of(RecoverySession(lab.instance, spec).start) == (283, 1244, 1110)
    record = datafiles.find(lab.instance, 20)
    assert record.path.endswith("UNNAMED00020")
    if copied:
        shutil.copyfile(lab.copies / "new20.dbf", path)
        datafiles.rename(lab.instance, [(record.path, str(path))])
    else:
        datafiles.create_datafile(lab.instance, record, str(path))
    session = RecoverySession(lab.instance, spec)
    assert 308 in codes_of(session.start)
    session.cancel()
    lab.instance.open(resetlogs=True)
    with lab.instance.latch:
        slots = lab.instance.cache.get(20, 140).block.slots
    assert slots == {0: b"in the new file", 1: b"more in the new file"}


def test_renaming_checks_the_new_file(lab: Lab) -> None:
    record = lab.file()
    new = str(lab.copies / "moved.dbf")

    def rename(old: str, to: str) -> tuple[int, ...]:
        return codes_of(lambda: datafiles.rename(lab.instance, [(old, to)]))

    assert rename(record.path, new) == (1511, 1121, 1110)
    lab.instance.shutdown()
    lab.mount()
    record = lab.file()
    assert rename("/no/such", new) == (1511, 1516)
    assert rename(record.path, new) == (1511, 1141, 1110, 27037)
    shutil.copyfile(lab.file("APP").path, new)
    assert rename(record.path, new) == (1511, 1206, 1110)
    shutil.copyfile(record.path, new)
    assert rename(record.path, new) == ()
    lab.instance.open()
    lab.fill(3, "moved")
    lab.assert_contents()
    with pytest.raises(OracleError):
        datafiles.find(lab.instance, "/no/such")
