"""A list whose rows have amounts, with a picture of them above it.

Invariant: picture and list show the same rows, and the cursor is on the same in both; keys are those of the
list. What the picture tells, the list says in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from maestro_cli.output.views import Column
from maestro_cli.tui.rewind.comparison import Difference
from maestro_cli.tui.screens.model import Picture, Place, TableScreen
from maestro_cli.tui.views.sited import Sited
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.table_view import TableView
from maestro_cli.tui.widgets.fact_table import FactTable
from maestro_cli.tui.widgets.tree_map import Area, TreeMap
from maestro_cli.tui.widgets.words import SomeLines

SHAPES = ("both", "large", "list")


class MapView(TableView):
    """Renders a TableScreen that has a picture."""

    shape: ClassVar[str] = SHAPES[0]  # of the next one too: who goes into a row sees it as the rows before
    LAST_BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "turn", "By", id="map.turn", tooltip="The same by the next key: team, model, node, …"),
        Binding(
            "m", "shape", "Picture", id="map.shape", tooltip="A larger picture, the list alone, or both."
        ),
    ]
    DEFAULT_CSS = """
    MapView FactTable { height: 1fr; }
    MapView.large FactTable { height: 4; }
    MapView.list TreeMap { display: none; }
    """

    def __init__(self, screen_: TableScreen, place: Place) -> None:
        super().__init__(screen_, place)
        assert screen_.picture is not None
        self._picture: Picture = screen_.picture
        self._areas: tuple[Area, ...] = ()
        self._unpictured = ""  # why there is none

    def compose(self) -> ComposeResult:
        yield StaleLine()
        yield SomeLines("", id="about", markup=False)
        yield TreeMap()
        yield FactTable()

    def on_mount(self) -> None:
        self.add_class(MapView.shape)

    def action_shape(self) -> None:
        """The next of the shapes."""
        self.remove_class(MapView.shape)
        MapView.shape = SHAPES[(SHAPES.index(MapView.shape) + 1) % len(SHAPES)]
        self.add_class(MapView.shape)

    def action_turn(self) -> None:
        """The same told in the next other way, instead of this one."""
        if self._screen.turned is not None:
            self.post_message(self.Opened(self._screen.turned(self.place), instead=True))

    def _draw(
        self,
        columns: Sequence[Column[Any]],
        items: Sequence[Any],
        total: int,
        key: Callable[[Any], str],
        stale: Callable[[Any], bool],
        is_known: bool,
    ) -> None:
        super()._draw(columns, items, total, key, stale, is_known)
        self._areas, self._unpictured = (), ""
        rows = [one.item if isinstance(one, Sited) else one for one in items]
        if any(isinstance(row, Difference) for row in rows):
            self._unpictured = "the list shows what differs"
        elif len({self._picture.unit(row) for row in rows}) > 1:
            self._unpictured = "several currencies have no picture together"
        else:
            self._areas = tuple(self._area(key(one), one, is_stale=stale(one)) for one in items)
        self._show_picture(self.query_one(FactTable).cursor_key)

    def _area(self, key: str, one: Any, *, is_stale: bool) -> Area:
        picture, row = self._picture, one.item if isinstance(one, Sited) else one
        name = picture.name(row)
        return Area(
            key,
            f"{one.context} {name}" if isinstance(one, Sited) else name,
            picture.amount(row),
            picture.words(row),
            "dim" if is_stale else picture.tone(row),
        )

    def _show_picture(self, chosen: str | None) -> None:
        self.query_one(TreeMap).show(self._areas, chosen or "", self._unpictured)

    @on(FactTable.CursorMoved)
    def cursor_moved(self, event: FactTable.CursorMoved) -> None:
        self._show_picture(event.key)

    @on(TreeMap.Clicked)
    def clicked(self, event: TreeMap.Clicked) -> None:
        table = self.query_one(FactTable)
        if table.move_to(event.key) and event.opens:
            table.action_open()
