"""Open untrusted pictures, without the formats that run programs."""

MAX_BYTES = 2**28  # of one file


def open_image(file):
    """Open a picture with Pillow, in any format except EPS, which runs Ghostscript.

    Args:
        file: a path, or a binary file.

    Returns:
        PIL.Image.Image, not decoded yet.

    Raises:
        Exception: of many kinds, if it is not a picture or has more than 179 million
            pixels.
    """
    from PIL import Image

    Image.init()
    return Image.open(file, formats=[name for name in Image.ID if name != "EPS"])
