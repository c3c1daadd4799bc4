# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying redo to datafiles: the part crash recovery and media recovery have in common."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.buffer_cache import BlockKey
from oracle_simulator.instance.cache.buffer_pools import require_pool
from oracle_simulator.instance.cache.database_writer import BlockWrite, write_blocks
from oracle_simulator.instance.keystore import Keystore
from oracle_simulator.instance.messages import ErrorLine, datafile_line
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.storage.block import SEQ_UNLOGGED, BlockVersion, examine
from oracle_simulator.storage.double_write import DoubleWrite
from oracle_simulator.storage.redo_log import LogRecord
from oracle_simulator.storage.redo_record import (
    BlockVector,
    Marker,
    RecordFlag,
    RedoRecord,
    UnloggedBlocks,
)
from oracle_simulator.storage.slotted import (
    Applicability,
    BodyCorrupt,
    SlottedBlock,
    applicability,
    version_after,
)

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_BLOCK_LIMIT = 2048
_WRITE_BATCH = 64
MarkerHandler = Callable[[Marker, RedoRecord], None]


class Damage(enum.Enum):
    """Why a block could not take its redo."""

    CORRUPT = "corrupt"
    INCONSISTENT = "inconsistent"


class RecoveryStuck(Exception):
    """Redo that does not fit the block it is for."""

    def __init__(self, file: OpenFile, block_number: int, damage: Damage, object_id: int) -> None:
        super().__init__(f"{damage.value} block {block_number} of file {file.record.file_number}")
        self.file = file
        self.block_number = block_number
        self.damage = damage
        self.object_id = object_id

    def media_recovery_error(self, tablespace_name: str) -> OracleError:
        """The stack of media recovery; ORA-00283 belongs above it."""
        number = self.file.record.file_number
        rdba = self.file.rdba(self.block_number)
        arguments = f"[3020], [{number}], [{self.block_number}], [{rdba}], [], [], [], [], [], [], [], []"
        internal: ErrorLine = (600, f"internal error code, arguments: {arguments}")
        place: list[ErrorLine] = [
            (10564, f"tablespace {tablespace_name}"),
            datafile_line(self.file.record),
            (10561, f"block type 'TRANSACTION MANAGED DATA BLOCK', data object# {self.object_id}"),
        ]
        if self.damage is Damage.INCONSISTENT:
            offset = self.block_number * self.file.block_size
            text = (
                f"Redo is inconsistent with data block (file# {number}, block# {self.block_number}, "
                f"file offset is {offset} bytes)"
            )
            return OracleError(*internal, (10567, text), *place)
        text = (
            f"Error occurred while applying redo to data block (file# {number}, block# {self.block_number})"
        )
        return OracleError(10562, text, *place, internal)

    def crash_recovery_error(self, thread: int) -> OracleError:
        """ORA-01172 with ORA-01151."""
        place = f"block {self.block_number} of file {self.file.record.file_number}"
        text = f"recovery of thread {thread} stuck at {place}"
        return OracleError(
            1172, text, (1151, "use media recovery to recover block, restore backup if needed")
        )


class OutOfReach(Exception):
    """Blocks that redo is for cannot be brought into memory, though nothing is wrong with them."""

    def __init__(self, error: OracleError) -> None:
        super().__init__(error.message)
        self.error = error


class Target:
    """A file being recovered. Redo from ``from_scn`` on, and before ``stop_scn`` if that is set, is for it."""

    def __init__(
        self, file: OpenFile, from_scn: int, stop_scn: int | None, blocks: int | None = None
    ) -> None:
        self.file = file
        self.from_scn = from_scn
        self.stop_scn = stop_scn
        self.block_limit = blocks

    def wants(self, scn: int, block_number: int) -> bool:
        """Whether redo of this SCN and block is for the file."""
        if scn < self.from_scn or (self.stop_scn is not None and scn >= self.stop_scn):
            return False
        return self.block_limit is None or block_number <= self.block_limit


