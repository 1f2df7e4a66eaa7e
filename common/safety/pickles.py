"""Untrusted pickles: plain values and arrays of bytes are read, nothing is run."""

import io
import pickle

import numpy as np

MOST_ENCODED = 2**28  # bytes of all texts that a pickle turns into bytes
NEEDLESS = (  # bytearrays, for which room is made before they are read, and sets
    pickle.BYTEARRAY8 + pickle.NEXT_BUFFER
    + pickle.EMPTY_SET + pickle.ADDITEMS + pickle.FROZENSET
)  # fmt: skip
STANDINS = {
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "numpy.ndarray", "numpy.dtype",
}  # fmt: skip


def load_plain(content):
    """Return what a pickle holds; bytes stay bytes, arrays are Records.

    Raises:
        Exception: of many kinds, where it is no pickle, or would do more than that.
    """
    return PlainUnpickler(io.BytesIO(content), encoding="bytes").load()


class Record:
    """Stands in for NumPy's array and dtype, and only keeps what is said of them.

    The real dtype would believe a pickle that calls bytes the addresses of objects.
    """

    def __init__(self, *words):
        self.words = words

    def __setstate__(self, state):
        self.state = state


def byte_array(record):
    """Return the array of bytes that a Record describes.

    Raises:
        ValueError: it describes another one.
    """
    if not isinstance(record, Record):
        raise ValueError("data that is not an array")
    _, shape, dtype, is_fortran, content = record.state
    if dtype.words[0] not in (b"u1", "u1"):
        raise ValueError("data that is not bytes")
    return np.frombuffer(content, np.uint8).reshape(shape, order="CF"[is_fortran])


class TextDict(dict):
    """A dict whose keys are texts: the hash of a tuple of tuples can take for ever."""

    def __setitem__(self, key, value):
        if not isinstance(key, bytes | str):
            raise pickle.UnpicklingError("it has a dict whose keys are no texts")
        super().__setitem__(key, value)


def new_dict(unpickler):
    unpickler.append(TextDict())


def dict_of_items(unpickler):
    items = unpickler.pop_mark()
    new_dict(unpickler)
    for key, value in zip(items[::2], items[1::2], strict=True):
        unpickler.stack[-1][key] = value


DISPATCH = {
    **{c: f for c, f in pickle._Unpickler.dispatch.items() if c not in NEEDLESS},
    pickle.EMPTY_DICT[0]: new_dict,
    pickle.DICT[0]: dict_of_items,
}


class PlainUnpickler(pickle._Unpickler):
    """Reads plain values and Records, nothing else: a pickle can run any code.

    It is Python's own in Python: the one in C makes room for as many values as a pickle
    says that it will remember.
    """

    encoded = 0  # characters so far
    dispatch = DISPATCH

    def encode(self, text, kind):
        """What old pickles of bytes call; nothing is to grow by it."""
        self.encoded += len(text)
        if kind != "latin1" or self.encoded > MOST_ENCODED:
            raise pickle.UnpicklingError(f"it encodes texts as {kind!r}, or too many")
        return text.encode(kind)

    def find_class(self, module, name):
        called = f"{module}.{name}"
        if called == "_codecs.encode":
            return self.encode
        if called not in STANDINS:
            raise pickle.UnpicklingError(f"it would run {called!r}")
        return Record
