"""Read packed images: the untrusted HDF5 file that celeba_gan/pack_hdf5.py makes."""

import hashlib
from pathlib import Path

import numpy as np

from common.basics.errors import UserError, as_user_error
from common.data.datasets import Images
from common.safety.hdf5 import check_attributes, check_storage, local_item

MAX_IN_MEMORY_BYTES = 2**30  # of pixels; larger data sets stay in their file
DATASETS = ("images", "labels", "classes", "attributes", "attribute_names")
LZF_FILTER_ID = 32000  # the only compression of pack_hdf5.py
N_FINGERPRINTED = 100  # images in the fingerprint of a larger file
MAX_LZF_RATIO = 100
MAX_CHUNK_BYTES = 2**28  # bytes decompressed at a time
MAX_NAMES_LENGTH = 2**20  # characters of all names
PACK_AGAIN = (
    "pack the pictures again with celeba_gan/pack_hdf5.py; if the file is in Keras's "
    "cache, delete it: the next run packs them again"
)


class PackedImages:
    """Images in an open HDF5 file; indexing reads only the selected images.

    Attributes:
        shape: (n, h, w, c).
        dtype: uint8.
        chunk_rows: images in a chunk: reading whole chunks is fastest.

    Args:
        dataset: h5py.Dataset, uint8 (n, h, w, c).
        n: number of its images, from the first on; None: all.
    """

    def __init__(self, dataset, n=None):
        self._dataset, self.dtype = dataset, dataset.dtype
        self.shape = (n or len(dataset), *dataset.shape[1:])
        self.chunk_rows = min((dataset.chunks or self.shape)[0], len(self))

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        """Read the selected images; thread-safe.

        Args:
            rows: a slice, or int (m,) in any order, repeats allowed.

        Returns:
            uint8 (m, h, w, c) in the order of the rows.

        Raises:
            IndexError: a row is out of range.
        """
        rows = np.arange(len(self))[rows]
        if rows.ndim != 1:
            raise IndexError("rows must be a slice or whole numbers of shape (m,)")
        order = np.argsort(rows, kind="stable")
        images = np.empty((len(rows), *self.shape[1:]), self.dtype)
        # h5py is slow with lists of rows, so consecutive rows are read in slices.
        ends = np.flatnonzero(np.diff(rows[order]) > 1) + 1
        for group in np.split(order, ends) if rows.size else ():
            first, last = rows[group[0]], rows[group[-1]]
            images[group] = self._dataset[first : last + 1][rows[group] - first]
        return images

    def first(self, n):
        """Return the first n images: an array if they fit into memory."""
        few = PackedImages(self._dataset, n)
        return self._dataset[:n] if fits_in_memory(few.shape) else few


def fits_in_memory(shape):
    return np.prod(shape, dtype=float) < MAX_IN_MEMORY_BYTES


def open_packed(path, attribute=None):
    """Validate and open a packed file.

    Up to MAX_IN_MEMORY_BYTES all images are read, and their checksum is verified. The
    fingerprint of a larger file is computed from some of its images.

    Args:
        path: the file.
        attribute: name of the attribute that is the label, 0 or 1; None: the label is
            the subfolder of the picture, if there were subfolders.

    Returns:
        Images: pixels uint8 (n, h, w, c), an array or PackedImages; labels int (n,)
        or None.

    Raises:
        UserError: it is not a packed file, or it is incomplete or damaged.
    """
    import h5py

    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} is not a file: use a file of packed images")
    if not h5py.is_hdf5(path):
        raise UserError(f"{path} is not an HDF5 file: {PACK_AGAIN}")
    with as_user_error(f"{path} is damaged, or not a file of packed images", PACK_AGAIN):
        file = h5py.File(path)
        check_packed(file, path)
        labels = file["labels"][:] if "labels" in file else None
        classes = read_texts(file["classes"]) if "classes" in file else ()
        chosen = attribute_labels(file, attribute, path) if attribute else None
        name = Path(str(file.attrs["source"])).stem
        pixels, identity = read_pixels(file, labels)
    if attribute:
        labels, classes = chosen, (f"not {attribute}", attribute)
        content = identity.encode() + chosen.astype("i1").tobytes()
        identity = hashlib.sha256(content).hexdigest()  # includes the labels
    return Images(pixels, labels, name, str(path), checksum=identity, classes=classes)


