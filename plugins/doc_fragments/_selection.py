# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that select tablespaces. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tablespaces:
    description:
      - Names or globs of the tablespaces wanted; all when empty.
      - Names are compared exactly and, if that finds nothing, without regard to case. C(container:name) names a
        tablespace of one container.
      - A pattern that fits nothing is an error.
    type: list
    elements: str
    default: []
  exclude:
    description: Names or globs of tablespaces to leave out, as in O(tablespaces).
    type: list
    elements: str
    default: []
  query:
    description:
      - JMESPath expression over the list of tablespaces, in the form that M(hotbackup.oracle.tablespace_info) returns.
      - It answers a list of tablespaces or of names. Needs the Python library C(jmespath) where the module runs.
    type: str
    default: ""
"""
