"""Images for prompts: their bytes, whatever holds them."""

from .own import own_builtins as __builtins__

import io
import os
from collections.abc import Callable

from .channel import Channel
from .documents import Described
from .history import read_host

#: Images of one call, and bytes of one: the host holds them too (`src/repl/channel/limits.ts`).
MAX_CALL_IMAGES = 16
MAX_IMAGE_BYTES = 5 * 1024 * 1024

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def image_bytes(image: object, where: str = "the image") -> bytes:
    """The PNG or JPEG bytes of bytes, a document, a path, a PIL image, or a matplotlib figure or axes."""
    data = _data_of(image)
    if data is None:
        raise TypeError(
            f"{where} must be PNG or JPEG bytes, a document of the context, a path, a PIL image or a matplotlib "
            f"figure, not {type(image).__name__}"
        )
    if not data.startswith((_PNG, _JPEG)):
        raise ValueError(f"{where} is neither PNG nor JPEG ({len(data)} bytes): convert it to PNG first")
    if len(data) > MAX_IMAGE_BYTES:
        raise ValueError(
            f"{where} has {len(data)} bytes or more, above the limit of {MAX_IMAGE_BYTES} (MAX_IMAGE_BYTES)"
        )
    return data


def _data_of(image: object) -> "bytes | None":
    if isinstance(image, (bytes, bytearray, memoryview)):
        return bytes(image)
    if isinstance(image, Described):
        return image.bytes
    if isinstance(image, (str, os.PathLike)):
        with open(image, "rb") as file:
            return file.read(MAX_IMAGE_BYTES + 1)
    # Without an import: neither package need be there.
    figure = image if hasattr(image, "savefig") else getattr(image, "figure", None)
    data = io.BytesIO()
    if callable(getattr(figure, "savefig", None)):
        figure.savefig(data, format="png")
    elif callable(getattr(image, "save", None)) and hasattr(image, "mode"):
        image.save(data, format="PNG")
    else:
        return None
    return data.getvalue()


class Pictures:
    """The images of one call, one behind the other, and the size of each."""

    __slots__ = ("sizes", "data")

    def __init__(self, images: object) -> None:
        if isinstance(images, (bytes, bytearray, str)) or not isinstance(images, (list, tuple)):
            raise TypeError(f"images must be a list of images, not {type(images).__name__}")
        if len(images) > MAX_CALL_IMAGES:
            raise ValueError(
                f"a call takes at most {MAX_CALL_IMAGES} images (MAX_CALL_IMAGES); this one has {len(images)}"
            )
        found = [image_bytes(image, f"image {number}") for number, image in enumerate(images, 1)]
        self.sizes = [len(data) for data in found]
        self.data = b"".join(found)


def pictures_of(images: object, count: int) -> "list[Pictures | None]":
    """The images of each of `count` prompts: the same for all, or a list for each."""
    if images is None:
        return [None] * count
    lists = isinstance(images, (list, tuple)) and any(isinstance(item, (list, tuple)) for item in images)
    if not lists:
        same = Pictures(images)
        return [same if same.sizes else None] * count
    if len(images) != count:
        raise ValueError(f"images has lists for {len(images)} prompts, and there are {count} prompts")
    each = [Pictures(item) for item in images]
    return [one if one.sizes else None for one in each]


def make_show(channel: Channel, before: Callable[[], None]) -> Callable:
    """The function bound for cells. `before` runs before each request."""

    def show(image):
        """Shows you one PNG or JPEG image in the next message, if your model reads images: else a ValueError.

        Takes bytes, a document of the context, a path, a PIL image, or a matplotlib figure or axes.
        """
        data = image_bytes(image)
        before()
        print(read_host(channel, {"op": "show"}, (data,)))

    return show
