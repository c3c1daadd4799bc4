# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one line of JSON that a started process gets on its standard input. Private to the collection."""

from __future__ import annotations

import json
import os
from typing import Any

_LONGEST_LINE_BYTES = 1024 * 1024


def read_request(descriptor: int) -> dict[str, Any]:
    """Read one line, and not a byte more: what follows on the pipe is for later.

    Raises ValueError if the pipe ends or the line is not a JSON object.
    """
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 1)
        if not piece or len(line) > _LONGEST_LINE_BYTES:
            raise ValueError("standard input holds no complete request")
        line += piece
    request = json.loads(line)
    if not isinstance(request, dict):
        raise ValueError("the request is not an object")
    return request
