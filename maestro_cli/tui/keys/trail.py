"""Where one was: the breadcrumbs.

Invariant: there is always a place, each stands once since the incident that is open, so that nothing loops,
and the oldest go when there are many. An open incident is left by going back, or to the list of all, alone:
it fixes what every place after it is about.
"""

from __future__ import annotations

from dataclasses import replace

from maestro_cli.tui.screens.model import Place

LONGEST = 12
FIXING = "incident"  # the screen that fixes the scope
LEAVING = "incidents"  # the one that lists what may fix it, whatever is open


def named(place: Place, context: str) -> Place:
    """An incident by one name and in its context, however it was typed: `2` and `#2` are one place."""
    if place.screen != FIXING:
        return place
    number = place.argument.removeprefix("#")
    is_number = number.isascii() and number.isdecimal()
    argument = f"#{number.lstrip('0') or '0'}" if is_number else place.argument
    return replace(place, argument=argument, context=place.context or context)


class Trail:
    """Places from the first one to the one that is shown."""

    def __init__(self, first: Place) -> None:
        self._places = [first]
        self._before: Place | None = None

    @property
    def here(self) -> Place:
        return self._places[-1]

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(self._places)

    def go(self, place: Place, *, instead: bool = False) -> None:
        """On to a place; to one of the trail, back to it. Going where one is already changes nothing.

        `instead`: the place that is shown is not on the way any more.
        """
        if place != self.here:
            self._before = self.here
            if instead:
                self._places[-1] = place
            first = 0 if place.screen in (FIXING, LEAVING) else max(self._fixed_at, 0)
            known = [at for at in range(first, len(self._places)) if _is_same(self._places[at], place)]
            is_left = place.screen == LEAVING
            left = [at for at, one in enumerate(self._places) if is_left and one.screen == FIXING]
            del self._places[min([*known, *left, len(self._places)]) :]
            self._places.append(place)
            while len(self._places) > LONGEST:
                del self._places[1 if self._fixed_at == 0 else 0]

    @property
    def _fixed_at(self) -> int:
        """Where the newest incident is; -1 where there is none."""
        return max((at for at, one in enumerate(self._places) if one.screen == FIXING), default=-1)

    def back(self) -> bool:
        """To the place before in the trail; False at the first."""
        return self.to(len(self._places) - 2)

    def to(self, index: int) -> bool:
        """Back to one of the places; False where there is none, and for the one that is shown."""
        if not 0 <= index < len(self._places) - 1:
            return False
        self._before = self.here
        del self._places[index + 1 :]
        return True

    def last(self) -> bool:
        """To the place that was shown before this one; again comes back. False when there was none."""
        if self._before is None:
            return False
        self.go(self._before)
        return True

    def filtered(self, text: str) -> None:
        """Keep the filter of the place that is shown, for when one comes back to it."""
        self._places[-1] = replace(self.here, filter=text)


def _is_same(one: Place, other: Place) -> bool:
    """Whatever is filtered there."""
    return replace(one, filter="") == replace(other, filter="")
