"""Validate the datasets and attributes of untrusted HDF5 files before they are read.

A hostile file can refer to other files, decompress to a thousand times its size, or refer
to the same numbers many times.
"""

import math
import mmap
import re

import numpy as np

from common.safety.arrays import MAX_BYTES

MAX_OBJECTS = 10_000  # groups and datasets
MAX_ATTRIBUTE_BYTES = 2**28


def check_weights(file, path):
    """Raise a ValueError unless all datasets of a file are uncompressed numbers in it.

    Args:
        file: h5py.File, open.
        path: Path of the file on the disk, for the maximum length of its strings.
    """
    import h5py

    groups, addresses, bytes_left = [file], set(), MAX_BYTES
    max_string = largest_heap(path)
    for group in groups:  # grows inside the loop
        check_attributes(group, max_string)
        names = [n for key in ("weight_names", "layer_names")
                 for n in np.ravel(group.attrs.get(key, ())).tolist()]  # fmt: skip
        if len(names) != len(set(names)):
            raise ValueError(f"its {group.name!r} lists the same weights twice")
        for name in group:
            item = local_item(group, name)
            address = h5py.h5o.get_info(item.id).addr
            if address in addresses:
                raise ValueError(f"its {item.name!r} is linked from several places")
            addresses.add(address)
            if len(addresses) > MAX_OBJECTS:
                raise ValueError(f"it has more than {MAX_OBJECTS} groups and datasets")
            if isinstance(item, h5py.Group):
                groups.append(item)
                continue
            if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
                raise ValueError(f"its {item.name!r} is not a dataset of numbers")
            check_storage(item)
            check_attributes(item, max_string)
            bytes_left -= item.nbytes
            if bytes_left < 0:
                raise ValueError(f"its datasets have more than {MAX_BYTES} bytes")


def local_item(group, name):
    """Return a group or dataset, if it is not a link and is stored in the same file.

    Args:
        group: h5py.Group, open.
        name: name of the item in the group.

    Raises:
        ValueError: it is a link, or its values are in other files.
    """
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"its {name!r} is a link to another place")
    item = group[name]
    if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
        raise ValueError(f"its {name!r} is stored in other files")
    return item


def check_storage(dataset, max_ratio=1):
    """Raise a ValueError if a dataset declares more bytes than its file can contain.

    Args:
        dataset: h5py.Dataset.
        max_ratio: largest allowed compression ratio.
    """
    stored = dataset.id.get_storage_size()
    if stored * max_ratio < dataset.nbytes:
        sizes = f"declares {dataset.nbytes} bytes, but has only {stored}"
        raise ValueError(f"its {dataset.name!r} {sizes}")


def check_attributes(item, max_string=None):
    """Raise a ValueError if an attribute could need much more memory than its file.

    An array of strings can refer to one long string a million times.

    Args:
        item: group or dataset of an open HDF5 file.
        max_string: bytes of the longest string, see `largest_heap`; None: arrays of
            strings are not allowed.
    """
    import h5py

    for name in item.attrs:
        attribute = item.attrs.get_id(name)
        n_values = math.prod(attribute.shape or ())
        n_bytes = n_values * attribute.dtype.itemsize
        if attribute.dtype.hasobject:  # of variable length
            is_text = h5py.check_string_dtype(attribute.dtype) is not None
            is_allowed = is_text and not (attribute.shape and max_string is None)
            n_bytes = n_values * (max_string or 0) if is_allowed else math.inf
        if n_bytes > MAX_ATTRIBUTE_BYTES:
            raise ValueError(f"its attribute {name[:50]!r} is not a text, or too long")


def largest_heap(path):
    """Return the bytes of the largest global heap: no string in the file is longer.

    A global heap starts with GCOL, a version, three zeros, and its size in 8 bytes:
    "HDF5 File Format Specification" 3.0, III.E.
    """
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        heaps = re.compile(rb"GCOL(?=.{4}(.{8}))", re.DOTALL).findall(content)
    return max((int.from_bytes(size, "little") for size in heaps), default=0)
