"""Grey images of 28x28 pixels: MNIST, Fashion-MNIST, digits, or a reader's own files."""

from pathlib import Path

import numpy as np

from common.basics.errors import UserError
from common.data import formats
from common.data.datasets import Images, NotFoundError, find_locally, keras_download

SHAPE = (28, 28)
MOST_CLASSES = 1000
FASHION = ("T-shirt", "trouser", "pullover", "dress", "coat",
           "sandal", "shirt", "sneaker", "bag", "boot")  # fmt: skip
KERAS_FILES = {"mnist": "mnist.npz", "fashion-mnist": "fashion-mnist"}


def load_images(data="auto", split="train"):
    """Load 28x28 grey images.

    Args:
        data: "mnist", "fashion-mnist", "digits" (carried by scikit-learn), "synthetic"
            (drawn bars), "auto" (MNIST, else the digits), or a path to an `.npz`, a
            `.csv` or a folder of IDX files.
        split: "train" or "test".

    Raises:
        UserError: there are none, or they are not 28x28 grey images.
    """
    if data == "auto":
        return mnist_or_digits(split)
    if data in KERAS_FILES:
        return named_set(data, split)
    if data == "digits":
        return embedded_digits(split)
    if data == "synthetic":
        return synthetic_bars()
    path = Path(data).expanduser()
    pixels, labels = formats.read_images(path, split)
    return checked(pixels, labels, path.stem, str(path))


def mnist_or_digits(split):
    try:
        return named_set("mnist", split)
    except NotFoundError as reason:
        digits = embedded_digits(split)
        return digits._replace(
            notice=f"THIS IS NOT MNIST, which was not found ({reason}). Used instead: "
            f"{len(digits.pixels)} small handwritten digits that scikit-learn carries."
        )


def named_set(name, split):
    """MNIST or Fashion-MNIST from the first place that has it."""
    if path := find_locally([name], [KERAS_FILES[name]]):
        pixels, labels = formats.read_images(path, split)
    else:
        pixels, labels = keras_download(
            name.replace("-", "_"),
            split,
            f"{name} is neither in $GAN_DATA_DIR/{name} nor in Keras's cache, "
            "and its download failed: {}",
        )
    return checked(pixels, labels, name, str(path or "downloaded by Keras"))


def embedded_digits(split):
    """Scikit-learn's 8x8 digits, enlarged to 20x20 in a 28x28 frame as MNIST's are.

    The first 1500 are for training, the last 297 for testing.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    part = slice(None, 1500) if split == "train" else slice(1500, None)
    grey = np.round(digits.images[part] * 255 / 16).astype(np.uint8)
    large = [Image.fromarray(g).resize((20, 20), Image.Resampling.BICUBIC) for g in grey]
    pixels = np.pad(np.stack(large), ((0, 0), (4, 4), (4, 4)))
    return checked(pixels, digits.target[part], "digits", "scikit-learn")


def synthetic_bars():
    """512 images of a grey bar, left or right: to try a script on, not to learn from."""
    rng = np.random.default_rng(0)
    pixels, corners = np.zeros((512, *SHAPE), np.uint8), rng.integers(2, 14, (512, 2))
    for image, (x, y) in zip(pixels, corners, strict=True):
        image[y : y + 12, x : x + 4] = 200
    is_right = (corners[:, 0] >= 8).astype(int)
    notice = "SYNTHETIC DATA: grey bars, for trying the script. Nothing will be learned."
    images = checked(pixels, is_right, "synthetic", "drawn")
    return images._replace(notice=notice, classes=("left", "right"))


def checked(pixels, labels, name, source):
    """Images, if these are: (n, 28, 28), of bytes 0..255 or floats or bits 0..1.

    Raises:
        UserError: empty, another shape or type, values out of range or not numbers.
    """
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.shape[1:] != SHAPE:
        raise UserError(f"{source}: images of shape {pixels.shape}, not (n, 28, 28)")
    if len(pixels) == 0:
        raise UserError(f"{source}: there are no images in it")
    if labels is not None and np.shape(labels) not in [(len(pixels),), (len(pixels), 1)]:
        raise UserError(
            f"{source}: labels of shape {np.shape(labels)} for {len(pixels)} images"
        )
    if pixels.dtype.kind not in "uif":
        raise UserError(f"{source}: pixels of type {pixels.dtype}, not numbers")
    low, high = pixels.min(), pixels.max()
    if not (low >= 0 and high <= 255):  # also where one is not a number
        raise UserError(f"{source}: pixels from {low} to {high}, not from 0 to 255")
    if high < 2:  # a share of white, perhaps with an error of rounding
        pixels = np.minimum(pixels, 1) * 255.0
    pixels = np.round(pixels)
    pixels = pixels.astype(np.uint8)[..., np.newaxis]
    return Images(pixels, labels, name, source, classes=names_of_labels(labels, name))


def names_of_labels(labels, name):
    """Names of the labels 0, 1, ... of a set; none where the labels are others."""
    if name == "fashion-mnist":
        return FASHION
    numbers = np.unique(labels) if labels is not None else np.array([])
    counted = numbers.dtype.kind in "uif" and 2 <= len(numbers) <= MOST_CLASSES
    if not (counted and np.array_equal(numbers, np.arange(len(numbers)))):
        return ()
    return tuple(map(str, range(len(numbers))))
