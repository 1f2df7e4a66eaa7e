"""Sets of images: what they carry, and where they are looked for.

The places are the folder named by the environment variable GAN_DATA_DIR, Keras's cache
and Keras's download, in this order.
"""

import hashlib
import os
import socket
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.basics.errors import UserError
from common.devices import quiet_start


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
        self.classes = tuple(classes)
        self.labels = None if labels is None else np.int32(labels).reshape(-1, 1)
        self.chunk_rows = getattr(pixels, "chunk_rows", None)  # of a file that is read

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, picks):
        return self.scale(self.pixels[picks])

    def take(self, rows):
        """The images of these rows alone, held in memory."""
        return Scaled(self.pixels[rows], self.scale)


class NotFoundError(UserError):
    """The set is in none of the places."""


def find_locally(names, cached=()):
    """Return the first file or folder that exists, or None.

    Args:
        names: relative paths to look for in the folder that GAN_DATA_DIR names.
        cached: relative paths to look for in Keras's cache, after that.

    Raises:
        UserError: GAN_DATA_DIR names no folder.
    """
    folder = os.environ.get("GAN_DATA_DIR")
    if folder and not Path(folder).is_dir():
        raise UserError(f"GAN_DATA_DIR names {folder!r}, which is not a folder")
    places = [Path(folder) / name for name in names] if folder else []
    places += [keras_cache() / name for name in cached]
    return next((path for path in places if path.exists()), None)


def keras_cache():
    """The folder where Keras keeps downloaded data."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def keras_download(module, split, advice):
    """Return images and labels of a split, as a module of keras.datasets downloads them.

    Args:
        module: its name, "cifar10".
        split: "train" or "test".
        advice: the error message; `{}` in it stands for why the download failed.

    Raises:
        NotFoundError: the download failed.
    """
    with quiet_start():
        from keras import datasets

    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(30)  # seconds without an answer
    try:
        train, test = getattr(datasets, module).load_data()
    except Exception as error:  # Keras raises plain Exceptions
        reason = " ".join(str(error).split())
        raise NotFoundError(advice.format(reason)) from None
    finally:
        socket.setdefaulttimeout(patience)
    return train if split == "train" else test


def show_notice(images):
    """Print the notice, if there is one, so that no one can miss it."""
    if images.notice:
        frame = "!" * 79
        print(f"{frame}\n{images.notice}\n{frame}", flush=True)
