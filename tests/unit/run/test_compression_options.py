# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compression as the module tablespace_backup is asked for it."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from types import ModuleType
from typing import Any

import pytest

from unit.run.test_modules import Backup, backup

__all__ = ["backup"]


def test_the_plan_tells_of_compression_and_touches_nothing(backup: Backup) -> None:
    before = backup.disk()
    result = backup.call(
        "tablespace_backup", check=True, compression="zstd", compression_level=9, compression_threads=2
    )
    assert result["changed"]
    assert result["plan"]["compression"] == "zstd"
    assert result["plan"]["text"][0].endswith(", compressed with zstd")
    assert backup.disk() == before


@pytest.mark.parametrize("check", [True, False])
def test_a_host_without_a_library_is_refused_before_anything_is_done(
    backup: Backup, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    real = importlib.import_module

    def without_zstd(name: str, package: str | None = None) -> ModuleType:
        if name in ("compression.zstd", "backports.zstd", "zstandard"):
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without_zstd)
    before = backup.disk()
    result = backup.call("tablespace_backup", check=check, compression="zstd")
    assert result["failed"]
    for word in (sys.executable, platform.node(), "zstandard", "backports.zstd", "compression.zstd"):
        assert word in result["msg"]
    assert result["problems"][0]["code"] == "compression"
    assert backup.disk() == before
    assert backup.database.connection.executed == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compression": "zstd", "reflink": True}, "reflink cannot be combined with compression zstd"),
        ({"compression": "zstd", "compression_level": 20}, "compression_level is 20; it must be 1 to 19"),
        ({"compression_threads": 2}, "but compression is none"),
    ],
)
def test_options_that_cannot_be_are_refused_before_the_database_is_asked(
    backup: Backup, options: dict[str, Any], message: str
) -> None:
    before = backup.disk()
    result = backup.call("tablespace_backup", **options)
    assert result["failed"]
    assert message in result["msg"]
    assert result["statements"] == []
    assert backup.disk() == before


def test_little_space_is_a_warning(backup: Backup, monkeypatch: pytest.MonkeyPatch) -> None:
    spare = 64 << 20
    status = os.statvfs_result((1, 1, spare, spare, spare, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: status)
    refused = backup.call("tablespace_backup", check=True)
    assert refused["failed"] and "bytes needed" in refused["msg"]
    warned = backup.call("tablespace_backup", check=True, compression="zstd")
    assert warned["changed"]
    assert "before they are compressed" in warned["warnings"][0]
