# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of the collection, as written into manifests. Equal to galaxy.yml, which is not there at run
time.

Private to the collection.
"""

from __future__ import annotations

VERSION = "1.0.0"
