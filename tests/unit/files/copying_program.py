# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies a datafile, verifies the copy and tells what was found: for Pythons that have nothing but their own library.

Arguments: source, copy. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from threading import Event
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings, run_all
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import VerifyTask


def outcome(source: str, copy: str) -> dict[str, Any]:
    """What copying and verifying say, without what differs each time."""
    settings, context = StreamSettings(2, 65536), IoContext(pause=lambda _seconds: None)
    (copied,) = copy_many([CopyRequest(source, copy, FileKind.DATAFILE)], settings, context)
    task = VerifyTask(copy, FileExpectations(FileKind.DATAFILE), copied.digest, context)
    (verified,) = run_all([task], settings, Event())
    return {
        "digest": copied.digest,
        "blocks": [copied.blocks_examined, copied.blocks_empty, copied.blocks_without_checksum],
        "faults": [fault.as_dict() for fault in copied.faults],
        "problems": verified.problems,
        "verified": [verified.digest, verified.blocks_examined, verified.fault_count],
    }


if __name__ == "__main__":
    print(json.dumps(outcome(sys.argv[1], sys.argv[2])))
