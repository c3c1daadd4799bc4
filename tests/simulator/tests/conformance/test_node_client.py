# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second independent client: what node-oracledb, unmodified, must get from the simulated instance."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oracle_simulator.testing import SMALL, SimulatedDatabase

from .node_client import Outcomes, checks_of, require_node_client, run_scripts

SCRIPTS = ("connecting", "values", "large_objects", "statements", "blocks", "transactions", "breaks")

LAST_SCRIPTS = ("killed",)
"""Behind them there is no database any more."""

_ROOMY = {
    **SMALL,
    "tablespaces": [
        {**tablespace, "size": "40M"} if tablespace["name"] == "USERS" else tablespace
        for tablespace in SMALL["tablespaces"]
    ],
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    client = require_node_client()
    database = SimulatedDatabase(tmp_path_factory.mktemp("node"), spec=_ROOMY)
    try:
        database.start()
        settings = {
            "connectString": database.dsn,
            "sid": database.sid,
            "passwords": database.passwords,
        }
        served = run_scripts(client, SCRIPTS, settings)
        left_alone = run_scripts(client, LAST_SCRIPTS, settings, on_ready=database.crash)
        yield Outcomes({**served.found, **left_alone.found}, f"{served.end}, {left_alone.end}")
    finally:
        database.destroy()


@pytest.mark.parametrize(("script", "name"), checks_of(*SCRIPTS, *LAST_SCRIPTS))
def test_node(outcomes: Outcomes, script: str, name: str) -> None:
    outcomes.require(script, name)