class RecoveryApplier:
    """Rolls files forward, record by record. Used by one thread, without the latch.

    With ``in_memory`` nothing is ever written. As many blocks as ``allowed_corruption`` says that cannot take
    their redo are marked corrupt.
    """

    def __init__(
        self,
        instance: Instance,
        targets: Iterable[Target],
        on_marker: MarkerHandler | None = None,
        in_memory: bool = False,
    ) -> None:
        self._instance = instance
        self.targets = {target.file.record.file_number: target for target in targets}
        self.on_marker = on_marker
        self._blocks: dict[BlockKey, SlottedBlock | None] = {}  # None: damaged
        self._dirty: set[BlockKey] = set()
        self._parts: list[LogRecord] = []
        self.before_write: Callable[[Iterable[int]], None] | None = None
        self._in_memory = in_memory
        self.allowed_corruption = 0
        self.last_scn = 0
        self.last_time: datetime | None = None
        self.applied_records = 0

    @property
    def first_pending(self) -> LogRecord | None:
        """The first part of a transaction whose commit record has not come yet."""
        return self._parts[0] if self._parts else None

    def apply(self, entry: LogRecord) -> None:
        """Apply one record. Raises RecoveryStuck, OutOfReach, and whatever the marker handler raises."""
        record = entry.record
        if self._parts and record.transaction_id != self._parts[0].record.transaction_id:
            self._parts.clear()  # its process died before the commit record was written
        if record.flags & RecordFlag.PART:
            self._parts.append(entry)
            self._seen(record)
            return
        for part in self._parts:
            self._apply_vectors(part.record)
        self._parts.clear()
        self._apply_vectors(record)
        self._seen(record)
        if len(self._blocks) > _BLOCK_LIMIT:
            self.flush()

    def abandon_pending(self) -> None:
        """Forget parts without a commit: the redo ends here."""
        self._parts.clear()

    def flush(self) -> None:
        """Write all changed blocks to their files."""
        if self._in_memory:
            return
        if not self._dirty:
            self._blocks.clear()
            return
        if self.before_write is not None:
            self.before_write(sorted({file_number for file_number, _block in self._dirty}))
        double_write = DoubleWrite(self._instance.home.recovery_double_write_file, disk=self._instance.disk)
        try:
            keys = sorted(self._dirty)
            for start in range(0, len(keys), _WRITE_BATCH):
                batch = [self._sealed(key) for key in keys[start : start + _WRITE_BATCH]]
                write_blocks(self._instance, double_write, batch)
        finally:
            double_write.close()
        self._dirty.clear()
        self._blocks.clear()

    def forget_file(self, file_number: int) -> None:
        """Drop a file and its unwritten blocks from this recovery."""
        self.targets.pop(file_number, None)
        self.forget_blocks(file_number, 0)

    def forget_blocks(self, file_number: int, from_block: int) -> None:
        """Drop blocks of a file from ``from_block`` on (the file was cut)."""
        for key in [key for key in self._blocks if key[0] == file_number and key[1] >= from_block]:
            del self._blocks[key]
            self._dirty.discard(key)

    def _seen(self, record: RedoRecord) -> None:
        self.last_scn, self.last_time = record.scn, record.time
        self.applied_records += 1

    def _apply_vectors(self, record: RedoRecord) -> None:
        for vector in record.vectors:
            if isinstance(vector, BlockVector):
                target = self.targets.get(vector.file_number)
                if target is not None and target.wants(record.scn, vector.block_number):
                    self._apply_block(target.file, vector, record.scn)
            elif isinstance(vector, Marker):
                if isinstance(vector, UnloggedBlocks):
                    self._invalidate(vector, record.scn)
                if self.on_marker is not None:
                    self.on_marker(vector, record)

    def _invalidate(self, load: UnloggedBlocks, scn: int) -> None:
        """Mark corrupt what a load wrote without redo, unless the file has it."""
        target = self.targets.get(load.file_number)
        for number in range(load.first_block, load.first_block + load.blocks) if target else ():
            if target is None or not target.wants(scn, number):
                continue
            block = self._block(target.file, number)
            if block is None or block.version < BlockVersion(load.load_scn, SEQ_UNLOGGED):
                key = (load.file_number, number)
                self._blocks[key] = SlottedBlock.invalid(scn)
                self._dirty.add(key)

    def _apply_block(self, file: OpenFile, vector: BlockVector, scn: int) -> None:
        key = (vector.file_number, vector.block_number)
        block = self._block(file, vector.block_number)
        verdict = applicability(block, vector, scn)
        if verdict is Applicability.SKIP:
            return
        damage = None
        if verdict is Applicability.STUCK:
            damage = Damage.INCONSISTENT if block else Damage.CORRUPT
        object_id = block.object_id if block else 0
        block = block or SlottedBlock()
        cipher = self._instance.keystore.cipher(file.record)
        operations = cipher.decrypt_operations(vector.operations) if cipher else vector.operations
        if damage is None:
            try:
                block.apply(operations, version_after(vector, scn))
            except KeyError:
                damage = Damage.INCONSISTENT
        if damage is not None:
            stuck = RecoveryStuck(file, vector.block_number, damage, object_id)
            if not self.allowed_corruption:
                raise stuck
            self.allowed_corruption -= 1
            self._instance.log.error(
                stuck.media_recovery_error(""), "Block marked corrupt by ALLOW CORRUPTION"
            )
            block = SlottedBlock.given_up(scn)
        self._blocks[key] = block
        self._dirty.add(key)

    def _block(self, file: OpenFile, block_number: int) -> SlottedBlock | None:
        """A block as it is by now; None for a damaged one. Raises OutOfReach."""
        key = (file.record.file_number, block_number)
        if key in self._blocks:
            return self._blocks[key]
        try:
            require_pool(self._instance.parameters, file.block_size)
            self._instance.keystore.require_key(file.record)
        except OracleError as exc:
            raise OutOfReach(exc) from exc
        block = self._blocks[key] = _load(self._instance.keystore, file, block_number)
        return block

    def _sealed(self, key: BlockKey) -> BlockWrite:
        file = self.targets[key[0]].file
        block = self._blocks[key]
        assert block is not None
        return BlockWrite(file, key[1], self._instance.keystore.seal(file, key[1], block))


def _load(keystore: Keystore, file: OpenFile, block_number: int) -> SlottedBlock | None:
    try:
        raw = file.datafile.read_block(block_number)
    except OSError:
        return None  # past the end of a copy that was cut short
    if examine(raw, file.rdba(block_number)) is not None:
        return None
    try:
        return keystore.unseal(file, raw)
    except BodyCorrupt:
        return None
