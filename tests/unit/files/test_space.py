# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Free space is that of the nearest existing folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import space
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.space import free_bytes, require_space


def test_a_folder_still_to_be_made_has_the_space_of_its_ancestor(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
    assert free_bytes(tmp_path / "not" / "yet") > 0


def test_missing_space_is_told_with_both_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "free_bytes", lambda _path: 999)
    require_space(tmp_path, 999)
    with pytest.raises(PreconditionError, match="1000 bytes needed, 999 bytes free") as caught:
        require_space(tmp_path, 1000)
    assert caught.value.details == {"needed_bytes": 1000, "free_bytes": 999}
