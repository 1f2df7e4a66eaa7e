"""Where images come from, in which order, and what they must look like.

MNIST and Fashion-MNIST are taken from the first place that has them: the folder named
by the environment variable GAN_DATA_DIR, Keras's cache, Keras's download.
"""

import hashlib
import os
import socket
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.basics.errors import UserError
from common.data import formats
from common.devices import quiet_start

SHAPE = (28, 28)
MOST_CLASSES = 1000
FASHION = ("T-shirt", "trouser", "pullover", "dress", "coat",
           "sandal", "shirt", "sneaker", "bag", "boot")  # fmt: skip
KERAS_FILES = {"mnist": "mnist.npz", "fashion-mnist": "fashion-mnist"}


class Images(NamedTuple):
    """A set of images and where it comes from."""

    pixels: np.ndarray  # uint8 (n, h, w, c)
    labels: np.ndarray | None  # (n,)
    name: str  # mnist, fashion-mnist, digits, synthetic, or the file's name
    source: str  # path, or the package that brought it
    notice: str = ""  # what nobody may miss: these are not the images one thinks of
    checksum: str = ""  # hexadecimal, where the file that brought them holds one
    classes: tuple = ()  # names of the labels 0, 1, ..., where there are labels

    def describe(self):
        """What `options.json` keeps of them."""
        return {
            "name": self.name,
            "source": self.source,
            "shape": list(self.pixels.shape),
            "fingerprint": (self.checksum or self.digest())[:16],
        }

    def digest(self):
        digest = hashlib.sha256(str(self.pixels.shape).encode())
        digest.update(np.ascontiguousarray(self.pixels))
        if self.labels is not None:
            digest.update(str(np.ravel(self.labels).tolist()).encode())
        return digest.hexdigest()


class Scaled:
    """Images that become float32 when they are drawn: as bytes they fit into memory.

    Args:
        pixels: uint8 (n, h, w, c), an array or `packed.PackedImages`.
        scale: function, uint8 array -> float32 array in the range that G makes.
        labels, classes: int (n,) and their names, where D and G take the class.
    """

    def __init__(self, pixels, scale, labels=None, classes=()):
        self.pixels, self.scale, self.shape = pixels, scale, pixels.shape
        self.labels = None if labels is None else np.int32(labels).reshape(-1, 1)
        self.classes = tuple(classes)
        self.chunk_rows = getattr(pixels, "chunk_rows", None)  # of a file that is read

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, picks):
        return self.scale(self.pixels[picks])

    def take(self, rows):
        """The images of these rows alone, held in memory."""
        return Scaled(self.pixels[rows], self.scale)


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


class NotFoundError(UserError):
    """The set is in none of the places."""


def named_set(name, split):
    """MNIST or Fashion-MNIST from the first place that has it."""
    for path in local_places(name):
        if path.exists():
            pixels, labels = formats.read_images(path, split)
            return checked(pixels, labels, name, str(path))
    pixels, labels = download(name)[split]
    return checked(pixels, labels, name, "downloaded by Keras")


def local_places(name):
    if folder := data_dir():
        yield folder / name
    yield keras_cache() / KERAS_FILES[name]


def data_dir():
    """The folder that GAN_DATA_DIR names, or None where it is not set.

    Raises:
        UserError: it names no folder.
    """
    name = os.environ.get("GAN_DATA_DIR")
    if name and not Path(name).is_dir():
        raise UserError(f"GAN_DATA_DIR names {name!r}, which is not a folder")
    return Path(name) if name else None


def keras_cache():
    """The folder where Keras keeps downloaded data."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def download(name):
    try:
        return keras_download(name.replace("-", "_"))
    except NotFoundError as reason:
        raise NotFoundError(
            f"{name} is neither in $GAN_DATA_DIR/{name} nor in Keras's cache, "
            f"and its download failed: {reason}"
        ) from None


def keras_download(module):
    """What `load_data` of a module of keras.datasets gives, by split.

    Raises:
        NotFoundError: the download failed, for the reason that it tells.
    """
    with quiet_start():
        from keras import datasets

    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(30)  # seconds without an answer
    try:
        train, test = getattr(datasets, module).load_data()
    except Exception as error:  # Keras raises plain Exceptions
        raise NotFoundError(" ".join(str(error).split())) from None
    finally:
        socket.setdefaulttimeout(patience)
    return {"train": train, "test": test}


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
    if not isinstance(pixels, np.ndarray):
        raise UserError(f"{source}: holds no array of images")
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


def show_notice(images):
    """Print the notice, if there is one, so that no one can miss it."""
    if images.notice:
        frame = "!" * 79
        print(f"{frame}\n{images.notice}\n{frame}", flush=True)
