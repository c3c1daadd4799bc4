# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are copied whole, whatever they hold."""

from __future__ import annotations

import errno
import itertools
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.whole_copy import copy_whole

from unit.files.faulty_files import FailingLayer, QuickLayer


@pytest.mark.parametrize("failure", [errno.EIO, errno.ENOSPC, errno.EROFS], ids=["EIO", "ENOSPC", "EROFS"])
def test_whatever_call_of_a_whole_copy_fails_the_old_or_the_whole_new_file_is_there(
    tmp_path: Path, failure: int
) -> None:
    source, target = tmp_path / "control.ctl", tmp_path / "kept" / "control.ctl"
    target.parent.mkdir()
    source.write_bytes(b"anything " * 200_000)
    for position in itertools.count():
        target.write_bytes(b"old")
        files = FailingLayer(position, failure)
        try:
            copy_whole(str(source), str(target), files)
        except BackupError as exc:
            assert str(target) in str(exc)
            assert errno.errorcode[failure] in str(exc)
            assert target.read_bytes() in (b"old", source.read_bytes())
        else:
            assert target.read_bytes() == source.read_bytes()
        assert (files.left_open, files.closed_twice) == (set(), [])
        assert list(target.parent.iterdir()) == [target]
        if files.failed is None:
            break
    assert position > 10


def test_a_whole_copy_is_private_and_needs_no_sound_block(tmp_path: Path) -> None:
    source, target = tmp_path / "redo01.log", tmp_path / "1_redo01.log"
    source.write_bytes(b"\0damaged\xff" * 300_001)
    source.chmod(0o644)
    copy_whole(str(source), str(target))
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_mode & 0o7777 == 0o600


def test_a_whole_copy_of_a_source_that_shrinks_is_refused(tmp_path: Path) -> None:
    source, target = tmp_path / "redo01.log", tmp_path / "1_redo01.log"
    source.write_bytes(b"x" * 5000)

    class Shrinking(QuickLayer):
        def free_bytes(self, folder: str) -> int:
            with source.open("r+b") as file:
                file.truncate(100)
            return super().free_bytes(folder)

    with pytest.raises(BackupError, match="shorter"):
        copy_whole(str(source), str(target), Shrinking())
    assert list(tmp_path.iterdir()) == [source]
