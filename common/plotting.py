"""Save image grids, loss curves, a run's video and diagrams of models."""

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
USUAL_D_LOSS = (0.5, 0.8)  # nats: range during a training without a failure
GAP, GRID_WIDTH = 2, 600  # pixels: between two images of a grid; about, of a grid
FRAME_SECONDS, LAST_SECONDS = 0.4, 2  # duration of a frame of the video, of its last one


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
    grid = tile(to_pictures(images, low), columns)
    with atomic_write(Path(path)) as part:
        enlarged(grid, GRID_WIDTH / grid.shape[1]).save(part)


def enlarged(picture, scale):
    """Return a picture as a PIL image, enlarged with nearest-neighbour interpolation.

    Args:
        picture: uint8 (h, w, 3).
        scale: factor of height and width, rounded to an integer of at least 1.
    """
    zoom = max(1, round(scale))
    return ImageOps.scale(Image.fromarray(picture), zoom, Image.Resampling.NEAREST)


def to_pictures(images, low=0):
    """Convert float32 (n, h, w, 1 or 3) in [low, 1] to uint8 (n, h, w, 3) for a grid.

    With low = 0, grey images are inverted, see `save_grid`.
    """
    scaled = np.clip((images - low) / (1 - low), 0, 1)
    if images.shape[-1] == 1:
        scaled = np.repeat(1 - scaled if low == 0 else scaled, 3, axis=-1)
    return np.round(scaled * 255).astype(np.uint8)


def save_each(pixels, folder):
    """Save each image of uint8 (n, h, w, c) as `0000.png`, ... in a new folder."""
    folder.mkdir(parents=True)
    for i, image in enumerate(pixels):
        image = image[..., 0] if image.shape[-1] == 1 else image
        Image.fromarray(image).save(folder / f"{i:04d}.png")
    print(f"saved images in {folder}: {len(pixels)}")


def tile(pictures, columns):
    """Return a grid of images on a white background, uint8 (grid_h, grid_w, c).

    Args:
        pictures: uint8 (n, h, w, c).
        columns: images in a row.
    """
    n, height, width, channels = pictures.shape
    rows = -(-n // columns)
    cells = np.full((rows * columns, height + GAP, width + GAP, channels), 255, np.uint8)
    cells[:n, GAP:, GAP:] = pictures
    cells = cells.reshape(rows, columns, *cells.shape[1:]).swapaxes(1, 2)
    grid = cells.reshape(rows * (height + GAP), columns * (width + GAP), channels)
    return np.pad(grid, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def save_captioned_grid(images, captions, path, columns, low=0):
    """Save a grid of images with a caption under each; arguments as `save_grid`."""
    pictures, size = to_pictures(images, low), (1.1, 1.3)
    save_titled(pictures, captions, path, columns, size, dpi=120, y=-0.25, fontsize=8)


def save_titled(pictures, titles, path, columns, size, dpi, **style):
    """Save a grid of pictures as a PNG, each with a title.

    Args:
        pictures: list of uint8 (h, w, 3), of any h and w, or None for an empty cell.
        titles: list of str.
        path: PNG to write.
        columns: pictures in a row.
        size: (width, height) of a cell, in inches.
        dpi: pixels per inch.
        style: style of the titles, see Matplotlib's `Axes.set_title`.
    """
    rows = -(-len(pictures) // columns)
    figure_size = columns * size[0], rows * size[1]
    with new_figure(path, figure_size, rows, columns, dpi=dpi) as (_, axes):
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


def save_curves(history_csv, path, equilibrium_loss=LN2):
    """Plot the losses and D's outputs of a `history.csv` against the epochs.

    Args:
        history_csv: the file, see `callbacks.History`.
        path: PNG to write.
        equilibrium_loss: D's loss if real and fake images are indistinguishable; None
            if the objective has no such value.
    """
    columns, is_ln2 = read_columns(Path(history_csv)), equilibrium_loss == LN2
    with new_figure(path, (9, 7), rows=2, sharex=True) as (_, (losses, outputs)):
        if is_ln2:
            losses.axhspan(
                *USUAL_D_LOSS, color="tab:green", alpha=0.15, label="usual for D"
            )
        if equilibrium_loss is not None:
            value = "ln 2 = 0.693" if is_ln2 else f"{equilibrium_loss:g}"
            label = f"equilibrium: {value}\n(D cannot distinguish)"
            losses.axhline(equilibrium_loss, color="grey", linestyle="--", label=label)
        losses.set_ylabel("loss (nats)" if is_ln2 else "loss")
        if "acc_real" in columns:
            outputs.axhline(0.5, color="grey", linestyle="--", label="equilibrium: 0.5")
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
    """Return the number of epochs at each row of a `history.csv`: float64 (rows,).

    Args:
        columns: dict of its columns, see `read_columns`.
    """
    return columns["epoch"] - 1 + columns["step"] / columns["step"].max()


def draw_run(run, equilibrium_loss=LN2):
    """Save a run's `loss_curves.png` and the video of its generated images.

    A damaged picture is reported and not part of the video.

    Args:
        run: Path of the run folder.
        equilibrium_loss: see `save_curves`.
    """
    save_curves(run / layout.HISTORY, run / layout.CURVES, equilibrium_loss)
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
