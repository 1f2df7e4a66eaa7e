"""Load the real images that a generator is compared with."""

import io
from contextlib import suppress
from itertools import islice

import numpy as np

from common.basics.errors import UserError
from common.data.pictures import open_source, try_to_read
from common.data.sources import SOURCES, folder_for, load_splits
from common.runs.record import DATA_OPTIONS
from common.safety.images import open_image

MIN_IMAGES = 20  # minimum number of images to score
MAX_SIZE = 1024  # maximum height of an image in pixels


def load_reference(data, shape=None):
    """Load the real images of a data set, given by name or path.

    Args:
        data: one of `sources.DATA`, or a path of an .npz, a .csv, CIFAR-10 or pictures;
            if shape is (28, 28, 1), any path that `mnist_gan/train.py` accepts.
        shape: (h, w, c) of the generated images; "auto" and "synthetic" depend on it.

    Returns:
        datasets.Images of the training set, and of the held-out set or None.

    Raises:
        UserError: there are no such images.
    """
    if data == "auto":
        known = [source for source in SOURCES.values() if source.shape]
        sizes = {source.shape[:2]: source.names[0] for source in reversed(known)}
        data = sizes.get(shape[:2], "celeba") if shape else "celeba"
    folder = folder_for(data, shape)
    return load_splits(folder, data=data, size=shape[0] if shape else 64)


def reference_of(record, name):
    """Load the training images of a run or a model, and the held-out images.

    Args:
        record: result of `record.read_options` or `checkpoints.origin_of`: dict of
            `script`, `options` and `data`.
        name: name of the run or model, for error messages.

    Returns:
        datasets.Images of the training set, and of the held-out set or None.

    Raises:
        UserError: it was not trained on images, its record is damaged, or the images
            have changed since the training.
    """
    options, folder = record["options"], record["script"].split("/")[0]
    size, crop = options.get("size", 64), options.get("crop")
    limit = options.get("limit")
    chosen = {key: options[key] for key in DATA_OPTIONS if key in options}
    is_valid = isinstance(options.get("data"), str)
    is_valid &= isinstance(options.get("attribute"), str | None)
    is_valid &= type(size) is int and 0 < size <= MAX_SIZE
    is_valid &= limit is None or (type(limit) is int and limit > 0)
    is_valid &= crop is None or (type(crop) is float and 0 < crop <= 1)
    if not is_valid:
        raise UserError(
            f"{name}: its record of the training images is not valid ({chosen}): name "
            "matching images with --data"
        )
    if folder not in SOURCES:
        raise UserError(f"{name}: {record['script']} has no images: set --data")
    train, test = load_splits(folder, **chosen)
    found, expected = train.describe()["fingerprint"], record["data"]["fingerprint"]
    if found != expected:
        raise UserError(
            f"{name} was trained on {record['data']['source']} (fingerprint {expected}), "
            f"whose images have changed ({found}): name matching images with --data"
        )
    if limit:
        print(f"real images: the first {limit} of {train.name}, as in the training")
    return train, test


def check_shape(shape, train, name):
    """Raise a UserError if generated and real images differ in shape.

    Args:
        shape: (h, w, c) of the generator's images.
        train: datasets.Images.
        name: name of the generator, for the message.
    """
    if shape != train.pixels.shape[1:]:
        raise UserError(
            f"{name} generates images of {shape}, those of {train.name} are "
            f"{train.pixels.shape[1:]}: name matching images with --data"
        )


def shape_of(source, name):
    """Return the shape (h, w, 1 or 3) of a picture, or None if it is not a picture.

    Args:
        source: pictures.Folder or pictures.Zip.
        name: name of a file in it.
    """
    with suppress(Exception), open_image(io.BytesIO(source.read(name))) as image:
        image.load()  # Pillow validates some formats only here
        return image.height, image.width, 1 if image.mode == "L" else 3


def first_shape(path):
    """Return the shape (h, w, c) of the first picture in a folder or a zip.

    Raises:
        UserError: there are no pictures.
    """
    with open_source(path) as source:
        shapes = (shape_of(source, name) for name in source.names)
        for shape in filter(None, shapes):
            return shape
    raise UserError(f"--images {path} contains no readable pictures: add pictures")


def read_pictures(path, shape, n):
    """Read at most n pictures of a folder or a zip, resized with antialiasing.

    Args:
        path: folder or zip.
        shape: (h, w, c) of the result.
        n: maximum number of pictures.

    Returns:
        uint8 (n, h, w, c), in a reproducible random order, because files are often sorted
        by class.

    Raises:
        UserError: fewer than MIN_IMAGES are readable.
    """
    with open_source(path) as source:
        names = np.random.default_rng(0).permutation(source.names)
        results = (try_to_read(source, shape[0], 1.0, shape[2], x) for x in names)
        pictures = list(islice((x for x in results if not isinstance(x, str)), n))
    if len(pictures) < MIN_IMAGES:
        raise UserError(
            f"--images {path}: expected at least {MIN_IMAGES} readable pictures, found "
            f"{len(pictures)}: add more"
        )
    return np.stack(pictures)
