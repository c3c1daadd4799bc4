# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies that are stored as they are: restored with proof, and verified."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import verify_file

from unit.files import oracle_file_writer as writer
from unit.files.plain_copies import (
    SIZE,
    accelerated,
    backup,
    damage,
    no_pause,
    request_for,
    source,
    torn_block,
)

__all__ = ["backup", "source"]


def test_a_restore_demands_the_digest_of_the_stored_file(source: Path, backup: Path, tmp_path: Path) -> None:
    stored = copy_file(request_for(source, backup))
    target = tmp_path / "restored.dbf"
    back = CopyRequest(
        source=stored.destination,
        destination=str(target),
        kind=FileKind.DATAFILE,
        expected_digest=stored.digest,
    )
    assert copy_file(back).digest == stored.digest
    assert target.read_bytes() == source.read_bytes()
    target.unlink()
    damage(Path(stored.destination), 9, b"x", offset=500)
    with pytest.raises(VerificationError, match="digest"):
        copy_file(back, IoContext(pause=no_pause))
    assert not target.exists()


@accelerated
def test_a_stored_file_verifies(source: Path, backup: Path, accelerator: str) -> None:
    request = request_for(source, backup, dbid=writer.Datafile().dbid, file_number=9)
    stored = copy_file(request)
    counts: list[int] = []
    verified = verify_file(
        stored.destination,
        request.expectations,
        stored.digest,
        IoContext(progress=counts.append, accelerator=accelerator),
    )
    assert verified.intact
    assert (verified.digest, verified.chunk_digests) == (stored.digest, stored.chunk_digests)
    assert (verified.blocks_examined, verified.blocks_empty, verified.fault_count) == (21, 7, 0)
    assert verified.header == stored.header_before
    assert (sum(counts), verified.accelerator) == (stored.size_bytes, accelerator)


def test_a_stored_file_with_a_known_bad_block_is_intact(source: Path, backup: Path) -> None:
    damage(source, 8, torn_block())
    stored = copy_file(request_for(source, backup), IoContext(pause=no_pause))
    verified = verify_file(stored.destination, request_for(source, backup).expectations, stored.digest)
    assert verified.intact
    assert [fault.block for fault in verified.faults] == [8]


def test_a_change_of_a_stored_file_that_checksums_cannot_see_is_found(source: Path, backup: Path) -> None:
    stored = copy_file(request_for(source, backup))
    other = writer.Datafile().data_block(8, body=b"quite another row")
    damage(Path(stored.destination), 8, other)
    verified = verify_file(stored.destination, request_for(source, backup).expectations, stored.digest)
    assert verified.fault_count == 0
    assert not verified.intact
    assert "digest" in verified.problems[0]


def test_a_truncated_stored_file_is_found(source: Path, backup: Path) -> None:
    stored = copy_file(request_for(source, backup))
    os.truncate(stored.destination, 10 * SIZE)
    expected = FileExpectations(kind=FileKind.DATAFILE, size_bytes=stored.size_bytes)
    verified = verify_file(stored.destination, expected, stored.digest)
    assert not verified.intact
    assert f"expected {22 * SIZE} bytes, found {10 * SIZE}" in verified.problems[0]


def test_an_unreadable_header_of_a_stored_file_is_a_problem_not_an_exception(
    source: Path, backup: Path
) -> None:
    stored = copy_file(request_for(source, backup))
    damage(Path(stored.destination), 1, b"\0" * 100)
    verified = verify_file(stored.destination, request_for(source, backup).expectations, stored.digest)
    assert not verified.intact
    assert (verified.header, verified.digest) == (None, None)


def test_a_missing_stored_file_raises(source: Path, backup: Path) -> None:
    with pytest.raises(BackupError, match="ENOENT"):
        verify_file(str(backup / "missing"), request_for(source, backup).expectations)
