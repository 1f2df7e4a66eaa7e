"""Which real images are those that a generator is to be compared with?"""

from pathlib import Path

import numpy as np

from common import cifar10, datasets
from common.errors import UserError
from common.runs import read_options

GREY_SETS = ("mnist", "fashion-mnist", "digits")
COLOUR_SETS = ("cifar-10",)
FACES = ("celeba",)
DATA = ("auto", *GREY_SETS, *COLOUR_SETS, *FACES, "synthetic")
GREY, COLOUR = (28, 28, 1), (32, 32, 3)


def load_reference(data, shape=None):
    """The real images of a name or a path.

    Args:
        data: one of DATA, or a path: of an .npz or a .csv, or of any file or folder that
            `mnist_gan/train.py` takes, where shape is (28, 28, 1), of CIFAR-10, where it
            holds that, or else of pictures.
        shape: (h, w, c) of the images that are to be compared; with "auto" it decides,
            and with "synthetic".

    Returns:
        datasets.Images to train on, and those that are held out, or None.

    Raises:
        UserError: there are none.
    """
    if data == "auto":
        data = {GREY: "mnist", COLOUR: "cifar-10"}.get(shape, "celeba")
    is_path, is_drawn = data not in DATA, data == "synthetic"
    if data in GREY_SETS or ((is_path or is_drawn) and shape == GREY):
        return both(datasets.load_images, data)
    if is_path and Path(data).suffix in (".npz", ".csv"):
        return both(datasets.load_images, data)
    if data in COLOUR_SETS or (is_drawn and shape == COLOUR):
        return both(cifar10.load_images, data)
    if is_path and is_cifar10(Path(data)):
        return both(cifar10.load_images, data)
    return pictures(data, size=shape[0] if shape else 64)


def reference_of_run(run):
    """The real images that a run was trained on, and those held out; as load_reference.

    Raises:
        UserError: it was trained on no images, or on others than these are now.
    """
    record = read_options(run)
    options, folder = record["options"], record["script"].split("/")[0]
    if folder == "mnist_gan":
        train, test = both(datasets.load_images, options["data"])
    elif folder == "cifar10_gan":
        train, test = both(cifar10.load_images, options["data"])
    elif folder == "celeba_gan":
        names = "data", "size", "crop", "attribute"
        train, test = pictures(*(options.get(name) for name in names))
    else:
        raise UserError(f"{run} is a run of {record['script']}, which makes no images")
    now, then = train.describe()["fingerprint"], record["data"]["fingerprint"]
    if now != then:
        raise UserError(
            f"{run} was trained on {record['data']['source']} ({then}), and there are "
            f"other images now ({now}): name those to compare with by --data"
        )
    return train, test


def both(load, data):
    """Both splits, the second None where there is no such, or it is the first again."""
    train = load(data, "train")
    try:
        test = load(data, "test")
    except UserError:
        return train, None
    return train, None if np.array_equal(test.pixels, train.pixels) else test


def is_cifar10(path):
    inside = (cifar10.FOLDER, "data_batch_1")
    return path.is_dir() and any((path / name).exists() for name in inside)


def pictures(data, size, crop=None, attribute=None):
    # The only place that knows a folder of the collection: it packs what is not packed.
    from celeba_gan.load_data import load_images

    return load_images(data, size, crop, attribute), None
