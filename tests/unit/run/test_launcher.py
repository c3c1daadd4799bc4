# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code gets out of the archive it came in, and a process made from it needs nothing of Ansible."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._run import launcher
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.launcher import (
    Program,
    install_program,
    start,
)

PLUGINS = Path(launcher.__file__).resolve().parents[2]
PACKAGE = "ansible_collections/hotbackup/oracle/plugins"
SECRET = "tiger-in-the-pipe"


def as_ansible_ships_it(archive):
    """An archive like the one Ansible builds around a module."""
    with zipfile.ZipFile(archive, "w") as made:
        parts = PACKAGE.split("/")
        for depth in range(1, len(parts) + 1):
            made.writestr("/".join(parts[:depth]) + "/__init__.py", "")
        made.writestr(f"{PACKAGE}/module_utils/__init__.py", "")
        for source in sorted((PLUGINS / "module_utils").rglob("*.py")):
            made.write(source, f"{PACKAGE}/{source.relative_to(PLUGINS)}")
        for layer in ("_backup", "_files", "_oracle", "_run"):
            made.writestr(f"{PACKAGE}/module_utils/{layer}/__init__.py", "")
    return archive


INSTALL = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ansible_collections.hotbackup.oracle.plugins.module_utils._run import launcher
assert ".zip" in launcher.__file__, launcher.__file__
launcher.install_program(Path(sys.argv[2]), Path(sys.argv[3]))
"""


@pytest.mark.parametrize("origin", ["folder", "archive"])
def test_runner_and_guardian_start_without_the_place_they_came_from(tmp_path, origin):
    code, log = tmp_path / "code", tmp_path / "runner.log"
    if origin == "archive":
        archive = as_ansible_ships_it(tmp_path / "module.zip")
        command = [sys.executable, "-I", "-c", INSTALL, str(archive), str(code), str(log)]
        subprocess.run(command, check=True)
        archive.unlink()
        program = Program(code / "start.py", log)
    else:
        program = install_program(code, log)
    for role in ("runner", "guardian"):
        # A request that is none: the process has imported everything when it complains.
        process = start(program, role, "20260301T010000Z", {"nothing": 1})
        process.stdin.close()
        assert process.wait(60) != 0
    text = log.read_text()
    assert "ModuleNotFoundError" not in text
    assert "ImportError" not in text
    assert text.count("KeyError: 'policy'") == 1
    assert "GuardianRequest" in text


def test_installed_code_does_not_import_ansible(tmp_path):
    program = install_program(tmp_path / "code", tmp_path / "log")
    probe = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['ansible'] = None\n"
        "from ansible_collections.hotbackup.oracle.plugins.module_utils._run import runner, guardian\n"
        "print(runner.__file__)"
    )
    found = subprocess.run(
        [sys.executable, "-I", "-c", probe, str(program.start_file.parent)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.startswith(str(tmp_path / "code"))


def test_secrets_are_in_neither_arguments_environment_nor_files(tmp_path):
    code, log = tmp_path / "code", tmp_path / "log"
    program = install_program(code, log)
    (code / "start.py").write_text(
        "import sys, time\nsys.stdin.readline()\nprint('read', flush=True)\ntime.sleep(60)\n"
    )
    process = start(program, "runner", "20260301T010000Z", {"connection": SECRET}, answers=True)
    try:
        assert process.stdout.readline() == b"read\n"
        proc = Path("/proc") / str(process.pid)
        assert SECRET.encode() not in (proc / "cmdline").read_bytes()
        assert SECRET.encode() not in (proc / "environ").read_bytes()
        assert not [
            path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
        ]
    finally:
        process.kill()
        process.wait()


def test_started_process_has_its_own_session_and_no_foreign_descriptors(tmp_path):
    code, log = tmp_path / "code", tmp_path / "log"
    program = install_program(code, log)
    (code / "start.py").write_text(
        "import json, os, sys\n"
        "fds = sorted(int(fd) for fd in os.listdir('/proc/self/fd'))\n"
        "print(json.dumps([os.getsid(0) == os.getpid(), fds[:4], os.getcwd(), sys.flags.isolated]), flush=True)\n"
    )
    with open(tmp_path / "other", "w") as other:
        other.flush()
        process = start(program, "runner", "20260301T010000Z", {}, answers=True)
        own_session, descriptors, folder, isolated = json.loads(process.stdout.read())
        process.wait()
    assert own_session
    # Standard streams, and the one os.listdir itself has open.
    assert descriptors == [0, 1, 2, 3]
    assert folder == "/"
    assert isolated


def test_log_and_code_are_for_their_owner_only(tmp_path):
    program = install_program(tmp_path / "state" / "code", tmp_path / "state" / "log")
    process = start(program, "runner", "20260301T010000Z", {})
    process.stdin.close()
    process.wait()
    assert program.log_path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state" / "code").stat().st_mode & 0o777 == 0o700
