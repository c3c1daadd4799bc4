# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that must be free is never taken from another file, whatever calls the system offers for that."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import linux
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import write_atomically
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext

from unit.files import oracle_file_writer as writer
from unit.files.faulty_files import QuickLayer

FOREIGN = b"another process's file"
Patch = pytest.MonkeyPatch


def failing(code: int) -> Callable[..., Any]:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def without_renameat2(patch: Patch) -> None:
    patch.setattr(linux, "rename_new", lambda *_names: False)


def without_links(patch: Patch) -> None:
    without_renameat2(patch)
    patch.setattr(os, "link", failing(errno.EPERM))


SYSTEMS = {"renameat2": lambda _patch: None, "link": without_renameat2, "look": without_links}


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, monkeypatch: Patch) -> str:
    """The best that the system offers to take a name that is free."""
    name: str = request.param
    SYSTEMS[name](monkeypatch)
    return name


@pytest.fixture
def linking(monkeypatch: Patch) -> Patch:
    """A system on which a new name is made and the old one removed, each by itself."""
    without_renameat2(monkeypatch)
    return monkeypatch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "backup").mkdir()
    return tmp_path / "backup"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return writer.Datafile(block_size=2048).fill(6).write(tmp_path / "users01.dbf")


def copy(source: Path, folder: Path, replace: bool = False) -> None:
    wanted = CopyRequest(
        source=str(source), destination=str(folder / "copy.dbf"), kind=FileKind.DATAFILE, replace=replace
    )
    copy_file(wanted, IoContext(files=QuickLayer()))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rename(folder: Path) -> None:
    OsFileLayer().rename_new(str(folder / "old"), str(folder / "new"))


# --- the call


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_linux_does_it_in_one_step(folder: Path) -> None:
    (folder / "old").write_bytes(b"x")
    assert linux.rename_new(str(folder / "old"), str(folder / "new"))
    assert content(folder) == {"new": b"x"}


@pytest.mark.usefixtures("system")
def test_a_free_name_is_given(folder: Path) -> None:
    odd = os.fsdecode(b"name with \xff and \xc3\xbc")
    (folder / "old").write_bytes(b"x")
    OsFileLayer().rename_new(str(folder / "old"), str(folder / odd))
    assert content(folder) == {odd: b"x"}


@pytest.mark.parametrize("taken_by", ["a file", "a dangling link", "a folder"])
@pytest.mark.usefixtures("system")
def test_a_name_that_is_taken_is_told_and_nothing_changes(folder: Path, taken_by: str) -> None:
    (folder / "old").write_bytes(b"x")
    if taken_by == "a folder":
        (folder / "new").mkdir()
    elif taken_by == "a dangling link":
        (folder / "new").symlink_to("nowhere")
    else:
        (folder / "new").write_bytes(FOREIGN)
    before = (folder / "new").lstat()
    with pytest.raises(FileExistsError):
        rename(folder)
    assert (folder / "new").lstat() == before
    assert (folder / "old").read_bytes() == b"x"


@pytest.mark.usefixtures("system")
def test_a_missing_file_is_told(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rename(folder)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EMLINK])
def test_whatever_a_system_without_links_answers_the_name_is_given(
    linking: Patch, folder: Path, code: int
) -> None:
    linking.setattr(os, "link", failing(code))
    (folder / "old").write_bytes(b"x")
    rename(folder)
    assert content(folder) == {"new": b"x"}


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EACCES])
def test_other_errors_of_linking_are_told(linking: Patch, folder: Path, code: int) -> None:
    linking.setattr(os, "link", failing(code))
    (folder / "old").write_bytes(b"x")
    with pytest.raises(OSError, match=os.strerror(code)):
        rename(folder)
    assert content(folder) == {"old": b"x"}


@pytest.mark.parametrize(("call", "code"), [("link", errno.EEXIST), ("unlink", errno.ENOENT)])
def test_an_answer_that_the_network_lost_is_no_failure(
    linking: Patch, folder: Path, call: str, code: int
) -> None:
    real = getattr(os, call)

    def repeated(*arguments: object, **options: object) -> None:
        real(*arguments, **options)
        raise OSError(code, os.strerror(code))

    (folder / "old").write_bytes(b"x")
    linking.setattr(os, call, repeated)
    rename(folder)
    assert content(folder) == {"new": b"x"}


@pytest.mark.parametrize(
    "failure", [OSError(errno.EIO, "it failed"), KeyboardInterrupt()], ids=["EIO", "interrupt"]
)
def test_a_file_whose_old_name_stays_has_no_new_one(
    linking: Patch, folder: Path, failure: BaseException
) -> None:
    def unlink(path: str, real: Callable[[str], None] = os.unlink) -> None:
        if Path(path).name == "old":
            raise failure
        real(path)

    (folder / "old").write_bytes(b"x")
    with linking.context() as patch, pytest.raises(type(failure)):
        patch.setattr(os, "unlink", unlink)
        rename(folder)
    assert content(folder) == {"old": b"x"}


# --- who uses it


