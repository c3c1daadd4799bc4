# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body we give to blocks: numbered slots of bytes, inside the genuine envelope.

Layout after the cache header (little-endian)::

    20  u4  object id
    24  u2  number of slots in use, n
    26  u2  body format, 1
    28      n times (u2 slot number, u2 length)
        the contents of the slots, one after the other, in the same order

Table rows, segment headers, space bitmaps and the dictionary all live in such blocks, so that redo needs
only four operations. A never-used block reads as a block of type EMPTY without slots.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable

from oracle_simulator.storage.block import (
    NEVER_CHANGED,
    SEQ_CORRUPT,
    TAIL_SIZE,
    BlockType,
    BlockVersion,
    seal,
    type_of,
    version_of,
)
from oracle_simulator.storage.redo_record import BlockOperation, BlockVector, Format, Image, Put, Remove

BODY_OFFSET = 20
DIRECTORY_OFFSET = 28
SLOT_OVERHEAD = 4
BODY_FORMAT = 1
MAX_SLOT = 0xFFFF

_BODY = struct.Struct("<IHH")
_NEVER_LOGGED = 0xFFFFFFFF


class BodyCorrupt(ValueError):
    """The envelope of a block is sound, its body is not."""


class Applicability(enum.Enum):
    """What a change vector can do to a block as it is."""

    APPLY = "apply"
    SKIP = "skip"
    STUCK = "stuck"


class SlottedBlock:
    """A block in memory. Change it only through :meth:`put`, :meth:`remove` and :meth:`apply`, which keep
    ``used_bytes`` right; ``slots`` is for reading."""

    __slots__ = ("object_id", "slots", "type", "used_bytes", "version")

    def __init__(
        self,
        block_type: int = BlockType.EMPTY,
        object_id: int = 0,
        version: BlockVersion = NEVER_CHANGED,
        slots: dict[int, bytes] | None = None,
    ) -> None:
        self.type = block_type
        self.object_id = object_id
        self.version = version
        self.slots: dict[int, bytes] = {} if slots is None else slots
        self.used_bytes = sum(map(len, self.slots.values())) + SLOT_OVERHEAD * len(self.slots)

    @classmethod
    def invalid(cls, scn: int) -> SlottedBlock:
        """A block whose contents redo does not know: marked corrupt by recovery at ``scn``."""
        return cls(BlockType.TABLE, _NEVER_LOGGED, BlockVersion(scn, SEQ_CORRUPT))

    @classmethod
    def given_up(cls, scn: int) -> SlottedBlock:
        """A block whose redo did not fit: marked corrupt by a recovery at ``scn`` that was allowed to."""
        return cls(BlockType.TABLE, version=BlockVersion(scn, SEQ_CORRUPT))

    @property
    def never_logged(self) -> bool:
        """Whether the block is marked corrupt because a load wrote it without redo."""
        return self.marked_corrupt and self.object_id == _NEVER_LOGGED

    @property
    def marked_corrupt(self) -> bool:
        """Whether the database has marked the block corrupt: it has no contents any more."""
        return self.version.seq == SEQ_CORRUPT

    def free_bytes(self, block_size: int) -> int:
        """Bytes left for contents and their directory entries (4 bytes each)."""
        return block_size - DIRECTORY_OFFSET - TAIL_SIZE - self.used_bytes

    def fits(self, length: int, block_size: int) -> bool:
        """Whether a new slot of ``length`` bytes fits."""
        return length + SLOT_OVERHEAD <= self.free_bytes(block_size)

    def put(self, slot: int, data: bytes) -> None:
        """Set a slot, new or not."""
        old = self.slots.get(slot)
        self.used_bytes += len(data) + SLOT_OVERHEAD if old is None else len(data) - len(old)
        self.slots[slot] = data

    def remove(self, slot: int) -> None:
        """Empty a slot. Raises KeyError when it is empty."""
        self.used_bytes -= len(self.slots.pop(slot)) + SLOT_OVERHEAD

    def format(self, block_type: int, object_id: int) -> None:
        """Become an empty block of this type."""
        self.type = block_type
        self.object_id = object_id
        self.slots = {}
        self.used_bytes = 0

    def apply(self, operations: Iterable[BlockOperation], version: BlockVersion) -> None:
        """Make the changes of a vector, unconditionally; the block then has ``version``.

        Raises KeyError when an empty slot is removed, BodyCorrupt for an image that is no slotted block.
        """
        for operation in operations:
            if isinstance(operation, Put):
                self.put(operation[0], operation[1])
            elif isinstance(operation, Remove):
                self.remove(operation[0])
            elif isinstance(operation, Format):
                self.format(operation[0], operation[1])
            else:
                other = SlottedBlock.from_bytes(operation[0])
                self.type, self.object_id = other.type, other.object_id
                self.slots, self.used_bytes = other.slots, other.used_bytes
        self.version = version

    def copy(self) -> SlottedBlock:
        """An independent copy (contents are immutable and shared)."""
        twin = SlottedBlock.__new__(SlottedBlock)
        twin.type, twin.object_id, twin.version = self.type, self.object_id, self.version
        twin.slots, twin.used_bytes = self.slots.copy(), self.used_bytes
        return twin

    def to_bytes(self, rdba: int, block_size: int) -> bytes:
        """The sealed block. Raises ValueError when the contents exceed the block."""
        slots = self.slots
        count = len(slots)
        if self.free_bytes(block_size) < 0:
            raise ValueError(f"{self.used_bytes} bytes of slots do not fit a block of {block_size}")
        if self.marked_corrupt:
            return _invalid_block(self, rdba, block_size)
        buf = bytearray(block_size)
        _BODY.pack_into(buf, BODY_OFFSET, self.object_id, count, BODY_FORMAT)
        if count:
            directory: list[int] = [0] * (2 * count)
            directory[::2] = slots
            directory[1::2] = map(len, slots.values())
            struct.pack_into(f"<{2 * count}H", buf, DIRECTORY_OFFSET, *directory)
            start = DIRECTORY_OFFSET + SLOT_OVERHEAD * count
            buf[start : DIRECTORY_OFFSET + self.used_bytes] = b"".join(slots.values())
        seal(buf, self.type, rdba, self.version)
        return bytes(buf)

    @classmethod
    def from_bytes(cls, buf: bytes) -> SlottedBlock:
        """The block in ``buf``, whose envelope the caller has examined. Raises BodyCorrupt."""
        block = cls.__new__(cls)
        block.type = type_of(buf)
        block.version = version_of(buf)
        block.slots = slots = {}
        if block.type == BlockType.EMPTY or block.marked_corrupt:
            block.used_bytes = 0
            block.object_id = _BODY.unpack_from(buf, BODY_OFFSET)[0] if block.marked_corrupt else 0
            return block
        block.object_id, count, body_format = _BODY.unpack_from(buf, BODY_OFFSET)
        start = DIRECTORY_OFFSET + SLOT_OVERHEAD * count
        end_of_body = len(buf) - TAIL_SIZE
        if body_format != BODY_FORMAT or start > end_of_body:
            raise BodyCorrupt(f"body format {body_format} with {count} slots")
        entries = iter(struct.unpack_from(f"<{2 * count}H", buf, DIRECTORY_OFFSET))
        for slot, length in zip(entries, entries, strict=True):
            end = start + length
            slots[slot] = buf[start:end]
            start = end
        if start > end_of_body or len(slots) != count:
            raise BodyCorrupt(f"{count} slots end at byte {start} of {len(buf)}")
        block.used_bytes = start - DIRECTORY_OFFSET
        return block


