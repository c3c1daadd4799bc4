# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JMESPath where no part of Ansible can be imported: in the runner. Private to the collection."""

from __future__ import annotations

import importlib
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError


def search(expression: str, data: Any) -> Any:
    """Evaluate a JMESPath expression. Raises PreconditionError: not valid, or no library."""
    try:
        jmespath = importlib.import_module("jmespath")
    except ImportError as exc:
        raise PreconditionError(
            "The option query needs the Python library jmespath where the module runs.",
            hint="Install it for the interpreter of that host.",
        ) from exc
    try:
        return jmespath.search(expression, data)
    except jmespath.exceptions.JMESPathError as exc:
        raise PreconditionError(f"The query {expression!r} is not valid: {exc}") from exc
