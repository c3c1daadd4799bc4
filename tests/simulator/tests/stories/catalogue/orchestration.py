# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an orchestration is: steps, deviations from a right list of steps, and consequences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .scene import Scene


@dataclass(frozen=True)
class Step:
    """One thing somebody does, known by its name. ``at_rest``: the instance is down afterwards, and what
    there is can be kept for other orchestrations that begin alike."""

    name: str
    do: Callable[[Scene], None] = field(compare=False, repr=False)
    at_rest: bool = field(default=False, compare=False, repr=False)


Steps = tuple[Step, ...]
Change = Callable[[Steps], Steps]


@dataclass(frozen=True)
class Gone:
    """The orchestration comes to its end, and exactly the commits of these batches are missing."""

    batches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """The database refuses ``at`` with these codes: the first on top, the others below it."""

    at: Step
    codes: tuple[int, ...]


@dataclass(frozen=True)
class Orchestration:
    """What is done, and what comes of it."""

    name: str
    steps: Steps
    consequence: Gone | Refused


def deviation(
    name: str,
    right: Orchestration,
    *changes: Change,
    gone: tuple[str, ...] = (),
    refused: Refused | None = None,
) -> Orchestration:
    """A right orchestration done wrong."""
    steps = right.steps
    for change in changes:
        steps = change(steps)
    return Orchestration(name, steps, refused or Gone(gone))


def without(*steps: Step) -> Change:
    """These steps are forgotten."""

    def change(all_steps: Steps) -> Steps:
        for step in steps:
            _place(all_steps, step)
        return tuple(step for step in all_steps if step not in steps)

    return change


def instead_of(old: Step, *new: Step) -> Change:
    """Something else is done in the place of a step."""
    return lambda steps: (*steps[: _place(steps, old)], *new, *steps[_place(steps, old) + 1 :])


def before(place: Step, *new: Step) -> Change:
    """Something is done that the right orchestration does not do, or somebody else does it."""
    return lambda steps: (*steps[: _place(steps, place)], *new, *steps[_place(steps, place) :])


def after(place: Step, *new: Step) -> Change:
    """As :func:`before`, behind a step."""
    return lambda steps: (*steps[: _place(steps, place) + 1], *new, *steps[_place(steps, place) + 1 :])


def moved(step: Step, change: Callable[..., Change], place: Step) -> Change:
    """A step is done too early or too late: ``moved(END, before, COPY)``."""
    return lambda steps: change(place, step)(without(step)(steps))


def up_to(last: Step, orchestration: Orchestration) -> Steps:
    """The steps of an orchestration as far as this one."""
    return orchestration.steps[: _place(orchestration.steps, last) + 1]


def _place(steps: Steps, wanted: Step) -> int:
    places = [number for number, step in enumerate(steps) if step == wanted]
    if len(places) != 1:
        raise ValueError(f"{wanted.name!r} is done {len(places)} times")
    return places[0]