def read_pixels(file, labels):
    """Return the pixels of an open file, and their fingerprint in hexadecimal.

    Raises:
        ValueError: the checksum does not match the one in the file.
    """
    pixels, expected = PackedImages(file["images"]), str(file.attrs["checksum"])
    if not fits_in_memory(pixels.shape):
        sample = pixels[:: len(pixels) // N_FINGERPRINTED + 1]
        return pixels, checksum(sample, labels) + expected
    pixels = file["images"][:]
    if checksum(pixels, labels) != expected:
        raise ValueError("its checksum does not match its content")
    file.close()
    return pixels, expected


def attribute_labels(file, attribute, path):
    """Return 1 for the images that have an attribute, else 0: int (n,).

    Raises:
        UserError: the file does not contain this attribute, or all images have it, or
            none.
        ValueError: the attributes are damaged.
    """
    if "attributes" not in file:
        raise UserError(
            f"--attribute {attribute}: {path} was packed without attributes; pack again, "
            "with list_attr_celeba.txt next to the folder or zip of pictures"
        )
    names = read_texts(file["attribute_names"])
    if attribute not in names:
        raise UserError(
            f"--attribute {attribute} does not exist: choose one of {', '.join(names)}"
        )
    values, shape = file["attributes"], (len(file["images"]), len(names))
    if values.shape != shape or values.dtype.kind not in "iu":
        raise ValueError(
            f"its attributes are {values.dtype} {values.shape}, not whole numbers {shape}"
        )
    labels = values[:, names.index(attribute)] > 0
    if labels.all() or not labels.any():
        raise UserError(
            f"--attribute {attribute}: {'all' if labels.all() else 'none'} of the "
            "pictures have it; choose an attribute that only some of them have"
        )
    return labels.astype(int)


def read_texts(dataset):
    """Return the strings in a dataset of an untrusted file, a tuple.

    They are read one by one: a small file can refer to one long string many times.

    Raises:
        ValueError: they have more than MAX_NAMES_LENGTH characters.
    """
    texts, length = [], 0
    for i in range(len(dataset)):
        texts.append(str(dataset.asstr()[i]))
        length += len(texts[-1]) + 1
        if length > MAX_NAMES_LENGTH:
            raise ValueError("the names in it are too long")
    return tuple(texts)


def check_packed(file, path):
    """Raise a UserError or a ValueError unless an open file is a valid packed file."""
    if "model_config" in file.attrs or "model_weights" in file or "layers" in file:
        raise UserError(
            f"{path} is a saved Keras model: use a file of images that "
            "celeba_gan/pack_hdf5.py made"
        )
    check_attributes(file)
    for name in DATASETS:
        if name in file or file.get(name, getlink=True):
            check_dataset(file, name)
    images = file.get("images")
    shape = getattr(images, "shape", ())
    is_bytes = getattr(images, "dtype", None) == np.uint8
    if not is_bytes or len(shape) != 4 or 0 in shape or shape[1] != shape[2]:
        raise ValueError("it has no dataset images of type uint8 (n, size, size, c)")
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


def check_dataset(file, name):
    """Validate how a dataset of an open file is stored, before it is read.

    Raises:
        ValueError: it is stored in other files, declares more bytes than the file
            contains, or has a compression that pack_hdf5.py does not use.
    """
    import h5py

    dataset = local_item(file, name)
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"its {name!r} is not a dataset")
    settings = dataset.id.get_create_plist()
    filters = {settings.get_filter(i)[0] for i in range(settings.get_nfilters())}
    chunk = np.prod(dataset.chunks or 0, dtype=float) * dataset.dtype.itemsize
    if filters - {LZF_FILTER_ID} or chunk > MAX_CHUNK_BYTES:
        raise ValueError(f"its {name!r} has a compression or chunks that are not allowed")
    check_storage(dataset, MAX_LZF_RATIO if filters else 1)


def checksum(pixels, labels):
    """Return the SHA-256 of shape, pixels and labels as a hexadecimal text.

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
