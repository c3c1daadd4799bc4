# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A datafile to be copied as it is, and ways to harm it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import CopyRequest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind

from unit.files import oracle_file_writer as writer

SIZE = 8192
accelerated = pytest.mark.parametrize("accelerator", ["none", "numpy"])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "oradata"
    folder.mkdir()
    return writer.Datafile().fill(20).write(folder / "users01.dbf")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    folder.mkdir()
    return folder


def request_for(source: Path, backup: Path, **changes: object) -> CopyRequest:
    plain = CopyRequest(source=str(source), destination=str(backup / "copy.dbf"), kind=FileKind.DATAFILE)
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type] # each test names its own fields


def no_pause(_seconds: float) -> None:
    pass


def damage(path: Path, block: int, data: bytes, offset: int = 0, size: int = SIZE) -> None:
    with path.open("r+b") as file:
        file.seek(block * size + offset)
        file.write(data)


def torn_block(number: int = 8) -> bytes:
    image = writer.Datafile()
    new = image.data_block(number, scn=9_000_000_777, seq=3, body=b"newer")
    return new[:4096] + image.data_block(number)[4096:]
