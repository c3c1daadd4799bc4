# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The crash campaign from the command line."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .crash import campaign


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when nothing was lost and nothing unexpected was seen."""
    parser = argparse.ArgumentParser(prog="campaigns", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument(
        "--seed", type=int, default=1000, help="of the first round; the others count on from it"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="work here, and leave what a failed round left"
    )
    options = parser.parse_args(arguments)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="campaign-crash-") as folder:
        found = campaign(
            options.runs, options.seed, options.keep or Path(folder), keep=options.keep is not None
        )
    print(f"{found.commits} commits were acknowledged, in {time.monotonic() - started:.0f} s")
    print(f"campaign-crash: runs {options.runs}, lost {found.lost}, unexpected {len(found.unexpected)}")
    return 0 if not found.lost and not found.unexpected else 1


if __name__ == "__main__":
    sys.exit(main())
