# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a module as Ansible does: options in, JSON out; only the database is a stand-in."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hotbackup.oracle.plugins.module_utils import _module
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.connection import ConnectionSettings
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway

from unit.oracle.fake_database import FakeDatabase

MODULES = "ansible_collections.hotbackup.oracle.plugins.modules."
LOGIN = {"login_service": "ORCL", "login_user": "backup_operator", "login_password": "tiger-4711"}
RunModule = Callable[..., dict[str, Any]]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDatabase:
    database = FakeDatabase()

    def open_fake(_settings: ConnectionSettings, *, action: str) -> Gateway:
        database.connection.action = action
        return database.gateway

    monkeypatch.setattr(_module, "open_connection", open_fake)
    return database


@pytest.fixture
def run_module(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> RunModule:
    """``run_module(name, check=False, diff=False, **options)`` returns the module's result."""
    # In a process that looks like a controller ansible-core shows warnings instead of returning them.
    warnings: list[str] = []
    monkeypatch.setattr(_module.ModuleContext, "warn", lambda _context, text: warnings.append(text))

    def run(name: str, *, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": diff}
        with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
            importlib.import_module(MODULES + name).main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert bool(result.get("failed")) is bool(ended.value.code)
        return {**result, "warnings": warnings} if warnings else result

    return run
