"""Packed images: reads the HDF5 file that celeba_gan/pack_hdf5.py makes, untrusted."""

import hashlib
from pathlib import Path

import numpy as np

from common.basics.errors import UserError, as_user_error
from common.data.datasets import Images
from common.safety.hdf5 import check_attributes, check_size, item_of

IN_MEMORY = 2**30  # bytes of pixels; a larger set stays in its file
BESIDE = ("labels", "classes", "attributes", "attribute_names")  # besides the images
LZF = 32000  # HDF5's number of the only compression that pack_hdf5.py uses
N_LOOKED_AT = 100  # images of a larger file that its fingerprint is computed from
MOST_LZF = 100  # largest compression ratio of LZF
MOST_CHUNK = 2**28  # bytes decompressed at a time
MOST_TEXTS = 2**20  # characters of all names
AGAIN = (
    "pack the pictures again with celeba_gan/pack_hdf5.py, or, in Keras's cache, delete "
    "the file: the next run packs them again"
)


class PackedImages:
    """Images in an open HDF5 file; indexing reads the selected ones alone.

    Attributes:
        shape: (n, h, w, c).
        dtype: uint8.
        chunk_rows: images in a chunk, the piece in which the file is fastest to read.
    """

    def __init__(self, dataset):
        self._dataset = dataset
        self.shape, self.dtype = dataset.shape, dataset.dtype
        self.chunk_rows = min((dataset.chunks or self.shape)[0], len(self))

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, picks):
        """Read the selected images; thread-safe.

        Args:
            picks: a slice, or int (m,) in any order, repeats allowed.

        Returns:
            uint8 (m, h, w, c) in the order of the picks.

        Raises:
            IndexError: an index is out of range.
        """
        picks = np.arange(len(self))[picks]
        if picks.ndim != 1:
            raise IndexError("picks must be a slice or whole numbers of shape (m,)")
        order = np.argsort(picks, kind="stable")
        images = np.empty((len(picks), *self.shape[1:]), self.dtype)
        # h5py is slow with lists of rows: runs of neighbours are read in slices
        ends = np.flatnonzero(np.diff(picks[order]) > 1) + 1
        for places in np.split(order, ends) if picks.size else ():
            first, last = picks[places[0]], picks[places[-1]]
            images[places] = self._dataset[first : last + 1][picks[places] - first]
        return images


def open_packed(path, attribute=None):
    """Validate and open a packed file.

    Below IN_MEMORY bytes of pixels all are read, and their checksum is verified. The
    fingerprint of a larger file is computed from some of its images.

    Args:
        path: the file.
        attribute: name of the attribute that becomes the label, 0 or 1; None: the label
            is the subfolder of the picture, where there were subfolders.

    Returns:
        `Images`: pixels uint8 (n, h, w, c), an array or PackedImages; labels int (n,)
        or None.

    Raises:
        UserError: it is not a packed file, is incomplete or damaged.
    """
    import h5py

    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} is not a file: name a file of packed images")
    if not h5py.is_hdf5(path):
        raise UserError(f"{path} is not an HDF5 file: {AGAIN}")
    with as_user_error(f"{path} is damaged, or not a file of packed images", AGAIN):
        file = h5py.File(path)
        check(file, path)
        labels = file["labels"][:] if "labels" in file else None
        classes = texts(file["classes"]) if "classes" in file else ()
        chosen = attribute_of(file, attribute, path) if attribute else None
        name = Path(str(file.attrs["source"])).stem
        pixels, identity = read_pixels(file, labels)
    if attribute:
        labels, classes = chosen, (f"not {attribute}", attribute)
        own = chosen.astype("i1").tobytes()  # the fingerprint covers the labels
        identity = hashlib.sha256(identity.encode() + own).hexdigest()
    return Images(pixels, labels, name, str(path), checksum=identity, classes=classes)