def applicability(block: SlottedBlock | None, vector: BlockVector, scn: int) -> Applicability:
    """What recovery does with ``vector`` of a record at ``scn``.

    ``block`` is the block as found, None if it is damaged (fractured, bad checksum, unreadable body). A
    newer block has the change already. An older one, or a damaged one, can only take an image or a
    formatting; for anything else recovery is stuck. A block marked corrupt stays so until then.
    """
    first = vector.operations[0]
    if block is not None and block.marked_corrupt and not isinstance(first, Image | Format):
        return Applicability.SKIP
    if isinstance(first, Image):
        image_version = version_of(first.data)
        return Applicability.SKIP if block and block.version >= image_version else Applicability.APPLY
    if block is not None and block.version >= BlockVersion(scn, vector.seq):
        return Applicability.SKIP
    if isinstance(first, Format) or (block is not None and block.version == vector.before):
        return Applicability.APPLY
    return Applicability.STUCK


def _invalid_block(block: SlottedBlock, rdba: int, block_size: int) -> bytes:
    """A sound envelope around nothing: RMAN and DBVERIFY report it (DBV-00201), the copy is not to blame."""
    buf = bytearray((b"\xff" if block.never_logged else b"\0") * block_size)
    seal(buf, block.type, rdba, block.version)
    return bytes(buf)


def version_after(vector: BlockVector, scn: int) -> BlockVersion:
    """The version a block has once ``vector`` of a record at ``scn`` was applied to it."""
    first = vector.operations[0]
    return version_of(first.data) if isinstance(first, Image) else BlockVersion(scn, vector.seq)
