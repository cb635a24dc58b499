"""The device tree overlays: they compile, and say what the documents say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from drivers.keypad.input_events import KEY_CODES

OVERLAYS = sorted((Path(__file__).parents[2] / "firmware_config" / "overlays").glob("*.dts"))


@pytest.mark.skipif(shutil.which("dtc") is None, reason="no device tree compiler")
@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.name)
def test_it_compiles_and_keeps_its_parameters(path: Path, tmp_path: Path) -> None:
    made = tmp_path / "overlay.dtbo"
    done = subprocess.run(
        ["dtc", "-@", "-I", "dts", "-O", "dtb", "-o", str(made), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    back = subprocess.run(
        ["dtc", "-q", "-I", "dtb", "-O", "dts", str(made)], capture_output=True, text=True, check=True
    ).stdout
    assert "__overrides__" in back and "__fixups__" in back


def test_the_keys_are_the_first_of_a_number_pad() -> None:
    (path,) = [path for path in OVERLAYS if path.name == "paihao-keys.dts"]
    text = path.read_text("utf-8")
    codes = [int(code) for code in re.findall(r"linux,code = <(\d+)>", text)]
    assert codes == [KEY_CODES[f"KEY_KP{n}"] for n in range(1, 7)]
    pins = re.search(r"brcm,pins = <([\d ]+)>", text)
    assert pins is not None
    assert re.findall(r"gpios = <&gpio (\d+) 1>", text) == pins[1].split()
