"""A picture of what a screen shows, for the technician at the desk."""

from __future__ import annotations

import io
import logging
from datetime import datetime
from pathlib import Path
from typing import Final

import pygame

from ui.items import Layout, Words

log = logging.getLogger(__name__)

FOLDER: Final = Path("/run/paihao-screens")
"""Made by the unit of the screens; the agent's own folder in /run goes when the agent restarts."""
KEPT: Final = 20
"""Pictures of one screen in the folder; the oldest go. It is in memory: nothing outlives the power."""


def covered(surface: pygame.Surface, layout: Layout) -> pygame.Surface:
    """A copy on which nothing personal stands: neither masked names and numbers nor what somebody types."""
    copy = surface.copy()
    for item in layout.items:
        if isinstance(item, Words) and any("*" in line for line in item.lines):
            copy.fill(item.colour, item.rect)
    if "field" in layout.boxes:
        copy.fill((0, 0, 0), layout.boxes["field"])
    return copy


def save(surface: pygame.Surface, folder: Path, name: str, at: datetime) -> Path | None:
    """Write `name`-TIME.png whole or not at all; None when that was not possible, which is logged."""
    data = io.BytesIO()
    pygame.image.save(surface, data, "picture.png")
    file = folder / f"{name}-{at:%Y%m%dT%H%M%S.%f}.png"
    part = file.with_suffix(".part")
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        part.write_bytes(data.getvalue())
        part.replace(file)
        # By the shape of its time: "board-1" is not "board-1-east". And never this one: a clock may go back.
        others = sorted({*folder.glob(f"{name}-{'[0-9]' * 8}T*.png")} - {file})
        for old in others[: -(KEPT - 1)]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.warning("no picture in %s: %s", folder, error)
        return None
    return file
