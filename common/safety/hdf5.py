"""Untrusted HDF5 files: their numbers and texts are validated before they are read.

A hostile file can refer to other files, decompress to a thousand times its size, or refer
to the same numbers many times.
"""

import math
import mmap
import re

import numpy as np

from common.safety.arrays import MOST_BYTES

MOST_OBJECTS = 10_000  # groups and datasets
MOST_ATTRIBUTE = 2**28  # bytes


def check_numbers(file, path):
    """Raise a ValueError unless an open HDF5 file holds all its numbers, uncompressed.

    Args:
        file: h5py.File.
        path: Path of the file that contains it, for the sizes of texts.
    """
    import h5py

    groups, seen, room, longest = [file], set(), MOST_BYTES, longest_text(path)
    for group in groups:  # grows inside the loop
        check_attributes(group, longest)
        names = [n for key in ("weight_names", "layer_names")
                 for n in np.ravel(group.attrs.get(key, ())).tolist()]  # fmt: skip
        if len(names) != len(set(names)):
            raise ValueError(f"its {group.name!r} lists the same weights twice")
        for name in group:
            item = item_of(group, name)
            place = h5py.h5o.get_info(item.id).addr
            if place in seen or len(seen) > MOST_OBJECTS:
                raise ValueError(f"its {item.name!r} is repeated, or one too many")
            seen.add(place)
            if isinstance(item, h5py.Group):
                groups.append(item)
                continue
            if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
                raise ValueError(f"it holds {item!r}, not numbers")
            check_size(item)
            check_attributes(item, longest)
            room -= item.nbytes
            if room < 0:
                raise ValueError(f"its numbers have more than {MOST_BYTES} bytes")


def item_of(group, name):
    """Return the object of this name in a group, if the same file holds all of it.

    Raises:
        ValueError: it is a link, or its numbers are in other files.
    """
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"its {name!r} is a link to another place")
    item = group[name]
    if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
        raise ValueError(f"its {name!r} is stored in other files")
    return item


def check_size(dataset, times=1):
    """Raise a ValueError if a dataset declares more than its file can hold.

    Args:
        dataset: h5py.Dataset.
        times: largest allowed compression ratio.
    """
    held = dataset.id.get_storage_size()
    if held * times < dataset.nbytes:
        raise ValueError(
            f"its {dataset.name!r} declares {dataset.nbytes} bytes and has only {held}"
        )


def check_attributes(item, longest=None):
    """Raise a ValueError if an attribute could take much more memory than its file.

    An array of texts can refer to one long text a million times.

    Args:
        item: group or dataset of an open HDF5 file.
        longest: see `longest_text`; None: arrays of texts are not allowed.
    """
    import h5py

    for name in item.attrs:
        held = item.attrs.get_id(name)
        n_values = math.prod(held.shape or ())
        n_bytes = n_values * held.dtype.itemsize
        if held.dtype.hasobject:  # of variable length
            is_text = h5py.check_string_dtype(held.dtype) is not None
            is_allowed = is_text and not (held.shape and longest is None)
            n_bytes = n_values * (longest or 0) if is_allowed else math.inf
        if n_bytes > MOST_ATTRIBUTE:
            raise ValueError(f"its attribute {name[:50]!r} is too long, or not a text")


def longest_text(path):
    """Return the size in bytes of the largest global heap, which bounds every text.

    A global heap starts with GCOL, a version, three zeros, and its size in 8 bytes:
    "HDF5 File Format Specification" 3.0, III.E.
    """
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        heaps = re.compile(rb"GCOL(?=.{4}(.{8}))", re.DOTALL).findall(content)
    return max((int.from_bytes(size, "little") for size in heaps), default=0)
