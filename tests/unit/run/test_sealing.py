# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set is sealed by proof, and refused for each single thing that is not so."""

from __future__ import annotations

import errno
import os
import random
import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupMethod
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import Verdict
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._run import stored_files
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.file_restore import (
    require_sound_control_copy,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.removal import (
    remove_set,
    require_removable,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.sealing import (
    prove,
    read_manifest,
    write_seal,
)

from unit.files.faulty_files import FailingLayer, WatchedLayer
from unit.files.power_loss import Disk, DiskLayer
from unit.run.fake_database import DBID
from unit.run.host import SET_ID
from unit.run.small_set import (
    BEGIN_SCN,
    END_SCN,
    FIRST_SEQUENCE,
    add_control,
    add_redo,
    journal_file,
    key,
    make_copied_set,
    seen_of,
    write_datafile,
)

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


@pytest.fixture
def host(make_host, tmp_path):
    host = make_host({"A": 2})
    make_copied_set(host)
    add_redo(host, tmp_path / "archive")
    add_control(host)
    return host


def seal(host, verify="full", streams=4, **seen):
    return prove(host.layout, host.state, seen_of(host, **seen), verify, CopyTuning(streams), NOW)


def change_byte(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("verify", ["headers", "full"])
def test_complete_set_is_good(host, verify):
    manifest = seal(host, verify)
    assert manifest.verdict is Verdict.GOOD
    assert (manifest.begin_scn, manifest.end_scn) == (BEGIN_SCN, END_SCN)
    assert [item.file_number for item in manifest.files] == [1, 2]
    assert [item.sequence for item in manifest.redo] == [FIRST_SEQUENCE, FIRST_SEQUENCE + 1]
    assert {item.kind for item in manifest.control} >= {"control_file", "pfile"}
    assert not host.layout.manifest_path.exists()


def test_manifest_is_written_and_noted_and_read_back(host):
    manifest = seal(host)
    write_seal(host.layout, manifest)
    assert read_manifest(host.layout) == manifest
    assert host.state.sealed
    assert host.events[-1] == "sealed"
    assert Manifest.from_json(host.layout.manifest_path.read_text()).database.dbid == DBID


def test_set_that_was_never_begun_is_refused(make_host):
    with pytest.raises(PreconditionError, match="Nothing was copied"):
        seal(make_host({"A": 1}))


def test_unfinished_copying_is_refused(host):
    with Journal.open(host.layout.journal_path) as journal:
        journal.append(
            "run_started",
            run_id="run2",
            set_id=SET_ID,
            dbid=DBID,
            db_unique_name="ORA1",
            resetlogs_id=1,
            policy={},
        )
    with pytest.raises(PreconditionError, match="not finished"):
        seal(host)


def test_open_window_is_refused(host):
    with Journal.open(host.layout.journal_path) as journal:
        journal.append("window_intent", run_id="run1", tablespace="A", con_id=0, files=[1, 2])
    with pytest.raises(PreconditionError, match="not known to have left backup mode"):
        seal(host)


def test_window_ended_by_somebody_else_is_refused(make_host):
    host = make_host({"A": 1})
    make_copied_set(host, closed_by="user")
    with pytest.raises(PreconditionError, match="was not ended by END BACKUP of ours"):
        seal(host)


def test_added_datafile_is_refused_by_name(host):
    host.database.add_file("A")
    with pytest.raises(PreconditionError) as caught:
        seal(host)
    named = f"Datafile 3 (/oradata/a03.dbf) of tablespace A is not in set {SET_ID}: "
    assert named + "it was added after the files were copied." in caught.value.message


def test_added_tablespace_is_refused(host):
    host.database.add_file("NEW")
    with pytest.raises(PreconditionError, match="of tablespace NEW is not in set"):
        seal(host)


def test_dropped_datafile_is_a_finding(host):
    del host.database.files[2]
    manifest = seal(host)
    assert manifest.verdict is Verdict.GOOD_WITH_FINDINGS
    assert [item.code for item in manifest.findings] == ["dropped"]


def test_change_without_redo_is_a_finding(host):
    host.database.unrecoverable[1] = BEGIN_SCN + 1
    manifest = seal(host)
    assert manifest.verdict is Verdict.GOOD_WITH_FINDINGS
    assert "ORA-26040" in manifest.findings[0].message


def test_change_without_redo_before_the_copy_is_no_finding(host):
    host.database.unrecoverable[1] = BEGIN_SCN - 1
    assert seal(host).findings == ()


def test_other_incarnation_is_refused(host, monkeypatch):
    seen = seen_of(host)
    monkeypatch.setattr(type(seen.database), "resetlogs_id", 99)
    with pytest.raises(PreconditionError, match="RESETLOGS"):
        prove(host.layout, host.state, seen, "headers", CopyTuning(), NOW)


@pytest.mark.parametrize(
    ("kind", "begin", "verdict"),
    [
        ("fractured", "backup_mode", Verdict.GOOD_WITH_FINDINGS),
        ("bad_checksum", "backup_mode", Verdict.DEGRADED),
        ("soft_corrupt", "backup_mode", Verdict.DEGRADED),
    ],
)
def test_bad_blocks_decide_the_verdict(make_host, tmp_path, kind, begin, verdict):
    host = make_host({"A": 1})
    make_copied_set(host, faults=[{"block": 5, "kind": kind}], fault_count=1)
    add_redo(host, tmp_path / "archive")
    add_control(host)
    assert seal(host, "headers").verdict is verdict


def test_missing_copy_is_refused(host):
    host.layout.absolute(host.state.files[1].path).unlink()
    with pytest.raises(VerificationError, match="is not there"):
        seal(host, "headers")


def test_copy_of_another_size_is_refused(host):
    with open(host.layout.absolute(host.state.files[1].path), "ab") as stored:
        stored.write(bytes(8192))
    with pytest.raises(VerificationError, match="bytes"):
        seal(host, "headers")


def test_one_changed_byte_is_found_by_full_verification_only(host):
    path = host.layout.absolute(host.state.files[1].path)
    change_byte(path, 5 * 8192 + 100)
    seal(host, "headers")
    with pytest.raises(VerificationError, match="digest"):
        seal(host, "full")


@pytest.mark.parametrize("streams", [1, 2, 5])
def test_every_damaged_file_is_named_in_the_same_order_however_many_read(host, streams):
    logs = [host.layout.redo_path(*key(FIRST_SEQUENCE + number)) for number in (0, 1)]
    change_byte(logs[1], 5 * 512 + 40)
    change_byte(host.layout.absolute(host.state.files[1].path), 5 * 8192 + 100)
    write_datafile(host, 2, hot=False)
    with pytest.raises(VerificationError) as caught:
        seal(host, "full", streams)
    first, second, third, chain = caught.value.details["problems"]
    assert "1_a01.dbf: expected digest" in first
    assert "The header of datafiles/2_a02.dbf has checkpoint SCN 900" in second
    assert f"{logs[1]}: expected digest" in third
    assert "from sequence 8 on" in chain, "a damaged log proves nothing"


def test_a_file_that_cannot_be_read_does_not_hide_another(host, monkeypatch):
    bad = host.layout.absolute(host.state.files[1].path)
    change_byte(host.layout.absolute(host.state.files[2].path), 5 * 8192 + 100)

    class BadDisk(OsFileLayer):
        def read_into(self, descriptor, buffer, offset):
            if os.path.samestat(os.fstat(descriptor), bad.stat()):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().read_into(descriptor, buffer, offset)

    # Only the reading of whole files is given this disk: the first look finds nothing.
    monkeypatch.setattr(stored_files, "IoContext", partial(IoContext, files=BadDisk()))
    with pytest.raises(VerificationError) as caught:
        seal(host, "full")
    first, second = caught.value.details["problems"]
    assert "1_a01.dbf" in first
    assert "EIO" in first
    assert "2_a02.dbf: expected digest" in second


def test_copy_whose_header_is_not_in_backup_mode_is_refused(host):
    write_datafile(host, 1, hot=False)
    with pytest.raises(VerificationError, match="not "):
        seal(host, "headers")


def test_missing_log_is_refused_with_the_gap(host):
    host.layout.redo_path(*key(FIRST_SEQUENCE)).unlink()
    with pytest.raises(VerificationError, match=r"before sequence 8|sequence 7"):
        seal(host, "headers")


def test_redo_that_does_not_pass_the_last_end_backup_is_refused(make_host, tmp_path):
    host = make_host({"A": 1})
    make_copied_set(host)
    add_redo(host, tmp_path / "archive")
    add_control(host, control_scn=10_000)
    with Journal.open(host.layout.journal_path) as journal:
        journal.append("run_copied", run_id="run1", end_scn=2200)
    with pytest.raises(VerificationError, match="from sequence 9 on"):
        seal(host, "headers")


def test_thread_without_redo_is_refused(host):
    with pytest.raises(VerificationError, match="thread 2: all redo"):
        seal(host, "headers", threads=(1, 2))


def test_missing_control_file_is_refused(make_host, tmp_path):
    host = make_host({"A": 1})
    make_copied_set(host)
    add_redo(host, tmp_path / "archive")
    with pytest.raises(VerificationError, match="control file was not saved"):
        seal(host)


def test_control_file_older_than_the_last_end_backup_is_refused(make_host, tmp_path):
    host = make_host({"A": 1})
    make_copied_set(host)
    add_redo(host, tmp_path / "archive")
    add_control(host, control_scn=END_SCN - 1)
    with pytest.raises(VerificationError, match="before the last END BACKUP"):
        seal(host)


def test_changed_control_script_is_refused(host):
    host.layout.resetlogs_script.write_text("DROP DATABASE")
    with pytest.raises(VerificationError, match="is not what was saved"):
        seal(host)


def test_missing_parameters_degrade(make_host, tmp_path):
    host = make_host({"A": 1})
    make_copied_set(host)
    add_redo(host, tmp_path / "archive")
    add_control(host, pfile=False)
    assert seal(host).verdict is Verdict.DEGRADED


def test_read_only_file_that_was_written_since_is_refused(make_host, tmp_path):
    host = make_host({"A": 1, "H": 1}, read_only=("H",))
    make_copied_set(host)
    with Journal.open(host.layout.journal_path) as journal:
        journal_file(host, journal, 2, write_datafile(host, 2, hot=False), hot=False)
    add_redo(host, tmp_path / "archive")
    add_control(host)
    assert seal(host).files[1].begin_scn is None
    host.database.checkpoint[2] = 950
    with pytest.raises(PreconditionError, match="written since"):
        seal(host)
    host.database.checkpoint[2] = 900
    host.database.read_only.clear()
    assert host.database.discover()[1][1].method is BackupMethod.BACKUP_MODE
    with pytest.raises(PreconditionError, match="written since"):
        seal(host)


def test_removal_needs_the_set_named(host):
    for confirm in (None, "", "yes", "20260302T010000Z"):
        with pytest.raises(PreconditionError, match="confirm"):
            require_removable(host.layout, confirm)
    require_removable(host.layout, SET_ID)
    remove_set(host.layout)
    assert not host.layout.set_folder.exists()
    assert host.layout.redo_path(*key(FIRST_SEQUENCE)).exists()


@pytest.mark.parametrize("interrupted", [False, True], ids=["sealed", "without its manifest already"])
def test_no_manifest_comes_back_to_files_that_are_gone_whenever_the_power_goes(
    host, monkeypatch, interrupted
):
    write_seal(host.layout, seal(host))
    disk = Disk(Path(host.layout.destination))
    if interrupted:
        # By a removal that died before it flushed.
        DiskLayer(disk).remove(str(host.layout.manifest_path))
    images = []

    def rmtree(folder, real=shutil.rmtree):
        images.extend(disk.images(random.Random(1)))
        real(folder)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    remove_set(host.layout, DiskLayer(disk))
    disk.close()
    manifest = host.layout.manifest_path.relative_to(host.layout.destination).as_posix()
    assert images
    assert not any(manifest in image for image in images)
    assert not host.layout.set_folder.exists()


def test_a_removal_that_fails_or_is_not_flushed_is_told_and_touches_no_file(host):
    write_seal(host.layout, seal(host))
    stored = [host.layout.absolute(item.path) for item in host.state.files.values()]
    for call in ("remove", "flush_folder"):
        with pytest.raises(BackupError, match=r"manifest\.json: .*EIO"):
            remove_set(host.layout, FailingLayer(call))
        assert all(path.exists() for path in stored)
    remove_set(host.layout)
    assert not host.layout.set_folder.exists()


def test_the_end_of_a_removed_set_is_flushed(host):
    files = WatchedLayer()
    remove_set(host.layout, files)
    assert files.calls == ["remove", "flush_folder", "flush_folder"]
    with pytest.raises(BackupError, match=f"{host.layout.set_folder.parent}: .*EIO"):
        host.layout.set_folder.mkdir()
        remove_set(host.layout, FailingLayer("flush_folder", nth=1))


def test_set_with_an_open_window_is_not_removed(host):
    with Journal.open(host.layout.journal_path) as journal:
        journal.append("window_intent", run_id="run1", tablespace="A", con_id=0, files=[1, 2])
    with pytest.raises(PreconditionError, match="only proof"):
        require_removable(host.layout, SET_ID)


def test_damaged_manifest_is_an_error_and_no_reason_to_seal_again(host):
    host.layout.manifest_path.write_text("{")
    with pytest.raises(BackupError, match="not JSON"):
        read_manifest(host.layout)


def test_a_changed_control_file_is_not_restored(host):
    manifest, copy = seal(host), host.layout.control_copy
    require_sound_control_copy(manifest, host.layout, [str(copy)])
    data = bytearray(copy.read_bytes())
    data[-700] ^= 1
    copy.write_bytes(data)
    require_sound_control_copy(
        manifest, host.layout, ["/u01/another/control.ctl"]
    )  # it is not the one put back
    with pytest.raises(VerificationError, match="No file was replaced"):
        require_sound_control_copy(manifest, host.layout, [str(copy)])
