"""A process of its own that turns a file into an image, behind a filter of its own, and ends."""

import os

from . import images
from .wire import Link


def load_image(link: Link, source: int, fields: dict) -> None:
    """In the loader: reads, writes the image, hands it over, ends."""
    from fathom_guest.bindings import decode_file

    from .box import seccomp

    try:
        os.environ.clear()
        image = images.new_image()  # before the filter, which knows no memory files
        seccomp.restrict(seccomp.assemble())
        encoding, skip = fields["encoding"], fields["skip"]

        def decode(buffer: object) -> str:
            return decode_file(buffer, encoding, skip)

        plain = encoding == "utf-8" and skip == 0
        size = fields["bytes"]
        if fields.get("own") and plain and images.is_ascii(source, size):
            # A memory file that the launcher has made: it can be the image itself.
            images.seal(source)
            image, kind, length = source, "ascii", size
        else:
            kind, length = images.write_image(image, source, size, decode, plain)
        link.send({"kind": kind, "length": length}, [image])
    except BaseException as error:
        try:
            link.send({"error": f"{type(error).__name__}: {error}"[:500]})
        except OSError:
            pass
    finally:
        os._exit(0)
