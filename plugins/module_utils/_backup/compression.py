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

NONE = "none"
ZSTD = "zstd"
COMPRESSIONS = (NONE, ZSTD)
SUFFIXES = {NONE: "", ZSTD: ".zst"}
"""What a stored file's name ends with, after the name of its source."""

DEFAULT_LEVEL = 3
_HIGHEST_LEVEL = 19
_MOST_THREADS = 64


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
        """From a module's options ``compression`` and ``compression_...``. Raises PreconditionError naming what
        cannot be, or not together.
        """
        wanted = cls(options["compression"], options["compression_level"], options["compression_threads"])
        _require("compression_level", wanted.level, 1, _HIGHEST_LEVEL)
        _require("compression_threads", wanted.threads, 0, _MOST_THREADS)
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


def _require(option: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise PreconditionError(f"Option {option} is {value}; it must be {lowest} to {highest}.")
