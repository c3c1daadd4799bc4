# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary folders are named so that no page refers to them by accident."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from toolchain.docs_lint import make_folder


def test_no_name_ends_in_an_underscore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "_name_sequence", iter(["wdugo5w_", "another_"]))
    folder = make_folder(prefix="antsibull-docs-", dir=str(tmp_path))
    assert Path(folder).is_dir()
    # What follows the underscore must not end the word either.
    assert folder.rpartition("_")[2].isalnum()
