"""Save rows of images with captions, and read picture files."""

from common.basics.errors import as_user_error
from common.plotting import tile, to_pictures
from common.safety.arrays import check_file
from common.safety.images import MAX_BYTES, open_image

IMAGE_INCHES, DPI = 0.55, 120  # size of an image in the PNG


def save_rows(rows, captions, path, low=0, column_titles=()):
    """Save rows of images as a PNG, each row with a caption on its left.

    Args:
        rows: list of float32 (n, h, w, c) in [low, 1]; n may differ between rows.
        captions: list of str, one per row.
        path: PNG to write.
        low: minimum of the image range, 0 or -1; see `plotting.save_grid`.
        column_titles: str above each column, or empty.
    """
    from matplotlib.figure import Figure

    columns = max(map(len, rows))
    left = 0.068 * max(len(line) for text in captions for line in text.split("\n")) + 0.1
    top = 0.3 * bool(column_titles)
    width, height = left + columns * IMAGE_INCHES, top + len(rows) * IMAGE_INCHES
    figure = Figure(figsize=(width, height))
    for i, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        bottom = height - top - (i + 1) * IMAGE_INCHES
        size = len(row) * IMAGE_INCHES / width, IMAGE_INCHES / height
        axis = figure.add_axes((left / width, bottom / height, *size))
        axis.imshow(tile(to_pictures(row, low), len(row)), aspect="auto")
        axis.set_axis_off()
        position = (left - 0.06) / width, (bottom + IMAGE_INCHES / 2) / height
        figure.text(*position, caption, ha="right", va="center", fontsize=8)
    for i, title in enumerate(column_titles):
        position = (left + (i + 0.5) * IMAGE_INCHES) / width, (height - top / 2) / height
        figure.text(*position, title, ha="center", va="center", fontsize=8)
    figure.savefig(path, dpi=DPI)


def read_picture(option, path, mode):
    """Read an untrusted picture file: return a PIL image of this mode.

    Args:
        option: name of the option, for the error message.
        path: path of the file.
        mode: "L" (grey) or "RGB".

    Raises:
        UserError: the file is not a picture that can be read.
    """
    with as_user_error(f"{option} {path} cannot be read", "use another picture"):
        check_file(path, MAX_BYTES)
        with open_image(path) as picture:
            return picture.convert(mode)
