"""CIFAR-10: 32x32 colour photographs of ten classes.

They are taken from the first place that has them: the folder named by the environment
variable GAN_DATA_DIR, Keras's cache, Keras's download. Keras downloads again where only
its unpacked folder is left, so what is on the disk is read here.
"""

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
from pathlib import Path, PurePosixPath

import numpy as np

from common.basics.errors import UserError
from common.data.datasets import (
    Images,
    NotFoundError,
    data_dir,
    keras_cache,
    keras_download,
)
from common.data.formats import damaged
from common.data.shapes import synthetic_shapes
from common.safety.arrays import check_file

CLASSES = ("airplane", "automobile", "bird", "cat", "deer",
           "dog", "frog", "horse", "ship", "truck")  # fmt: skip
BATCHES = {"train": [f"data_batch_{n}" for n in range(1, 6)], "test": ["test_batch"]}
MOST = 2**28  # bytes of all files, unpacked: they have 186 million
FOLDER, ARCHIVE = "cifar-10-batches-py", "cifar-10-python.tar.gz"
PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
KERAS_NAMES = (f"{FOLDER}-target", FOLDER, f"{FOLDER}-target_archive", ARCHIVE)


def load_images(data="auto", split="train"):
    """Load 32x32 colour images.

    Args:
        data: "auto" or "cifar-10" (CIFAR-10 itself), "synthetic" (drawn shapes), or a
            path to a folder `cifar-10-batches-py`, its parent, or a tar archive of it.
        split: "train" or "test".

    Returns:
        Images: pixels uint8 (n, 32, 32, 3), labels int (n,) in 0..9.

    Raises:
        NotFoundError: CIFAR-10 is in none of the places.
        UserError: GAN_DATA_DIR or the path is wrong, or a file is damaged or missing.
    """
    if data == "synthetic":
        return synthetic_shapes(split)
    if data not in ("auto", "cifar-10"):
        return read_images(Path(data).expanduser(), split)
    for path in local_places():
        if path.exists():
            return read_images(path, split)
    pixels, labels = download()[split]
    return Images(
        pixels, labels.ravel(), "cifar-10", "downloaded by Keras", classes=CLASSES
    )


def local_places():
    if folder := data_dir():
        yield from (folder / name for name in (FOLDER, ARCHIVE))
    yield from (keras_cache() / name for name in KERAS_NAMES)


def download():
    try:
        return keras_download("cifar10")
    except NotFoundError as reason:
        raise NotFoundError(
            f"CIFAR-10 was not found: let GAN_DATA_DIR name a folder with {FOLDER} or "
            f'{ARCHIVE} ("CIFAR-10 python version" of '
            "https://www.cs.toronto.edu/~kriz/cifar.html), or go online for Keras's "
            f"download (which failed: {reason}), or try the script with --data synthetic"
        ) from None


def read_images(path, split):
    """The Images in a folder `cifar-10-batches-py`, its parent, or an archive of it."""
    if not path.exists():
        raise UserError(f"--data {path}: there is no such file or folder; name another")
    if (path / FOLDER).is_dir():
        path = path / FOLDER
    names = BATCHES[split]
    try:
        files = read_folder(path, names) if path.is_dir() else read_archive(path, names)
    except tarfile.ReadError:  # its own words are ten lines
        raise damaged(path, "it is not a whole tar archive") from None
    except UserError:
        raise
    except Exception as error:  # the decompressors raise a dozen kinds
        raise damaged(path, error) from None
    if missing := [name for name in names if name not in files]:
        raise UserError(
            f"{path} has no {missing[0]}: wanted are CIFAR-10's data_batch_1 to "
            f"data_batch_5 and test_batch, so download or copy {ARCHIVE} again"
        )
    batches = [read_batch(files[name], path / name) for name in names]
    planes, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    pixels = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    pixels = np.ascontiguousarray(pixels)
    return Images(pixels, labels, "cifar-10", str(path), classes=CLASSES)


def read_folder(folder, names):
    there = [name for name in names if (folder / name).exists()]
    for name in there:
        check_file(folder / name, MOST)
    return {name: (folder / name).read_bytes() for name in there}


def read_archive(path, names):
    check_file(path, MOST)
    with path.open("rb") as file:
        start = file.read(6)
    unpack = next((o for magic, o in PACKED.items() if start.startswith(magic)), open)
    with (
        unpack(path, "rb") as file,
        tarfile.TarFile(fileobj=Bounded(file)) as archive,
    ):
        return {
            name: archive.extractfile(member).read()
            for member in archive
            if (name := PurePosixPath(member.name).name) in names
            and member.isfile()
            and not member.issparse()  # of holes without end
        }


