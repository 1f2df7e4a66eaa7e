"""CelebA, or pictures of one's own, as squares of 32, 64 or 128 pixels."""

import hashlib
from pathlib import Path

from common.basics.errors import UserError
from common.basics.files import exclusive_lock, new_folders
from common.data.attributes import MOST_ATTRIBUTES
from common.data.datasets import NotFoundError, find_locally, keras_cache
from common.data.packed import open_packed
from common.data.packing import base_name, pack
from common.data.pictures import open_source, shown
from common.data.shapes import synthetic_shapes
from common.safety.arrays import check_file

DATA = ("auto", "celeba", "synthetic")  # or a path
CELEBA_CROP = 0.72  # the usual 128 of 178 pixels: the face without what is around it
CELEBA_FILES = ("img_align_celeba.zip", "img_align_celeba")
FEWEST = 64  # images that a GAN can learn from at all
VERSION = 1  # part of a cached file's key: raise it when pixels would come out otherwise


def load_images(data="auto", size=64, crop=None, attribute=None):
    """Load square images; what is not packed yet is packed into Keras's cache first.

    Args:
        data: "auto" or "celeba" (the same), "synthetic", or the path of a folder or a
            zip of pictures, or of a file that `pack_hdf5.py` made.
        size: height and width, 32, 64 or 128.
        crop: share of the shorter side to keep; if None 1, for CelebA 0.72.
        attribute: name of one of CelebA's attributes that is to be the label, 0 or 1.

    Returns:
        datasets.Images, pixels uint8 (n, size, size, 1 or 3).

    Raises:
        UserError: there are none, fewer than 64, or they have another size.
    """
    if data == "synthetic":
        if attribute is not None:
            raise UserError(
                "--attribute: drawn shapes (--data synthetic, --dry-run) have none; "
                "leave it out"
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
            f"--crop {crop}: {path} was cropped when it was packed; leave --crop out"
        )
    images = open_packed(path, attribute)
    n, height = images.pixels.shape[:2]
    if height != size:
        raise UserError(
            f"{path} holds images of {height}x{height}: use --size {height}, or pack it "
            "again"
        )
    if n < FEWEST:
        raise UserError(
            f"--data {data}: {n} images are too few, at least {FEWEST} are needed"
        )
    return images


def find_celeba():
    """Where CelebA is: its zip or its folder in `$GAN_DATA_DIR/celeba`."""
    if path := find_locally([f"celeba/{name}" for name in CELEBA_FILES]):
        return path
    raise NotFoundError(
        "CelebA is not here: download img_align_celeba.zip (1.4 GB, 202,599 pictures of "
        "178x218) by hand from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, where "
        "its terms are, into $GAN_DATA_DIR/celeba or name it with --data; any other "
        "folder or zip of faces will do as well: --data FOLDER; to try the script: "
        "--data synthetic"
    )


def pack_into_cache(source, size, crop, attributes=None):
    """Pack into Keras's cache, unless just these files are packed there already.

    Args:
        source, size, crop, attributes: as of `pack`.

    Returns:
        Path of the packed file in `datasets/packed` of $KERAS_HOME or ~/.keras.

    Raises:
        UserError: as `pack` does.
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
            f"cannot write into Keras's cache: {error}; let KERAS_HOME name another "
            "folder"
        ) from None
    print(f"{shown(source)} is packed already: using {shown(target)}", flush=True)
    return target
