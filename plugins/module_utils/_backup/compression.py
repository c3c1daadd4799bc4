# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How datafiles are stored in a set: as they are, or compressed. Private to the collection.

It is a property of each stored file, so it may differ between the runs of one set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import Limit

NONE = "none"
ZSTD = "zstd"
COMPRESSIONS = (NONE, ZSTD)
SUFFIXES = {NONE: "", ZSTD: ".zst"}
"""What a stored file's name ends with, after the name of its source."""

DEFAULT_LEVEL = 3
LEVEL = Limit(1, 19)
THREADS = Limit(0, 64)


@dataclass(frozen=True)
class CompressedForm:
    """A file that is stored compressed (with zstd; there is no other way). ``plain_size_bytes`` is what it has when
    decompressed: no reader takes more of it. ``stored_digest`` is the SHA-256 of the stored bytes, which is what
    ``sha256sum`` prints; None if it is not known.
    """

    plain_size_bytes: int
    stored_digest: str | None = None


@dataclass(frozen=True)
class Compression:
    """What a run does with the datafiles it copies. ``threads`` are zstd's own, for each stream; with 0 the thread
    that writes compresses.
    """

    name: str = NONE
    level: int = DEFAULT_LEVEL
    threads: int = 0

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Compression:
        """From a module's options ``compression`` and ``compression_...``, within the limits above. Raises
        PreconditionError naming what cannot be together.
        """
        wanted = cls(options["compression"], options["compression_level"], options["compression_threads"])
        if wanted.name == NONE and wanted != cls():
            raise PreconditionError(
                "Options compression_level and compression_threads say how to compress, but compression is none.",
                hint="Set compression to zstd, or leave them out.",
            )
        if wanted.name != NONE and options["reflink"]:
            raise PreconditionError(
                f"Option reflink cannot be combined with compression {wanted.name}: a compressed copy has no block in "
                "common with its source.",
                hint="Choose one of the two.",
            )
        return wanted
