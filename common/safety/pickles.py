"""Untrusted pickles: only plain values and arrays of bytes are deserialized."""

import io
import pickle

import numpy as np

MOST_ENCODED = 2**28  # bytes of all texts that a pickle turns into bytes
NEEDLESS = (  # bytearrays, which are allocated before they are read, and sets
    pickle.BYTEARRAY8 + pickle.NEXT_BUFFER
    + pickle.EMPTY_SET + pickle.ADDITEMS + pickle.FROZENSET
)  # fmt: skip
STANDINS = {
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "numpy.ndarray", "numpy.dtype",
}  # fmt: skip


def load_plain(content):
    """Deserialize a pickle; bytes stay bytes, arrays become Records.

    Raises:
        Exception: of many kinds, where it is not a pickle, or holds other objects.
    """
    return PlainUnpickler(io.BytesIO(content), encoding="bytes").load()


class Record:
    """A placeholder for NumPy's array and dtype that stores their description.

    NumPy's own dtype would let a pickle declare bytes to be addresses of objects.
    """

    def __init__(self, *words):
        self.words = words

    def __setstate__(self, state):
        self.state = state


def byte_array(record):
    """Return the array of bytes that a Record describes.

    Raises:
        ValueError: it does not describe an array of bytes.
    """
    if not isinstance(record, Record):
        raise ValueError("its data is not an array")
    _, shape, dtype, is_fortran, content = record.state
    if dtype.words[0] not in (b"u1", "u1"):
        raise ValueError("its data is not bytes")
    return np.frombuffer(content, np.uint8).reshape(shape, order="CF"[is_fortran])


class TextDict(dict):
    """A dict whose keys are texts: to hash nested tuples can take exponential time."""

    def __setitem__(self, key, value):
        if not isinstance(key, bytes | str):
            raise pickle.UnpicklingError("it has a dict whose keys are not texts")
        super().__setitem__(key, value)


def new_dict(unpickler):
    unpickler.append(TextDict())


def dict_of_items(unpickler):
    items = unpickler.pop_mark()
    new_dict(unpickler)
    for key, value in zip(items[::2], items[1::2], strict=True):
        unpickler.stack[-1][key] = value


def forbidden(unpickler):
    raise pickle.UnpicklingError("it holds a set or a bytearray")


DISPATCH = {
    **pickle._Unpickler.dispatch,
    **dict.fromkeys(NEEDLESS, forbidden),
    pickle.EMPTY_DICT[0]: new_dict,
    pickle.DICT[0]: dict_of_items,
}


class PlainUnpickler(pickle._Unpickler):
    """Deserializes plain values and Records only, because a pickle can run any code.

    It is based on the unpickler in Python: the one in C allocates as many values as a
    pickle declares to memoize.
    """

    encoded = 0  # characters so far
    dispatch = DISPATCH

    def encode(self, text, kind):
        """Encode a text, as old pickles of bytes do; the total length is limited."""
        self.encoded += len(text)
        if kind != "latin1" or self.encoded > MOST_ENCODED:
            raise pickle.UnpicklingError(f"it encodes texts as {kind!r}, or too many")
        return text.encode(kind)

    def find_class(self, module, name):
        called = f"{module}.{name}"
        if called == "_codecs.encode":
            return self.encode
        if called not in STANDINS:
            text = f"it contains the call {called}, which is not allowed"
            raise pickle.UnpicklingError(text) if name else EOFError
        return Record
