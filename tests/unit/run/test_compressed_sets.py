# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets whose datafiles are stored compressed: run, resumed, sealed, listed, restored, and refused."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import Verdict
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.file_restore import (
    plan_files,
    require_sound_copies,
    restore_files,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.preflight import examine, intact_files
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import RunRequest
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.sealing import prove, write_seal
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.set_catalog import (
    read_redo_store,
    read_sets,
)

from unit.run.fake_database import DBID, FILE_BYTES
from unit.run.small_set import add_control, add_redo, make_copied_set, seen_of

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
ZSTD = Compression("zstd")


def without(record, *names):
    return {name: value for name, value in record.items() if name not in names}


def compress(host, number):
    """Store a file's copy compressed instead, and journal it as a run does."""
    source = f"/oradata/a{number:02d}.dbf"
    plain = host.layout.datafile_path(number, source)
    stored = host.layout.datafile_path(number, source, "zstd")
    result = copy_file(CopyRequest(str(plain), str(stored), FileKind.DATAFILE, compression=ZSTD))
    status = stored.stat()
    (fields,) = (record for record in host.records if record.get("file_number") == number)
    changes = {
        "path": host.layout.relative(stored),
        "inode": status.st_ino,
        "mtime_ns": status.st_mtime_ns,
        "compression": "zstd",
        "stored_size_bytes": status.st_size,
        "stored_digest": result.stored_digest,
    }
    with Journal.open(host.layout.journal_path) as journal:
        journal.append("file_copied", **{**without(fields, "event", "at"), **changes})
    content = plain.read_bytes()
    plain.unlink()
    return stored, content


@pytest.fixture
def host(make_host, tmp_path):
    """A set of three files that is ready to be sealed; the first two are compressed, of another run."""
    host = make_host({"A": 3})
    make_copied_set(host)
    host.stored, host.plain = zip(*(compress(host, number) for number in (1, 2)), strict=True)
    add_redo(host, tmp_path / "archive")
    add_control(host)
    return host


@pytest.fixture
def no_library(monkeypatch):
    """No zstd library can be imported."""
    real = importlib.import_module

    def import_module(name, package=None):
        if "zst" in name and not name.startswith("ansible_collections"):
            raise ImportError(name)
        return real(name, package)

    return lambda: monkeypatch.setattr(importlib, "import_module", import_module)


def seal(host, verify):
    manifest = prove(host.layout, host.state, seen_of(host), verify, CopyTuning(), NOW)
    write_seal(host.layout, manifest)
    return manifest


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.write_bytes(content)


def findings(host, verify):
    logs, _problems = read_redo_store(host.layout.database)
    (report,) = read_sets(host.layout.database, logs, verify, CopyTuning(), pytest.fail)
    return report


# --- runs


def test_a_run_stores_compressed_and_journals_it(make_host):
    host = make_host({"A": 2})
    assert host.run(compression=ZSTD)[0]
    assert sorted(path.name for path in host.layout.datafiles_folder.iterdir()) == [
        "1_a01.dbf.zst",
        "2_a02.dbf.zst",
    ]
    assert {copied.compression for copied in host.state.files.values()} == {"zstd"}
    started = next(record for record in host.records if record["event"] == "run_started")
    assert started["compression"] == {"name": "zstd", "level": 3, "threads": 0}


def test_finished_copies_stay_whatever_a_later_run_would_do(make_host):
    host = make_host({"A": 2})
    host.run()
    host.run("run2", compression=ZSTD)
    assert {copied.run_id for copied in host.state.files.values()} == {"run1"}
    assert {copied.compression for copied in host.state.files.values()} == {"none"}


def test_a_copy_that_is_made_again_in_another_form_takes_the_place_of_the_old_one(make_host):
    host = make_host({"A": 2})
    host.run()
    folder = host.layout.datafiles_folder
    (folder / "1_a01.dbf").write_bytes(b"damaged")
    (folder / "1_a01.dbf.partial").write_bytes(b"half")
    assert host.run("run2", compression=ZSTD)[0]
    assert sorted(path.name for path in folder.iterdir()) == ["1_a01.dbf.zst", "2_a02.dbf"]
    (folder / "1_a01.dbf.zst").write_bytes(b"damaged")
    assert host.run("run3")[0]
    assert sorted(path.name for path in folder.iterdir()) == ["1_a01.dbf", "2_a02.dbf"]
    assert host.state.files[1].path == "datafiles/1_a01.dbf"


def test_a_later_run_vouches_for_what_is_stored(host):
    compressed = {1, 2}
    assert intact_files(host.layout, host.state) >= compressed
    status = host.stored[0].stat()
    with host.stored[0].open("ab") as file:
        file.write(b"x")
    os.utime(host.stored[0], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert intact_files(host.layout, host.state) & compressed == {2}


def test_a_request_reaches_the_runner_whole(make_host):
    host = make_host({"A": 1})
    request = host.request(compression=Compression("zstd", 7, 2))
    assert RunRequest.from_plain(request.to_plain()) == request


# --- before a run


def examined(host, compression):
    database, tablespaces = host.database.discover()
    return examine(database, tablespaces, host.layout, host.request(compression=compression).policy)


def test_a_host_without_a_library_is_refused_in_preflight(make_host, no_library):
    host = make_host({"A": 2})
    no_library()
    (problem,) = examined(host, ZSTD).plan.problems
    assert problem.code == "compression"
    for word in (sys.executable, platform.node()):
        assert word in problem.message
    for word in ("zstandard", "backports.zstd", "compression.zstd", "set compression to none"):
        assert word in problem.hint
    succeeded, status = host.run(compression=ZSTD)
    assert not succeeded
    assert status.error["msg"] == problem.message
    assert not host.layout.set_folder.exists()
    assert host.database.log == []
    assert examined(host, Compression()).plan.problems == ()


def test_a_finished_set_needs_no_library(make_host, no_library):
    host = make_host({"A": 2})
    host.run(compression=ZSTD)
    no_library()
    found = examined(host, ZSTD)
    assert (found.plan.problems, found.plan.file_count) == ((), 0)


def test_too_little_space_for_the_plain_size_is_a_warning(make_host, monkeypatch):
    host = make_host({"A": 2})
    spare = 64 << 20

    def free_space(free):
        # What the system calls available, in blocks of one byte.
        status = os.statvfs_result((1, 1, free, free, free, 0, 0, 0, 0, 255))
        monkeypatch.setattr(os, "statvfs", lambda _path: status)

    free_space(spare + 2 * FILE_BYTES - 1)
    assert [problem.code for problem in examined(host, Compression()).plan.problems] == ["destination"]
    tight = examined(host, ZSTD)
    assert tight.plan.problems == ()
    assert f"have {2 * FILE_BYTES} before they are compressed" in tight.warnings[0]
    free_space(spare - 1)
    assert [problem.code for problem in examined(host, ZSTD).plan.problems] == ["destination"]
    free_space(spare + 2 * FILE_BYTES)
    for compression in (Compression(), ZSTD):
        found = examined(host, compression)
        assert (found.plan.problems, found.warnings) == ((), ())


# --- sealing


@pytest.mark.parametrize("verify", ["headers", "full"])
def test_compressed_and_plain_copies_are_sealed_together(host, verify):
    manifest = seal(host, verify)
    assert manifest.verdict is Verdict.GOOD
    assert [item.compression for item in manifest.files] == ["zstd", "zstd", "none"]
    for item, stored, plain in zip(manifest.files[:2], host.stored, host.plain, strict=True):
        assert item.path == f"datafiles/{stored.name}"
        assert (item.stored_size_bytes, item.size_bytes) == (stored.stat().st_size, len(plain))
        assert item.stored_digest == hashlib.sha256(stored.read_bytes()).hexdigest()
        chunk = hashlib.sha256(plain).digest()
        assert item.digest == hashlib.sha256(chunk).hexdigest()
    others = sum(item.size_bytes for item in (*manifest.redo, *manifest.control))
    on_disk = sum((host.layout.absolute(item.path)).stat().st_size for item in manifest.files)
    assert manifest.size_bytes == on_disk + others


@pytest.mark.parametrize("position", [0, 40, -3])
def test_damage_of_a_compressed_copy_refuses_the_seal(host, position):
    flip(host.stored[1], position)
    with pytest.raises(VerificationError, match="cannot be sealed") as caught:
        seal(host, "full")
    (problem,) = caught.value.details["problems"]
    assert str(host.stored[1]) in problem
    assert "the same set_id" in caught.value.hint


def test_a_compressed_copy_of_another_size_refuses_the_seal_without_being_read(host):
    with host.stored[0].open("ab") as file:
        file.write(b"x")
    with pytest.raises(VerificationError, match="were stored"):
        seal(host, "headers")


def test_a_copy_of_another_file_refuses_the_seal(host):
    first, second = (
        without([record for record in host.records if record.get("file_number") == number][-1], "event", "at")
        for number in (1, 2)
    )
    stored = {name: second[name] for name in ("path", "stored_size_bytes", "stored_digest")}
    with Journal.open(host.layout.journal_path) as journal:
        journal.append("file_copied", **{**first, **stored})
    add_control(host)
    with pytest.raises(VerificationError, match="file number 2, not 1"):
        seal(host, "headers")


def test_a_seal_without_a_library_is_no_verdict_on_the_set(host, no_library):
    no_library()
    with pytest.raises(PreconditionError, match="needs a zstd library"):
        seal(host, "headers")


# --- the catalogue


@pytest.mark.parametrize("verify", ["none", "headers", "full"])
def test_a_sound_set_is_good_at_every_level(host, verify):
    seal(host, "headers")
    assert findings(host, verify).verdict is Verdict.GOOD


def test_a_flipped_bit_shows_when_every_byte_is_read(host):
    seal(host, "headers")
    flip(host.stored[0], -20)
    assert findings(host, "none").verdict is Verdict.GOOD
    report = findings(host, "full")
    assert report.verdict is Verdict.UNUSABLE
    assert [item.subject for item in report.findings] == [f"datafiles/{host.stored[0].name}"]


@pytest.mark.parametrize("verify", ["headers", "full"])
def test_a_truncated_copy_shows_at_once(host, verify):
    seal(host, "headers")
    os.truncate(host.stored[0], host.stored[0].stat().st_size - 1)
    assert findings(host, verify).verdict is Verdict.UNUSABLE


@pytest.mark.parametrize("verify", ["headers", "full"])
def test_a_host_without_a_library_says_nothing_about_the_set(host, no_library, verify):
    seal(host, "headers")
    no_library()
    assert findings(host, "none").verdict is Verdict.GOOD
    with pytest.raises(PreconditionError, match=str(host.stored[0])):
        findings(host, verify)


# --- restoring


@pytest.fixture
def places(host, tmp_path):
    """The sealed set's files, each with a place of its own to be restored to."""
    folder = tmp_path / "oradata"
    folder.mkdir()
    manifest = seal(host, "headers")
    return [dataclasses.replace(item, source=str(folder / Path(item.source).name)) for item in manifest.files]


def test_what_differs_is_written_and_what_is_equal_is_not(host, places):
    Path(places[0].source).write_bytes(host.plain[0])
    Path(places[1].source).write_bytes(b"lost")
    before = Path(places[0].source).stat()
    planned = plan_files(host.layout, places, CopyTuning())
    assert [item.equal for item in planned] == [True, False, False]
    require_sound_copies(planned, CopyTuning(streams=2))
    written = restore_files(planned, DBID, CopyTuning(streams=2))
    assert [Path(item.source).read_bytes() for item in places[:2]] == list(host.plain)
    assert written == len(host.plain[1]) + places[2].size_bytes
    assert Path(places[0].source).stat().st_mtime_ns == before.st_mtime_ns
    assert all(item.equal for item in plan_files(host.layout, places, CopyTuning()))


def test_a_damaged_copy_is_found_before_anything_is_replaced(host, places):
    for item in places:
        Path(item.source).write_bytes(b"old")
    flip(host.stored[1], -20)
    planned = plan_files(host.layout, places, CopyTuning())
    with pytest.raises(VerificationError, match="No file was replaced") as caught:
        require_sound_copies(planned, CopyTuning())
    assert str(host.stored[1]) in caught.value.message
    assert "another one" in caught.value.hint
    assert {Path(item.source).read_bytes() for item in places} == {b"old"}


def test_a_damaged_copy_never_gets_the_name_of_a_datafile(host, places):
    flip(host.stored[0], -20)
    with pytest.raises(VerificationError, match=str(host.stored[0])):
        restore_files(plan_files(host.layout, places[:1], CopyTuning()), DBID, CopyTuning())
    assert not Path(places[0].source).exists()


def test_a_truncated_copy_is_refused_by_the_plan(host, places):
    os.truncate(host.stored[0], 100)
    with pytest.raises(VerificationError, match="has 100 bytes"):
        plan_files(host.layout, places, CopyTuning())


def test_a_restore_without_a_library_is_refused_with_the_way_by_hand(host, places, no_library):
    Path(places[0].source).write_bytes(b"old")
    no_library()
    with pytest.raises(PreconditionError) as caught:
        plan_files(host.layout, places, CopyTuning())
    for word in (sys.executable, platform.node(), str(host.stored[0])):
        assert word in caught.value.message
    assert f"zstd -d {host.stored[0]} -o" in caught.value.hint
    assert "zstandard" in caught.value.hint
    assert Path(places[0].source).read_bytes() == b"old"
    # Plain copies, and files that are in place already, need none.
    assert [item.equal for item in plan_files(host.layout, places[2:], CopyTuning())] == [False]
    Path(places[0].source).write_bytes(host.plain[0])
    assert [item.equal for item in plan_files(host.layout, places[:1], CopyTuning())] == [True]
