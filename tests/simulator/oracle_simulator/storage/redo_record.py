# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redo records and change vectors.

The record header is Oracle's (length, "valid" byte, SCN, LWN SCN at 40, time at 64); what follows it is
our own, since Oracle does not document its vectors. A record is atomic: its vectors share one SCN.

A block vector says which version of the block it was made from (``before``) and leaves the block at
version (SCN of the record, ``seq``). Recovery therefore knows for each block whether the change is
already there, must be made, or cannot be made. ``Image`` and ``Format`` need nothing of the old block.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from oracle_simulator.storage.block import BlockVersion
from oracle_simulator.storage.oracle_time import decode_time, encode_time
from oracle_simulator.storage.scn import encode_scn

RECORD_HEADER_SIZE = 68
_VALID_WITH_LWN = 0x05

_RECORD = struct.Struct("<IBxHII24s8s16sIQHHI")  # Oracle's 68 bytes, then ours: xid, flags, thread, vectors
_LENGTH = struct.Struct("<I")
_VECTOR = struct.Struct("<BBHIHQB")  # kind, seq after, file, block, operations, SCN and seq before
_OPERATION = struct.Struct("<BHH")  # kind, slot (block type for Format), data length
_FORMAT_OBJECT = struct.Struct("<I")
_MARKER = struct.Struct("<BI")

_KIND_BLOCK = 1
_KIND_MARKER = 2
_OP_PUT, _OP_REMOVE, _OP_FORMAT, _OP_IMAGE = 1, 2, 3, 4


class RedoDecodeError(ValueError):
    """The body of a record cannot be understood although its blocks are intact."""


class Put(NamedTuple):
    """Set one slot of a block."""

    slot: int
    data: bytes


class Remove(NamedTuple):
    """Empty one slot of a block."""

    slot: int


class Format(NamedTuple):
    """Make the block an empty slotted block of this type and object, whatever it was."""

    type: int
    object_id: int


class Image(NamedTuple):
    """The whole block, sealed, as it was before the changes that follow it."""

    data: bytes


BlockOperation = Put | Remove | Format | Image


class BlockVector(NamedTuple):
    """The change of one block. After it the block has version (SCN of the record, ``seq``).

    An ``Image`` stands alone in its vector: it carries its own version, ``before`` and ``seq`` repeat it.
    """

    file_number: int
    block_number: int
    before: BlockVersion
    seq: int
    operations: tuple[BlockOperation, ...]

    @property
    def needs_old_block(self) -> bool:
        """Whether the change builds on what the block held before."""
        return not isinstance(self.operations[0], Image | Format)


class RecordFlag(enum.IntFlag):
    """PART: one of several records of one transaction, void without its COMMIT record."""

    NONE = 0
    PART = 1
    COMMIT = 2


@dataclass(frozen=True)
class Marker:
    """A change that is not a change of a block: base of all file-level redo."""

    name: ClassVar[str] = ""


@dataclass(frozen=True)
class TablespaceCreated(Marker):
    """A tablespace came to be; the files follow as :class:`FileCreated`."""

    name: ClassVar[str] = "tablespace_created"
    tablespace_number: int
    tablespace_name: str
    bigfile: bool
    contents: str
    con_id: int = 0
    encryption: str = ""


@dataclass(frozen=True)
class TablespaceDropped(Marker):
    """A tablespace and all its files were dropped."""

    name: ClassVar[str] = "tablespace_dropped"
    tablespace_number: int
    tablespace_name: str
    con_id: int = 0


@dataclass(frozen=True)
class FileCreated(Marker):
    """A datafile came to be; its creation SCN is ``creation_scn``, its size then ``blocks``."""

    name: ClassVar[str] = "file_created"
    file_number: int
    relative_file_number: int
    tablespace_number: int
    path: str
    blocks: int
    block_size: int
    creation_scn: int
    creation_time: int
    con_id: int = 0
    encryption_key: str = ""


@dataclass(frozen=True)
class FileResized(Marker):
    """A datafile has ``blocks`` blocks from now on, block 0 not counted."""

    name: ClassVar[str] = "file_resized"
    file_number: int
    blocks: int


@dataclass(frozen=True)
class FileDropped(Marker):
    """A single datafile was dropped from its tablespace."""

    name: ClassVar[str] = "file_dropped"
    file_number: int


