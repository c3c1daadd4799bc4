# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: what is written is read again, and nothing else is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import CompressedForm
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest

from unit.backup.samples import manifest, manifest_file


def edited(*path: Any, value: Any) -> str:
    document = json.loads(manifest().to_json())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(document)


def test_manifest_survives_writing_and_reading() -> None:
    assert Manifest.from_json(manifest().to_json()) == manifest()


def test_equal_manifests_have_equal_texts() -> None:
    assert Manifest.from_json(manifest().to_json()).to_json() == manifest().to_json()


def test_numbers_that_a_double_cannot_hold_are_texts() -> None:
    document = json.loads(manifest().to_json())
    assert document["end_scn"] == str(2**60)
    assert document["begin_scn"] == 4000


def test_numbers_are_taken_as_integers_or_texts() -> None:
    assert Manifest.from_json(edited("begin_scn", value="4000")).begin_scn == 4000
    assert Manifest.from_json(edited("end_scn", value=2**60)).end_scn == 2**60


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("files", 0, "path"), "../../etc/passwd", r"files\[0\].path"),
        (("files", 0, "path"), "/etc/passwd", "plain relative path"),
        (("files", 0, "path"), "datafiles/./x", "plain relative path"),
        (("redo", 0, "path"), "redo/../../x", r"redo\[0\].path"),
        (("control", 0, "path"), "", r"control\[0\].path"),
        (("files", 0, "digest"), "beef", "SHA-256"),
        (("files", 0, "size_bytes"), -1, "at least 1"),
        (("files", 0, "size_bytes"), True, "integer"),
        (("files", 0, "begin_scn"), 1.5, "integer"),
        (("files", 0, "begin_scn"), None, "begin_scn None"),
        (("files", 0, "method"), "guess", "one of"),
        (("files",), [], "empty"),
        (("files",), {}, "list"),
        (("database", "cdb"), "yes", "true or false"),
        (("database", "threads"), ["1"], "numbers"),
        (("verdict",), "fine", "one of"),
        (("set_id",), "yesterday", "set id"),
        (("begin_scn",), 2**61, "after"),
        (("redo", 0, "next_scn"), 3900, "ends before"),
        (("schema_version",), 3, "newer version"),
        (("surprise",), 1, "unknown keys: surprise"),
        (("files", 0, "surprise"), 1, r"files\[0\] has unknown keys"),
        (("files", 0, "compression"), "lzma", r"files\[0\].compression must be one of none, zstd"),
        (("files", 0, "compression"), None, r"files\[0\].compression must be text"),
        (("files", 0, "compression"), "zstd", "file 4 has compression zstd and stored_digest None"),
        (("files", 0, "stored_digest"), "ab" * 32, "file 4 has compression none and stored_digest"),
        (("files", 0, "stored_digest"), "beef", "SHA-256"),
        (("files", 0, "stored_size_bytes"), 0, "at least 1"),
        (("files", 0, "stored_size_bytes"), 4096, "without being compressed"),
        (("schema_version",), 1, r"files\[0\] has unknown keys: compression, stored_digest"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_wrong_field_is_refused_by_name(path: tuple[Any, ...], value: Any, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        Manifest.from_json(edited(*path, value=value))


@pytest.mark.parametrize("name", ["set_id", "files", "verdict", "database"])
def test_missing_field_is_refused_by_name(name: str) -> None:
    document = json.loads(manifest().to_json())
    del document[name]
    with pytest.raises(VerificationError, match=f"lacks {name}"):
        Manifest.from_json(json.dumps(document))


COMPRESSED = manifest_file(5, compression="zstd", stored_size_bytes=4096, stored_digest="cd" * 32)


def test_compressed_files_are_written_and_read_and_counted_by_what_they_take() -> None:
    mixed = manifest(files=(manifest_file(4), COMPRESSED))
    read = Manifest.from_json(mixed.to_json())
    assert read == mixed
    assert [item.compressed for item in read.files] == [None, CompressedForm(1056768, "cd" * 32)]
    assert read.size_bytes == 1056768 + 4096 + 1024 + 512


def test_files_of_a_manifest_of_version_1_are_stored_as_they_are() -> None:
    document = json.loads(manifest().to_json())
    document["schema_version"] = 1
    for name in ("compression", "stored_size_bytes", "stored_digest"):
        del document["files"][0][name]
    read = Manifest.from_json(json.dumps(document))
    assert read == manifest()
    assert (read.files[0].compressed, read.files[0].stored_size_bytes) == (None, 1056768)


@pytest.mark.parametrize("name", ["compression", "stored_size_bytes", "stored_digest"])
def test_version_2_says_of_each_file_how_it_is_stored(name: str) -> None:
    document = json.loads(manifest().to_json())
    del document["files"][0][name]
    with pytest.raises(VerificationError, match=rf"files\[0\] lacks {name}"):
        Manifest.from_json(json.dumps(document))


def test_file_listed_twice_is_refused() -> None:
    document = json.loads(manifest().to_json())
    document["files"] *= 2
    with pytest.raises(VerificationError, match="twice"):
        Manifest.from_json(json.dumps(document))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '"x"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        Manifest.from_json(text)
