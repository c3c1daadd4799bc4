# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder

from unit.modules.conftest import fake, run_module
from unit.run.fake_database import DBID, FakeDatabase
from unit.run.host import SET_ID, Host

__all__ = ["fake", "make_host", "run_module"]


@pytest.fixture
def make_host(tmp_path: Path) -> Callable[..., Host]:
    def make(structure: Mapping[str, int], read_only: tuple[str, ...] = ()) -> Host:
        folder = StateFolder(tmp_path / "state")
        folder.create()
        destination = tmp_path / "backup"
        destination.mkdir()
        layout = SetLayout(str(destination), "ORA1", DBID, SET_ID)
        return Host(FakeDatabase(structure, read_only), layout, folder)

    return make
