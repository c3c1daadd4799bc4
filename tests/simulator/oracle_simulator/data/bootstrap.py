# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first dictionary: the tables of SYS of a new database, written straight into its SYSTEM file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from oracle_simulator.data.segment import encode_extent, encode_high_water_mark
from oracle_simulator.data.space import (
    FIRST_BITMAP_BLOCK,
    FIRST_EXTENT_BLOCK,
    UNIT_BLOCKS,
    Extent,
    bitmap_piece,
)
from oracle_simulator.data.system_tables import (
    SYSTEM_TABLES,
    SYSTEM_TABLESPACE_NUMBER,
    SystemRow,
    TableRow,
    encode_system_row,
)
from oracle_simulator.errors import OracleError
from oracle_simulator.storage.block import BlockType, BlockVersion
from oracle_simulator.storage.datafile import Datafile
from oracle_simulator.storage.slotted import SlottedBlock


def write_dictionary(
    datafile: Datafile, rows: dict[str, Sequence[SystemRow]], version: BlockVersion, created: datetime
) -> None:
    """Write the tables of SYS, one extent each from the first extent of the first file of SYSTEM on.

    ``rows`` has the rows of each table by its name, but for TAB$, which follows from the rest. Raises
    ORA-01658 when a table does not fit its extent, ORA-03214 when the file has no room for all of them.
    """
    header = datafile.read_header()
    if header.blocks + 1 < FIRST_EXTENT_BLOCK + len(SYSTEM_TABLES) * UNIT_BLOCKS:
        raise OracleError(3214, "File Size specified is smaller than minimum required")
    segments = {
        name: FIRST_EXTENT_BLOCK + index * UNIT_BLOCKS
        for index, (_id, name, _row) in enumerate(SYSTEM_TABLES)
    }
    tables: list[SystemRow] = [
        TableRow(
            number, number, "SYS", name, SYSTEM_TABLESPACE_NUMBER, header.file_number, segments[name], created
        )
        for number, name, _row_class in SYSTEM_TABLES
    ]
    blocks: dict[int, SlottedBlock] = {}
    for object_id, name, _row_class in SYSTEM_TABLES:
        contents = tables if name == "TAB$" else rows.get(name, ())
        place = Extent(header.file_number, segments[name], UNIT_BLOCKS)
        blocks.update(_segment_blocks(object_id, name, place, contents, header.block_size))
    bitmap = SlottedBlock(BlockType.BITMAP)
    bitmap.put(0, bitmap_piece(b"\1" * len(SYSTEM_TABLES)))
    blocks[FIRST_BITMAP_BLOCK] = bitmap
    for block_number, block in blocks.items():
        block.version = version
        sealed = block.to_bytes(header.rdba(block_number), header.block_size)
        datafile.write_block(block_number, sealed, pieces=1)


def _segment_blocks(
    object_id: int, name: str, place: Extent, rows: Sequence[SystemRow], block_size: int
) -> dict[int, SlottedBlock]:
    """Segment header and data blocks of one table, by block number."""
    data_blocks = [SlottedBlock(BlockType.TABLE, object_id)]
    for row in rows:
        data = encode_system_row(row)
        if not data_blocks[-1].fits(len(data), block_size):
            data_blocks.append(SlottedBlock(BlockType.TABLE, object_id))
        block = data_blocks[-1]
        block.put(len(block.slots), data)
    used = 1 + len(data_blocks)
    if used > UNIT_BLOCKS:
        raise OracleError(
            1658, "unable to create INITIAL extent for segment in tablespace SYSTEM", (942, name)
        )
    segment_header = SlottedBlock(BlockType.SEGMENT_HEADER, object_id)
    segment_header.put(0, encode_high_water_mark(used))
    segment_header.put(1, encode_extent(place))
    return {place.block_number + index: block for index, block in enumerate((segment_header, *data_blocks))}
