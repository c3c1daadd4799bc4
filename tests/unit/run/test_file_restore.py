# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore keeps of the files it replaces, and the control files it puts back."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import DatabaseLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.file_restore import (
    preserve,
    restore_control_files,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_of_one_name_and_damaged_ones_are_all_kept_private_and_byte_for_byte(tmp_path: Path) -> None:
    contents = {"u01/control.ctl": b"\0damaged", "u02/control.ctl": b"x" * 3_000_000, "u01/redo01.log": b""}
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    layout = DatabaseLayout(str(tmp_path / "backup"), "ORA1", 77)
    kept = preserve([str(tmp_path / name) for name in (*contents, "u03/missing.ctl")], layout, NOON)
    folder = layout.database_folder / "preserved" / "20260301T120000.000000Z"
    assert kept == [str(folder / name) for name in ("1_control.ctl", "2_control.ctl", "3_redo01.log")]
    assert sorted(str(path) for path in folder.iterdir()) == kept
    assert [Path(path).read_bytes() for path in kept] == list(contents.values())
    assert {mode_of(Path(path)) for path in kept} == {0o600}
    assert mode_of(folder) == 0o700


def test_nothing_to_keep_makes_no_folder(tmp_path: Path) -> None:
    layout = DatabaseLayout(str(tmp_path / "backup"), "ORA1", 77)
    assert preserve([str(tmp_path / "missing")], layout, NOON) == []
    assert not layout.database_folder.exists()


def test_control_files_are_put_back_whole_into_folders_that_may_be_gone(tmp_path: Path) -> None:
    stored, there, gone = tmp_path / "control.ctl", tmp_path / "u01" / "c1.ctl", tmp_path / "u02" / "c2.ctl"
    stored.write_bytes(b"stored" * 100_000)
    there.parent.mkdir()
    there.write_bytes(b"older and longer" * 100_000)
    with there.open("rb") as opened:
        restore_control_files({str(there): str(stored), str(gone): str(stored)})
        assert opened.read() == b"older and longer" * 100_000, "replaced, not written over"
    for target in (there, gone):
        assert target.read_bytes() == stored.read_bytes()
        assert mode_of(target) == 0o600
        assert list(target.parent.iterdir()) == [target]
