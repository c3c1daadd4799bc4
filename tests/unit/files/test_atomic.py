# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Atomic writes, private folders and untrusted names."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import (
    make_private_folder,
    move_aside,
    remove_for_good,
    safe_join,
    write_atomically,
)
from hypothesis import given
from hypothesis import strategies as st

from unit.files.faulty_files import FailingLayer, WatchedLayer


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_content_and_mode_are_exactly_as_asked(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"old")
    path.chmod(0o666)
    old = os.umask(0o077)
    try:
        write_atomically(path, b"new", mode)
    finally:
        os.umask(old)
    assert path.read_bytes() == b"new"
    assert mode_of(path) == mode
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("earlier", [None, b"old"], ids=["a new file", "an older one"])
def test_whatever_call_fails_the_old_content_stays_and_nothing_is_left(
    tmp_path: Path, earlier: bytes | None
) -> None:
    path = tmp_path / "manifest.json"
    for position in itertools.count():
        path.unlink(missing_ok=True)
        if earlier is not None:
            path.write_bytes(earlier)
        files = FailingLayer(position, errno.ENOSPC)
        try:
            write_atomically(path, b"new", files=files)
        except BackupError as exc:
            assert "manifest.json: No space left on device (ENOSPC)" in str(exc)
            found = path.read_bytes() if path.exists() else None
            replaced = "rename" in files.calls and files.failed != "rename"
            assert found == (b"new" if replaced and earlier else earlier), files.failed
        assert set(tmp_path.iterdir()) <= {path}
        if files.failed is None:
            break
    assert path.read_bytes() == b"new"


def test_what_another_process_put_there_is_not_removed_by_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"

    class Taken(FailingLayer):
        def before(self, position: int, name: str, arguments: tuple[Any, ...]) -> None:
            if name == "flush_folder":
                (tmp_path / "another").write_bytes(b"another's")
                (tmp_path / "another").replace(path)
            super().before(position, name, arguments)

    with pytest.raises(BackupError, match="EIO"):
        write_atomically(path, b"new", files=Taken("flush_folder"))
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {path.name: b"another's"}


def test_what_must_be_new_is_refused_where_there_is_something_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_atomically(path, b"first", replace=False)
    with pytest.raises(PreconditionError, match=r"manifest\.json: it exists"):
        write_atomically(path, b"second", replace=False)
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {path.name: b"first"}


def test_a_file_moved_aside_keeps_its_content_and_takes_no_name_from_another(tmp_path: Path) -> None:
    path, aside = tmp_path / "users01.dbf", tmp_path / "users01.dbf.before"
    path.write_bytes(b"data")
    aside.write_bytes(b"another's")
    with pytest.raises(BackupError, match=r"Failed to rename .*EEXIST"):
        move_aside(path, aside)
    assert (path.read_bytes(), aside.read_bytes()) == (b"data", b"another's")
    aside.unlink()
    move_aside(path, aside)
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {aside.name: b"data"}


def test_a_file_is_removed_and_that_flushed_even_if_it_was_gone_already(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"x")
    for _time in range(2):
        files = WatchedLayer()
        remove_for_good(path, files)
        assert files.calls == ["remove", "flush_folder"]
        assert not path.exists()


def test_data_is_flushed_before_the_name_and_the_folder_after(tmp_path: Path) -> None:
    files = WatchedLayer()
    write_atomically(tmp_path / "f", b"x", files=files)
    steps = [name for name in files.calls if name in ("append", "flush", "rename_new", "flush_folder")]
    assert steps == ["append", "flush", "rename_new", "flush_folder"]


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="No such file"):
        write_atomically(tmp_path / "missing" / "f", b"x")


def test_missing_parents_are_made_private_and_existing_ones_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    old = os.umask(0)
    try:
        make_private_folder(tmp_path / "a" / "b" / "c")
        make_private_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(old)
    assert [mode_of(tmp_path / name) for name in ("a", "a/b", "a/b/c")] == [0o700] * 3
    assert mode_of(tmp_path) == 0o755


def test_a_new_folder_is_flushed_into_its_parent_before_the_next_is_made_in_it(tmp_path: Path) -> None:
    files = WatchedLayer()
    make_private_folder(tmp_path / "a" / "b", files)
    assert files.calls == ["flush_folder", "make_folder", "flush_folder", "make_folder", "flush_folder"]


def test_the_name_of_a_folder_that_exists_is_flushed_as_far_as_it_may_be_ours(tmp_path: Path) -> None:
    for error in (errno.EACCES, errno.EINVAL):
        files = FailingLayer(0, error)
        make_private_folder(tmp_path, files)
        assert (files.failed, files.subject) == ("flush_folder", str(tmp_path.parent))
    with pytest.raises(BackupError, match=r"Failed to make folder .*EIO"):
        make_private_folder(tmp_path, FailingLayer(0, errno.EIO))


def test_a_file_in_the_way_of_a_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(BackupError, match="Failed to make folder"):
        make_private_folder(tmp_path / "a" / "b")
    with pytest.raises(BackupError, match="not a folder"):
        make_private_folder(tmp_path / "a")


@pytest.mark.parametrize(
    ("name", "joined"),
    [
        ("datafiles/4_users01.dbf", "datafiles/4_users01.dbf"),
        ("./redo//1.arc", "redo/1.arc"),
        ("..hidden", "..hidden"),
        ("with space and ü", "with space and ü"),
    ],
)
def test_names_inside_are_joined(tmp_path: Path, name: str, joined: str) -> None:
    assert safe_join(tmp_path, name) == f"{tmp_path}/{joined}"


@pytest.mark.parametrize(
    "name", ["", ".", "./", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "a\0b", "/", "//x"]
)
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(VerificationError, match="Failed to use file name"):
        safe_join(tmp_path, name)


def test_links_below_the_root_are_refused_and_the_root_may_be_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "out").symlink_to("/etc")
    (tmp_path / "real" / "dangling").symlink_to("nowhere")
    assert safe_join(tmp_path / "root", "a") == str(tmp_path / "root" / "a")
    for name in ("out/passwd", "out", "dangling"):
        with pytest.raises(VerificationError, match="symbolic link"):
            safe_join(tmp_path / "root", name)


@given(st.text(alphabet="./a\0", max_size=12))
def test_whatever_is_joined_lies_below_the_root(name: str) -> None:
    try:
        joined = safe_join("/nonexistent/root", name)
    except VerificationError:
        return
    assert os.path.normpath(joined).startswith("/nonexistent/root/")
