# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NOLOGGING: blocks written straight into their datafiles, past the buffer cache and past the redo.

The redo only says which blocks those are (:class:`UnloggedBlocks`, Oracle's "direct loader invalidate blocks
range"). Whoever recovers an older copy of the file marks them corrupt: ORA-01578 with ORA-26040 when they are
read (Administrator's Guide, Consequences of Not Generating Redo).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.buffer_cache import BlockKey
from oracle_simulator.instance.messages import datafile_line, os_lines
from oracle_simulator.storage.block import SEQ_UNLOGGED, BlockVersion
from oracle_simulator.storage.redo_record import UnloggedBlocks
from oracle_simulator.storage.slotted import SlottedBlock

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


class BlockRun(NamedTuple):
    """Consecutive blocks of one file."""

    file_number: int
    first_block: int
    blocks: int


class UnloggedWrites:
    """How many loads are writing unlogged now: FORCE LOGGING waits for them. Use under the latch."""

    def __init__(self) -> None:
        self._running = 0

    @contextlib.contextmanager
    def running(self, instance: Instance) -> Iterator[None]:
        """A load from the decision not to log it until its redo is written."""
        with instance.latch:
            self._running += 1
        try:
            yield
        finally:
            with instance.latch:
                self._running -= 1
                instance.announce()

    def wait_for_all(self, instance: Instance, cancelled: Callable[[], bool] | None = None) -> None:
        """Return when no load is under way any more. Raises ORA-01013, ORA-01092."""
        instance.wait_for(lambda: not self._running, cancelled)


def write_unlogged(
    instance: Instance,
    keys: Sequence[BlockKey],
    blocks: Sequence[SlottedBlock],
    cancelled: Callable[[], bool] | None = None,
) -> list[UnloggedBlocks]:
    """Write new blocks into their files, durably; what the redo has to say of them.

    Call without the latch, for blocks that are allocated and that nobody else reads or writes: above the
    high-water mark of a segment whose table is locked. Their version is an SCN that no crash can take back,
    with the sequence 0 of changes that are not logged. Raises ORA-01114, ORA-00376, ORA-01013, ORA-01092.
    """
    with instance.latch:
        position = instance.redo.appended_position
    # What an earlier segment left in the cache for these blocks must not be written over them.
    instance.database_writer.write_until(position, frozenset(file for file, _block in keys), cancelled)
    instance.redo.wait_durable(position, cancelled)
    with instance.latch:
        scn = instance.redo.durable_scn
    by_key = dict(zip(keys, blocks, strict=True))
    ranges = []
    for run in _runs(keys):
        _write_run(instance, run, [by_key[key] for key in _keys_of(run)], BlockVersion(scn, SEQ_UNLOGGED))
        ranges.append(UnloggedBlocks(*run, scn))
    with instance.latch:
        instance.cache.forget_blocks(keys)
    return ranges


def note_unrecoverable(instance: Instance, file_numbers: Iterable[int], scn: int) -> None:
    """V$DATAFILE.UNRECOVERABLE_CHANGE# and _TIME, kept in ARCHIVELOG mode only; hold the latch, save the
    control file after."""
    control = instance.control
    if control.database.log_mode != "ARCHIVELOG":
        return
    for number in file_numbers:
        record = control.datafile(number)
        if record is not None and record.unrecoverable_scn < scn:
            record.unrecoverable_scn, record.unrecoverable_time = scn, instance.wall_clock.second()


def _runs(keys: Sequence[BlockKey]) -> Iterator[BlockRun]:
    in_order = sorted(keys)
    for _distance, group in groupby(enumerate(in_order), lambda item: (item[1][0], item[1][1] - item[0])):
        run = [key for _index, key in group]
        yield BlockRun(*run[0], len(run))


def _keys_of(run: BlockRun) -> list[BlockKey]:
    return [(run.file_number, run.first_block + index) for index in range(run.blocks)]


def _write_run(
    instance: Instance, run: BlockRun, blocks: Sequence[SlottedBlock], version: BlockVersion
) -> None:
    file = instance.files.get(run.file_number)
    sealed = []
    for number, block in enumerate(blocks, start=run.first_block):
        block.version = version
        sealed.append(instance.keystore.seal(file, number, block))
    try:
        file.datafile.write_blocks(run.first_block, b"".join(sealed))
        file.datafile.fsync()
    except OSError as exc:
        text = f"IO error writing block to file {run.file_number} (block # {run.first_block})"
        raise OracleError(1114, text, datafile_line(file.record), *os_lines(exc)) from exc
