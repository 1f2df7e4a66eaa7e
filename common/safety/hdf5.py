"""HDF5 files from strangers: may their numbers and texts be read?

They can lie in other files, be packed a thousandfold, or be told twice.
"""

import math
import mmap
import re

import numpy as np

from common.safety.arrays import MOST_BYTES

MOST_OBJECTS = 10_000  # groups and datasets
MOST_ATTRIBUTE = 2**28  # bytes


def check_numbers(file, path):
    """Raise a ValueError unless all numbers of an open HDF5 file lie in it, unpacked."""
    import h5py

    groups, seen, room, longest = [file], set(), MOST_BYTES, longest_text(path)
    for group in groups:  # which those in it join
        check_attributes(group, longest)
        names = [n for key in ("weight_names", "layer_names")
                 for n in np.ravel(group.attrs.get(key, ())).tolist()]  # fmt: skip
        if len(names) != len(set(names)):
            raise ValueError(f"its {group.name!r} names the same numbers twice")
        for name in group:
            item = item_of(group, name)
            place = h5py.h5o.get_info(item.id).addr
            if place in seen or len(seen) > MOST_OBJECTS:
                raise ValueError(f"its {item.name!r} is there twice, or one too many")
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
                raise ValueError(f"it holds more than {MOST_BYTES} bytes of numbers")


def item_of(group, name):
    """Return what an open HDF5 file holds under a name, if it holds all of it itself.

    Raises:
        ValueError: it is a link, or its numbers are in other files.
    """
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"its {name!r} is a link to elsewhere")
    item = group[name]
    if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
        raise ValueError(f"its {name!r} lies in other files")
    return item


def check_size(dataset, times=1):
    """Raise a ValueError if a dataset holds less than it declares, but for packing.

    Args:
        dataset: of an open HDF5 file.
        times: by how much its numbers may be packed.
    """
    held = dataset.id.get_storage_size()
    if held * times < dataset.nbytes:
        raise ValueError(
            f"its {dataset.name!r} declares {dataset.nbytes} bytes and holds {held}"
        )


def check_attributes(item, longest=None):
    """Raise a ValueError where reading an attribute could take much more than its file.

    For an array of texts may hold one long text a million times.

    Args:
        item: group or dataset of an open HDF5 file.
        longest: see `longest_text`; None: arrays of texts are refused.
    """
    import h5py

    for name in item.attrs:
        held = item.attrs.get_id(name)
        n_values = math.prod(held.shape or ())
        n_bytes = n_values * held.dtype.itemsize
        if held.dtype.hasobject:  # of variable length
            is_text = h5py.check_string_dtype(held.dtype) is not None
            is_refused = not is_text or (held.shape and longest is None)
            n_bytes = math.inf if is_refused else n_values * (longest or 0)
        if n_bytes > MOST_ATTRIBUTE:
            raise ValueError(f"its {name[:50]!r} is too long, or no text")


def longest_text(path):
    """Bytes that no text in an HDF5 file exceeds: the size of its largest global heap.

    Each starts with GCOL, a version and three zeros, and 8 bytes that tell its size:
    "HDF5 File Format Specification" 3.0, III.E.
    """
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        heaps = re.compile(rb"GCOL(?=.{4}(.{8}))", re.DOTALL).findall(content)
    return max((int.from_bytes(size, "little") for size in heaps), default=0)
