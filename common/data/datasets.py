"""Represent data sets of images, and find them on the disk or download them.

They are searched in $GAN_DATA_DIR, then in Keras's cache; otherwise Keras downloads them.
"""

import hashlib
import os
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.basics.errors import UserError
from common.devices import suppressed_stderr


class Images(NamedTuple):
    """A set of images and its origin.

    Attributes:
        pixels: uint8 (n, h, w, c).
        labels: int (n,), or None.
        name: mnist, fashion-mnist, digits, synthetic, or the file's name.
        source: path, or a name such as "scikit-learn".
        notice: a warning to print if these are not the requested images.
        checksum: hexadecimal SHA-256; "": computed by `digest`.
        classes: names of the labels 0, 1, ...; empty without labels.
    """

    pixels: np.ndarray
    labels: np.ndarray | None
    name: str
    source: str
    notice: str = ""
    checksum: str = ""
    classes: tuple = ()

    def first(self, n):
        """Return the first n images, or all if n is None.

        Raises:
            UserError: there are fewer.
        """
        if n in (None, len(self.pixels)):
            return self
        if n > len(self.pixels):
            raise UserError(
                f"--limit {n}: {self.name} has {len(self.pixels)} images: use at most "
                f"--limit {len(self.pixels)}"
            )
        pixels = self.pixels[:n] if self.in_memory else self.pixels.first(n)
        labels = None if self.labels is None else self.labels[:n]
        few = self._replace(pixels=pixels, labels=labels, checksum="")
        if few.in_memory:
            return few
        content = f"{self.checksum} {n}".encode()
        return few._replace(checksum=hashlib.sha256(content).hexdigest())

    @property
    def in_memory(self):
        """Whether the pixels are an array, not in a file."""
        return isinstance(self.pixels, np.ndarray)

    def describe(self):
        """Return the description in `options.json`, a dict."""
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
    """Images that are stored as uint8, and converted to float32 when indexed.

    Args:
        pixels: uint8 (n, h, w, c), an array or `packed.PackedImages`.
        scale: function, uint8 array -> float32 array in the range of G's output.
        labels, classes: int (n,) and their names, for class-conditional models.
    """

    def __init__(self, pixels, scale, labels=None, classes=()):
        self.pixels, self.scale, self.shape = pixels, scale, pixels.shape
        self.classes = tuple(classes)
        self.labels = None if labels is None else np.int32(labels).reshape(-1, 1)
        self.chunk_rows = getattr(pixels, "chunk_rows", None)

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, rows):
        return self.scale(self.pixels[rows])

    def take(self, rows):
        """Return the images of these rows, int (m,), as a Scaled in memory."""
        return Scaled(self.pixels[rows], self.scale)


SYNTHETIC_HINT = ", or try the script with --data synthetic"


class NotFoundError(UserError):
    """A set of images or a network was not found, and could not be downloaded."""


def find_locally(names, cached=()):
    """Return the first file or folder that exists, or None.

    Args:
        names: relative paths to look for in the folder that GAN_DATA_DIR names.
        cached: relative paths to look for in Keras's cache, after that.

    Raises:
        UserError: GAN_DATA_DIR is not a folder.
    """
    folder = os.environ.get("GAN_DATA_DIR")
    if folder and not Path(folder).is_dir():
        raise UserError(f"GAN_DATA_DIR is {folder!r}, not a folder: set it to a folder")
    places = [Path(folder) / name for name in names] if folder else []
    places += [keras_cache() / name for name in cached]
    return next((path for path in places if path.exists()), None)


def existing_path(data):
    """Return the path that `--data` names.

    Raises:
        UserError: it does not exist.
    """
    path = Path(data).expanduser()
    if not path.exists():
        raise UserError(f"--data {path}: there is no such file or folder; check the path")
    return path


def keras_cache():
    """Return the folder where Keras keeps downloaded data."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def keras_download(module, split, advice):
    """Return images and labels of a split, as a module of keras.datasets downloads them.

    Args:
        module: its name, "cifar10".
        split: "train" or "test".
        advice: the error message; `{}` in it is replaced by the reason.

    Raises:
        NotFoundError: the download failed.
    """
    with suppressed_stderr():
        from keras import datasets

    with downloading(advice):
        train, test = getattr(datasets, module).load_data()
    return train if split == "train" else test


@contextmanager
def downloading(advice):
    """Wait for a server at most 30 seconds, and convert errors, inside this context.

    Args:
        advice: the error message; `{}` in it is replaced by the reason.

    Raises:
        NotFoundError: the download failed.
    """
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(30)  # seconds without an answer
    try:
        yield
    except Exception as error:  # Keras raises plain Exceptions
        reason = " ".join(str(error).split()).rpartition(" -- ")[2].rpartition("] ")[2]
        raise NotFoundError(advice.replace("{}", reason.lower(), 1)) from None
    finally:
        socket.setdefaulttimeout(timeout)


def show_notice(images):
    """Print the notice, if there is one, in a frame."""
    if images.notice:
        frame = "!" * 79
        print(f"{frame}\n{images.notice}\n{frame}", flush=True)
