# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DBWR: changed blocks on their way from the cache to their files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.buffer_cache import BlockKey
from oracle_simulator.instance.faults import Step, When
from oracle_simulator.instance.media_failure import DatafileFailed, suffer
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.storage.double_write import DoubleWrite, DoubleWriteEntry, sector_sums

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_BATCH_BLOCKS = 48
_TRICKLE_SECONDS = 1.0


class BlockWrite(NamedTuple):
    """One sealed block and the file it goes to."""

    file: OpenFile
    block_number: int
    data: bytes


class WriterStopped(Exception):
    """The instance went down in the middle of a block: what is on disk may be torn, as after a kill."""


def write_blocks(instance: Instance, double_write: DoubleWrite, blocks: Sequence[BlockWrite]) -> None:
    """Write blocks in place, each in two pieces, after keeping them whole in the double-write file.

    Returns when they are on stable storage. Raises WriterStopped, DatafileFailed, and OSError when the
    double-write file fails.
    """
    double_write.record(
        [
            DoubleWriteEntry(
                str(file.datafile.path), file.datafile.inode, number, data, _sums_of_present(file, number)
            )
            for file, number, data in blocks
        ]
    )
    steps = instance.faults.steps
    for file, number, data in blocks:
        place = (file.record.file_number, number)
        if instance.terminated.is_set():
            raise WriterStopped

        def between(place: tuple[int, int] = place) -> None:
            steps.reached(Step.DATAFILE_BETWEEN_PIECES, When.BEFORE, *place)
            if instance.terminated.is_set():
                raise WriterStopped

        try:
            with steps.at(Step.DATAFILE_BLOCK, *place):
                file.datafile.write_block(number, data, 2, between)
        except OSError as exc:
            raise DatafileFailed(file, number, exc) from exc
    for file, number, _data in {id(block.file): block for block in blocks}.values():
        try:
            with steps.at(Step.DATAFILE_SYNC, file.record.file_number):
                file.datafile.fsync()
        except OSError as exc:
            raise DatafileFailed(file, number, exc) from exc


def _sums_of_present(file: OpenFile, block_number: int) -> bytes:
    """Of what the file holds now; of zeros where there is nothing to be read."""
    try:
        return sector_sums(file.datafile.read_block(block_number))
    except OSError:
        return sector_sums(bytes(file.block_size))


class DatabaseWriter:
    """The database writer of an open database. It writes the oldest changes first: about a second after
    they were made, or at once up to the position a checkpoint asks for."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._target = 0
        self._stopping = False
        self.trickle_seconds = _TRICKLE_SECONDS
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self.thread = threading.Thread(target=self._run, name="DBW0", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End the thread; unwritten blocks stay unwritten. Call without the latch."""
        with self._instance.latch:
            self._stopping = True
            self._instance.blocks_dirty.notify_all()
        if self.thread is not None:
            self.thread.join()

    def aim(self, position: int) -> None:
        """Ask for everything up to ``position`` to be written; call under the latch."""
        self._target = max(self._target, position)
        self._instance.blocks_dirty.notify_all()

    def write_until(
        self,
        position: int,
        file_numbers: frozenset[int] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Wait until all changes (of these files) up to ``position`` are on disk. Raises ORA-01092, ORA-01013."""

        def written() -> bool:
            low = self._instance.cache.low_position(file_numbers)
            return low is None or low > position

        with self._instance.latch:
            self.aim(position)
        self._instance.wait_for(written, cancelled)

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        finished = False
        double_write = DoubleWrite(self._instance.home.double_write_file, disk=self._instance.disk)
        try:
            self._loop(double_write)
            finished = True
        finally:
            double_write.close()
            if not finished:
                self._instance.terminate("DBW0")

    def _loop(self, double_write: DoubleWrite) -> None:
        instance = self._instance
        while True:
            with instance.latch:
                if not self._wait_for_work():
                    return
                keys, blocks, position = self._take_batch()
            try:
                # Write-ahead: the redo of a change is on disk before the change is.
                instance.redo.wait_durable(position)
                self._write(double_write, blocks)
            except (WriterStopped, OracleError):
                if instance.terminated.is_set():
                    return
                raise
            with instance.latch:
                for key in keys:
                    instance.cache.in_flight.pop(key, None)
                instance.checkpointer.progress()
                instance.changed.notify_all()

    def _write(self, double_write: DoubleWrite, blocks: Sequence[BlockWrite]) -> None:
        """Write a batch, without the files that are lost on the way. Raises WriterStopped, ORA-01092."""
        instance = self._instance
        while blocks:
            try:
                write_blocks(instance, double_write, blocks)
            except DatafileFailed as failure:
                lost = [block for block in blocks if block.file is failure.file]
                with instance.latch:
                    for block in lost:
                        del instance.cache.in_flight[block.file.record.file_number, block.block_number]
                suffer(instance, failure, "DBW0")
                blocks = [block for block in blocks if block.file is not failure.file]
            else:
                return

    def _wait_for_work(self) -> bool:
        """Wait until blocks are due; False at the end. Sets the target when the trickle interval is over."""
        instance = self._instance
        while not (self._stopping or instance.terminated.is_set()):
            low = instance.cache.low_position()
            if low is None:
                instance.blocks_dirty.wait()
            elif low <= self._target:
                return True
            elif not instance.blocks_dirty.wait_for(self._interrupted, self.trickle_seconds):
                self._target = instance.redo.appended_position
        return False

    def _interrupted(self) -> bool:
        low = self._instance.cache.low_position()
        return (
            self._stopping or self._instance.terminated.is_set() or (low is not None and low <= self._target)
        )

    def _take_batch(self) -> tuple[list[BlockKey], list[BlockWrite], int]:
        """The oldest due blocks as they are now, and the redo position they need."""
        cache, files = self._instance.cache, self._instance.files
        keys: list[BlockKey] = []
        blocks: list[BlockWrite] = []
        position = 0
        for key, buffer in cache.dirty.items():
            low = buffer.low_position
            if low is None or low > self._target or len(keys) == _BATCH_BLOCKS:
                break
            file = files.find(key[0])
            if file is not None:
                data = self._instance.keystore.seal(file, key[1], buffer.block)
                blocks.append(BlockWrite(file, key[1], data))
                position = max(position, buffer.last_position)
            keys.append(key)
            cache.in_flight[key] = low
            buffer.low_position = None
        for key in keys:
            del cache.dirty[key]
        return keys, blocks, position
