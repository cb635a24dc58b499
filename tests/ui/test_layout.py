"""Pages in their places: nothing outside, touches where they belong; painting by parts is painting whole."""

from __future__ import annotations

import os
from dataclasses import replace

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import pygame
from hypothesis import given, settings
from hypothesis import strategies as st
from screen_checks import inside

from ui import fonts
from ui.elements import Art, Box, Element, Gap, Grid, Page, Text, column, row
from ui.items import Fill, Item, Layout, Words
from ui.layout import lay_out
from ui.paint import Painter
from ui.screen import STATED, Screen
from ui.theme import load_theme
from ui.widgets import button

DAY = load_theme("day")
SCREENS = [Screen.of(size) for size in STATED]
SMALL = Screen(400, 240, 5.0)

roles = st.sampled_from(("ground", "surface", "accent", "warn", "bad"))
texts = st.builds(
    Text,
    st.text(st.sampled_from("等候人数请到3号窗口A015，（续）abc "), max_size=24),
    size=st.sampled_from(("small", "body", "large", "title", "giant", 3.3)),
    colour=st.sampled_from(("ink", "soft", "bad")),
    align=st.sampled_from(("left", "center", "right")),
    lines=st.integers(0, 2),
    strong=st.booleans(),
    grow=st.sampled_from((0.0, 1.0)),
)
arts = st.builds(
    Art,
    st.sampled_from(("tick", "card", "pin")),
    st.floats(1, 60),
    st.floats(1, 60),
    grow=st.sampled_from((0.0, 1.0)),
)
gaps = st.builds(Gap, st.floats(0, 20), st.sampled_from((0.0, 1.0)))


def boxes(children: st.SearchStrategy[Element]) -> st.SearchStrategy[Element]:
    box = st.builds(
        Box,
        st.lists(children, max_size=4).map(tuple),
        axis=st.sampled_from(("column", "row")),
        gap=st.floats(0, 6),
        pad=st.floats(0, 6),
        fill=st.none() | roles,
        line=st.none() | roles,
        grow=st.sampled_from((0.0, 1.0, 2.0)),
        width=st.floats(0, 90),
        height=st.floats(0, 60),
        align=st.sampled_from(("start", "center", "end", "stretch")),
        justify=st.sampled_from(("start", "center", "end")),
        touch=st.none() | st.sampled_from(("a", "b", "c")),
    )
    cells = st.builds(
        Grid,
        st.lists(children, max_size=5).map(tuple),
        st.integers(1, 3),
        st.floats(0, 4),
        st.integers(0, 3),
        st.sampled_from((0.0, 1.0)),
    )
    return box | cells


elements = st.recursive(texts | arts | gaps, boxes, max_leaves=10)


@settings(max_examples=150, deadline=None)
@given(elements, st.sampled_from((SMALL, *SCREENS)), st.sampled_from((1.0, 1.5)))
def test_nothing_is_placed_outside_its_page(body: Element, screen: Screen, scale: float) -> None:
    """Whatever a page asks for; what does not fit is a problem and is shown cut."""
    layout = lay_out(Page("p", body, scale=scale), screen, DAY, pressed="a", focus="b")
    whole = (0, 0, screen.width, screen.height)
    for item in layout.items:
        assert inside(item.rect, whole), item
        if isinstance(item, Words) and not layout.problems:
            assert (
                max(fonts.line_size(line, item.size, item.strong)[0] for line in item.lines) <= item.rect[2]
            )
    for target in layout.targets:
        assert inside(target.rect, whole)


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(("column", "row")))
def test_children_stay_inside_their_box(children: list[Text], axis: str) -> None:
    box = Box(tuple(children), axis=axis, fill="surface", name="inner", width=40, height=20)  # type: ignore[arg-type]
    layout = lay_out(Page("p", column(Gap(5), row(Gap(9), box))), SMALL, DAY)
    for item in layout.items:
        assert inside(item.rect, layout.boxes["inner"])


