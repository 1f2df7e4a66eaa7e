"""Untrusted model files: validated before Keras deserializes them.

A model file describes its layers. A hostile description can name any function of any
module (`Lambda` layers, wrappers of other libraries, vocabularies read from any path),
numbers in other files, and sizes that exceed the memory. Here only Keras's layers for
images and this project's own are allowed; no option turns this off.
"""

import inspect
import json
import zipfile
from contextlib import contextmanager

from common.basics.errors import UserError
from common.safety.arrays import MOST_BYTES, check_file
from common.safety.hdf5 import check_numbers

LAYERS = {
    "Model", "Functional", "Sequential", "InputLayer", "Identity", "Activation",
    "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Dense", "CategoryEncoding",
    "Embedding", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose",
    "Conv3DTranspose", "DepthwiseConv2D", "SeparableConv2D", "UpSampling1D",
    "UpSampling2D", "UpSampling3D", "ZeroPadding2D", "Cropping2D", "Resizing",
    "Reshape", "Flatten", "Permute", "RepeatVector", "MaxPooling2D",
    "AveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling2D",
    "BatchNormalization", "LayerNormalization", "GroupNormalization",
    "UnitNormalization", "RMSNormalization", "SpectralNormalization", "Rescaling",
    "Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout",
    "GaussianNoise", "RandomFlip", "ActivityRegularization", "Add", "Subtract",
    "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot",
}  # fmt: skip
VALUES = {"DTypePolicy", "__keras_tensor__", "__tuple__"}
MODULES = {  # of Keras, in descriptions
    "keras", "keras.layers", "keras.models", "keras.initializers",
    "keras.regularizers", "keras.constraints", "keras.src.models.functional",
    "keras.src.models.sequential",
}  # fmt: skip
FORBIDDEN = ("lora_rank", "quantization_config")  # settings that add weights
OWN = {  # layers of this project: modules in saved files, the current one first
    "Augment": ("common.layers.augment", "common.augment"),
    "ClassLoss": ("common.layers.losses", "common.objectives.heads"),
    "CopyError": ("common.layers.losses", "common.objectives.heads"),
}
HDF5 = b"\x89HDF\r\n\x1a\n"  # first bytes of such a file
MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}  # of a .keras file
MOST_TEXT = 2**24  # bytes of a description; 100 layers have some 10**5
MOST_NUMBERS = 2**24  # of one layer's output for one image: 64 MiB in float32
MOST_CALLS = 200  # of layers: Keras needs 10 s for 200, and 40 s for 400
DTYPES = {"float16", "bfloat16", "float32", "float64", "int32", "int64", "uint8", "bool",
          "mixed_float16", "mixed_bfloat16"}  # fmt: skip


def check(path):
    """Validate an untrusted model file: its layers, their number and their weights.

    Args:
        path: Path of an `.h5` file, or of a `.keras` file, which is a zip.

    Raises:
        UserError: a layer or a setting is not allowed.
        Exception: of many kinds, of h5py and zipfile, where it is damaged.
    """
    check_file(path, 2 * MOST_BYTES)
    text = read_zip(path) if path.suffix == ".keras" else read_hdf5(path)
    if text is None:
        raise UserError(
            f"{path} has no description of a model, only weights: save the whole model"
        )
    if not isinstance(text, str | bytes) or len(text) > MOST_TEXT:
        raise ValueError("its description is not a text, or too long")
    described = json.loads(text)
    if isinstance(described, dict):
        described.pop("compile_config", None)  # is never loaded
    check_layers(described, path)
    if (n := n_calls(described)) > MOST_CALLS:
        raise UserError(
            f"{path} calls its layers {n} times in all, more than the limit of "
            f"{MOST_CALLS}: use a smaller model"
        )


def read_hdf5(path):
    """Validate the weights in an `.h5` file and return its description, JSON or None."""
    import h5py

    if zipfile.is_zipfile(path):
        raise ValueError("it is a zip, whose name must end in .keras")
    with h5py.File(path) as file:
        check_numbers(file, path)
        return file.attrs.get("model_config")


def read_zip(path):
    """Validate the weights in a `.keras` file and return its description, JSON."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if set(names) - MEMBERS or len(names) != len(set(names)):
            raise ValueError(
                f"it holds {names[:5]}, and a .keras file of plain layers holds "
                f"{', '.join(sorted(MEMBERS))}, each once, and nothing else"
            )
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
                raise ValueError(
                    f"its {member.filename} is compressed or encrypted, as Keras never "
                    "writes it"
                )
        with archive.open("model.weights.h5") as numbers, h5py.File(numbers) as file:
            check_numbers(file, path)
        with archive.open("config.json") as file:
            return file.read(MOST_TEXT + 1)


def check_layers(described, path):
    """Raise a UserError unless a description, decoded JSON, names allowed classes only.

    Args:
        described: dict, list, or any other value of JSON.
        path: Path of the model file, for messages.
    """
    if isinstance(described, list):
        for part in described:
            check_layers(part, path)
    if not isinstance(described, dict):
        return
    if "class_name" in described and not is_allowed(described):
        names = described.get("module"), described["class_name"]
        named = ".".join(str(name) for name in names if name)[:100]
        raise UserError(
            f"{path} holds {named}, which is not allowed because it could run code: use "
            "a model of Keras's standard layers for images and this project's alone"
        )
    for key, value in described.items():
        if not is_harmless(key, value):
            raise UserError(
                f"{path} holds a layer whose {key[:50]} is {str(value)[:50]!r}, which is "
                "not allowed: save the model without it"
            )
        check_layers(value, path)


def is_harmless(key, value):
    """Return whether a setting may be deserialized: some texts become functions."""
    import keras

    if key in FORBIDDEN:
        return not value
    if not isinstance(value, str):
        return True
    if key == "name":
        return value.isprintable()
    if key == "dtype":
        return value in DTYPES
    return not inspect.isfunction(getattr(keras.layers, value, None))


def n_calls(described):
    """Return the number of calls of layers in a description, decoded JSON.

    A model that is called twice calls each of its layers twice.
    """
    if isinstance(described, list):
        return sum(map(n_calls, described))
    if not isinstance(described, dict):
        return 0
    name = str(described.get("class_name")).removeprefix("gan>")
    once = (name in LAYERS | OWN.keys()) + sum(map(n_calls, described.values()))
    nodes = described.get("inbound_nodes")
    return once * max(1, len(nodes) if isinstance(nodes, list) else 1)


def is_allowed(described):
    """Return whether the class that a dict of a description names is allowed."""
    import keras

    name, module = described["class_name"], described.get("module")
    registered = described.get("registered_name")
    if not isinstance(name, str):
        return False
    own = OWN.get(name.removeprefix("gan>"))
    if own:
        return module in (None, *own) and registered in (None, name, f"gan>{name}")
    homes = (keras.initializers, keras.regularizers, keras.constraints)
    standard = name in LAYERS | VALUES or any(
        isinstance(getattr(home, name, None), type) and name[0] != "_" for home in homes
    )
    return standard and registered in (None, name) and module in (None, *MODULES)


@contextmanager
def no_memory():
    """Build models inside this context whose weights take no memory, for validation."""
    from keras import StatelessScope
    from keras.src.backend.common import global_state

    waiting = "uninitialized_variables"
    before = list(global_state.get_global_attribute(waiting) or ())
    try:
        with StatelessScope(initialize_variables=False):
            yield
    finally:  # else Keras allocates them at its next use of such a scope
        global_state.set_global_attribute(waiting, before)
