# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One copy of a full log in one archive destination. Until it is finished others see a file half written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.storage.disk import Disk, DiskFile
from oracle_simulator.storage.log_header import LogHeader
from oracle_simulator.storage.redo_log import archived_copy_plan, finish_archived_copy

_CHUNK_BYTES = 64 << 10


class CopyFailed(Exception):
    """A destination did not take a log; ``error`` is Oracle's stack for it, without the log's own lines."""

    def __init__(self, error: OracleError) -> None:
        super().__init__(error.message)
        self.error = error


def copy_log(
    source: Path, header: LogHeader, target: Path, disk: Disk, before_step: Callable[[int], None]
) -> None:
    """Copy the log ``header`` describes, which is no longer current, durably to ``target``.

    ``before_step`` is called with 0 before the file is created, then with the number of steps before each
    piece and before the end; an OSError it raises counts as one of the file. Raises CopyFailed with
    ORA-19504 when the file cannot be created, ORA-19502 when it cannot be written, ORA-00333 when the log
    cannot be read.
    """
    plan = archived_copy_plan(header)
    offsets = range(2 * header.block_size, plan.size_bytes, _CHUNK_BYTES)
    try:
        before_step(0)
        copy = disk.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    except OSError as exc:
        cause = f"file create error, unable to create file\nLinux-x86_64 Error: {exc.errno}: {exc.strerror}"
        raise CopyFailed(OracleError(19504, f'failed to create file "{target}"', (27040, cause))) from exc
    block = 1
    try:
        copy.write_at(plan.block_zero, 0)
        copy.write_at(header.encode(), header.block_size)
        with disk.open(source, os.O_RDONLY) as log:
            for offset in offsets:
                block = offset // header.block_size
                before_step(len(offsets) + 1)
                piece = _read(log, min(_CHUNK_BYTES, plan.size_bytes - offset), offset, header)
                copy.write_at(piece, offset)
        before_step(len(offsets) + 1)
        finish_archived_copy(copy, plan)
    except OSError as exc:
        text = f'write error on file "{target}", block number {block} (block size={header.block_size})'
        written = (272, f"error writing archive log {target}")
        raise CopyFailed(OracleError(19502, text, *os_lines(exc), written)) from exc
    finally:
        copy.close()


def _read(log: DiskFile, size: int, offset: int, header: LogHeader) -> bytes:
    try:
        return log.read_at(size, offset)
    except OSError as exc:
        blocks = (offset // header.block_size, size // header.block_size)
        text = f"redo log read error block {blocks[0]} count {blocks[1]}"
        named = (312, f"online log {header.group} thread {header.thread}: '{log.path}'")
        raise CopyFailed(OracleError(333, text, named, *os_lines(exc))) from exc
