"""Deserialize untrusted pickles: only plain values and arrays of bytes."""

import io
import pickle

import numpy as np

MAX_ENCODED_BYTES = 2**28  # of all strings that a pickle encodes as bytes
FORBIDDEN_OPCODES = (  # bytearrays, which are allocated before they are read, and sets
    pickle.BYTEARRAY8 + pickle.NEXT_BUFFER
    + pickle.EMPTY_SET + pickle.ADDITEMS + pickle.FROZENSET
)  # fmt: skip
NUMPY_GLOBALS = {  # replaced by Placeholder
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "numpy.ndarray", "numpy.dtype",
}  # fmt: skip


def load_plain(content):
    """Deserialize a pickle; bytes stay bytes, arrays become Placeholders.

    Args:
        content: bytes.

    Raises:
        Exception: of many kinds, if it is not a pickle or contains other objects.
    """
    return PlainUnpickler(io.BytesIO(content), encoding="bytes").load()


class Placeholder:
    """Arguments and state of a pickled NumPy array or dtype.

    With NumPy's dtype, a pickle could declare bytes to be addresses of objects.
    """

    def __init__(self, *args):
        self.args = args

    def __setstate__(self, state):
        self.state = state


def byte_array(placeholder):
    """Return the uint8 array that a Placeholder describes.

    Raises:
        ValueError: it does not describe an array of bytes.
    """
    if not isinstance(placeholder, Placeholder):
        raise ValueError("its data is not an array")
    _, shape, dtype, is_fortran, content = placeholder.state
    if dtype.args[0] not in (b"u1", "u1"):
        raise ValueError("its data is not an array of bytes (uint8)")
    return np.frombuffer(content, np.uint8).reshape(shape, order="CF"[is_fortran])


class TextDict(dict):
    """A dict whose keys are strings: hashing nested tuples can take exponential time."""

    def __setitem__(self, key, value):
        if not isinstance(key, bytes | str):
            raise pickle.UnpicklingError("it contains a dict whose keys are not strings")
        super().__setitem__(key, value)


def new_dict(unpickler):
    unpickler.append(TextDict())


def dict_of_items(unpickler):
    items = unpickler.pop_mark()
    new_dict(unpickler)
    for key, value in zip(items[::2], items[1::2], strict=True):
        unpickler.stack[-1][key] = value


def forbidden(unpickler):
    raise pickle.UnpicklingError("it contains a set or a bytearray")


DISPATCH = {
    **pickle._Unpickler.dispatch,
    **dict.fromkeys(FORBIDDEN_OPCODES, forbidden),
    pickle.EMPTY_DICT[0]: new_dict,
    pickle.DICT[0]: dict_of_items,
}


class PlainUnpickler(pickle._Unpickler):
    """Deserialize plain values and Placeholders only: other pickles can run any code.

    The base class is the unpickler in Python, because that in C allocates as many values
    as a pickle declares to memoize.
    """

    n_encoded = 0  # characters
    dispatch = DISPATCH

    def encode(self, text, kind):
        """Encode a string, as pickles of protocol 2 do with bytes; limit the total."""
        self.n_encoded += len(text)
        if kind != "latin1" or self.n_encoded > MAX_ENCODED_BYTES:
            raise pickle.UnpicklingError(f"it encodes strings as {kind!r}, or too many")
        return text.encode(kind)

    def find_class(self, module, name):
        path = f"{module}.{name}"
        if path == "_codecs.encode":
            return self.encode
        if path not in NUMPY_GLOBALS:
            text = f"it calls {path}, which is not allowed because it could run code"
            raise pickle.UnpicklingError(text) if name else EOFError
        return Placeholder
