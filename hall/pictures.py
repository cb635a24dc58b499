"""Picture files made small enough for a retained message, with an id that is their content.

What comes from a camera or a web page is turned upright, scaled to at most `side` pixels, freed of everything
but the picture (place and time of a photo) and encoded anew, as PNG where it is drawn and small enough and as
JPEG else, in ever lower quality and then size until it has at most MAX_BYTES.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wire.shown import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES: Final = 180 * 1024
"""Of a published picture; in base64 it stays below `wire.codec.MAX_PAYLOAD`."""
MAX_FILE: Final = 30 * 1024 * 1024
MAX_PIXELS: Final = 80_000_000
"""A larger one is refused before it is unpacked: a small file can name a size that fills the memory."""
SIDE: Final = 1920
"""Pixels of a page."""
PHOTO_SIDE: Final = 640
"""Pixels of somebody's photo, which no screen shows large."""
QUALITIES: Final = (88, 80, 70, 60, 50)
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
BACKGROUND: Final = (255, 255, 255)
"""Behind what is transparent, where it becomes a JPEG."""


class PictureError(ValueError):
    """A file that is no picture that can be shown; the message is for a technician, zh-CN · en."""


def publishable(path: Path, side: int = SIDE) -> Picture:
    """The picture in `path` as it is published, at most `side` pixels long. Raises PictureError."""
    from PIL import Image

    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise PictureError(f"文件过大 · {size} bytes, at most {MAX_FILE}")
        with warnings.catch_warnings():
            # Of broken EXIF, and of what Pillow takes for a bomb: ours is the smaller limit, checked below.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PictureError(f"像素过多 · {image.width} x {image.height} pixels")
                image.draft("RGB", (side, side))
                drawn = image.format != "JPEG"
                upright = _upright(image, side)
    except PictureError:
        raise
    except OSError as error:
        raise PictureError(f"无法读取 · cannot be read: {error.strerror or 'not a picture'}") from error
    except Exception as error:
        # Broken files fail in many ways inside Pillow; whatever it is, this file is not shown.
        raise PictureError(f"不是完好的图片 · not a whole picture: {type(error).__name__}") from error
    format_, data = _small(upright, drawn)
    return Picture(picture=hashlib.sha256(data).hexdigest()[:32], format=format_, data=data)


def _upright(image: Image, side: int) -> Image:
    """Unpacked, turned as the camera says, RGB or RGBA, at most `side` pixels long."""
    from PIL import ImageOps

    image.load()
    turned = ImageOps.exif_transpose(image)
    clear = turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info
    turned = turned.convert("RGBA" if clear else "RGB")
    turned.thumbnail((side, side))
    return turned


def _small(image: Image, drawn: bool) -> tuple[Any, bytes]:
    """`drawn`: text and plain areas, which JPEG smears, are worth a try as PNG."""
    if drawn and len(_encoded(image, "PNG", compress_level=1)) <= 2 * MAX_BYTES:
        # Only now the seconds for the best that PNG can do.
        png = _encoded(image, "PNG", optimize=True)
        if len(png) <= MAX_BYTES:
            return "png", png
    flat = image
    if image.mode == "RGBA":
        from PIL import Image as Images

        flat = Images.new("RGB", image.size, BACKGROUND)
        flat.paste(image, mask=image.getchannel("A"))
    while True:
        for quality in QUALITIES:
            data = _encoded(flat, "JPEG", quality=quality)
            if len(data) <= MAX_BYTES:
                return "jpeg", data
        # Never for ever: 0.8 of the side each time, and a few pixels are always small enough.
        flat = flat.resize((max(1, flat.width * 4 // 5), max(1, flat.height * 4 // 5)))


def _encoded(image: Image, format_: str, **options: Any) -> bytes:
    """Without what the file said besides the picture: neither EXIF nor colour profile is handed on."""
    target = io.BytesIO()
    bare = image.copy()
    bare.info = {}
    bare.save(target, format_, **options)
    return target.getvalue()
