"""From an answer to options for the profile: what the device said, and usual values of what it cannot say."""

from __future__ import annotations

from typing import Any

from device.doctor.report import Answer


def suggested_options(answer: Answer) -> dict[str, Any]:
    """Options of `answer.driver`, which pass its check. What was guessed is in `guessed`."""
    return dict(answer.options)


def usable(answer: Answer) -> bool:
    """Whether its options are whole. Something that speaks Modbus has to be configured by hand."""
    return answer.code not in ("doctor.modbus_unsure", "doctor.modbus_relay")


def guessed(answer: Answer) -> dict[str, tuple[Any, str, str]]:
    """Options that the device does not tell and a technician looks up: name → value, zh-CN, en."""
    match answer.driver:
        case "escpos":
            return {"columns": (48, "80 mm 纸为 48，58 mm 纸为 32", "48 for 80 mm paper, 32 for 58 mm")}
        case "kiosk_printer":
            models = "vkp80ii, vkp80iii, reliance"
            return {"model": (answer.options.get("model"), f"看标签：{models}", f"see its label: {models}")}
        case "onbon_bx":
            return {
                "width_px": (128, "屏宽（点），8 个汉字为 128", "dots across, 128 for 8 Chinese characters"),
                "height_px": (16, "屏高（点）", "dots down"),
            }
    return {}
