# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that is beyond the target keeps its content under another name before Oracle makes its place anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.restore_plan import ControlFileMethod
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.recovery import RecoveryTarget
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.recovery_answer import DataFileNamed
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.database_recovery import DatabaseRecovery

from unit.backup.samples import manifest


class Oracle:
    """Knows one unnamed file, and makes the files it is told to make."""

    def __init__(self, place: Path, steps: list[str]) -> None:
        self._place = place
        self._steps = steps

    def query_one(self, _sql: str, **_binds: object) -> dict[str, str]:
        return {"name": "/oracle/dbs/UNNAMED00099"}

    def execute(self, statement: str) -> None:
        assert statement == f"ALTER DATABASE CREATE DATAFILE '/oracle/dbs/UNNAMED00099' AS '{self._place}'"
        self._steps.append("made anew")
        self._place.write_bytes(b"made anew")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "oradata").mkdir()
    path = tmp_path / "oradata" / "late01.dbf"
    path.write_bytes(b"beyond the target")
    return path


def add_unknown_file(place: Path, steps: list[str]) -> None:
    recovery = DatabaseRecovery(
        Oracle(place, steps),  # type: ignore[arg-type]  # stands in for the gateway
        SetLayout("/backup", "ORCL", 77, "20260301T010000Z"),
        manifest(),
        RecoveryTarget(through_scn=5000),
        ControlFileMethod.CREATE,
        lambda _text: steps.append("told"),
    )
    recovery._add_unknown_file(DataFileNamed(99, str(place)))


def test_the_other_name_is_flushed_before_the_place_is_used_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def flush_folder(_files: object, folder: str) -> None:
        names = sorted(path.name[: len("late01.dbf.before_")] for path in Path(folder).iterdir())
        steps.append(f"flushed {names}")

    monkeypatch.setattr(OsFileLayer, "flush_folder", flush_folder)
    add_unknown_file(place, steps)
    assert steps == ["flushed ['late01.dbf.before_']", "told", "made anew"]
    assert place.read_bytes() == b"made anew"
    (aside,) = place.parent.glob("late01.dbf.before_*")
    assert aside.read_bytes() == b"beyond the target"


def test_without_that_flush_nothing_is_made(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flush_folder(_files: object, _folder: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(OsFileLayer, "flush_folder", flush_folder)
    steps: list[str] = []
    with pytest.raises(BackupError, match=r"Failed to rename .*late01\.dbf to .*EIO"):
        add_unknown_file(place, steps)
    assert steps == []
    assert [path.read_bytes() for path in place.parent.iterdir()] == [b"beyond the target"]
