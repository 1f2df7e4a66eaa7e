"""Load grey images of 28x28 pixels: MNIST, Fashion-MNIST, digits, or the user's files."""

import numpy as np

from common.basics.errors import UserError
from common.data import formats
from common.data.datasets import (
    Images,
    NotFoundError,
    existing_path,
    find_locally,
    keras_download,
)

SHAPE = (28, 28)
MAX_CLASSES = 1000
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
        return mnist_or_scikit_digits(split)
    if data in KERAS_FILES:
        return load_named(data, split)
    if data == "digits":
        return scikit_learn_digits(split)
    if data == "synthetic":
        return synthetic_bars()
    path = existing_path(data)
    pixels, labels = formats.read_images(path, split)
    return validated_images(pixels, labels, path.stem, str(path))


def mnist_or_scikit_digits(split):
    try:
        return load_named("mnist", split)
    except NotFoundError as reason:
        digits = scikit_learn_digits(split)
        return digits._replace(
            notice=f"THIS IS NOT MNIST, which was not found ({reason}). Used instead: "
            f"{len(digits.pixels)} small handwritten digits, a part of scikit-learn."
        )


def load_named(name, split):
    """Return MNIST or Fashion-MNIST from the disk, or download it."""
    if path := find_locally([name], [KERAS_FILES[name]]):
        pixels, labels = formats.read_images(path, split)
    else:
        pixels, labels = keras_download(
            name.replace("-", "_"),
            split,
            f"{name} is neither in $GAN_DATA_DIR/{name} nor in Keras's cache, and its "
            "download failed ({}): copy it there, or connect to the internet",
        )
    return validated_images(pixels, labels, name, str(path or "downloaded by Keras"))


def scikit_learn_digits(split):
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
    return validated_images(pixels, digits.target[part], "digits", "scikit-learn")


def synthetic_bars():
    """Return 512 images of a grey bar, left or right, for a quick test of a script."""
    rng = np.random.default_rng(0)
    pixels, corners = np.zeros((512, *SHAPE), np.uint8), rng.integers(2, 14, (512, 2))
    for image, (x, y) in zip(pixels, corners, strict=True):
        image[y : y + 12, x : x + 4] = 200
    is_right = (corners[:, 0] >= 8).astype(int)
    notice = "SYNTHETIC DATA: grey bars, to test that the script runs."
    images = validated_images(pixels, is_right, "synthetic", "drawn")
    return images._replace(notice=notice, classes=("left", "right"))


def validated_images(pixels, labels, name, source):
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
    n, problem = len(pixels) if pixels.ndim else 0, ""
    if pixels.shape[1:] != SHAPE:
        problem = f"the images have shape {pixels.shape}: it must be (n, 28, 28)"
    elif n == 0:
        problem = "it contains no images: use a file with images"
    elif labels is not None and np.shape(labels) not in [(n,), (n, 1)]:
        problem = f"the labels have shape {np.shape(labels)}: it must be ({n},)"
    elif pixels.dtype.kind not in "uif":
        problem = f"the pixels have type {pixels.dtype}: save them as uint8"
    elif not (pixels.min() >= 0 and pixels.max() <= 255):  # also for NaN
        span = f"{pixels.min()}..{pixels.max()}"
        problem = f"the pixels are in {span}: they must be in 0..255 or 0..1"
    if problem:
        raise UserError(f"{source}: {problem}")
    if pixels.max() < 2:  # in 0..1, with a tolerance for rounding errors
        pixels = np.minimum(pixels, 1) * 255.0
    pixels = np.round(pixels).astype(np.uint8)[..., np.newaxis]
    return Images(pixels, labels, name, source, classes=names_of_labels(labels, name))


def names_of_labels(labels, name):
    """Return the names of the labels 0, 1, ..., a tuple; () for other labels."""
    if name == "fashion-mnist":
        return FASHION
    numbers = np.unique(labels) if labels is not None else np.array([])
    is_number = numbers.dtype.kind in "uif" and 2 <= len(numbers) <= MAX_CLASSES
    if not (is_number and np.array_equal(numbers, np.arange(len(numbers)))):
        return ()
    return tuple(map(str, range(len(numbers))))
