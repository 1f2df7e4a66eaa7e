"""Load CIFAR-10: 32x32 colour photographs of ten classes.

They are read from $GAN_DATA_DIR or Keras's cache; otherwise Keras downloads them. Files
in the cache are read here, because Keras downloads again if the archive was deleted.
"""

import numpy as np

from common.basics.errors import UserError, as_user_error
from common.data import datasets
from common.data.datasets import Images
from common.data.shapes import synthetic_shapes
from common.safety.archives import MAX_BYTES, read_archive
from common.safety.arrays import check_file
from common.safety.pickles import byte_array, load_plain

CLASSES = ("airplane", "automobile", "bird", "cat", "deer",
           "dog", "frog", "horse", "ship", "truck")  # fmt: skip
BATCHES = {"train": [f"data_batch_{n}" for n in range(1, 6)], "test": ["test_batch"]}
FOLDER, ARCHIVE = "cifar-10-batches-py", "cifar-10-python.tar.gz"
KERAS_NAMES = (f"{FOLDER}-target", FOLDER, f"{FOLDER}-target_archive", ARCHIVE)
NOT_FOUND = (
    "CIFAR-10 was not found, and its download failed ({}): "
    f"set GAN_DATA_DIR to a folder with {FOLDER} or {ARCHIVE} "
    '("CIFAR-10 python version" of https://www.cs.toronto.edu/~kriz/cifar.html), or '
    f"connect to the internet{datasets.SYNTHETIC_HINT}"
)


def load_images(data="auto", split="train"):
    """Load 32x32 colour images.

    Args:
        data: "auto" or "cifar-10" (CIFAR-10 itself), "synthetic" (geometric shapes), or a
            path to a folder `cifar-10-batches-py`, its parent, or a tar archive of it.
        split: "train" or "test".

    Returns:
        Images: pixels uint8 (n, 32, 32, 3), labels int (n,) in 0..9.

    Raises:
        NotFoundError: CIFAR-10 was not found, and its download failed.
        UserError: GAN_DATA_DIR or the path is wrong, or a file is damaged or missing.
    """
    if data == "synthetic":
        return synthetic_shapes(split)
    if data not in ("auto", "cifar-10"):
        return read_images(datasets.existing_path(data), split)
    if path := datasets.find_locally((FOLDER, ARCHIVE), KERAS_NAMES):
        return read_images(path, split)
    pixels, labels = datasets.keras_download("cifar10", split, NOT_FOUND)
    return Images(
        pixels, labels.ravel(), "cifar-10", "downloaded by Keras", classes=CLASSES
    )


def read_images(path, split):
    """Read the Images of a folder `cifar-10-batches-py`, its parent, or an archive of it.

    Args:
        path: Path.
        split: "train" or "test".

    Raises:
        UserError: a file is missing or damaged.
    """
    if (path / FOLDER).is_dir():
        path = path / FOLDER
    names = BATCHES[split]
    with as_user_error(f"{path} cannot be read", f"download {ARCHIVE} again"):
        files = read_folder(path, names) if path.is_dir() else read_archive(path, names)
    if missing := [name for name in names if name not in files]:
        raise UserError(
            f"{path} has no file {missing[0]}, which is a part of CIFAR-10: download or "
            f"copy {ARCHIVE} again"
        )
    batches = [read_batch(files[name], path / name) for name in names]
    planes, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    pixels = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    pixels = np.ascontiguousarray(pixels)
    return Images(pixels, labels, "cifar-10", str(path), classes=CLASSES)


def is_cifar10_folder(path):
    """Return whether a path is the folder of CIFAR-10, or its parent."""
    return any((path / name).exists() for name in (FOLDER, "data_batch_1"))


def read_folder(folder, names):
    paths = [folder / name for name in names if (folder / name).exists()]
    for path in paths:
        check_file(path, MAX_BYTES)
    return {path.name: path.read_bytes() for path in paths}


def read_batch(content, file):
    """Deserialize an untrusted pickled batch.

    Args:
        content: bytes of the pickle.
        file: its Path, for messages.

    Returns:
        pixels uint8 (n, 3072); labels int (n,) in 0..9.

    Raises:
        UserError: it is damaged, or not a batch of CIFAR-10.
    """
    with as_user_error(f"{file} is damaged or not a CIFAR-10 batch"):
        batch = load_plain(content)
        items = batch.items() if isinstance(batch, dict) else ()
        batch = {k.decode() if isinstance(k, bytes) else k: v for k, v in items}
        if not {"data", "labels"} <= batch.keys():
            raise ValueError("it has no data or no labels")
        pixels, labels = byte_array(batch["data"]), batch["labels"]
        is_list = isinstance(labels, list) and len(labels) > 0
        if not (is_list and all(type(x) is int and 0 <= x <= 9 for x in labels)):
            raise ValueError("its labels are not a list of whole numbers from 0 to 9")
        if pixels.shape != (len(labels), 3072):
            raise ValueError(f"its data has shape {pixels.shape}, not (n, 3072)")
        return pixels, np.array(labels)
