"""Grey images of 28x28 pixels: MNIST, Fashion-MNIST, digits, or the user's own files."""

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
        data: "mnist", "fashion-mnist", "digits" (part of scikit-learn), "synthetic" (grey
            bars), "auto" (MNIST, else the digits), or a path to an `.npz`, a `.csv` or a
            folder of IDX files.
        split: "train" or "test".

    Returns:
        datasets.Images, pixels uint8 (n, 28, 28, 1), labels int (n,) or None.

    Raises:
        UserError: none were found, or they are not 28x28 grey images.
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
            f"{len(digits.pixels)} small handwritten digits, a part of scikit-learn."
        )


def named_set(name, split):
    """Return MNIST or Fashion-MNIST, see `datasets` for where it is looked for."""
    if path := find_locally([name], [KERAS_FILES[name]]):
        pixels, labels = formats.read_images(path, split)
    else:
        pixels, labels = keras_download(
            name.replace("-", "_"),
            split,
            f"{name} is neither in $GAN_DATA_DIR/{name} nor in Keras's cache, and its "
            "download failed ({}): copy it there, or connect to the internet",
        )
    return checked(pixels, labels, name, str(path or "downloaded by Keras"))


def embedded_digits(split):
    """Return scikit-learn's 8x8 digits, enlarged to 20x20 in a 28x28 frame as in MNIST.

    The first 1500 are the training split, the last 297 the test split.
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
    """Return 512 images of a grey bar, left or right, for a quick test of a script."""
    rng = np.random.default_rng(0)
    pixels, corners = np.zeros((512, *SHAPE), np.uint8), rng.integers(2, 14, (512, 2))
    for image, (x, y) in zip(pixels, corners, strict=True):
        image[y : y + 12, x : x + 4] = 200
    is_right = (corners[:, 0] >= 8).astype(int)
    notice = "SYNTHETIC DATA: grey bars, to test that the script runs."
    images = checked(pixels, is_right, "synthetic", "drawn")
    return images._replace(notice=notice, classes=("left", "right"))


def checked(pixels, labels, name, source):
    """Validate arrays of images and convert them to Images.

    Args:
        pixels: numbers (n, 28, 28) or (n, 28, 28, 1), in 0..255 or in 0..1.
        labels: (n,), (n, 1) or None.
        name, source: see Images.

    Raises:
        UserError: no images, another shape or type, or values out of range.
    """
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.shape[1:] != SHAPE:
        raise UserError(f"{source}: shape {pixels.shape}: images must be (n, 28, 28)")
    if len(pixels) == 0:
        raise UserError(f"{source} holds no images: name another")
    if labels is not None and np.shape(labels) not in [(len(pixels),), (len(pixels), 1)]:
        raise UserError(
            f"{source}: labels of shape {np.shape(labels)}: must be ({len(pixels)},)"
        )
    if pixels.dtype.kind not in "uif":
        raise UserError(f"{source}: pixels of type {pixels.dtype}: save them as uint8")
    low, high = pixels.min(), pixels.max()
    if not (low >= 0 and high <= 255):  # also for NaN
        raise UserError(f"{source}: pixels in {low}..{high}: must be in 0..255 or 0..1")
    if high < 2:  # in 0..1, with a tolerance for rounding errors
        pixels = np.minimum(pixels, 1) * 255.0
    pixels = np.round(pixels)
    pixels = pixels.astype(np.uint8)[..., np.newaxis]
    return Images(pixels, labels, name, source, classes=names_of_labels(labels, name))


def names_of_labels(labels, name):
    """Return the names of the labels 0, 1, ..., a tuple; () for labels of other kinds."""
    if name == "fashion-mnist":
        return FASHION
    numbers = np.unique(labels) if labels is not None else np.array([])
    counted = numbers.dtype.kind in "uif" and 2 <= len(numbers) <= MOST_CLASSES
    if not (counted and np.array_equal(numbers, np.arange(len(numbers)))):
        return ()
    return tuple(map(str, range(len(numbers))))
