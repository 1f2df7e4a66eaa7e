"""Find the loader of a data set, and load its training and held-out images."""

from contextlib import suppress
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.basics.errors import UserError
from common.data import cifar10


class Source(NamedTuple):
    """The origin of the images of a dataset folder, such as mnist_gan.

    Attributes:
        loader: name of a module whose function `load_images` returns `datasets.Images`.
            Its arguments are `data`, the value of `--data`; `split`, "train" or "test",
            if there are held-out images; and possibly `size`, `crop`, `attribute`.
        shape: (h, w, c) of its images; None: it varies.
        names: values of `--data` in `common/evaluate.py` and `common/explore.py`.
    """

    loader: str
    shape: tuple | None = None
    names: tuple = ()


GREY = ("mnist", "fashion-mnist", "digits")
SOURCES = {
    "mnist_gan": Source("common.data.mnist", (28, 28, 1), GREY),
    "cifar10_gan": Source("common.data.cifar10", (32, 32, 3), ("cifar-10",)),
    "celeba_gan": Source("common.data.celeba", None, ("celeba",)),
}
DATA = ("auto", *(n for s in SOURCES.values() for n in s.names), "synthetic")


def load_splits(folder, **chosen):
    """Return the training images and the held-out ones of a dataset folder.

    Args:
        folder: one of SOURCES.
        chosen: options of a run that choose images; those that the loader does not take
            are ignored, except `limit`, the number of training images.

    Returns:
        two `datasets.Images` with checksums; the second is None if there are no held-out
        images, or if they are equal to the training images.

    Raises:
        UserError: the training images were not found, or are not valid.
    """
    load = import_module(SOURCES[folder].loader).load_images
    taken, limit = signature(load).parameters, chosen.get("limit")
    chosen = {name: value for name, value in chosen.items() if name in taken}
    train, test = with_checksum(load(**chosen).first(limit)), None
    if "split" in taken:
        with suppress(UserError):
            test = with_checksum(load(**chosen, split="test"))
    if test is not None and np.array_equal(test.pixels, train.pixels):
        return train, None
    return train, test


def with_checksum(images):
    """Return Images with their checksum, so that it is computed once."""
    return images._replace(checksum=images.checksum or images.digest())


def folder_for(data, shape=None):
    """Return the dataset folder whose loader reads this value of `--data`.

    Args:
        data: "synthetic", one of the names of SOURCES, or a path.
        shape: (h, w, c) of the requested images; it decides for "synthetic" and for
            paths. Folders of pictures are read by `celeba_gan`.
    """
    for folder, source in SOURCES.items():
        if data in source.names or (data == "synthetic" and shape == source.shape):
            return folder
    if data in DATA:
        return "celeba_gan"
    if Path(data).suffix in (".npz", ".csv") or shape == SOURCES["mnist_gan"].shape:
        return "mnist_gan"
    return "cifar10_gan" if cifar10.is_cifar10_folder(Path(data)) else "celeba_gan"
