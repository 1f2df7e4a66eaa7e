"""Pictures of `explore.py`: images in rows, each row with its caption."""

import numpy as np

from common.plotting import tile, to_pictures

INCHES, DPI = 0.55, 120  # of an image in a row


def save_rows(rows, captions, path, low=0, heads=()):
    """Save rows of images as a PNG, each with a caption at its left.

    Args:
        rows: list of float32 (n, h, w, c) in [low, 1], of any n each.
        captions: list of texts, one a row.
        path: file to write.
        low: see `plotting.save_grid`.
        heads: texts above the columns of the first row.
    """
    from matplotlib.figure import Figure

    columns = max(map(len, rows))
    left = 0.085 * max(len(line) for text in captions for line in text.split("\n")) + 0.1
    top = 0.3 * bool(heads)
    width, height = left + columns * INCHES, top + len(rows) * INCHES
    figure = Figure(figsize=(width, height))
    for i, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        bottom = height - top - (i + 1) * INCHES
        box = left / width, bottom / height, len(row) * INCHES / width, INCHES / height
        axis = figure.add_axes(box)
        axis.imshow(tile(to_pictures(row, low), len(row)), aspect="auto")
        axis.set_axis_off()
        figure.text(
            (left - 0.06) / width, (bottom + INCHES / 2) / height, caption,
            ha="right", va="center", fontsize=8,
        )  # fmt: skip
    for i, head in enumerate(heads):
        figure.text(
            (left + (i + 0.5) * INCHES) / width, (height - top / 2) / height, head,
            ha="center", va="center", fontsize=8,
        )  # fmt: skip
    figure.savefig(path, dpi=DPI)


def enlarged(pictures, columns, side=280):
    """Images side by side as a PIL image, each some `side` pixels high.

    Args:
        pictures: uint8 (n, h, w, 3).
        columns: number in a row.
        side: height of one.
    """
    from PIL import Image

    sheet = Image.fromarray(tile(pictures, columns))
    zoom = max(1, round(side / pictures.shape[1]))
    size = sheet.width * zoom, sheet.height * zoom
    return sheet.resize(size, Image.Resampling.NEAREST)


def percent(share):
    return f"{share:.0%}" if np.isfinite(share) else "-"
