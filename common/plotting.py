"""Pictures: grids of images, curves, films and plots of models."""

import math
import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common.basics.files import whole
from common.runs.layout import LOSSES, OUTPUTS
from common.runs.tables import read_columns

LN2 = math.log(2)  # nats: the loss of a D that cannot tell real from fake
HEALTHY = (0.5, 0.8)  # nats: where D's loss of a running game usually stays
GAP = 2  # pixels between two images of a grid
FRAME_SECONDS, LAST_SECONDS = 0.4, 2  # how long a frame of a run's film stays


def save_plot(examples, epoch, n=10, *, low=0, run=Path()):
    """Save examples as `generated_plot_e010.png` and return its path.

    Args:
        examples: float32 (m, h, w, c) in [low, 1].
        epoch: number of finished epochs, part of the name.
        n: images in a row.
        low: see save_grid.
        run: Path of the folder.
    """
    path = Path(run) / f"generated_plot_e{epoch:03d}.png"
    save_grid(examples, path, columns=n, low=low)
    return path


def save_grid(images, path, columns, low=0):
    """Save images side by side as a PNG, on white.

    Args:
        images: float32 (n, h, w, c) in [low, 1], c = 1 or 3.
        path: file to write.
        columns: images in a row.
        low: 0 for drawings, whose strokes are near 1: grey ones are shown dark on white,
            as in print; -1 for photographs.
    """
    picture = tile(to_pictures(images, low), columns)
    height, width = picture.shape[:2]
    zoom = max(1, round(600 / width))
    sheet = Image.fromarray(picture).resize(
        (width * zoom, height * zoom), Image.Resampling.NEAREST
    )
    with whole(Path(path)) as part:
        sheet.save(part)


def to_pictures(images, low=0):
    """float32 (n, h, w, 1 or 3) in [low, 1] -> uint8 (n, h, w, 3), as save_grid says."""
    shares = np.clip((images - low) / (1 - low), 0, 1)
    if images.shape[-1] == 1:
        shares = np.repeat(1 - shares if low == 0 else shares, 3, axis=-1)
    return np.round(shares * 255).astype(np.uint8)


def save_each(pixels, folder):
    """Save every image, uint8 (n, h, w, c), as `0000.png`, ... in a new folder."""
    folder.mkdir(parents=True)
    for i, image in enumerate(pixels):
        grey = image.shape[-1] == 1
        Image.fromarray(image[..., 0] if grey else image).save(folder / f"{i:04d}.png")
    print(f"saved {len(pixels)} images in {folder}")


