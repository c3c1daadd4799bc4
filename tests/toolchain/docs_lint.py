# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run antsibull-docs with temporary folders whose names say nothing in reStructuredText.

It writes the name of its folder into the pages that it checks. A word that ends in an underscore is a reference
there, and one random name in 37 ends so: then every page had an unknown target.
"""

from __future__ import annotations

import tempfile

from antsibull_docs.cli.antsibull_docs import main

_make_folder = tempfile.mkdtemp


def make_folder(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:
    """As ``tempfile.mkdtemp``; the random part never comes last."""
    return _make_folder(suffix or "folder", prefix, dir)


if __name__ == "__main__":
    tempfile.mkdtemp = make_folder  # type: ignore[assignment]  # we need the form for text alone
    raise SystemExit(main())
