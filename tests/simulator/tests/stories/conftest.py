# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DBA with an open database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle_simulator.testing import SimulatedDatabase

from .dba import Dba


@pytest.fixture
def dba(database: SimulatedDatabase, tmp_path: Path) -> Iterator[Dba]:
    at_work = Dba(database, tmp_path / "kept")
    yield at_work
    database.crash()
    at_work.load.stop()
