"""Options of `paihao screen`."""

from __future__ import annotations

import pytest

from ui.command import SCREENS, main
from ui.kiosk.kiosk import Kiosk


@pytest.mark.parametrize(
    "wrong",
    [("--volume", "500"), ("--volume", "loud"), ("--inches", "0"), ("--inches", "nan"), ("--size", "800")],
)
def test_a_number_that_cannot_be_is_refused(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["board", "--station", "hall", *wrong])
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def test_a_kiosk_of_two_languages_has_the_first_of_them() -> None:
    """Its language travels with a wish for a number, where only one may stand."""
    kiosk = SCREENS["kiosk"][1]("en+zh-CN", None)
    assert isinstance(kiosk, Kiosk) and kiosk.usual.language == "en"