@dataclass(frozen=True)
class BeginBackup(Marker):
    """Backup mode of a file began; its header is frozen at ``begin_scn``."""

    name: ClassVar[str] = "begin_backup"
    file_number: int
    begin_scn: int


@dataclass(frozen=True)
class EndBackup(Marker):
    """Backup mode of a file ended, for the copies whose header holds ``begin_scn``."""

    name: ClassVar[str] = "end_backup"
    file_number: int
    begin_scn: int


@dataclass(frozen=True)
class TablespaceState(Marker):
    """A tablespace became ``read_only``, ``read_write``, ``offline`` or ``online``."""

    name: ClassVar[str] = "tablespace_state"
    tablespace_number: int
    state: str
    file_numbers: tuple[int, ...] = ()
    con_id: int = 0


@dataclass(frozen=True)
class UnloggedBlocks(Marker):
    """Consecutive blocks were written at ``load_scn`` without redo: a file that lacks them cannot get them
    from here, and recovery marks them corrupt."""

    name: ClassVar[str] = "unlogged_blocks"
    file_number: int
    first_block: int
    blocks: int
    load_scn: int


@dataclass(frozen=True)
class CleanClose(Marker):
    """The thread was closed in order: everything before is in the files."""

    name: ClassVar[str] = "clean_close"
    thread: int


@dataclass(frozen=True)
class CrashRecovered(Marker):
    """Crash recovery finished here: parts of transactions before this without a commit are void."""

    name: ClassVar[str] = "crash_recovered"
    thread: int


@dataclass(frozen=True)
class PluggableCreated(Marker):
    """A pluggable database came to be as a copy of the seed; its tablespaces and files follow."""

    name: ClassVar[str] = "pluggable_created"
    con_id: int
    container_name: str
    dbid: int
    guid: str
    creation_scn: int
    creation_time: int


@dataclass(frozen=True)
class PluggableDropped(Marker):
    """A pluggable database was dropped with all its files."""

    name: ClassVar[str] = "pluggable_dropped"
    con_id: int


@dataclass(frozen=True)
class PluggableClosed(Marker):
    """A pluggable database was closed in order: everything before is in its files."""

    name: ClassVar[str] = "pluggable_closed"
    con_id: int
    file_numbers: tuple[int, ...]


@dataclass(frozen=True)
class ThreadEnabled(Marker):
    """A redo thread was enabled: its redo begins with log ``sequence``, in ``group``, at ``first_scn``."""

    name: ClassVar[str] = "thread_enabled"
    thread: int
    public: bool
    group: int
    sequence: int
    first_scn: int


@dataclass(frozen=True)
class ThreadDisabled(Marker):
    """A closed redo thread was disabled: it has no redo after this."""

    name: ClassVar[str] = "thread_disabled"
    thread: int


_MARKERS: dict[str, type[Marker]] = {
    cls.name: cls
    for cls in (
        TablespaceCreated,
        TablespaceDropped,
        FileCreated,
        FileResized,
        FileDropped,
        BeginBackup,
        EndBackup,
        TablespaceState,
        UnloggedBlocks,
        CleanClose,
        CrashRecovered,
        PluggableCreated,
        PluggableDropped,
        PluggableClosed,
        ThreadEnabled,
        ThreadDisabled,
    )
}

Vector = BlockVector | Marker


