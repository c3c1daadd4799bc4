# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datafiles full of random blocks, for measurements of copies: of a database, or standing alone.

To the space bitmap the blocks are in use, though they belong to no table: as if a segment had lost its entry in
the dictionary. Nothing will be allocated there, and everything else goes on as in any file.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from oracle_simulator.data.definition import derive_dbid
from oracle_simulator.data.space import (
    FIRST_BITMAP_BLOCK,
    FIRST_EXTENT_BLOCK,
    MIN_FILE_BLOCKS,
    PIECE_UNITS,
    SPACE_HEADER_BLOCK,
    UNIT_BLOCKS,
    bitmap_piece,
    pieces_per_block,
    space_header,
    units_in,
)
from oracle_simulator.errors import OracleError
from oracle_simulator.storage.block import BIGFILE_RELATIVE_NUMBER, BlockType, BlockVersion
from oracle_simulator.storage.datafile import Checkpoint, Datafile, DatafileHeader
from oracle_simulator.storage.fill import BlockPlace, random_blocks
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.slotted import SlottedBlock

FILLER_OBJECT_ID = 999
"""Object of the random blocks; no table has it."""
_SCN = 1000


def make_filled_file(
    path: Path, size_bytes: int, *, block_size: int = 8192, bigfile: bool = False, seed: int = 1
) -> DatafileHeader:
    """Make a datafile of no database, cleanly closed, all of whose data blocks are random; its header.

    ``size_bytes`` is the size of the file on disk, rounded down to whole blocks. Raises FileExistsError, OSError,
    ORA-03214 for a file too small.
    """
    blocks = size_bytes // block_size - 1
    if blocks < MIN_FILE_BLOCKS:
        raise OracleError(3214, "File Size specified is smaller than minimum required")
    now = datetime.now().replace(microsecond=0)
    header = DatafileHeader(
        dbid=derive_dbid("FILL", str(path)),
        db_name="FILL",
        file_number=5,
        relative_file_number=BIGFILE_RELATIVE_NUMBER if bigfile else 5,
        tablespace_number=5,
        tablespace_name="FILL",
        blocks=blocks,
        block_size=block_size,
        bigfile=bigfile,
        creation_scn=_SCN,
        creation_time=now,
        resetlogs_scn=1,
        resetlogs_id=encode_time(now),
        checkpoint=Checkpoint(_SCN, now, 1, 1, 2, 16),
        checkpoint_count=1,
    )
    with Datafile.create(path, header, formatted_blocks=FIRST_EXTENT_BLOCK - 1) as datafile:
        version = BlockVersion(_SCN, 1)
        space = SlottedBlock(BlockType.SPACE_HEADER, version=version)
        space.put(0, space_header(header.relative_file_number, blocks))
        _write(datafile, header, SPACE_HEADER_BLOCK, space)
        fill(datafile, header, version, seed=seed)
        datafile.fsync()
    return header


def fill(
    datafile: Datafile,
    header: DatafileHeader,
    version: BlockVersion,
    *,
    fill_bytes: int | None = None,
    seed: int = 1,
) -> None:
    """Fill the first ``fill_bytes`` of the extents of a new file (None: all) with random blocks of ``version``.

    Blocks behind the last whole unit of 8 blocks stay never used.
    """
    size = header.block_size
    units = units_in(header.blocks)
    if fill_bytes is not None:
        units = min(units, fill_bytes // (UNIT_BLOCKS * size))
    per_block = pieces_per_block(size)
    for index in range(-(-units // (per_block * PIECE_UNITS))):
        bitmap = SlottedBlock(BlockType.BITMAP, version=version)
        for slot in range(per_block):
            used = min(units - (index * per_block + slot) * PIECE_UNITS, PIECE_UNITS)
            if used > 0:
                bitmap.put(slot, bitmap_piece(b"\1" * used))
        _write(datafile, header, FIRST_BITMAP_BLOCK + index, bitmap)
    place = BlockPlace(size, header.relative_file_number, header.bigfile, FILLER_OBJECT_ID, version)
    end = FIRST_EXTENT_BLOCK
    for first, data in random_blocks(place, FIRST_EXTENT_BLOCK, units * UNIT_BLOCKS, seed):
        datafile.write_blocks(first, data)
        end = first + len(data) // size
    datafile.write_unused(end, header.blocks + 1)


def _write(datafile: Datafile, header: DatafileHeader, number: int, block: SlottedBlock) -> None:
    datafile.write_block(number, block.to_bytes(header.rdba(number), header.block_size), pieces=1)