def read_pixels(file, labels):
    """Return the pixels of an open file, and their fingerprint in hexadecimal.

    Raises:
        ValueError: the checksum does not match the one in the file.
    """
    pixels, expected = PackedImages(file["images"]), str(file.attrs["checksum"])
    if np.prod(pixels.shape, dtype=float) >= IN_MEMORY:
        some = pixels[:: len(pixels) // N_LOOKED_AT + 1]
        return pixels, checksum(some, labels) + expected
    pixels = file["images"][:]
    if checksum(pixels, labels) != expected:
        raise ValueError("its checksum does not match its content")
    file.close()
    return pixels, expected


def attribute_of(file, attribute, path):
    """Return whether each image has an attribute, int (n,) of 0 and 1.

    Raises:
        UserError: the open file has no attributes, or not this one, or all images have
            it, or none.
        ValueError: the attributes are damaged.
    """
    if "attributes" not in file:
        raise UserError(
            f"--attribute {attribute}: {path} was packed without attributes; copy "
            "CelebA's list_attr_celeba.txt beside the folder or zip of pictures, or pack "
            "them with celeba_gan/pack_hdf5.py --attributes FILE"
        )
    titles = texts(file["attribute_names"])
    if attribute not in titles:
        raise UserError(
            f"--attribute {attribute} does not exist: choose one of {', '.join(titles)}"
        )
    table, wanted = file["attributes"], (len(file["images"]), len(titles))
    if table.shape != wanted or table.dtype.kind not in "iu":
        raise ValueError(
            f"its attributes are {table.dtype} {table.shape}, not whole numbers {wanted}"
        )
    has = table[:, titles.index(attribute)] > 0
    if has.all() or not has.any():
        raise UserError(
            f"--attribute {attribute}: {'all' if has.all() else 'none'} of the pictures "
            "have it; choose an attribute that only a part of them has"
        )
    return has.astype(int)


def texts(dataset):
    """Return the texts in a dataset of an untrusted file, a tuple.

    Raises:
        ValueError: they have more than MOST_TEXTS characters, which a small file can
            have by referring to one long text many times.
    """
    found, room = [], MOST_TEXTS
    for i in range(len(dataset)):
        found.append(str(dataset.asstr()[i]))
        room -= len(found[-1]) + 1
        if room < 0:
            raise ValueError("the names in it are too long")
    return tuple(found)


def check(file, path):
    """Raise a UserError or a ValueError unless an open HDF5 file is a complete pack."""
    if "model_config" in file.attrs or "model_weights" in file or "layers" in file:
        raise UserError(
            f"{path} is a saved Keras model: name a file of images that "
            "celeba_gan/pack_hdf5.py made"
        )
    check_attributes(file)
    for name in ("images", *BESIDE):
        if name in file or file.get(name, getlink=True):
            check_lies_here(file, name)
    images = file.get("images")
    shape = getattr(images, "shape", ())
    is_bytes = getattr(images, "dtype", None) == np.uint8
    if not is_bytes or len(shape) != 4 or 0 in shape or shape[1] != shape[2]:
        raise ValueError("it has no dataset `images`, uint8 (n, size, size, c)")
    if shape[3] not in (1, 3):
        raise ValueError(f"it has images of {shape[3]} channels, not 1 or 3")
    if file.attrs.get("complete") != True:  # noqa: E712, a NumPy bool
        raise ValueError("it is incomplete: packing was interrupted")
    if "labels" in file:
        labels, n_classes = file["labels"], len(file.get("classes", ()))
        if labels.shape != shape[:1] or labels.dtype.kind not in "iu":
            raise ValueError("its labels are not one whole number per image")
        if n_classes and not 0 <= labels[:].min() <= labels[:].max() < n_classes:
            raise ValueError(f"its labels are not all in 0..{n_classes - 1}")


def check_lies_here(file, name):
    """Raise a ValueError if a dataset of an open file is stored in other files.

    Also if it declares more bytes than the file holds, or has another compression than
    pack_hdf5.py writes.
    """
    import h5py

    dataset = item_of(file, name)
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"its {name!r} is not a dataset")
    settings = dataset.id.get_create_plist()
    filters = {settings.get_filter(i)[0] for i in range(settings.get_nfilters())}
    chunk = np.prod(dataset.chunks or 0, dtype=float) * dataset.dtype.itemsize
    if filters - {LZF} or chunk > MOST_CHUNK:
        raise ValueError(f"its {name!r} has another compression than lzf, or none")
    check_size(dataset, MOST_LZF if filters else 1)


def checksum(pixels, labels):
    """Return the SHA-256 of shape, pixels and labels, in hexadecimal.

    Args:
        pixels: uint8 (n, h, w, c): an array, PackedImages or a dataset of h5py.
        labels: int (n,) or None.
    """
    digest = hashlib.sha256(str(tuple(pixels.shape)).encode())
    for start in range(0, len(pixels), 512):  # they may be larger than memory
        digest.update(np.ascontiguousarray(pixels[start : start + 512]))
    if labels is not None:
        digest.update(np.asarray(labels, "<i8"))
    return digest.hexdigest()
