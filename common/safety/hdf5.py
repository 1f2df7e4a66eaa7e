"""HDF5 files from strangers: may their numbers and texts be read?

They can lie in other files, be packed a thousandfold, or be told twice.
"""

import math
import mmap
import re

import numpy as np

from common.basics.errors import UserError
from common.safety.arrays import MOST_BYTES

MOST_OBJECTS = 10_000  # groups and datasets
MOST_ATTRIBUTE = 2**28  # bytes


def check_numbers(file, path):
    """Raise a UserError unless all numbers of an open HDF5 file lie in it, unpacked."""
    import h5py

    groups, seen, room, longest = [file], set(), MOST_BYTES, longest_text(path)
    for group in groups:  # which those in it join
        check_attributes(group, path, longest)
        names = [n for key in ("weight_names", "layer_names")
                 for n in np.ravel(group.attrs.get(key, ())).tolist()]  # fmt: skip
        if len(names) != len(set(names)):
            raise UserError(f"{path}: {group.name} names the same numbers twice")
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise UserError(f"{path}: {group.name}/{name} is a link to elsewhere")
            item = group[name]
            place = h5py.h5o.get_info(item.id).addr
            if place in seen or len(seen) > MOST_OBJECTS:
                raise UserError(f"{path}: {item.name} is there twice, or one too many")
            seen.add(place)
            if isinstance(item, h5py.Group):
                groups.append(item)
                continue
            if not isinstance(item, h5py.Dataset):
                raise UserError(f"{path}: {item.name} is a type, not numbers")
            check_dataset(item, path)
            check_attributes(item, path, longest)
            room -= item.nbytes
            if room < 0:
                raise UserError(f"{path} holds more than {MOST_BYTES} bytes of numbers")


def check_dataset(item, path):
    """Raise a UserError unless a dataset's numbers lie in its file, unpacked."""
    if item.external or item.is_virtual:
        raise UserError(f"{path}: the numbers of {item.name} are in other files")
    if item.dtype.kind not in "biuf":
        raise UserError(f"{path}: {item.name} holds {item.dtype}, not numbers")
    if item.size and (held := item.id.get_storage_size()) < item.nbytes:
        raise UserError(
            f"{path}: {item.name} declares {item.nbytes} bytes and holds {held}"
        )


def check_attributes(item, path, longest=None):
    """Raise a UserError where reading an attribute could take much more than its file.

    For an array of texts may hold one long text a million times.

    Args:
        item: group or dataset of an open HDF5 file.
        path: of this file.
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
            raise UserError(f"{path}: its {name[:50]!r} is too long, or no text")


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
