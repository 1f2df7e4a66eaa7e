"""Save image grids, loss curves, a run's video and plots of models."""

import math
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from common.basics.files import atomic_write
from common.runs import layout
from common.runs.tables import read_columns
from common.runs.video import is_picture, save_video, video_frames

LN2 = math.log(2)  # nats: D's loss at p = 0.5 for all images
HEALTHY = (0.5, 0.8)  # nats: usual range of D's loss during training
GAP = 2  # pixels between two images of a grid
FRAME_SECONDS, LAST_SECONDS = 0.4, 2  # duration of a frame of the video, of the last


def save_plot(examples, epoch, n=10, *, low=0, run=Path()):
    """Save examples as `generated_plot_e010.png` and return its path.

    Args:
        examples: float32 (m, h, w, c) in [low, 1].
        epoch: number of finished epochs, part of the name.
        n: images in a row.
        low: see save_grid.
        run: Path of the folder.
    """
    path = Path(run) / layout.PLOT.format(epoch)
    save_grid(examples, path, columns=n, low=low)
    return path


def save_grid(images, path, columns, low=0):
    """Save a grid of images as a PNG on a white background.

    Args:
        images: float32 (n, h, w, c) in [low, 1], c = 1 or 3.
        path: file to write.
        columns: images in a row.
        low: minimum of the image range. With 0, grey images (digits, whose strokes are
            near 1) are inverted: dark on white. With -1, images stay as they are.
    """
    picture = tile(to_pictures(images, low), columns)
    sheet = enlarged(picture, 600 / picture.shape[1])
    with atomic_write(Path(path)) as part:
        sheet.save(part)


def enlarged(picture, times):
    """Return a picture, uint8 (h, w, 3), as a PIL image `times` as high and as wide.

    Args:
        times: zoom, rounded to an integer of at least 1.
    """
    zoom = max(1, round(times))
    return ImageOps.scale(Image.fromarray(picture), zoom, Image.Resampling.NEAREST)


def to_pictures(images, low=0):
    """Convert float32 (n, h, w, 1 or 3) in [low, 1] to uint8 (n, h, w, 3) for a grid."""
    shares = np.clip((images - low) / (1 - low), 0, 1)
    if images.shape[-1] == 1:
        shares = np.repeat(1 - shares if low == 0 else shares, 3, axis=-1)
    return np.round(shares * 255).astype(np.uint8)


def save_each(pixels, folder):
    """Save each image of uint8 (n, h, w, c) as `0000.png`, ... in a new folder."""
    folder.mkdir(parents=True)
    for i, image in enumerate(pixels):
        grey = image.shape[-1] == 1
        Image.fromarray(image[..., 0] if grey else image).save(folder / f"{i:04d}.png")
    print(f"saved images in {folder}: {len(pixels)}")


