# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that compress: any of them will do, and what is missing is told."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import zstandard
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import (
    CompressedForm,
    Compression,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import zstd_library
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import copy_file
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import (
    ZstdLibrary,
    find_library,
    require_compressor,
)

from unit.files.compressed_copies import (
    ZSTD,
    backup,
    form_of,
    frames_of,
    plain_of,
    request_for,
    small_chunks,
    source,
    verified,
)
from unit.files.python_zstd import as_module

__all__ = ["backup", "small_chunks", "source"]

LIBRARIES = ("compression.zstd", "backports.zstd", "zstandard")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``installed(name=module)``: of the zstd libraries, exactly those can be imported."""
    real = importlib.import_module

    def install(**modules: ModuleType) -> None:
        known = {name.replace("_", "."): module for name, module in modules.items()}

        def import_module(name: str, package: str | None = None) -> ModuleType:
            if name in LIBRARIES:
                if name not in known:
                    raise ImportError(f"No module named {name!r}")
                return known[name]
            return real(name, package)

        monkeypatch.setattr(importlib, "import_module", import_module)

    return install


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("threads", [0, 2])
def test_all_libraries_write_and_read_the_same(
    installed: Callable[..., None], source: Path, backup: Path, name: str, threads: int
) -> None:
    with_zstandard = copy_file(request_for(source, backup, destination=str(backup / "other.zst")))
    installed(**{name.replace(".", "_"): zstandard if name == "zstandard" else as_module(name)})
    assert find_library("This", "do nothing").name == name
    require_compressor(Compression("zstd", 19, threads))
    stored = copy_file(request_for(source, backup, Compression("zstd", 5, threads)))
    content = Path(stored.destination).read_bytes()
    assert plain_of(content) == source.read_bytes()
    assert all(zstandard.get_frame_parameters(part).has_checksum for part in frames_of(content))
    for one in (stored, with_zstandard):
        assert verified(one.destination, form_of(one), stored.digest).intact
    damaged = bytearray(content)
    damaged[-20] ^= 1
    Path(stored.destination).write_bytes(damaged)
    problem = verified(stored.destination, CompressedForm(stored.size_bytes), stored.digest).problems[0]
    assert stored.destination in problem


def test_the_library_that_comes_with_python_is_preferred(installed: Callable[..., None]) -> None:
    own, backport = as_module("compression.zstd"), as_module("backports.zstd")
    installed(compression_zstd=own, backports_zstd=backport, zstandard=zstandard)
    assert find_library("This", "do nothing").name == "compression.zstd"
    installed(backports_zstd=backport, zstandard=zstandard)
    assert find_library("This", "do nothing").name == "backports.zstd"


def test_a_missing_library_is_told_with_interpreter_host_and_remedy(
    installed: Callable[..., None], source: Path, backup: Path
) -> None:
    stored = copy_file(request_for(source, backup))
    installed()
    with pytest.raises(PreconditionError) as writing:
        require_compressor(ZSTD)
    with pytest.raises(PreconditionError) as copying:
        copy_file(request_for(source, backup, destination=str(backup / "other.zst")))
    with pytest.raises(PreconditionError) as reading:
        verified(stored.destination, form_of(stored), stored.digest)
    for caught in (writing, copying, reading):
        for word in (sys.executable, platform.node(), "zstandard", "backports.zstd", "compression.zstd"):
            assert word in str(caught.value)
    assert "compression to none" in writing.value.hint
    assert f"zstd -d {stored.destination}" in reading.value.hint
    assert [path.name for path in backup.iterdir()] == ["7_users01.dbf.zst"]


def test_a_library_that_cannot_use_threads_is_told_beforehand(installed: Callable[..., None]) -> None:
    module: Any = as_module("compression.zstd")

    class SingleThreaded(module.ZstdCompressor):
        def __init__(self, *, options: Any) -> None:
            if options[module.CompressionParameter.nb_workers]:
                raise ValueError("nb_workers is out of bounds: 0 to 0")
            super().__init__(options=options)

    module.ZstdCompressor = SingleThreaded
    installed(compression_zstd=module)
    require_compressor(ZSTD)
    with pytest.raises(PreconditionError, match="level 3 and 2 threads: nb_workers") as caught:
        require_compressor(Compression("zstd", threads=2))
    assert "compression_threads to 0" in caught.value.hint


def test_a_library_that_fails_is_told(source: Path, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Exhausted:
        def begin(self, size_bytes: int) -> None:
            raise zstandard.ZstdError("Allocation error : not enough memory")

    library = ZstdLibrary(
        "zstandard", zstandard.ZstdError, lambda _wanted: Exhausted(), zstandard.ZstdDecompressor
    )  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(zstd_library, "_CANDIDATES", ((lambda: zstandard, lambda _module: library),))
    with pytest.raises(BackupError, match="not enough memory"):
        copy_file(request_for(source, backup))
    assert list(backup.iterdir()) == []
