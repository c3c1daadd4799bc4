# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running checks written in JavaScript against a database, with an unmodified node-oracledb.

A script in ``node/`` holds checks, ``check('what is true', async function () { ... })``. One process runs
all of them and prints a line of JSON for each; here each becomes a test of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent / "node"
_CHECK = re.compile(r"^check\('([^']+)'", re.MULTILINE)
_LIMIT_S = 600


@dataclass(frozen=True)
class NodeClient:
    """Node.js and where it finds the package ``oracledb``."""

    node: str
    modules: Path

    def environment(self) -> dict[str, str]:
        return {**os.environ, "NODE_PATH": str(self.modules)}


def require_node_client() -> NodeClient:
    """Skips the test, with the reason, where Node.js or node-oracledb is not installed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    installed = Path(sys.prefix) / "node"
    modules = Path(os.environ.get("NODE_PATH") or installed / "node_modules")
    if not (modules / "oracledb").is_dir():
        missing = installed / "missing"
        reason = (
            missing.read_text(encoding="utf-8").strip() if missing.exists() else "`make venv` installs it"
        )
        pytest.skip(f"node-oracledb is not installed: {reason}")
    return NodeClient(node, modules)


def checks_of(*scripts: str) -> list[tuple[str, str]]:
    """(script, check) for every check in these scripts, read without Node.js."""
    return [
        (script, name)
        for script in scripts
        for name in _CHECK.findall((SCRIPTS / f"{script}.js").read_text(encoding="utf-8"))
    ]


@dataclass(frozen=True)
class Outcomes:
    """What the checks of some scripts came to: None for one that passed, else what was wrong."""

    found: Mapping[tuple[str, str], str | None]
    end: str

    def require(self, script: str, name: str) -> None:
        """Fails the test unless the check has passed."""
        if (script, name) not in self.found:
            pytest.fail(f"not run; {self.end}")
        if (problem := self.found[script, name]) is not None:
            pytest.fail(problem, pytrace=False)


def run_scripts(
    client: NodeClient,
    scripts: Sequence[str],
    settings: Mapping[str, Any],
    on_ready: Callable[[], None] | None = None,
) -> Outcomes:
    """Run all checks in one process. ``settings`` is what ``checks.js`` hands to them; ``on_ready`` is called
    when a check says that it is ready."""
    found: dict[tuple[str, str], str | None] = {}
    with subprocess.Popen(
        [client.node, str(SCRIPTS / "run.js"), *scripts],
        env=client.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(_LIMIT_S, process.kill)
        watchdog.start()
        process.stdin.write(json.dumps(settings))
        process.stdin.close()
        for line in process.stdout:
            told = json.loads(line)
            if "check" in told:
                found[told["script"], told["check"]] = told["problem"]
            elif on_ready is not None:
                on_ready()
        status = process.wait()
        watchdog.cancel()
    return Outcomes(found, f"node ended with {status}")
