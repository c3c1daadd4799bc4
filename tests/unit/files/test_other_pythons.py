# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Database hosts have older and newer Pythons, without any package: the engine works alike on all of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unit.files import copying_program
from unit.files import oracle_file_writer as writer
from unit.files.plain_copies import damage, torn_block

MINOR_VERSIONS = [minor for minor in (9, 10, 11, 12, 13, 14) if minor != sys.version_info.minor]


def interpreter(minor: int) -> str | None:
    """A Python 3 of that minor version, on the path or among those of a version manager."""
    managed = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    candidates = [shutil.which(f"python3.{minor}"), *map(str, managed.glob(f"3.{minor}.*/bin/python"))]
    question = "import sys; print(sys.version_info.minor)"
    for candidate in filter(None, candidates):
        # What is on the path may be a version manager's word that it has none.
        asked = subprocess.run([candidate, "-c", question], capture_output=True, text=True, check=False)
        if asked.stdout.strip() == str(minor):
            return candidate
    return None


@pytest.mark.parametrize("minor", MINOR_VERSIONS)
def test_it_copies_and_finds_the_same(tmp_path: Path, minor: int) -> None:
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"there is no Python 3.{minor} on this host")
    source = writer.Datafile().fill(100).write(tmp_path / "users01.dbf")
    damage(source, 8, torn_block())
    damage(source, 30, b"\xff", offset=200)
    here = copying_program.outcome(str(source), str(tmp_path / "here.dbf"))
    assert [fault["kind"] for fault in here["faults"]] == ["fractured", "bad_checksum"]
    command = [python, "-s", "-S", copying_program.__file__, str(source), str(tmp_path / "there.dbf")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == json.loads(json.dumps(here))
    assert (tmp_path / "there.dbf").read_bytes() == source.read_bytes()
