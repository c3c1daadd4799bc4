# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control files: genuine 16 KiB envelopes around a JSON state of our own.

Block 0 is the operating-system header, block 1 the file header (DBID, database name, sequence). The
state stands in two images, in the even and in the odd blocks from 2 on, as Oracle pairs its control file
blocks. Each write replaces the older image, so a process that dies while writing leaves the other one
whole. A copy made by the operating system while the database writes is no backup: the two images and
the parts of one image may be of different writes, which the reader notices.

Body of an image block after the cache header: u8 control file sequence, u4 part, u4 parts, u4 bytes of
the whole state, u4 CRC-32 of the whole state, then the part.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oracle_simulator.storage.block import (
    HEADER_SIZE,
    NEVER_CHANGED,
    TAIL_SIZE,
    BlockType,
    BlockVersion,
    FileType,
    block_zero,
    examine,
    read_block_zero,
    seal,
    type_of,
)
from oracle_simulator.storage.datafile_header import COMPATIBILITY_19
from oracle_simulator.storage.disk import PLAIN_DISK, Disk

BLOCK_SIZE = 16384
SOFTWARE_VERSION = 0x13160000
MIN_PARTS = 16

_PART = struct.Struct("<QIIII")
# software and compatibility version, DBID, name, sequence, blocks, block size, file number, type, activation, checksum
_IDENTITY = struct.Struct("<III8sIIIHHII")
_AREA = BLOCK_SIZE - HEADER_SIZE - TAIL_SIZE - _PART.size


class ControlFileCorrupt(Exception):
    """A file that holds no whole control file image."""


@dataclass(frozen=True)
class ControlFileImage:
    """The newest whole image of a control file. ``file_type`` is ``FileType.CONTROL`` for a live one,
    ``FileType.BACKUP_CONTROL`` for one made by BACKUP CONTROLFILE."""

    sequence: int
    file_type: FileType
    dbid: int
    db_name: str
    state: dict[str, Any]


def write_control_file(
    paths: Sequence[Path | str],
    state: dict[str, Any],
    sequence: int,
    *,
    dbid: int,
    db_name: str,
    file_type: FileType = FileType.CONTROL,
    durable: bool = True,
    create: bool = True,
    disk: Disk = PLAIN_DISK,
) -> None:
    """Write ``state`` (JSON-plain) as image number ``sequence`` to every path; with ``create`` missing files
    are made.

    ``sequence`` must grow by one at each write. With ``durable`` the files are synced. Raises OSError.
    """
    body = json.dumps(state, separators=(",", ":")).encode()
    parts = max(1, -(-len(body) // _AREA))
    crc = zlib.crc32(body)
    blocks: dict[int, bytes] = {}
    for part in range(parts):
        number = 2 + 2 * part + (sequence & 1)
        buf = bytearray(BLOCK_SIZE)
        _PART.pack_into(buf, HEADER_SIZE, sequence, part, parts, len(body), crc)
        chunk = body[part * _AREA : (part + 1) * _AREA]
        start = HEADER_SIZE + _PART.size
        buf[start : start + len(chunk)] = chunk
        seal(buf, BlockType.CONTROL, number, BlockVersion(sequence & 0xFFFFFFFF, 1))
        blocks[number] = bytes(buf)
    pairs = max(parts, MIN_PARTS)
    header = _file_header(dbid, db_name, sequence, file_type, 1 + 2 * pairs)
    for path in paths:
        _write_one(disk, path, blocks, header, pairs, durable, create)


def load_control_file(path: Path | str, *, disk: Disk = PLAIN_DISK) -> ControlFileImage:
    """The newest whole image in a control file. Raises ControlFileCorrupt, OSError."""
    with disk.open(path, os.O_RDONLY) as file:
        data = file.read_at(file.size, 0)
    found = read_block_zero(data)
    if found is None or found.block_size != BLOCK_SIZE:
        raise ControlFileCorrupt(f"{path}: not a control file")
    blocks = [data[start : start + BLOCK_SIZE] for start in range(0, len(data) - BLOCK_SIZE + 1, BLOCK_SIZE)]
    if len(blocks) < 2 or examine(blocks[1], 1) or type_of(blocks[1]) != BlockType.CONTROL:
        raise ControlFileCorrupt(f"{path}: damaged header")
    identity = _IDENTITY.unpack_from(blocks[1], HEADER_SIZE)
    file_type = identity[8]
    if file_type not in (FileType.CONTROL, FileType.BACKUP_CONTROL):
        raise ControlFileCorrupt(f"{path}: file type {file_type}")
    images = [image for parity in (0, 1) if (image := _image(blocks, parity)) is not None]
    if not images:
        raise ControlFileCorrupt(f"{path}: no whole image")
    sequence, body = max(images)
    name = identity[3].rstrip(b"\0").decode("ascii")
    return ControlFileImage(sequence, FileType(file_type), identity[2], name, json.loads(body))


def read_control_file(path: Path | str) -> dict[str, Any]:
    """The state of :func:`load_control_file` alone."""
    return load_control_file(path).state


def _write_one(
    disk: Disk,
    path: Path | str,
    blocks: dict[int, bytes],
    header: bytes,
    pairs: int,
    durable: bool,
    create: bool,
) -> None:
    with disk.open(path, os.O_RDWR | (os.O_CREAT if create else 0)) as file:
        present = file.size // BLOCK_SIZE
        wanted = 2 + 2 * pairs
        for number in range(max(present, 2), wanted):
            file.write_at(_unused(number), number * BLOCK_SIZE)
        for number, block in blocks.items():
            file.write_at(block, number * BLOCK_SIZE)
        file.write_at(header, BLOCK_SIZE)
        if present < wanted:
            file.write_at(block_zero(BLOCK_SIZE, wanted - 1), 0)
        if durable:
            file.sync()


def _unused(number: int) -> bytes:
    buf = bytearray(BLOCK_SIZE)
    seal(buf, BlockType.CONTROL, number, NEVER_CHANGED)
    return bytes(buf)


def _file_header(dbid: int, db_name: str, sequence: int, file_type: FileType, blocks: int) -> bytes:
    buf = bytearray(BLOCK_SIZE)
    name = db_name.encode("ascii").ljust(8, b"\0")[:8]
    numbers = (sequence & 0xFFFFFFFF, blocks, BLOCK_SIZE, 0, file_type, 0, 0)
    _IDENTITY.pack_into(buf, HEADER_SIZE, SOFTWARE_VERSION, COMPATIBILITY_19, dbid, name, *numbers)
    seal(buf, BlockType.CONTROL, 1, NEVER_CHANGED)
    return bytes(buf)


def _image(blocks: list[bytes], parity: int) -> tuple[int, bytes] | None:
    """(sequence, body) of the image in the even (0) or odd (1) blocks, None if it is not whole."""
    pieces: list[bytes] = []
    first: tuple[int, int, int, int] | None = None
    for number in range(2 + parity, len(blocks), 2):
        if examine(blocks[number], number):
            return None
        sequence, part, parts, size, crc = _PART.unpack_from(blocks[number], HEADER_SIZE)
        if first is None:
            first = (sequence, parts, size, crc)
        if (sequence, parts, size, crc) != first or part != len(pieces) or not parts:
            return None
        pieces.append(blocks[number][HEADER_SIZE + _PART.size : -TAIL_SIZE])
        if len(pieces) == parts:
            body = b"".join(pieces)[:size]
            return (sequence, body) if zlib.crc32(body) == crc else None
    return None
