"""Model files whose numbers are other things, or lie elsewhere."""

import pickle
from pathlib import Path

import h5py
import numpy as np
from hostile_layers import members_of, saved, write_zip


def with_numbers(kind, write):
    """A generator whose kernel is another thing, by write(file, its place)."""
    path = saved("h5")
    secret = Path("secret")
    with h5py.File(secret, "w") as file:
        file["kernel"] = np.ones((6, 64), "float32")
    with h5py.File(path, "a") as file:
        found = []
        file.visititems(lambda at, x: found.append(at) if at.endswith("kernel") else None)
        del file[found[0]]
        write(file, found[0])
    if kind == "h5":
        return path
    members = members_of(saved("keras"))
    return write_zip(
        Path("model.keras"), {**members, "model.weights.h5": path.read_bytes()}
    )


def virtual(file, at):
    layout = h5py.VirtualLayout((6, 64), "float32")
    layout[:] = h5py.VirtualSource("secret", "kernel", (6, 64))
    file.create_virtual_dataset(at, layout)


def linked_without_end(file, at):
    """Groups in which each name is there twice: 2**40 ways through them."""
    group = file.create_group(at)
    for _ in range(40):
        inner = group.create_group("a")
        group["b"] = inner
        group = inner


def named_twice(file, at):
    file.create_dataset(at, data=np.ones((6, 64), "float32"))
    file["model_weights/dense"].attrs["weight_names"] = [b"a"] * 1000


def numbers_of_a_sparse_file(file, at):
    """A gigabyte and more, of which the disk holds nothing."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    group, _, name = at.rpartition("/")
    shape = h5py.h5s.create_simple((6, 2**26))
    h5py.h5d.create(file[group].id, name.encode(), h5py.h5t.NATIVE_FLOAT, shape, settings)


NUMBERS = {
    "external link": lambda file, at: file.__setitem__(
        at, h5py.ExternalLink("secret", "kernel")),
    "soft link": lambda file, at: file.__setitem__(at, h5py.SoftLink("/nowhere")),
    "external dataset": lambda file, at: file.create_dataset(
        at, (6, 64), "float32", external=[("secret", 0, 6 * 64 * 4)]),
    "virtual dataset": virtual,
    "dataset that declares 400 GB and has no data": lambda file, at: file.create_dataset(
        at, (10**6, 10**5), "float32", chunks=(10, 10)),
    "decompression bomb": lambda file, at: file.create_dataset(
        at, data=np.zeros((500, 6400), "float32"), compression="gzip"),
    "strings in place of numbers": lambda file, at: file.create_dataset(
        at, data=["a"] * 3),
    "pickle in place of numbers": lambda file, at: file.create_dataset(
        at, data=np.frombuffer(pickle.dumps(print)[:20], "V20")),
    "named type in place of numbers": lambda file, at: file.__setitem__(
        at, np.dtype("float32")),
    "groups with exponentially many links": linked_without_end,
}  # fmt: skip