def foreign_file_at_the_last_moment(monkeypatch: Patch, path: Path) -> list[str]:
    """Another process takes the name right before any system call that could give it; the calls are returned."""
    calls: list[str] = []

    def late(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if not calls:
                path.write_bytes(FOREIGN)
            calls.append(name)
            return real(*arguments, **options)

        return call

    library = linux._LIBC
    assert library is not None

    class LateLibrary:
        renameat2 = staticmethod(late("renameat2", library.renameat2))

    monkeypatch.setattr(linux, "_LIBC", LateLibrary())
    for name in ("link", "rename", "replace"):
        monkeypatch.setattr(os, name, late(name, getattr(os, name)))
    return calls


# After a look nothing helps.
@pytest.mark.parametrize("system", ["renameat2", "link"], indirect=True)
def test_a_foreign_file_that_appears_right_before_the_renaming_survives(
    system: str, monkeypatch: Patch, source: Path, folder: Path
) -> None:
    calls = foreign_file_at_the_last_moment(monkeypatch, folder / "copy.dbf")
    with pytest.raises(PreconditionError, match=r"copy\.dbf: it exists") as told:
        copy(source, folder)
    assert "Nothing is overwritten" in told.value.hint
    assert calls == [system]
    assert content(folder) == {"copy.dbf": FOREIGN}


# After a look nothing helps.
@pytest.mark.parametrize("system", ["renameat2", "link"], indirect=True)
def test_a_small_file_that_must_be_new_spares_a_foreign_one(
    system: str, monkeypatch: Patch, folder: Path
) -> None:
    calls = foreign_file_at_the_last_moment(monkeypatch, folder / "manifest.json")
    with pytest.raises(PreconditionError, match=r"manifest\.json: it exists"):
        write_atomically(folder / "manifest.json", b"new", replace=False)
    assert calls == [system]
    assert content(folder) == {"manifest.json": FOREIGN}


@pytest.mark.usefixtures("system")
def test_copies_to_new_names_are_whole_and_leave_nothing_else(source: Path, folder: Path) -> None:
    copy(source, folder)
    assert content(folder) == {"copy.dbf": source.read_bytes()}
    assert (folder / "copy.dbf").stat().st_nlink == 1
    with pytest.raises(PreconditionError, match="it exists"):
        copy(source, folder)
    assert content(folder) == {"copy.dbf": source.read_bytes()}


@pytest.mark.parametrize(
    "failure", [OSError(errno.EIO, "it failed"), KeyboardInterrupt()], ids=["EIO", "interrupt"]
)
def test_a_renaming_that_has_happened_though_it_failed_leaves_nothing(
    monkeypatch: Patch, source: Path, folder: Path, failure: BaseException
) -> None:
    def rename_new(_files: object, old: str, new: str) -> None:
        Path(old).rename(new)
        raise failure

    monkeypatch.setattr(OsFileLayer, "rename_new", rename_new)
    with pytest.raises((BackupError, KeyboardInterrupt)):
        copy(source, folder)
    with pytest.raises((BackupError, KeyboardInterrupt)):
        write_atomically(folder / "manifest.json", b"new")
    assert content(folder) == {}


def test_a_whole_copy_that_has_replaced_another_stays_though_the_renaming_failed(
    monkeypatch: Patch, source: Path, folder: Path
) -> None:
    def rename(_files: object, old: str, new: str) -> None:
        Path(old).replace(new)
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))

    (folder / "copy.dbf").write_bytes(b"old")
    monkeypatch.setattr(OsFileLayer, "rename", rename)
    with pytest.raises(BackupError, match="ENOENT"):
        copy(source, folder, replace=True)
    assert content(folder) == {"copy.dbf": source.read_bytes()}


def test_a_copy_that_could_not_lose_its_partial_name_leaves_neither(
    linking: Patch, source: Path, folder: Path
) -> None:
    refused: list[str] = []

    def unlink(path: str, real: Callable[[str], None] = os.unlink) -> None:
        # Both steps of the renaming that remove a name; what discards the copy works again.
        if len(refused) < 2:
            refused.append(Path(path).name)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(path)

    with linking.context() as patch, pytest.raises(BackupError, match="EIO"):
        patch.setattr(os, "unlink", unlink)
        copy(source, folder)
    assert refused == ["copy.dbf.partial", "copy.dbf"]
    assert content(folder) == {}


def test_a_whole_copy_is_not_emptied_by_its_second_name(source: Path, folder: Path) -> None:
    """What the death of a process between link and unlink leaves; the next copy must not write into the first."""
    whole = b"a whole copy"
    (folder / "copy.dbf").write_bytes(whole)
    (folder / "copy.dbf.partial").hardlink_to(folder / "copy.dbf")
    descriptor = OsFileLayer().open_staging(str(folder / "copy.dbf.partial"))
    assert descriptor is not None
    assert os.fstat(descriptor).st_nlink == 1
    os.close(descriptor)
    assert content(folder) == {"copy.dbf": whole, "copy.dbf.partial": b""}
    copy(source, folder, replace=True)
    assert content(folder) == {"copy.dbf": source.read_bytes()}


def test_a_partial_name_is_not_taken_from_a_living_writer(folder: Path) -> None:
    files, path = OsFileLayer(), str(folder / "copy.dbf.partial")
    descriptor = files.open_staging(path)
    assert descriptor is not None
    os.link(path, folder / "copy.dbf")
    assert files.open_staging(path) is None
    assert set(content(folder)) == {"copy.dbf", "copy.dbf.partial"}
    os.close(descriptor)