class Bounded:
    """A file that is read up to MOST bytes: a small archive can unpack without end."""

    def __init__(self, file):
        self.file, self.tell = file, file.tell

    def read(self, size):
        self.check(self.tell() + size)
        return self.file.read(size)

    def seek(self, place):
        self.check(place)
        return self.file.seek(place)

    def check(self, end):
        if end > MOST:
            raise ValueError(f"it unpacks to more than {MOST} bytes")


def read_batch(content, file):
    """A pickled dict -> its data, uint8 (n, 3072), and its labels, int (n,) in 0..9."""
    try:
        batch = BatchUnpickler(io.BytesIO(content), encoding="bytes").load()
        batch = {k.decode() if isinstance(k, bytes) else k: v for k, v in batch.items()}
        if not {"data", "labels"} <= batch.keys():
            raise ValueError("it lacks data or labels")
        pixels, labels = byte_array(batch["data"]), batch["labels"]
        if not isinstance(labels, list) or {type(label) for label in labels} != {int}:
            raise ValueError("labels that are no list of whole numbers")
        labels = np.array(labels)
        if labels.size == 0 or pixels.shape != (labels.size, 3072):
            raise ValueError(f"data of shape {pixels.shape} for {labels.size} labels")
        if labels.dtype != int or labels.min() < 0 or labels.max() > 9:
            raise ValueError("labels that are not whole numbers from 0 to 9")
    except Exception as error:  # what is no pickle raises a dozen kinds
        reason = " ".join(str(error).split())[:100]
        raise damaged(file, f"it is not a whole CIFAR-10 batch ({reason})") from None
    return pixels, labels


class Record:
    """Stands in for NumPy's array and dtype, and only keeps what is said of them.

    The real dtype would believe a pickle that calls bytes the addresses of objects.
    """

    def __init__(self, *words):
        self.words = words

    def __setstate__(self, state):
        self.state = state


STANDINS = {
    "numpy.core.multiarray._reconstruct": Record,
    "numpy._core.multiarray._reconstruct": Record,
    "numpy.ndarray": Record,
    "numpy.dtype": Record,
}


NEEDLESS = {  # bytearrays, for which room is made before they are read, and sets
    code[0] for code in (pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.EMPTY_SET,
                         pickle.ADDITEMS, pickle.FROZENSET)
}  # fmt: skip


def put(unpickler, items):
    """Put keys and values, which follow each other in a list, into the dict on top.

    Keys are texts: the hash of a tuple of tuples can take for ever.
    """
    target, keys = unpickler.stack[-1], items[::2]
    if type(target) is not dict or not all(isinstance(k, bytes | str) for k in keys):
        raise pickle.UnpicklingError("it has a dict whose keys are no texts")
    target.update(zip(keys, items[1::2], strict=True))


def put_one(unpickler):
    value, key = unpickler.stack.pop(), unpickler.stack.pop()
    put(unpickler, [key, value])


def put_all(unpickler):
    put(unpickler, unpickler.pop_mark())


def put_into_new(unpickler):
    items = unpickler.pop_mark()
    unpickler.append({})
    put(unpickler, items)


DISPATCH = {
    **{c: f for c, f in pickle._Unpickler.dispatch.items() if c not in NEEDLESS},
    pickle.SETITEM[0]: put_one,
    pickle.SETITEMS[0]: put_all,
    pickle.DICT[0]: put_into_new,
}


class BatchUnpickler(pickle._Unpickler):
    """Reads plain values and Records, nothing else: a pickle can run any code.

    It is Python's own in Python: the one in C makes room for as many values as a pickle
    says that it will remember.
    """

    encoded = 0  # characters so far
    dispatch = DISPATCH

    def encode(self, text, kind):
        """What old pickles of bytes call; nothing is to grow by it."""
        self.encoded += len(text)
        if kind != "latin1" or self.encoded > MOST:
            raise pickle.UnpicklingError(f"it encodes texts as {kind!r}, or too many")
        return text.encode(kind)

    def find_class(self, module, name):
        called = f"{module}.{name}"
        if called == "_codecs.encode":
            return self.encode
        if called not in STANDINS:
            raise pickle.UnpicklingError(f"it would run {called!r}")
        return STANDINS[called]


def byte_array(record):
    if not isinstance(record, Record):
        raise ValueError("data that is not an array")
    _, shape, dtype, is_fortran, content = record.state
    if dtype.words[0] not in (b"u1", "u1"):
        raise ValueError("data that is not bytes")
    return np.frombuffer(content, np.uint8).reshape(shape, order="CF"[is_fortran])
