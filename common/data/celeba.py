"""Load CelebA, or the user's pictures, as squares of 32, 64 or 128 pixels."""

import hashlib
from pathlib import Path

from common.basics.errors import UserError
from common.basics.files import exclusive_lock, new_folders
from common.data.attributes import MAX_LIST_BYTES
from common.data.datasets import SYNTHETIC_HINT, NotFoundError, find_locally, keras_cache
from common.data.packed import open_packed
from common.data.packing import base_name, pack
from common.data.pictures import open_source, printable
from common.data.shapes import synthetic_shapes
from common.safety.arrays import check_file

DATA = ("auto", "celeba", "synthetic")  # or a path
CELEBA_CROP = 0.72  # 128 of 178 pixels: the face without its background
CELEBA_FILES = ("img_align_celeba.zip", "img_align_celeba")
MIN_IMAGES = 64  # for training
VERSION = 1  # of the packed pixels, a part of the cached file's key


def load_images(data="auto", size=64, crop=None, attribute=None):
    """Load square images. Pictures are first packed into a file in Keras's cache.

    Args:
        data: "auto" or "celeba" (the same), "synthetic", or the path of a folder or a
            zip of pictures, or of a file of `celeba_gan/pack_hdf5.py`.
        size: height and width, 32, 64 or 128.
        crop: fraction of the shorter side to keep, in (0, 1]; None: 0.72 for CelebA,
            else 1.
        attribute: name of the CelebA attribute that is the label, 0 or 1; or None.

    Returns:
        datasets.Images, pixels uint8 (n, size, size, 1 or 3).

    Raises:
        UserError: no images were found, fewer than 64, or of another size.
    """
    if data == "synthetic":
        if attribute is not None:
            reason = "synthetic images have no attributes; leave --attribute out"
            raise UserError(f"--attribute {attribute}: {reason}")
        return synthetic_shapes(size=size)
    path = find_celeba() if data in ("auto", "celeba") else Path(data)
    if path.suffix.lower() not in (".hdf5", ".h5"):
        crop = crop or (CELEBA_CROP if path.name in CELEBA_FILES else 1.0)
        table = path.parent / "list_attr_celeba.txt"
        attributes = table if attribute and table.is_file() else None
        path = pack_into_cache(path, size, crop, attributes)
    elif crop is not None:
        raise UserError(f"--crop {crop}: {path} is already cropped; leave --crop out")
    images = open_packed(path, attribute)
    n, height = images.pixels.shape[:2]
    if height != size:
        raise UserError(
            f"--size {size}: {path} contains images of {height}x{height}; use --size "
            f"{height}, or pack the pictures again"
        )
    if n < MIN_IMAGES:
        raise UserError(
            f"--data {data}: expected at least {MIN_IMAGES} images, found {n}: add more"
        )
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
        "(1.4 GB, 202,599 pictures of 178x218) into this folder from "
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, which states its terms of "
        "use, or use --data with the path of this zip or of a folder of pictures"
        f"{SYNTHETIC_HINT}"
    )


def pack_into_cache(source, size, crop, attributes=None):
    """Pack pictures into Keras's cache, unless they are packed there already.

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
            key.update(repr((name, files.size_and_version(name))).encode())
    if attributes:
        check_file(attributes, MAX_LIST_BYTES)
        key.update(Path(attributes).read_bytes())
    name = f"{base_name(source)}-{size}-{key.hexdigest()[:16]}.hdf5"
    target = keras_cache() / "packed" / name
    try:
        with new_folders(target.parent), exclusive_lock(target.parent):
            if not target.exists():
                return pack(source, target, size, crop, attributes=attributes,
                            at_least=MIN_IMAGES)  # fmt: skip
    except OSError as error:
        raise UserError(
            f"cannot write into Keras's cache: {error}; set KERAS_HOME to another folder"
        ) from None
    print(f"{printable(source)} is packed already: using {printable(target)}", flush=True)
    return target
