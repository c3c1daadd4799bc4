# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of ``make test``: what is run, in which order, and what may run at the same time."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolchain.sanity import JUNIT
from toolchain.staging import BUILD, ROOT, stage

LOGS = BUILD / "logs"
COLLECTION = BUILD / "tree" / "ansible_collections" / "hotbackup" / "oracle"


@dataclass(frozen=True)
class Step:
    """One command. It counts as one test, unless its ``junit`` report, or folder of reports, says more."""

    name: str
    command: tuple[str, ...]
    directory: Path = ROOT
    environment: tuple[tuple[str, str], ...] = ()
    junit: Path | None = None


@dataclass(frozen=True)
class Stage:
    """Steps that answer one question together; all of them run, even after one has failed.

    ``steps`` is a function because staging a copy costs time and must happen when the stage starts.
    """

    name: str
    steps: Callable[[], tuple[Step, ...]]
    timeout_seconds: int


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


def _pytest(name: str, folder: str, *options: str) -> Callable[[], tuple[Step, ...]]:
    junit = LOGS / f"{name}.xml"
    asked = shlex.split(os.environ.get("ARGS", ""))
    command = _python("-m", "pytest", folder, "--quiet", f"--junitxml={junit}", *options, *asked)
    return lambda: (Step("pytest", command, junit=junit),)


def _lint() -> tuple[Step, ...]:
    staged = stage("lint")
    collections_path = (("ANSIBLE_COLLECTIONS_PATH", str(staged.parents[2])),)
    return (
        Step("ruff check", _python("-m", "ruff", "check", ".")),
        Step("ruff format", _python("-m", "ruff", "format", "--check", ".")),
        Step("mypy plugins", _python("-m", "mypy", str(COLLECTION / "plugins"))),
        Step("mypy tests", _python("-m", "mypy", *_typed_test_packages())),
        Step("yamllint", ("yamllint", "--strict", ".")),
        Step("ansible-lint", ("ansible-lint", "--strict", "--nocolor"), staged, collections_path),
        Step("changelog", ("antsibull-changelog", "lint")),
    )


def _typed_test_packages() -> list[str]:
    """The simulated instance with its tests, and the programs among the tests."""
    packages = ["simulator", "toolchain", "witness", "demo", "benchmarks", "campaigns"]
    return [str(ROOT / "tests" / name) for name in packages if (ROOT / "tests" / name).is_dir()]


def _docs_lint() -> tuple[Step, ...]:
    staged = stage("docs")
    options = ("--plugin-docs", "--validate-collection-refs=all")
    command = _python("-m", "toolchain.docs_lint", "lint-collection-docs", *options, ".")
    tree = str(staged.parents[2])
    # It leaves a log in the home folder: give it one of ours.
    return (Step("antsibull-docs", command, staged, (("ANSIBLE_COLLECTIONS_PATH", tree), ("HOME", tree))),)


def _artefact() -> tuple[Step, ...]:
    staged = stage("artefact")
    output = BUILD / "artefact" / "dist"
    build = ("ansible-galaxy", "collection", "build", "--output-path", str(output), "--force")
    return (
        Step("build", build, staged),
        Step("contents", _python("-m", "toolchain.artefact", str(output))),
    )


def _molecule() -> tuple[Step, ...]:
    # Molecule looks into extensions/ of a collection unless told otherwise.
    where = (("MOLECULE_GLOB", "molecule/*/molecule.yml"),)
    command = ("molecule", "--base-config", "molecule/config.yml", "test", "--all")
    return (Step("molecule", command, environment=where),)


def _sanity() -> tuple[Step, ...]:
    return (Step("ansible-test sanity", _python("-m", "toolchain.sanity"), junit=JUNIT),)


#: The stories take longest by far: two processes share them, and whichever is done takes one from the other.
_TWO_STORIES_AT_ONCE = ("--numprocesses=2", "--dist=worksteal")
#: In the order in which they are started. The two that take longest come first and the rest beside them: the tools
#: soon, so that a slip is told in the first minutes, and a short one last, so that nothing long is left alone.
STAGES: tuple[Stage, ...] = (
    Stage("integration", _pytest("integration", "tests/integration/stories", *_TWO_STORIES_AT_ONCE), 1500),
    Stage("simulator", _pytest("simulator", "tests/simulator/tests"), 1500),
    Stage("lint", _lint, 600),
    Stage("unit", _pytest("unit", "tests/unit"), 600),
    Stage("docs-lint", _docs_lint, 300),
    Stage("artefact", _artefact, 120),
    Stage("sanity", _sanity, 900),
    Stage("molecule", _molecule, 600),
)
#: One more than the smallest machine has processors: stages wait for the disk, and for processes of theirs.
AT_ONCE = 3


def all_stages() -> dict[str, Stage]:
    """Every stage by name, in the order in which a report lists them."""
    return {stage.name: stage for stage in STAGES}
