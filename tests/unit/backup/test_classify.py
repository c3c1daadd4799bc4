# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a tablespace must be backed up."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.classify import classify_tablespace
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupMethod

from unit.backup.samples import datafile

OFFLINE_NORMAL = {"status": "OFFLINE", "recover_error": "OFFLINE NORMAL", "header_error": "OFFLINE NORMAL"}
HOT, PLAIN, BROKEN, SKIP = (
    BackupMethod.BACKUP_MODE,
    BackupMethod.PLAIN_COPY,
    BackupMethod.BROKEN,
    BackupMethod.SKIP,
)


@pytest.mark.parametrize(
    ("changes", "method", "reason"),
    [
        pytest.param({}, HOT, "read write", id="online"),
        pytest.param({"status": "SYSTEM"}, HOT, "read write", id="system"),
        pytest.param({"enabled": "READ ONLY"}, PLAIN, "read only", id="read only"),
        pytest.param(OFFLINE_NORMAL, PLAIN, "offline normal", id="offline normal"),
        pytest.param({**OFFLINE_NORMAL, "enabled": "DISABLED"}, PLAIN, "offline normal", id="disabled"),
        pytest.param(
            {"status": "OFFLINE", "recover_error": None}, BROKEN, "not offline normal", id="offline"
        ),
        pytest.param({"status": "RECOVER"}, BROKEN, "media recovery", id="recover"),
        pytest.param({"needs_recovery": True}, BROKEN, "media recovery", id="needs recovery"),
        pytest.param({"status": "SYSOFF"}, BROKEN, "SYSTEM", id="system offline"),
        pytest.param({"header_error": "FILE NOT FOUND"}, BROKEN, "FILE NOT FOUND", id="header"),
        pytest.param({"path": "/u01/MISSING00004"}, BROKEN, "no real file", id="missing"),
        pytest.param({"path": None}, BROKEN, "no real file", id="no name"),
        pytest.param({"path": "+DATA/orcl/users.1"}, BROKEN, "ASM", id="asm"),
        pytest.param({"path": "/dev/raw/raw1"}, BROKEN, "raw device", id="raw"),
        pytest.param({"enabled": "UNKNOWN"}, BROKEN, "UNKNOWN", id="unknown"),
    ],
)
def test_one_file(changes: dict[str, Any], method: BackupMethod, reason: str) -> None:
    found = classify_tablespace([datafile(4, **changes)])
    assert found.method is method
    assert reason in found.reason


@pytest.mark.parametrize(
    ("open_mode", "fuzzy", "method"),
    [
        ("READ WRITE", "YES", HOT),
        ("READ ONLY", "NO", PLAIN),
        ("MOUNTED", "NO", PLAIN),
        ("MOUNTED", "YES", BROKEN),
    ],
)
def test_container_decides(open_mode: str, fuzzy: str, method: BackupMethod) -> None:
    found = classify_tablespace([datafile(4, header_fuzzy=fuzzy)], container_open_mode=open_mode)
    assert found.method is method


def test_offline_file_beside_online_ones_keeps_the_tablespace_from_backup_mode() -> None:
    found = classify_tablespace([datafile(4), datafile(5, **OFFLINE_NORMAL)])
    assert found.method is BROKEN
    assert "file 5" in found.reason and "ORA-01128" in found.reason


def test_one_broken_file_breaks_the_tablespace() -> None:
    found = classify_tablespace([datafile(4), datafile(5, status="RECOVER")])
    assert found.method is BROKEN
    assert "file 5" in found.reason


def test_nothing_to_copy_is_skipped() -> None:
    assert classify_tablespace([], temporary=True).method is SKIP
    assert classify_tablespace([]).method is SKIP
