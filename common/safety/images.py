"""Opening pictures that anyone may have made."""

MOST_BYTES = 2**28  # of one file: what is larger is no picture


def open_image(file):
    """Open a picture with Pillow, in any format but EPS, which would run Ghostscript.

    Args:
        file: a path, or a binary file.

    Returns:
        PIL.Image.Image, of which nothing is decoded yet.

    Raises:
        Exception: of many kinds, where it is no picture, or one of 179 million pixels.
    """
    from PIL import Image

    Image.init()
    return Image.open(file, formats=[name for name in Image.ID if name != "EPS"])