def same(one: pygame.Surface, other: pygame.Surface) -> bool:
    return pygame.image.tobytes(one, "RGB") == pygame.image.tobytes(other, "RGB")


def whole(layout: Layout, size: tuple[int, int] = (SMALL.width, SMALL.height)) -> pygame.Surface:
    surface = pygame.Surface(size)
    Painter(surface).paint(layout)
    return surface


@settings(max_examples=60, deadline=None)
@given(st.lists(elements, min_size=2, max_size=4))
def test_painting_what_differs_gives_the_picture_of_painting_all(bodies: list[Element]) -> None:
    surface = pygame.Surface((SMALL.width, SMALL.height))
    painter = Painter(surface)
    for body in [*bodies, bodies[0]]:
        layout = lay_out(Page("p", body), SMALL, DAY, focus="c")
        painter.paint(layout)
        assert same(surface, whole(layout))


items = st.builds(
    Fill,
    st.tuples(st.integers(0, 80), st.integers(0, 50), st.integers(1, 60), st.integers(1, 40)),
    st.sampled_from(((200, 30, 30), (30, 200, 30), (30, 30, 200))),
    st.sampled_from((0, 6)),
    st.none() | st.just((0, 0, 0)),
    st.just(2),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(items, max_size=7), min_size=2, max_size=5), st.data())
def test_stacked_items_that_change_places_are_painted_again(
    pages: list[list[Item]], data: st.DataObject
) -> None:
    """The same items in another order, and equal items more than once."""
    surface = pygame.Surface((150, 100))
    painter = Painter(surface)
    for page in pages:
        again = data.draw(st.permutations(page + page[:2]))
        for made in (page, again):
            layout = Layout((255, 255, 255), list(made))
            painter.paint(layout)
            assert same(surface, whole(layout, (150, 100)))


def test_one_changed_cell_paints_little_and_no_change_nothing() -> None:
    def page(number: str) -> Layout:
        cells = [button(f"服务{n}", f"s{n}") for n in range(6)]
        body = column(Text(number, "title", lines=1), Grid(tuple(cells), 2, 2.0, grow=1.0), pad=2)
        return lay_out(Page("p", body), SCREENS[0], DAY)

    surface = pygame.Surface((1920, 1080))
    painter = Painter(surface)
    assert painter.paint(page("A001")) == [surface.get_rect()]
    assert painter.paint(page("A001")) == []
    changed = painter.paint(page("A002"))
    assert 0 < sum(rect.w * rect.h for rect in changed) < 0.1 * 1920 * 1080


def test_a_text_too_long_is_told_and_shown_cut() -> None:
    body = Box((Text("机关事业单位工作人员" * 200, "body"),), width=60, height=10, name="box")
    layout = lay_out(Page("p", column(row(body))), SCREENS[3], DAY)
    assert layout.problems
    (words,) = layout.items
    assert (
        isinstance(words, Words) and words.lines[-1].endswith("…") and inside(words.rect, layout.boxes["box"])
    )


def test_what_is_off_has_no_focus() -> None:
    page = Page("p", column(button("下一步", "next", off=True)))
    assert lay_out(page, SCREENS[0], DAY, focus="next").items == lay_out(page, SCREENS[0], DAY).items


def test_small_targets_are_told() -> None:
    grid = Grid(tuple(button(str(n), f"s{n}", size="small") for n in range(60)), 12, 0.5, grow=1.0)
    problems = lay_out(Page("p", grid), SCREENS[3], DAY).problems
    assert any(problem.startswith("small target") for problem in problems)


def test_elder_mode_and_every_stated_screen_hold_a_plain_page() -> None:
    body = column(
        Text("请选择要办理的业务", "title"), Text("离线取号，可正常办理"), Gap(grow=1.0),
        button("下一步", "next", kind="main", icon="arrow"), pad=3, gap=2,
    )  # fmt: skip
    for screen in SCREENS:
        for scale in (1.0, 1.5):
            page = replace(Page("p", body), scale=scale)
            assert lay_out(page, screen, DAY).problems == []
