# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that name a backup set. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  destination:
    description:
      - Folder below which backup sets are kept, as seen from the host where the module runs.
      - The set lies in C(DB_UNIQUE_NAME-DBID/sets/SET_ID) below it, the redo store in C(DB_UNIQUE_NAME-DBID/redo).
    type: path
    required: true
  set_id:
    description:
      - Identifier of the backup set, a moment in UTC in the form V(YYYYMMDDTHHMMSSZ).
      - The same identifier always means the same set, so a task that is run again resumes or changes nothing.
    type: str
    required: true
"""