def tile(pictures, columns):
    """uint8 (n, h, w, c) -> one picture (H, W, c), `columns` images in a row on white."""
    n, height, width, channels = pictures.shape
    rows = -(-n // columns)
    cells = np.full((rows * columns, height + GAP, width + GAP, channels), 255, np.uint8)
    cells[:n, GAP:, GAP:] = pictures
    cells = cells.reshape(rows, columns, *cells.shape[1:]).swapaxes(1, 2)
    sheet = cells.reshape(rows * (height + GAP), columns * (width + GAP), channels)
    return np.pad(sheet, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def save_captioned_grid(images, captions, path, columns, low=0):
    """Save images as a PNG with a line of text under each; as save_grid otherwise."""
    from matplotlib.figure import Figure

    rows = -(-len(images) // columns)
    figure = Figure(figsize=(columns * 1.1, rows * 1.3), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    pictures = to_pictures(images, low)
    for axis, picture, caption in zip(axes, pictures, captions, strict=False):
        axis.imshow(picture)
        axis.set_title(caption, y=-0.25, fontsize=8)
    with whole(Path(path)) as part:
        figure.savefig(part, dpi=120)


def save_curves(history_csv, path, ideal=LN2):
    """Draw losses and D's outputs of a `history.csv` over the epochs, as one picture.

    Args:
        history_csv: the file, see `callbacks.History`.
        path: PNG to write.
        ideal: D's loss when it cannot tell real from fake; None where there is no such.
    """
    from matplotlib.figure import Figure

    columns = read_columns(Path(history_csv))
    epochs = columns["epoch"] - 1 + columns["step"] / columns["step"].max()
    figure = Figure(figsize=(9, 7), layout="constrained")
    losses, outputs = figure.subplots(2, 1, sharex=True)

    if ideal == LN2:
        losses.axhspan(*HEALTHY, color="tab:green", alpha=0.15, label="healthy for D")
    if ideal is not None:
        name = "ln 2 = 0.693" if ideal == LN2 else f"{ideal:g}"
        label = f"ideal for D: {name}"
        losses.axhline(ideal, color="grey", linestyle="--", label=label)
    losses.set_ylabel("loss (nats)" if ideal == LN2 else "loss")
    if "acc_real" in columns:
        outputs.axhline(0.5, color="grey", linestyle="--", label="ideal: 0.5")
        outputs.set_ylim(-0.02, 1.02)
        outputs.set_ylabel("share of images")
    for axis, curves in ((losses, LOSSES), (outputs, OUTPUTS)):
        for name, (label, colour) in curves.items():
            if name in columns:
                axis.plot(epochs, columns[name], label=label, color=colour)
        axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    if min(columns[name].min() for name in LOSSES if name in columns) >= 0:
        losses.set_ylim(bottom=0)
    outputs.set_xlabel("epoch")
    with whole(Path(path)) as part:
        figure.savefig(part, dpi=100)


def film_frames(pictures):
    """Yield the frames of a film, RGB and of one size: the epoch above each picture.

    Args:
        pictures: PNG files, named after their epoch, not all of one size perhaps.
    """
    sizes = []
    for path in pictures:
        with Image.open(path) as picture:
            sizes.append(picture.size)
    size = [max(lengths) for lengths in zip(*sizes, strict=True)]
    for path in pictures:
        with Image.open(path) as picture:
            yield captioned(picture, f"epoch {epoch_of(path)}", size)


def captioned(picture, text, size=None):
    """A picture on white with a line of text above, of even width and height (for H.264).

    Args:
        picture: PIL image.
        text: the line.
        size: (width, height) of the place for the picture; if None, its own.
    """
    width, height = size or picture.size
    strip = max(16, width // 16)  # pixels above the picture
    frame = Image.new(
        "RGB", (width + width % 2, strip + height + (strip + height) % 2), "white"
    )
    frame.paste(picture.convert("RGB"), (0, strip))
    font = ImageFont.load_default(0.75 * strip)
    ImageDraw.Draw(frame).text((strip / 4, 0), text, fill="black", font=font)
    return frame


def epoch_of(path):
    """The number in a name like `generated_plot_e010.png`."""
    return int(path.stem.rpartition("_e")[2])


def save_film(frames, path, seconds, last_seconds=None):
    """Save frames as one film, `path` as .mp4 (H.264) and as .gif, which repeats.

    Args:
        frames: PIL images, RGB, of one even width and height.
        path: of either file; its ending does not matter.
        seconds: how long a frame stays.
        last_seconds: how long the last one stays; if None, as long as all.
    """
    import imageio.v2 as imageio

    last_seconds = last_seconds or seconds
    indexed = []
    with whole(path.with_suffix(".mp4")) as part, imageio.get_writer(
        part, fps=1 / seconds, codec="libx264",
        pixelformat="yuv420p", macro_block_size=2, ffmpeg_log_level="error",
        output_params=["-preset", "veryfast"],
    ) as film:  # fmt: skip
        for frame in frames:
            film.append_data(np.asarray(frame))
            indexed.append(frame.convert("P"))
        for _ in range(round(last_seconds / seconds) - 1):
            film.append_data(np.asarray(frame))
    durations = [1000 * seconds] * (len(indexed) - 1) + [1000 * last_seconds]
    with whole(path.with_suffix(".gif")) as part:
        indexed[0].save(
            part, save_all=True, append_images=indexed[1:], duration=durations, loop=0
        )


def draw_run(run, ideal=LN2):
    """Draw a run's `loss_curves.png`, and its generated plots as a film.

    A damaged picture is told, and left out of the film.
    """
    save_curves(run / "history.csv", run / "loss_curves.png", ideal)
    pictures = [p for p in by_epoch(run.glob("generated_plot_e*.png")) if is_picture(p)]
    save_film(film_frames(pictures), run / "training", FRAME_SECONDS, LAST_SECONDS)


def is_picture(path):
    """Whether a file is a picture named after its epoch; says so where it is not."""
    try:
        with Image.open(path) as picture:
            picture.load()
        epoch_of(path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        print(f"{path} is not in the film: {error}")
        return False
    return True


def by_epoch(paths):
    """Sort files named after their epoch: e999 comes before e1000."""
    return sorted(paths, key=lambda path: (len(path.name), path.name))


def plot_model(model, path):
    """Draw a Keras model with its shapes and layer names, where Graphviz is installed."""
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
    """Open a PNG file in a window, where there is a display, until it is closed."""
    from matplotlib import pyplot

    if pyplot.get_backend().lower() == "agg":
        print(f"no display to open a window on: see {picture}")
        return
    pyplot.figure(Path(picture).name)
    pyplot.imshow(Image.open(picture))
    pyplot.axis("off")
    pyplot.show()
