"""CelebA, or the user's own pictures, as squares of 32, 64 or 128 pixels."""

import hashlib
from pathlib import Path

from common.basics.errors import UserError
from common.basics.files import exclusive_lock, new_folders
from common.data.attributes import MOST_ATTRIBUTES
from common.data.datasets import TRY, NotFoundError, find_locally, keras_cache
from common.data.packed import open_packed
from common.data.packing import base_name, pack
from common.data.pictures import open_source, shown
from common.data.shapes import synthetic_shapes
from common.safety.arrays import check_file

DATA = ("auto", "celeba", "synthetic")  # or a path
CELEBA_CROP = 0.72  # the usual 128 of 178 pixels: the face without its surroundings
CELEBA_FILES = ("img_align_celeba.zip", "img_align_celeba")
FEWEST = 64  # images, below which no training makes sense
VERSION = 1  # part of a cached file's key: raise it when the packed pixels change


def load_images(data="auto", size=64, crop=None, attribute=None):
    """Load square images; pictures that are not packed yet are packed first.

    Args:
        data: "auto" or "celeba" (the same), "synthetic", or the path of a folder or a
            zip of pictures, or of a file that `pack_hdf5.py` made.
        size: height and width, 32, 64 or 128.
        crop: fraction of the shorter side to keep, in (0, 1]; None: 0.72 for CelebA,
            else 1.
        attribute: name of the CelebA attribute that becomes the label, 0 or 1; or None.

    Returns:
        datasets.Images, pixels uint8 (n, size, size, 1 or 3).

    Raises:
        UserError: no images were found, fewer than 64, or of another size.
    """
    if data == "synthetic":
        if attribute is not None:
            raise UserError(
                f"--attribute {attribute}: synthetic images (--data synthetic, "
                "--dry-run) have no attributes; leave --attribute out"
            )
        return synthetic_shapes(size=size)
    path = find_celeba() if data in ("auto", "celeba") else Path(data)
    if path.suffix.lower() not in (".hdf5", ".h5"):
        crop = crop or (CELEBA_CROP if path.name in CELEBA_FILES else 1.0)
        table = path.parent / "list_attr_celeba.txt"
        attributes = table if attribute and table.is_file() else None
        path = pack_into_cache(path, size, crop, attributes)
    elif crop is not None:
        raise UserError(
            f"--crop {crop}: {path} was already cropped when it was packed; leave --crop "
            "out"
        )
    images = open_packed(path, attribute)
    n, height = images.pixels.shape[:2]
    if height != size:
        raise UserError(
            f"--size {size}: {path} holds images of {height}x{height}; use --size "
            f"{height}, or pack the pictures again"
        )
    if n < FEWEST:
        raise UserError(f"--data {data}: expected at least {FEWEST} images, found {n}")
    return images


def find_celeba():
    """Return the path of CelebA's zip or folder in `$GAN_DATA_DIR/celeba`.

    Raises:
        NotFoundError: neither is there.
    """
    if path := find_locally([f"celeba/{name}" for name in CELEBA_FILES]):
        return path
    raise NotFoundError(
        "CelebA was not found in $GAN_DATA_DIR/celeba: download img_align_celeba.zip "
        "(1.4 GB, 202,599 pictures of 178x218) by hand to there from "
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, which states its terms of "
        f"use, or give its path or other pictures with --data{TRY}"
    )


def pack_into_cache(source, size, crop, attributes=None):
    """Pack into Keras's cache, unless the same files are packed there already.

    Args:
        source, size, crop, attributes: see `packing.pack`.

    Returns:
        Path of the packed file in `datasets/packed` of $KERAS_HOME or ~/.keras.

    Raises:
        UserError: see `packing.pack`.
    """
    source = Path(source)
    key = hashlib.sha256(repr((VERSION, size, crop)).encode())
    with open_source(source) as files:
        for name in files.names:
            key.update(repr((name, files.stamp(name))).encode())
    if attributes:
        check_file(attributes, MOST_ATTRIBUTES)
        key.update(Path(attributes).read_bytes())
    name = f"{base_name(source)}-{size}-{key.hexdigest()[:16]}.hdf5"
    target = keras_cache() / "packed" / name
    try:
        with new_folders(target.parent), exclusive_lock(target.parent):
            if not target.exists():
                return pack(source, target, size, crop, attributes=attributes,
                            at_least=FEWEST)  # fmt: skip
    except OSError as error:
        raise UserError(
            f"cannot write into Keras's cache: {error}; set KERAS_HOME to another folder"
        ) from None
    print(f"{shown(source)} is packed already: using {shown(target)}", flush=True)
    return target
