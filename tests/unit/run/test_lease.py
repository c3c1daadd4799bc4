# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease belongs to live processes only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import LeaseHeld
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import (
    LeaseHolder,
    acquire_lease,
    lease_holder,
)

HOLDER = LeaseHolder("runner", "20260301T010000Z", "run1", 4711, "dbhost01", "2026-03-01T01:00:00Z")

HOLD = """
import sys, time
from pathlib import Path
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import LeaseHolder, acquire_lease
lease = acquire_lease(Path(sys.argv[1]), LeaseHolder("runner", "S", "R", 1, "h", "t"))
{then}
print("held", flush=True)
time.sleep(600)
"""
INHERIT = """
import subprocess
child = subprocess.Popen(["sleep", "600"], pass_fds=[lease.fileno()], stdin=subprocess.PIPE)
print(child.pid, flush=True)
"""


def hold(path, then=""):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD.format(then=then), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_second_run_is_refused_and_told_who_holds_it(tmp_path):
    path = tmp_path / "lease"
    lease = acquire_lease(path, HOLDER)
    with pytest.raises(LeaseHeld) as caught:
        acquire_lease(path, HOLDER, patience_seconds=0.1)
    assert "4711 on dbhost01" in str(caught.value)
    assert caught.value.details["lease_holder"]["set_id"] == HOLDER.set_id
    lease.close()
    acquire_lease(path, HOLDER).close()


def test_holder_is_none_when_nobody_has_it(tmp_path):
    path = tmp_path / "lease"
    assert lease_holder(path) is None
    lease = acquire_lease(path, HOLDER)
    assert lease_holder(path) == HOLDER
    lease.close()
    assert lease_holder(path) is None


def test_lease_ends_with_a_killed_process(tmp_path):
    path = tmp_path / "lease"
    process = hold(path)
    assert process.stdout.readline() == "held\n"
    assert lease_holder(path) is not None
    process.kill()
    process.wait()
    assert lease_holder(path) is None


def test_lease_lives_on_in_a_process_that_inherited_it(tmp_path):
    path = tmp_path / "lease"
    process = hold(path, INHERIT)
    child = int(process.stdout.readline())
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.wait()
    try:
        assert lease_holder(path) is not None
    finally:
        os.kill(child, signal.SIGKILL)


def test_lease_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "lease"
    acquire_lease(path, HOLDER).close()
    assert path.stat().st_mode & 0o777 == 0o600