def tile(pictures, columns):
    """Arrange images, uint8 (n, h, w, c), in a grid on white: one picture (H, W, c)."""
    n, height, width, channels = pictures.shape
    rows = -(-n // columns)
    cells = np.full((rows * columns, height + GAP, width + GAP, channels), 255, np.uint8)
    cells[:n, GAP:, GAP:] = pictures
    cells = cells.reshape(rows, columns, *cells.shape[1:]).swapaxes(1, 2)
    sheet = cells.reshape(rows * (height + GAP), columns * (width + GAP), channels)
    return np.pad(sheet, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def save_captioned_grid(images, captions, path, columns, low=0):
    """Save a grid of images with a caption under each; arguments as `save_grid`."""
    style = {"y": -0.25, "fontsize": 8}
    pictures = to_pictures(images, low)
    save_titled(pictures, captions, path, columns, (1.1, 1.3), dpi=120, **style)


def save_titled(pictures, titles, path, columns, size, dpi, **style):
    """Save a grid of pictures as a PNG, each with a title.

    Args:
        pictures: list of uint8 (h, w, 3), of any h and w, or None for an empty cell.
        titles: list of texts.
        path: PNG to write.
        columns: pictures in a row.
        size: (width, height) of a cell, in inches.
        dpi: pixels per inch.
        style: of the titles, see Matplotlib's `Axes.set_title`.
    """
    rows = -(-len(pictures) // columns)
    total = columns * size[0], rows * size[1]
    with new_figure(path, total, rows, columns, dpi=dpi) as (_, axes):
        for axis in axes:
            axis.set_axis_off()
        for axis, picture, title in zip(axes, pictures, titles, strict=False):
            if picture is not None:
                axis.imshow(picture)
            axis.set_title(title, **style)


@contextmanager
def new_figure(path, size, rows=1, columns=1, dpi=100, **options):
    """Yield a figure and its axes; save it as a PNG at the end of the with block.

    Args:
        path: PNG to write.
        size: (width, height) in inches.
        rows, columns: number of axes.
        dpi: pixels per inch.
        options: see Matplotlib's `Figure.subplots`.

    Yields:
        Matplotlib's Figure, and its axes row by row, an array (rows * columns,).
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    yield figure, figure.subplots(rows, columns, squeeze=False, **options).ravel()
    with atomic_write(Path(path)) as part:
        figure.savefig(part, dpi=dpi)


def save_curves(history_csv, path, ideal=LN2):
    """Plot the losses and D's outputs of a `history.csv` against the epochs.

    Args:
        history_csv: the file, see `callbacks.History`.
        path: PNG to write.
        ideal: D's loss at the equilibrium, where real and fake images are
            indistinguishable; None if the objective has none.
    """
    columns = read_columns(Path(history_csv))
    with new_figure(path, (9, 7), rows=2, sharex=True) as (_, (losses, outputs)):
        if ideal == LN2:
            losses.axhspan(*HEALTHY, color="tab:green", alpha=0.15, label="healthy for D")
        if ideal is not None:
            label = f"ideal for D: {'ln 2 = 0.693' if ideal == LN2 else f'{ideal:g}'}"
            losses.axhline(ideal, color="grey", linestyle="--", label=label)
        losses.set_ylabel("loss (nats)" if ideal == LN2 else "loss")
        if "acc_real" in columns:
            outputs.axhline(0.5, color="grey", linestyle="--", label="ideal: 0.5")
            outputs.set(ylim=(-0.02, 1.02), ylabel="share of images")
        for axis, curves in ((losses, layout.LOSSES), (outputs, layout.OUTPUTS)):
            for name, (label, colour) in curves.items():
                if name in columns:
                    axis.plot(epochs(columns), columns[name], label=label, color=colour)
            axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        if min(columns[name].min() for name in layout.LOSSES if name in columns) >= 0:
            losses.set_ylim(bottom=0)
        outputs.set_xlabel("epoch")


def epochs(columns):
    """Return the time of each row of a `history.csv` in epochs: float (rows,)."""
    return columns["epoch"] - 1 + columns["step"] / columns["step"].max()


def draw_run(run, ideal=LN2):
    """Save a run's `loss_curves.png` and the video of its generated images.

    A damaged picture is reported and left out of the video.
    """
    save_curves(run / layout.HISTORY, run / layout.CURVES, ideal)
    pictures = filter(is_picture, layout.files_of_epochs(run, layout.PLOT))
    video = run / layout.VIDEO
    save_video(video_frames(list(pictures)), video, FRAME_SECONDS, LAST_SECONDS)


def plot_model(model, path):
    """Save a diagram of a Keras model with shapes and layer names; needs Graphviz."""
    if shutil.which("dot") is None:
        print(
            f"{Path(path).name} is not drawn: Graphviz's program `dot` is missing "
            "(apt install graphviz, brew install graphviz, or choco install graphviz)"
        )
        return
    from keras.utils import plot_model as draw

    draw(model, path, show_shapes=True, show_layer_names=True, expand_nested=True)
    print(f"saved {path}")


def show(picture):
    """Show a PNG file in a window until it is closed, or print its path if headless."""
    from matplotlib import pyplot

    if pyplot.get_backend().lower() == "agg":
        print(f"no display to open a window on: see {picture}")
        return
    pyplot.figure(Path(picture).name)
    pyplot.imshow(Image.open(picture))
    pyplot.axis("off")
    pyplot.show()
