# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RESIZE and AUTOEXTEND of datafiles and tempfiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oracle_simulator.data.definition import UNLIMITED_BIGFILE_BLOCKS, UNLIMITED_BLOCKS
from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.plan import Cancelled, ChangePlan, make_change
from oracle_simulator.data.space import MIN_FILE_BLOCKS
from oracle_simulator.data.tablespaces import FileReference, find_datafile, find_tempfile
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.messages import datafile_line
from oracle_simulator.storage.datafile import Datafile


def resize_datafile(
    dictionary: Dictionary, file: FileReference, size_bytes: int, cancelled: Cancelled | None = None
) -> None:
    """ALTER DATABASE DATAFILE RESIZE.

    Raises ORA-01516, ORA-03214 (too small), ORA-01144 (too large), ORA-03297 (used blocks behind that size),
    ORA-00372, ORA-00376, ORA-01237 (the operating system refuses).
    """
    instance = dictionary.instance
    with dictionary.structure_lock:
        record = find_datafile(dictionary, file)
        blocks = size_bytes // record.block_size
        if blocks < MIN_FILE_BLOCKS:
            raise OracleError(3214, "File Size specified is smaller than minimum required")
        limit = UNLIMITED_BIGFILE_BLOCKS if record.relative_file_number == 1024 else UNLIMITED_BLOCKS
        if blocks > limit:
            raise OracleError(1144, f"File size ({blocks} blocks) exceeds maximum of {limit} blocks")
        if blocks < record.blocks:
            # Changed blocks behind the new end belong to nobody any more, but must not be written there later.
            with instance.checkpointer.headers:
                instance.checkpointer.checkpoint([record.file_number], cancelled)

        def planner(plan: ChangePlan) -> int:
            if record.enabled != "READ WRITE":
                text = f"file {record.file_number} cannot be modified at this time"
                raise OracleError(372, text, datafile_line(record))
            before = record.blocks
            if blocks > before:
                dictionary.space.grow(plan, record.file_number, blocks)
            else:
                dictionary.space.plan_size(plan, record.file_number, blocks)
                _refuse_busy_tail(dictionary, record.file_number, blocks)
                plan.on_success.append(lambda: setattr(record, "blocks", blocks))
            return before

        before, _commit = make_change(instance, planner, cancelled)
        if blocks < before:
            instance.files.get(record.file_number).datafile.resize(blocks)
        instance.save_control()


def set_autoextend(
    dictionary: Dictionary,
    files: Sequence[FileReference],
    increment_bytes: int,
    max_bytes: int | None = None,
    cancelled: Cancelled | None = None,
) -> None:
    """ALTER DATABASE DATAFILE AUTOEXTEND: ``increment_bytes`` 0 is OFF; ``max_bytes`` None is unlimited.

    Raises ORA-01516, ORA-03206 (largest size out of range).
    """

    def planner(plan: ChangePlan) -> None:
        for file in files:
            record = find_datafile(dictionary, file)
            row = dictionary.file_rows.find(file_number=record.file_number)
            if row is None:
                raise OracleError(1516, f'nonexistent log file, data file, or temporary file "{file}"')
            limit = UNLIMITED_BIGFILE_BLOCKS if record.relative_file_number == 1024 else UNLIMITED_BLOCKS
            most = limit if max_bytes is None else max_bytes // record.block_size
            if most > limit:
                raise OracleError(
                    3206, f"maximum file size of ({most}) blocks in AUTOEXTEND clause is out of range"
                )
            increment = max(1, increment_bytes // record.block_size) if increment_bytes else 0
            new = replace(row, increment_blocks=increment, max_blocks=most if increment else 0)
            dictionary.file_rows.replace(plan, row, new)
        plan.on_success.append(dictionary.refresh)

    with dictionary.structure_lock:
        make_change(dictionary.instance, planner, cancelled)


def resize_tempfile(dictionary: Dictionary, file: FileReference, size_bytes: int) -> None:
    """ALTER DATABASE TEMPFILE RESIZE: no redo. Raises ORA-01516, ORA-03214."""
    instance = dictionary.instance
    with dictionary.structure_lock:
        with instance.latch:
            instance.require_open_read_write()
            record = find_tempfile(dictionary, file)
            blocks = size_bytes // record.block_size
            if blocks < MIN_FILE_BLOCKS:
                raise OracleError(3214, "File Size specified is smaller than minimum required")
            with Datafile.open(record.path, disk=instance.disk) as tempfile:
                tempfile.resize(blocks)
            record.blocks = blocks
        instance.save_control()


def _refuse_busy_tail(dictionary: Dictionary, file_number: int, blocks: int) -> None:
    """A table dropped there since the checkpoint: Oracle would say the same of a segment not yet cleaned up."""
    cache = dictionary.instance.cache
    keys = (*cache.dirty, *cache.in_flight)
    if any(number == file_number and block > blocks for number, block in keys):
        raise OracleError(3297, "file contains used data beyond requested RESIZE value")
