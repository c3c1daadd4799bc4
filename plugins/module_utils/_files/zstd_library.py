# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whichever zstd library the interpreter has, behind one face.

``compression.zstd`` comes with Python 3.14; ``backports.zstd`` is the same for older ones; ``zstandard`` is the
library most hosts have. Their compressors differ in little more than names, their decompressors take bytes in and
give bytes out.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import importlib
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, Union

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import (
    CompressedForm,
    Compression,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError

Bytes = Union[bytes, memoryview]

LARGEST_WINDOW_LOG = 26
"""2^26 bytes are one chunk, and so the most that a frame of ours can refer back to."""


class FrameCompressor(Protocol):
    """Makes one frame after another, each with its content's size and checksum. Raises the library's errors."""

    def begin(self, size_bytes: int) -> None:
        """Begin a frame of so many plain bytes."""

    def add(self, data: Bytes) -> bytes:
        """Take the next plain bytes; return what of the frame is ready."""

    def end(self) -> bytes:
        """Return the rest of the frame."""


class FrameDecompressor(Protocol):
    """Takes the bytes of one frame, to its end. Raises the library's errors."""

    def decompress(self, data: bytes) -> bytes:
        """Return all that can be decompressed with ``data`` added."""


@dataclass(frozen=True)
class ZstdLibrary:
    """``errors`` is what compressors and decompressors raise. Neither is for use by several threads."""

    name: str
    errors: type[Exception]
    compressor: Callable[[Compression], FrameCompressor]
    decompressor: Callable[[], FrameDecompressor]


def find_library(purpose: str, without: str) -> ZstdLibrary:
    """Return the library to use. Raises PreconditionError if there is none: ``purpose`` is what it is needed for,
    ``without`` says how to do without it.
    """
    for load, library in _CANDIDATES:
        # A package that is there but cannot be loaded (another Python's, no shared library) is as good as none.
        with contextlib.suppress(ImportError):
            return library(load())
    raise PreconditionError(
        f"{purpose} needs a zstd library for {sys.executable} on {platform.node()}, which has none.",
        hint=(
            "Install the Python package zstandard or backports.zstd for that interpreter (Python 3.14 and newer have "
            f"compression.zstd), or {without}."
        ),
    )


def library_for_reading(path: str) -> ZstdLibrary:
    """The library that decompresses a stored file. Raises PreconditionError, with the way that needs none of ours."""
    return find_library(f"Reading {path}", f"restore it by hand with zstd -d {path} -o DATAFILE")


def require_readable(files: Iterable[tuple[str, CompressedForm | None]]) -> None:
    """Raise PreconditionError if one of the stored files, given as path and form, needs a library that is missing."""
    for path, form in files:
        if form is not None:
            library_for_reading(path)
            return


def require_compressor(wanted: Compression) -> None:
    """Raise PreconditionError unless files can be compressed as wanted by this interpreter, tried with an empty one."""
    library = find_library("Compression", "set compression to none")
    try:
        trial = library.compressor(wanted)
        trial.begin(0)
        trial.end()
    except (library.errors, ValueError) as exc:
        raise PreconditionError(
            f"The library {library.name} of {sys.executable} on {platform.node()} cannot compress with level "
            f"{wanted.level} and {wanted.threads} threads: {exc}.",
            hint="Set compression_threads to 0, or install the Python package zstandard for that interpreter.",
        ) from exc


def _of_python(zstd: Any) -> ZstdLibrary:
    return ZstdLibrary(
        name=zstd.__name__,
        errors=zstd.ZstdError,
        compressor=lambda wanted: _PythonCompressor(zstd, wanted),
        decompressor=lambda: zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW_LOG}
        ),
    )


class _PythonCompressor:
    def __init__(self, zstd: Any, wanted: Compression) -> None:
        parameter = zstd.CompressionParameter
        self._zstd = zstd.ZstdCompressor(
            options={
                parameter.compression_level: wanted.level,
                parameter.nb_workers: wanted.threads,
                parameter.checksum_flag: 1,
            }
        )

    def begin(self, size_bytes: int) -> None:
        self._zstd.set_pledged_input_size(size_bytes)

    def add(self, data: Bytes) -> bytes:
        ready: bytes = self._zstd.compress(data)
        return ready

    def end(self) -> bytes:
        rest: bytes = self._zstd.flush(self._zstd.FLUSH_FRAME)
        return rest


def _of_zstandard(zstandard: Any) -> ZstdLibrary:
    return ZstdLibrary(
        name=zstandard.__name__,
        errors=zstandard.ZstdError,
        compressor=lambda wanted: _ZstandardCompressor(zstandard, wanted),
        decompressor=lambda: zstandard.ZstdDecompressor(
            max_window_size=1 << LARGEST_WINDOW_LOG
        ).decompressobj(),
    )


class _ZstandardCompressor:
    def __init__(self, zstandard: Any, wanted: Compression) -> None:
        self._zstd = zstandard.ZstdCompressor(
            level=wanted.level, threads=wanted.threads, write_checksum=True, write_content_size=True
        )
        self._frame: Any = None

    def begin(self, size_bytes: int) -> None:
        self._frame = self._zstd.compressobj(size=size_bytes)

    def add(self, data: Bytes) -> bytes:
        ready: bytes = self._frame.compress(data)
        return ready

    def end(self) -> bytes:
        rest: bytes = self._frame.flush()
        return rest


_CANDIDATES: tuple[tuple[Callable[[], ModuleType], Callable[[Any], ZstdLibrary]], ...] = (
    (lambda: importlib.import_module("compression.zstd"), _of_python),
    (lambda: importlib.import_module("backports.zstd"), _of_python),
    (lambda: importlib.import_module("zstandard"), _of_zstandard),
)
