# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ``ansible-test sanity`` on a staged copy, with a home folder of its own.

ansible-test keeps its environments under the home folder and wants to download get-pip from a host of its
own. In a home folder beside the environment it finds our stand-in instead, and of the user's it reads only the
settings that say where packages come from.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from toolchain.staging import BUILD, stage

#: The Python that modules and module_utils must still work on (tests/config.yml).
OLDEST_TARGET = "3.9"
#: Tests that would only report that there is nothing to look at: PowerShell files, __init__.py of modules.
INAPPLICABLE = ("pslint", "empty-init")
#: Where ansible-test leaves one report per test.
JUNIT = BUILD / "sanity" / "ansible_collections" / "hotbackup" / "oracle" / "tests" / "output" / "junit"


def make_home() -> Path:
    """The home folder for ansible-test, with the stand-in for get-pip and the user's settings of pip."""
    home = Path(sys.prefix) / "ansible-test"
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    shutil.copy(
        Path(__file__).with_name("get_pip.py"), cache / f"get_pip_{_pip_version().replace('.', '_')}.py"
    )

    settings = configparser.ConfigParser(interpolation=None)
    user = Path.home()
    settings.read([user / ".pip" / "pip.conf", user / ".config" / "pip" / "pip.conf"], encoding="utf-8")
    if not settings.has_section("global"):
        settings.add_section("global")
    # ansible-test does not hand pip's environment variables down: say the same in the configuration file.
    for name, value in os.environ.items():
        if name.startswith("PIP_"):
            settings.set("global", name.removeprefix("PIP_").lower().replace("_", "-"), value)
    configuration = home / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    with configuration.open("w", encoding="utf-8") as stream:
        settings.write(stream)
    configuration.chmod(0o600)  # an index may need credentials
    return home


def _pip_version() -> str:
    """Version of pip that ansible-test gives to its environments; the cached get-pip is named after it."""
    question = (
        "from ansible_test._internal.python_requirements import get_venv_packages;"
        "from ansible_test._internal.host_configs import NativePythonConfig;"
        f"print(get_venv_packages(NativePythonConfig(version='{_python()}', path=''))['pip'])"
    )
    answer = subprocess.run([sys.executable, "-c", question], check=True, capture_output=True, text=True)
    return answer.stdout.strip()


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def find_interpreter(name: str) -> Path | None:
    """An interpreter that really runs: on the PATH, or among pyenv's, whose shims are not on our PATH."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(name)
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted(pyenv.glob(f"versions/*/bin/{name}"))
    return next((candidate for candidate in candidates if _runs(candidate)), None)


def _runs(interpreter: Path) -> bool:
    return subprocess.run([interpreter, "-c", ""], check=False, capture_output=True).returncode == 0


def _report_skip(test: str, reason: str) -> None:
    """Say in the manner of ansible-test's own reports that a test was left out."""
    suite = ElementTree.Element("testsuite")
    case = ElementTree.SubElement(suite, "testcase", classname="sanity", name=test)
    ElementTree.SubElement(case, "skipped", message=reason)
    JUNIT.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(JUNIT / f"{test}.xml")


def main(arguments: list[str]) -> int:
    """Stage, prepare, run; further arguments go to every run of ``ansible-test sanity``."""
    collection = stage("sanity")
    home = make_home()

    def sanity(python: str, options: Sequence[str], path: str) -> int:
        command = [
            "ansible-test",
            "sanity",
            "--python",
            python,
            "--color",
            "no",
            "--junit",
            *options,
            *arguments,
        ]
        environment = {**os.environ, "HOME": str(home), "PATH": path}
        return subprocess.run(command, cwd=collection, env=environment, check=False).returncode

    path = os.environ["PATH"]
    status = sanity(_python(), [option for test in INAPPLICABLE for option in ("--skip-test", test)], path)
    oldest = find_interpreter(f"python{OLDEST_TARGET}")
    if oldest is None:
        _report_skip(f"import-python-{OLDEST_TARGET}", f"there is no python{OLDEST_TARGET} on this machine")
        return status
    on_oldest = sanity(OLDEST_TARGET, ["--test", "compile", "--test", "import"], f"{path}:{oldest.parent}")
    return status or on_oldest


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
