# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way every change of the database takes: vectors, redo record, log buffer, buffers in the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.buffer_cache import BlockKey, Buffer
from oracle_simulator.instance.messages import datafile_line, read_only
from oracle_simulator.storage.block import BlockVersion
from oracle_simulator.storage.redo_record import (
    BlockOperation,
    BlockVector,
    Format,
    Image,
    Marker,
    Put,
    RecordFlag,
    RedoRecord,
    Remove,
    Vector,
)

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_SEQ = 1  # every record has its own SCN and changes a block once, so one sequence number is enough


class BlockChange(NamedTuple):
    """One operation (Put, Remove or Format) on the block (absolute file number, block number)."""

    file_number: int
    block_number: int
    operation: BlockOperation


class Commit(NamedTuple):
    """What :func:`write_changes` made: its SCN, and the redo position to wait for."""

    scn: int
    position: int


class RedoSpaceNeeded(Exception):
    """The online logs have no room for ``size`` bytes of redo just now: drop the plan, wait, plan again."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes of redo")
        self.size = size


def write_changes(
    instance: Instance,
    changes: Sequence[BlockChange],
    markers: Sequence[Marker] = (),
    transaction_id: int = 0,
) -> Commit:
    """Make changes, as one atomic piece of redo, in memory; call under the latch of the instance.

    Never releases the latch: what the changes were planned from still holds. The redo goes to the log
    buffer, the blocks to the cache; nothing is durable until :func:`wait_durable` (call it without the
    latch) returns. In backup mode the first change of a block since it came into the cache is preceded by
    the image of the whole block. Call :func:`wait_for_space` first, before planning.

    Raises RedoSpaceNeeded, with nothing changed, when the redo is more than there is room for.
    Raises ORA-00372 for a file that is not read write, ORA-00376 for one that is offline, ORA-01578 for a
    corrupt block, ORA-16000 or ORA-01109 when the database is not open read write, ORA-30036 for a
    transaction larger than half the online redo (we have no undo to spill it to). Raises ValueError or
    KeyError, with nothing changed, when the operations don't fit their block.
    """
    instance.require_open_read_write()
    grouped: dict[BlockKey, list[BlockOperation]] = {}
    for file_number, block_number, operation in changes:
        grouped.setdefault((file_number, block_number), []).append(operation)
    vectors: list[Vector] = list(markers)
    buffers: list[tuple[Buffer, BlockVector, list[BlockOperation]]] = []
    imaged: list[tuple[Buffer, int]] = []
    for key, operations in grouped.items():
        file = instance.files.get(key[0])
        if file.record.enabled != "READ WRITE":
            text = f"file {key[0]} cannot be modified at this time"
            raise OracleError(372, text, datafile_line(file.record))
        if file.read_only:
            raise read_only()
        formats = isinstance(operations[0], Format)
        buffer = instance.cache.get_for_format(*key) if formats else instance.cache.get(*key)
        _check_operations(buffer, operations, file.block_size)
        before = buffer.block.version
        if file.record.in_backup and buffer.image_scn != file.record.backup_scn:
            if not formats:
                image = instance.keystore.seal(file, key[1], buffer.block)
                vectors.append(BlockVector(*key, before, before.seq, (Image(image),)))
            imaged.append((buffer, file.record.backup_scn))
        cipher = instance.keystore.cipher(file.record)
        redo = cipher.encrypt_operations(operations) if cipher else tuple(operations)
        vector = BlockVector(*key, before, _SEQ, redo)
        vectors.append(vector)
        buffers.append((buffer, vector, operations))
    writer = instance.redo.writer
    parts = _split(vectors, writer.largest_record)
    size = sum(size for _vectors, size in parts)
    writer.require_room_for(size)
    if not writer.has_room(size):
        raise RedoSpaceNeeded(size)
    scns = _append(instance, [part for part, _size in parts], transaction_id)
    last = instance.redo.appended_position
    first = last - len(parts) + 1
    part_scn = {id(vector): scn for (part, _size), scn in zip(parts, scns, strict=True) for vector in part}
    writer_idle = not instance.cache.dirty
    for buffer, vector, operations in buffers:
        buffer.block.apply(operations, BlockVersion(part_scn[id(vector)], _SEQ))
        instance.cache.changed(buffer, first, last)
    for buffer, begin_scn in imaged:
        buffer.image_scn = begin_scn
    if buffers and writer_idle:
        instance.blocks_dirty.notify()
    return Commit(scns[-1], last)


def write_markers(instance: Instance, markers: Sequence[Marker]) -> Commit:
    """Redo that changes no block, also while the database opens or closes; call under the latch."""
    scns = _append(instance, [list(markers)], 0)
    return Commit(scns[-1], instance.redo.appended_position)


def wait_durable(instance: Instance, position: int, cancelled: Callable[[], bool] | None = None) -> None:
    """Wait until redo up to ``position`` is on disk; call without the latch.

    Raises ORA-01092 when the instance goes down first, ORA-01013 when ``cancelled`` says so: the changes
    then stay made and become durable later, as with a commit whose client gave up.
    """
    instance.redo.wait_durable(position, cancelled)


def wait_for_space(instance: Instance, cancelled: Callable[[], bool] | None = None, size: int = 0) -> None:
    """Wait while the online logs have no room for ``size`` bytes of new redo ("log file switch (archiving
    needed)"); 0 for a little.

    Call under the latch and before planning changes: waiting releases the latch. Raises ORA-01013 when
    ``cancelled`` says so, ORA-01092 when the instance goes down, ORA-16000 or ORA-01109 when the database is
    not open read write.
    """
    instance.require_open_read_write()
    instance.redo.writer.wait_for_space(cancelled, size)


def _check_operations(buffer: Buffer, operations: Sequence[BlockOperation], block_size: int) -> None:
    lengths: dict[int, int | None] = {}
    free = buffer.block.free_bytes(block_size)
    slots = buffer.block.slots
    if isinstance(operations[0], Format):
        free += buffer.block.used_bytes
        slots = {}
    for operation in operations:
        if isinstance(operation, Format):
            if operation is not operations[0]:
                raise ValueError("a block is formatted before it is changed, not after")
            continue
        if not isinstance(operation, Put | Remove):
            raise ValueError("images are made by write_changes itself")
        slot = operation.slot
        old = lengths[slot] if slot in lengths else len(slots[slot]) if slot in slots else None
        if isinstance(operation, Put):
            free -= len(operation.data) - old if old is not None else len(operation.data) + 4
            lengths[slot] = len(operation.data)
        elif old is None:
            raise KeyError(f"slot {slot} of block {buffer.key} is empty")
        else:
            free += old + 4
            lengths[slot] = None
    if free < 0:
        raise ValueError(f"changes exceed block {buffer.key} by {-free} bytes")


def _split(vectors: list[Vector], largest: int) -> list[tuple[list[Vector], int]]:
    """Vectors in parts of about ``largest`` bytes, each with its estimated size."""
    parts: list[tuple[list[Vector], int]] = []
    part: list[Vector] = []
    size = 0
    for vector in vectors:
        length = _estimate(vector)
        if part and size + length > largest:
            parts.append((part, size))
            part, size = [], 0
        part.append(vector)
        size += length
    parts.append((part, size))
    return parts


def _estimate(vector: Vector) -> int:
    if not isinstance(vector, BlockVector):
        return 300  # markers hold names and numbers only
    return 32 + sum(
        len(operation.data) + 8 if isinstance(operation, Put | Image) else 12
        for operation in vector.operations
    )


def _append(instance: Instance, parts: list[list[Vector]], transaction_id: int) -> list[int]:
    now = instance.wall_clock.second()
    scns: list[int] = []
    entries: list[tuple[int, bytes]] = []
    several = len(parts) > 1
    thread = instance.redo.writer.redo_thread
    for number, part in enumerate(parts, start=1):
        scn = instance.clock.next()
        if several and not transaction_id:
            transaction_id = scn
        flags = RecordFlag.NONE
        if several:
            flags = RecordFlag.COMMIT if number == len(parts) else RecordFlag.PART
        record = RedoRecord(scn, now, part, flags, transaction_id, thread)
        entries.append((scn, record.encode()))
        scns.append(scn)
    instance.redo.append(entries)
    return scns
