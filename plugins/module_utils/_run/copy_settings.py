# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the user asked for to what the copy engine takes. Private to the collection."""

from __future__ import annotations

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.bandwidth import Bandwidth
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.priority import Priority
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings


def stream_settings(tuning: CopyTuning) -> StreamSettings:
    """The streams of one run."""
    return StreamSettings(tuning.streams, tuning.buffer_bytes, Priority(tuning.nice, tuning.io_class))


def bandwidth(tuning: CopyTuning) -> Bandwidth | None:
    """The limit that these streams share; None when there is none."""
    return Bandwidth(tuning.max_bytes_per_second) if tuning.max_bytes_per_second else None
