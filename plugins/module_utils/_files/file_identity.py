# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this file what it is taken for: its kind, its database, its number, its size, its checker.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import CompressedForm
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_check import (
    BlockChecker,
    ControlFileChecker,
    DatafileChecker,
    RedoChecker,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_zero import BlockReader, require
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    DatafileHeader,
    FileHeader,
    FileKind,
    RedoLogHeader,
    parse_control_file_header,
    parse_datafile_header,
    parse_redo_log_header,
)

_FILE_TYPE = {FileKind.DATAFILE: 3, FileKind.TEMPFILE: 6}
# What a relative data block address can name: 22 bits of block number beside the file number, or all 32.
_LAST_BLOCK_OF_SMALLFILE = (1 << 22) - 1
_LAST_BLOCK_OF_BIGFILE = (1 << 32) - 1


@dataclass(frozen=True)
class FileExpectations:
    """What is known of a file before it is read; None is "not known". ``size_bytes`` includes block 0.

    ``compressed`` is how it is stored; None is "as it is". Everything else is about the file itself.
    """

    kind: FileKind
    block_size: int | None = None
    dbid: int | None = None
    file_number: int | None = None
    thread: int | None = None
    sequence: int | None = None
    size_bytes: int | None = None
    compressed: CompressedForm | None = None


def parse_header(expected: FileExpectations, name: str, read: BlockReader) -> FileHeader:
    """Read the header of the expected kind and compare it. Raises VerificationError."""
    if expected.kind is FileKind.REDO:
        header: FileHeader = parse_redo_log_header(name, read)
    elif expected.kind is FileKind.CONTROL:
        header = parse_control_file_header(name, read)
    else:
        header = parse_datafile_header(name, read, expected.block_size)
        file_type = _FILE_TYPE[expected.kind]
        require(name, f"file type {file_type}", header.file_type, header.file_type == file_type)
    for field in ("block_size", "dbid", "file_number", "thread", "sequence"):
        wanted = getattr(expected, field)
        found = getattr(header, field, None)
        require(name, f"{field} {wanted}", found, wanted is None or wanted == found)
    return header


def check_size(name: str, header: FileHeader, size_bytes: int) -> None:
    """Raise VerificationError if a file of ``size_bytes`` cannot hold what its header says.

    A datafile may be larger than its header says, as it is extended on disk first, up to the last block that
    an address can name. Logs and control files have one size only.
    """
    size = header.block_size
    whole = (header.block_count + 1) * size
    require(name, f"a size in whole blocks of {size} bytes", size_bytes, size_bytes % size == 0)
    if isinstance(header, DatafileHeader):
        require(name, f"a size of at least {whole} bytes", size_bytes, size_bytes >= whole)
        last = _LAST_BLOCK_OF_BIGFILE if header.bigfile else _LAST_BLOCK_OF_SMALLFILE
        most = (last + 1) * size
        require(name, f"a size of at most {most} bytes", size_bytes, size_bytes <= most)
    else:
        require(name, f"a size of {whole} bytes", size_bytes, size_bytes == whole)


def check_unchanged(name: str, before: FileHeader, after: FileHeader) -> None:
    """Raise VerificationError if the file became another one while it was read.

    A datafile's checkpoint, size and status may move on; whether they were allowed to is the caller's
    knowledge.
    """
    if isinstance(before, DatafileHeader):
        fields: tuple[str, ...] = (
            "dbid",
            "file_number",
            "relative_file_number",
            "tablespace_number",
            "block_size",
            "creation_scn",
            "resetlogs_scn",
            "resetlogs_id",
        )
    elif isinstance(before, RedoLogHeader):
        fields = ("dbid", "thread", "sequence", "resetlogs_scn", "resetlogs_id", "first_scn", "block_count")
    else:
        fields = ("dbid", "file_type", "block_size", "block_count")
    for field in fields:
        old, new = getattr(before, field), getattr(after, field)
        require(name, f"{field} {old} still at the end of the read", new, old == new)


def checker_for(header: FileHeader, name: str, accelerator: str) -> BlockChecker:
    """Return the checker of the file's blocks, told what the header knows."""
    if isinstance(header, DatafileHeader):
        return DatafileChecker(
            header.block_size,
            header.relative_file_number,
            header.bigfile,
            header.compatibility,
            accelerator,
            file=name,
            big_endian=header.big_endian,
        )
    if isinstance(header, RedoLogHeader):
        return RedoChecker(
            header.block_size,
            header.sequence,
            accelerator,
            file=name,
            big_endian=header.big_endian,
            next_available_block=header.next_available_block,
        )
    return ControlFileChecker(header.block_size, accelerator, file=name, big_endian=header.big_endian)