@dataclass(frozen=True)
class RedoRecord:
    """One atomic entry of the redo stream. ``time`` is local time to the second."""

    scn: int
    time: datetime
    vectors: Sequence[Vector] = ()
    flags: RecordFlag = RecordFlag.NONE
    transaction_id: int = 0
    thread: int = 1

    def encode(self) -> bytes:
        """Record header and vectors, padded to 4 bytes; the length field counts the padding too."""
        parts = [b""]
        for vector in self.vectors:
            if isinstance(vector, BlockVector):
                _encode_block_vector(vector, parts)
            else:
                parts.append(_encode_marker(vector))
        size = _RECORD.size + sum(map(len, parts))
        padding = -size % 4
        parts[0] = _RECORD.pack(
            size + padding,
            _VALID_WITH_LWN,
            (self.scn >> 32) & 0xFFFF,
            self.scn & 0xFFFFFFFF,
            0,
            b"",
            encode_scn(self.scn),
            b"",
            encode_time(self.time),
            self.transaction_id,
            self.flags,
            self.thread,
            len(self.vectors),
        )
        if padding:
            parts.append(bytes(padding))
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> RedoRecord:
        """The record in ``data``, which holds exactly the bytes its length field counts.

        Raises :class:`RedoDecodeError` when the body makes no sense.
        """
        try:
            fields = _RECORD.unpack_from(data, 0)
            length, wrap, base = fields[0], fields[2], fields[3]
            time, transaction_id, flags, thread, count = fields[8:]
            if length != len(data):
                raise RedoDecodeError(f"record length {length} in {len(data)} bytes")
            vectors: list[Vector] = []
            offset = _RECORD.size
            for _ignored in range(count):
                if data[offset] == _KIND_BLOCK:
                    block_vector, offset = _decode_block_vector(data, offset)
                    vectors.append(block_vector)
                elif data[offset] == _KIND_MARKER:
                    marker, offset = _decode_marker(data, offset)
                    vectors.append(marker)
                else:
                    raise RedoDecodeError(f"unknown vector kind {data[offset]}")
            moment = decode_time(time)
        except (struct.error, IndexError, KeyError, TypeError, ValueError) as exc:
            raise RedoDecodeError(str(exc)) from exc
        if moment is None:
            raise RedoDecodeError("record without a time")
        return cls(
            scn=wrap << 32 | base,
            time=moment,
            vectors=tuple(vectors),
            flags=RecordFlag(flags),
            transaction_id=transaction_id,
            thread=thread,
        )


def record_length(buf: bytes | bytearray | memoryview, offset: int) -> int:
    """The length field of the record that starts at ``offset``."""
    return int(_LENGTH.unpack_from(buf, offset)[0])


def _encode_block_vector(vector: BlockVector, parts: list[bytes]) -> None:
    file_number, block_number, before, seq, operations = vector
    parts.append(
        _VECTOR.pack(_KIND_BLOCK, seq, file_number, block_number, len(operations), before[0], before[1])
    )
    pack = _OPERATION.pack
    for operation in operations:
        if isinstance(operation, Put):
            parts.append(pack(_OP_PUT, operation[0], len(operation[1])))
            parts.append(operation[1])
        elif isinstance(operation, Remove):
            parts.append(pack(_OP_REMOVE, operation[0], 0))
        elif isinstance(operation, Format):
            parts.append(pack(_OP_FORMAT, operation[0], 4))
            parts.append(_FORMAT_OBJECT.pack(operation[1]))
        else:
            parts.append(pack(_OP_IMAGE, 0, len(operation[0])))
            parts.append(operation[0])


def _decode_block_vector(data: bytes, offset: int) -> tuple[BlockVector, int]:
    _kind, seq, file_number, block_number, count, scn, before_seq = _VECTOR.unpack_from(data, offset)
    offset += _VECTOR.size
    operations: list[BlockOperation] = []
    unpack = _OPERATION.unpack_from
    for _ignored in range(count):
        kind, slot, length = unpack(data, offset)
        offset += _OPERATION.size
        body = data[offset : offset + length]
        if len(body) != length:
            raise RedoDecodeError("operation longer than its record")
        offset += length
        if kind == _OP_PUT:
            operations.append(Put(slot, body))
        elif kind == _OP_REMOVE:
            operations.append(Remove(slot))
        elif kind == _OP_FORMAT:
            operations.append(Format(slot, _FORMAT_OBJECT.unpack(body)[0]))
        elif kind == _OP_IMAGE:
            operations.append(Image(body))
        else:
            raise RedoDecodeError(f"unknown operation {kind}")
    before = BlockVersion(scn, before_seq)
    return BlockVector(file_number, block_number, before, seq, tuple(operations)), offset


def _encode_marker(marker: Marker) -> bytes:
    body = json.dumps({"marker": marker.name, **dataclasses.asdict(marker)}, separators=(",", ":")).encode()
    return _MARKER.pack(_KIND_MARKER, len(body)) + body


def _decode_marker(data: bytes, offset: int) -> tuple[Marker, int]:
    _kind, length = _MARKER.unpack_from(data, offset)
    offset += _MARKER.size
    fields: dict[str, Any] = json.loads(data[offset : offset + length])
    cls = _MARKERS[fields.pop("marker")]
    # JSON has no tuples; markers have no lists.
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return cls(**values), offset + length
