# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm of redo: an internal session that changes blocks as fast as it is told to.

It rewrites blocks of the undo tablespace, which hold nothing here, through the ordinary way of every change.
So its redo is real: logs fill and switch, the archiver falls behind, sessions wait for room, and recovery
applies it.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.changes import (
    BlockChange,
    RedoSpaceNeeded,
    wait_for_space,
    write_changes,
)
from oracle_simulator.storage.block import BlockType
from oracle_simulator.storage.redo_record import Format, Put

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_BLOCKS = 64
_BATCH_BLOCKS = 8
_SPARE_BYTES = 512
_MIB = 1 << 20


class RedoStorm:
    """At most one storm at a time in an open database; it ends with the instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._changed = threading.Condition()
        self._rate = 0.0
        self._thread: threading.Thread | None = None
        self.bytes_made = 0

    @property
    def rate(self) -> float:
        """MiB of redo per second that are wanted, 0 when it is calm."""
        return self._rate

    def blow(self, mib_per_second: float) -> None:
        """Begin, change the rate, or end (0). Raises ORA-01109 unless open read write."""
        if mib_per_second > 0:
            self._instance.require_open_read_write()
        with self._changed:
            self._rate = max(0.0, mib_per_second)
            self._changed.notify_all()
            if self._rate and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._run, name="redo-storm", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            self._loop()
        except OracleError as exc:
            if not self._instance.terminated.is_set():
                self._instance.log.error(exc, "The redo storm has ended")
        finally:
            self._rate = 0.0

    def _loop(self) -> None:
        turn = 0
        due = time.monotonic()
        while self._rate and not self._instance.terminated.is_set():
            made = self._batch(turn)
            self.bytes_made += made
            turn += 1
            due = max(due + made / (self._rate * _MIB), time.monotonic() - 1.0)
            with self._changed:
                self._changed.wait(max(0.0, due - time.monotonic()))

    def _batch(self, turn: int) -> int:
        """Rewrite a few blocks; waits while the online logs are full. Returns the bytes of their contents."""
        instance = self._instance
        with instance.latch:
            undo = instance.control.tablespace_named(instance.parameters.get("undo_tablespace"))
            if undo is None:
                raise OracleError(30012, "undo tablespace does not exist or of wrong type")
            record = instance.control.files_of(undo)[0]
            payload = turn.to_bytes(8, "little") * ((record.block_size - _SPARE_BYTES) // 8)
            first = record.blocks - _BLOCKS + 1 + (turn * _BATCH_BLOCKS) % _BLOCKS
            changes = [
                BlockChange(record.file_number, block, operation)
                for block in range(first, first + _BATCH_BLOCKS)
                for operation in (Format(BlockType.UNDO, 0), Put(0, payload))
            ]
            size = 0
            while True:
                wait_for_space(instance, lambda: not self._rate, size)
                try:
                    write_changes(instance, changes)
                except RedoSpaceNeeded as exc:
                    size = exc.size
                else:
                    return len(payload) * _BATCH_BLOCKS
