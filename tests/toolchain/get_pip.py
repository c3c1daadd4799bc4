# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the get-pip script that ansible-test would download from a host of its own.

ansible-test makes an empty virtual environment for each sanity test and runs get-pip in it. Everything
else it needs comes from the package index, so this script, placed where ansible-test caches get-pip, lets
it work where only the package index can be reached.
"""

from __future__ import annotations

import subprocess
import sys

# Switches of get-pip that pip does not know; neither package is in the way.
GET_PIP_ONLY = frozenset({"--no-setuptools", "--no-wheel"})


def main(arguments: list[str]) -> int:
    """Give this interpreter a pip, then let it install whatever get-pip was asked to install."""
    subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True)
    install = [argument for argument in arguments if argument not in GET_PIP_ONLY]
    return subprocess.run([sys.executable, "-m", "pip", "install", *install], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
