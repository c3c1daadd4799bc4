# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not belong into the artefact is found, and so is what is missing."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from toolchain.artefact import REQUIRED, findings


def artefact_of(folder: Path, names: list[str]) -> Path:
    path = folder / "hotbackup-oracle-1.0.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def test_complete_artefact_has_no_findings(tmp_path: Path) -> None:
    names = [*REQUIRED, "plugins/modules/recovery.py", "roles/restore/README.md", "playbooks/restore.yml"]
    assert findings(artefact_of(tmp_path, names)) == []


@pytest.mark.parametrize("name", ["tests/unit/test_x.py", ".gitignore", "playbooks/demo/x.yml", "Makefile"])
def test_what_only_developers_need_is_found(tmp_path: Path, name: str) -> None:
    (finding,) = findings(artefact_of(tmp_path, [*REQUIRED, name]))
    assert finding.startswith(f"{name} is not for users")


def test_missing_file_is_found(tmp_path: Path) -> None:
    assert findings(artefact_of(tmp_path, sorted(REQUIRED - {"LICENSE"}))) == ["LICENSE is missing"]
