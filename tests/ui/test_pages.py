"""Every page of every program, in both languages, at the four sizes that screens are made for.

What is wrong with a page is told by layout, not by eye: cut texts, overlaps, contrast, targets. Pictures:
`python tests/ui/pictures.py --diff`, and `--update` when a change is meant.
"""

from __future__ import annotations

import pytest
import screen_pages
from pictures import REFERENCES, different, load_reference, reference_file, small
from screen_checks import complaints
from screen_pages import SIZES, Shown, every_page

from wire.texts import LANGUAGES

PAGES = every_page()
ids = [f"{shown.role}-{shown.name}" for shown in PAGES]


@pytest.mark.parametrize("shown", PAGES, ids=ids)
def test_nothing_is_wrong_with_a_page(shown: Shown) -> None:
    wrong = {
        (language, size): found
        for language in LANGUAGES
        for size in SIZES
        if (found := complaints(shown.laid_out(language, size), size))
    }
    told = "\n".join(
        f"{language} {size[0]}×{size[1]}: {one}" for (language, size), all_ in wrong.items() for one in all_
    )
    assert not wrong, "\n" + told


@pytest.mark.parametrize("shown", PAGES, ids=ids)
def test_a_page_looks_as_it_did(shown: Shown) -> None:
    """Against the reference pictures; each page in both languages and all sizes."""
    changed = []
    for language in LANGUAGES:
        for size in SIZES:
            file = reference_file(shown, language, size)
            if not file.is_file():
                changed.append(f"{file.relative_to(REFERENCES)} is missing")
            elif different(load_reference(file), small(shown.picture(language, size))):
                changed.append(f"{file.relative_to(REFERENCES)} differs")
    assert not changed, f"{changed}: python tests/ui/pictures.py --diff, and --update if it is meant"


def test_the_same_state_gives_the_same_page() -> None:
    for shown in PAGES:
        assert shown.laid_out("en", (1024, 600)) == shown.laid_out("en", (1024, 600)), shown.name


def test_every_page_says_what_it_is() -> None:
    """In a sentence of its own, which stands over its picture in docs/screens.md."""
    for module in screen_pages.modules():
        assert module.ABOUT.keys() == module.PAGES.keys(), module.__name__
    for role in {shown.role for shown in PAGES}:
        about = [shown.about for shown in PAGES if shown.role == role]
        assert all(one[0].isupper() and one.endswith((".", "?")) for one in about), role
        assert len(set(about)) == len(about), role


def test_no_reference_is_left_of_a_page_that_has_gone() -> None:
    wanted = {
        reference_file(shown, language, size) for shown in PAGES for language in LANGUAGES for size in SIZES
    }
    assert set(REFERENCES.rglob("*.webp")) <= wanted


def test_the_reference_pictures_stay_small() -> None:
    assert sum(file.stat().st_size for file in REFERENCES.rglob("*.webp")) <= 8 * 1024 * 1024


def test_every_program_has_pages() -> None:
    assert {shown.role for shown in PAGES} == {"kiosk", "board", "counter", "rating", "panel"}
    assert screen_pages.FOLDER.is_dir()
