"""Model files from strangers: read, and refused, before Keras makes anything of them.

A model file describes its layers, and a description can name any function of any module
(`Lambda` layers, other libraries' wrappers, vocabularies read from any path), numbers
that lie in other files, and sizes that no memory holds. Here it may name Keras's layers
for images and this project's own, and nothing else; no switch trusts a file more.
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
REFUSED = ("lora_rank", "quantization_config")  # settings by which layers grow weights
OWN = {  # layers of this project: the modules that files name, the first is today's
    "Augment": ("common.layers.augment", "common.augment"),
    "ClassLoss": ("common.layers.losses", "common.objectives.heads"),
    "CopyError": ("common.layers.losses", "common.objectives.heads"),
}
HDF5 = b"\x89HDF\r\n\x1a\n"  # how such files start
MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}  # of a .keras file
MOST_TEXT = 2**24  # bytes of a description; 100 layers have some 10**5
MOST_NUMBERS = 2**24  # that one layer makes of one image: 64 MiB in float32
MOST_CALLS = 200  # of layers: Keras takes 10 s for so many, and 40 s for twice as many
DTYPES = {"float16", "bfloat16", "float32", "float64", "int32", "int64", "uint8", "bool",
          "mixed_float16", "mixed_bfloat16"}  # fmt: skip


def check(path):
    """Raise an error unless a model file holds allowed layers and their numbers.

    Args:
        path: Path of an `.h5` file, or of a `.keras` file, which is a zip.

    Raises:
        UserError: it is another model than those that are loaded here.
        Exception: of a dozen kinds, of h5py and zipfile, where it is damaged.
    """
    check_file(path, 2 * MOST_BYTES)
    text = read_zip(path) if path.suffix == ".keras" else read_hdf5(path)
    if text is None:
        raise UserError(
            f"{path} has no description of a model: it may hold weights alone"
        )
    if not isinstance(text, str | bytes) or len(text) > MOST_TEXT:
        raise ValueError("its description is no text, or too long")
    described = json.loads(text)
    if isinstance(described, dict):
        described.pop("compile_config", None)  # nobody loads it
    check_layers(described, path)
    if (n := n_calls(described)) > MOST_CALLS:
        raise UserError(
            f"{path} calls its layers {n} times in all, and {MOST_CALLS} are the most"
        )


def read_hdf5(path):
    """The description in an `.h5` file, whose numbers are checked, too."""
    import h5py

    if zipfile.is_zipfile(path):
        raise ValueError("it is a zip, which is called .keras")
    with h5py.File(path) as file:
        check_numbers(file, path)
        return file.attrs.get("model_config")


def read_zip(path):
    """The description in a `.keras` file, whose numbers are checked, too."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if set(names) - MEMBERS or len(names) != len(set(names)):
            raise ValueError(
                f"it holds {names[:5]}: a .keras file of plain layers holds "
                f"{', '.join(sorted(MEMBERS))}, each once, and nothing else"
            )
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
                raise ValueError(
                    f"its {member.filename} is packed or encrypted, as Keras never "
                    "writes it"
                )
        with archive.open("model.weights.h5") as numbers, h5py.File(numbers) as file:
            check_numbers(file, path)
        with archive.open("config.json") as file:
            return file.read(MOST_TEXT + 1)


def check_layers(described, path):
    """Raise a UserError unless a description, as of JSON, names allowed classes alone."""
    if isinstance(described, list):
        for part in described:
            check_layers(part, path)
    if not isinstance(described, dict):
        return
    if "class_name" in described and not is_allowed(described):
        names = described.get("module"), described["class_name"]
        named = ".".join(str(name) for name in names if name)[:100]
        raise UserError(
            f"{path} holds {named}, which is not on the list of what may be "
            "loaded: Keras's standard layers for images, and this project's; others "
            "could run code of their own"
        )
    for key, value in described.items():
        if not is_harmless(key, value):
            raise UserError(
                f"{path} holds a layer whose {key[:50]} is {str(value)[:50]!r}: save it "
                "without"
            )
        check_layers(value, path)


def is_harmless(key, value):
    """Whether a setting in a description is: Keras makes functions of some texts."""
    import keras

    if key in REFUSED:
        return not value
    if not isinstance(value, str):
        return True
    if key == "name":
        return value.isprintable()
    if key == "dtype":
        return value in DTYPES
    return not inspect.isfunction(getattr(keras.layers, value, None))


def n_calls(described):
    """How often layers are called in what a description, as of JSON, tells of.

    A model that is called twice calls each of its own layers twice.
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
    """Whether a dict that names a class names one of those that are made here."""
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
    """Inside, models are made whose weights take no memory; they cannot be used."""
    from keras import StatelessScope
    from keras.src.backend.common import global_state

    waiting = "uninitialized_variables"
    before = list(global_state.get_global_attribute(waiting) or ())
    try:
        with StatelessScope(initialize_variables=False):
            yield
    finally:  # or Keras gives them memory after all, at its next use of such a scope
        global_state.set_global_attribute(waiting, before)
