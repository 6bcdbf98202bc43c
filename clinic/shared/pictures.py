"""Pictures that everybody may see: looked at by their content, and drawn anew, so that nothing else comes along.

What is kept is our own drawing, nothing but pixels: no place where it was taken, no program, no comment, no colour
profile, no second file behind the first.
"""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

from clinic.rules.errors import InvalidInput
from clinic.rules.language import N_

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

MOST_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 30_000_000
"""What a good camera takes; it is looked at before a single pixel is unpacked."""
MOST_UNPACKED = 3_000_000
"""With up to 20 bytes for each pixel. A JPEG is unpacked small; a PNG or WebP only whole."""
MOST_KEPT_TO_THE_LAST_PASS = 60_000_000
"""Bytes. A JPEG that is drawn in several passes is kept whole until the last, two bytes for each value."""

CANNOT_BE_READ = (OSError, SyntaxError, ValueError, EOFError, ZeroDivisionError)
"""What the library raises for what is no picture, or a broken one."""
ODD_EXIF = (
    OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, struct.error
)  # fmt: skip
"""What the library raises while it reads or writes what a camera noted about a picture, and the note is broken."""

MOST_OF_A_PROFILE = 4 * 1024 * 1024
"""Bytes. Those of printers have three million."""
ENDLESS_STEPS = b"mpet"
"""What begins a list of steps in a colour profile: it may be as long as the file, and each is done for each colour."""

_FORMATS = ("PNG", "JPEG", "WEBP")
_ROOM = (512, 512)  # of which the kept pictures are drawn, and more than they take
_ONE_AT_A_TIME = Lock()  # so that many at once take no more memory than one
NOT_A_PICTURE = N_("Send a picture as PNG, JPEG or WebP.")
TOO_LARGE = N_(
    "This picture is too large. Send one of at most 5 MB: a JPEG of at most 30 million pixels (progressive: 10"
    " million), or a PNG or WebP of at most 3 million."
)


@dataclass(frozen=True)
class Drawn:
    """A picture as it is kept."""

    mime: str
    content: bytes
    width: int
    height: int

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


def logo_of(content: bytes, field: str = "picture") -> Drawn:
    """The whole picture, at most 320 pixels wide and high, see-through parts kept. Raises InvalidInput."""
    picture = _opened(content, field)
    picture.thumbnail((320, 320))
    return _as_png(picture)


def face_of(content: bytes, field: str = "picture") -> Drawn:
    """The middle of the picture as a square of 256 pixels. Raises InvalidInput."""
    from PIL import ImageOps

    picture = ImageOps.fit(_opened(content, field), (256, 256), centering=(0.5, 0.4))
    kept = io.BytesIO()
    _on_white(picture).save(kept, "JPEG", quality=86, optimize=True)
    return Drawn("image/jpeg", kept.getvalue(), 256, 256)


def can_be_drawn(content: bytes) -> bool:
    """Whether a picture that is kept can be read to its end."""
    from PIL import Image

    with suppress(*CANNOT_BE_READ), Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
        picture.load()
        return True
    return False


def _opened(content: bytes, field: str) -> Image:
    from PIL import Image

    if len(content) > MOST_BYTES:
        raise InvalidInput(field, TOO_LARGE)
    try:
        with _ONE_AT_A_TIME:
            return _unpacked(Image.open(io.BytesIO(content), formats=_FORMATS), field)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InvalidInput(field, TOO_LARGE) from None
    except CANNOT_BE_READ:
        raise InvalidInput(field, NOT_A_PICTURE) from None


def _unpacked(picture: ImageFile, field: str) -> Image:
    from PIL import ImageOps

    if (
        picture.width * picture.height > MOST_PIXELS
        or _kept_to_the_last_pass(picture) > MOST_KEPT_TO_THE_LAST_PASS
    ):
        raise InvalidInput(field, TOO_LARGE)
    picture.draft(None, _ROOM)
    if picture.width * picture.height > MOST_UNPACKED:
        raise InvalidInput(field, TOO_LARGE)
    picture.load()
    with suppress(*ODD_EXIF):  # then it stands as it was taken
        ImageOps.exif_transpose(picture, in_place=True)
    if picture.has_transparency_data:
        drawn = picture.convert("RGBA")
    else:
        drawn = picture.convert(picture.mode if picture.mode in ("L", "CMYK") else "RGB")
    drawn.thumbnail(_ROOM)
    drawn = _in_common_colours(drawn)
    drawn.info.clear()  # what stands there is written into the file that is kept
    return drawn


def _in_common_colours(drawn: Image) -> Image:
    """As red, green and blue that are the same everywhere, read by the picture's own profile where that can be done."""
    from PIL import ImageCms

    mode = "RGBA" if drawn.mode == "RGBA" else "RGB"
    profile = drawn.info.get("icc_profile") or b""
    if 0 < len(profile) <= MOST_OF_A_PROFILE and ENDLESS_STEPS not in profile:
        with suppress(OSError, ImageCms.PyCMSError):
            own, common = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            read = ImageCms.profileToProfile(drawn, own, common, outputMode=mode)
            if read is not None:
                return read
    return drawn.convert(mode)


def _kept_to_the_last_pass(picture: ImageFile) -> int:
    """Bytes. Opened, a JPEG stands behind the head of its first pass; a second picture behind it looks like a second
    pass."""
    if picture.fp is None or picture.format in ("PNG", "WEBP") or b"\xff\xda" not in picture.fp.read():
        return 0
    parts = [int(across * down) for _name, across, down, _table in getattr(picture, "layer", ())]
    return 2 * picture.width * picture.height * sum(parts) // max(parts)


def _as_png(picture: Image) -> Drawn:
    kept = io.BytesIO()
    picture.save(kept, "PNG", optimize=True)
    return Drawn("image/png", kept.getvalue(), picture.width, picture.height)


def _on_white(picture: Image) -> Image:
    import PIL.Image

    if picture.mode == "RGB":
        return picture
    ground = PIL.Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground
