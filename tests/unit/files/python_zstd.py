# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python 3.14's ``compression.zstd``, as far as it is used, made of the library that the tests have installed."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import zstandard


class CompressionParameter(enum.Enum):
    compression_level = "level"
    nb_workers = "threads"
    checksum_flag = "write_checksum"


class DecompressionParameter(enum.Enum):
    window_log_max = "window_log_max"


class ZstdCompressor:
    FLUSH_FRAME = 2

    def __init__(self, *, options: Mapping[CompressionParameter, int]) -> None:
        arguments: dict[str, Any] = {parameter.value: value for parameter, value in options.items()}
        self._zstd = zstandard.ZstdCompressor(**arguments)
        self._size = -1
        self._frame: Any = None

    def set_pledged_input_size(self, size: int | None) -> None:
        self._size = -1 if size is None else size

    def compress(self, data: Any) -> bytes:
        if self._frame is None:
            self._frame = self._zstd.compressobj(size=self._size)
        return self._frame.compress(data)

    def flush(self, mode: int) -> bytes:
        assert mode == self.FLUSH_FRAME
        rest = self.compress(b"") + self._frame.flush()
        # A frame's size is forgotten with the frame.
        self._frame, self._size = None, -1
        return rest


class ZstdDecompressor:
    def __init__(self, *, options: Mapping[DecompressionParameter, int]) -> None:
        log = options[DecompressionParameter.window_log_max]
        self._zstd = zstandard.ZstdDecompressor(max_window_size=1 << log).decompressobj()

    def decompress(self, data: bytes) -> bytes:
        return self._zstd.decompress(data)


def as_module(name: str) -> ModuleType:
    """What importing ``compression.zstd`` or ``backports.zstd`` would give."""
    module = ModuleType(name)
    for part in (CompressionParameter, DecompressionParameter, ZstdCompressor, ZstdDecompressor):
        setattr(module, part.__name__, part)
    module.ZstdError = zstandard.ZstdError  # type: ignore[attr-defined]
    return module
