"""Convert the config of a model that Keras 2 saved to a config that Keras 3 reads.

Keras 3 rejects some settings of Keras 2, and counts the calls of a nested model from 0
instead of 1. Nothing is deserialized here: `model_files` validates the result.
"""

import re

NESTED = {"Functional", "Model", "Sequential"}
LOCATION = {"module", "registered_name", "build_config", "shared_object_id"}
KERNEL = {"kernel_initializer", "kernel_regularizer", "kernel_constraint"}
REMOVED = {  # class -> settings that Keras 3 does not know
    "SeparableConv2D": KERNEL,
    "SpatialDropout2D": {"trainable", "noise_shape"},
    "RandomFlip": {"rng_type"},
}


def is_version(text):
    """Return whether a text is a version of Keras 2, such as 2.15.0 or 2.2.4-tf."""
    return re.fullmatch(r"2(\.[\w-]{1,9}){1,3}", text) is not None


def convert(config):
    """Return a config of Keras 2 as `from_config` of Keras 3 reads it.

    Args:
        config: decoded JSON, untrusted: dict, list, or any other value.
    """
    if isinstance(config, list):
        return [convert(part) for part in config]
    if not isinstance(config, dict):
        return config
    name, settings = config.get("class_name"), config.get("config")
    if name == "Policy":  # of mixed precision
        return settings["name"]
    if name == "Sequential":
        config = {**config, "config": with_input_layer(settings)}
    elif name in ("Functional", "Model"):
        config = {**config, "config": with_calls_from_0(settings)}
    if isinstance(name, str):
        config = {key: x for key, x in config.items() if key not in LOCATION}
        if isinstance(settings := config.get("config"), dict):
            config["config"] = without_removed(name, settings)
    return {key: convert(value) for key, value in config.items()}


def without_removed(name, settings):
    """Return the settings of a layer without those that Keras 3 does not know.

    Args:
        name: of its class.
        settings: dict.
    """
    removed = set(REMOVED.get(name, ()))
    if settings.get("groups") == 1:  # the default
        removed.add("groups")
    if name != "InputLayer":
        removed.add("batch_input_shape")
    return {key: value for key, value in settings.items() if key not in removed}


def with_input_layer(settings):
    """Return the settings of a Sequential model, its first layer an InputLayer.

    Args:
        settings: dict; or a list of layers, as Keras had it before 2.2.3.
    """
    if isinstance(settings, list):
        settings = {"name": "sequential", "layers": settings}
    layers = settings["layers"]
    shape = layers[0]["config"].get("batch_input_shape")
    if shape and layers[0]["class_name"] != "InputLayer":
        layers = [{"class_name": "InputLayer", "config": {"batch_shape": shape}}, *layers]
    return {**settings, "layers": layers}


def with_calls_from_0(settings):
    """Return the settings of a model whose nested models are called 0, 1, ...

    Args:
        settings: dict.
    """
    classes = {x["name"]: x["class_name"] for x in settings["layers"]}

    def shift(tensor, names):
        """Convert a tensor [layer, call, output, ...], or a list of them."""
        if not isinstance(tensor, list):
            return tensor
        if len(tensor) > 2 and isinstance(tensor[0], str):
            layer, call, *others = tensor
            return [layer, call - (layer in names), *others]
        return [shift(part, names) for part in tensor]

    nested = {name for name, kind in classes.items() if kind in NESTED}
    layers = [
        {**layer, "inbound_nodes": shift(layer["inbound_nodes"], nested)}
        for layer in settings["layers"]
    ]
    # In the outputs, Keras 3 itself subtracts 1 from the calls of a Functional model.
    sequential = {name for name in nested if classes[name] == "Sequential"}
    outputs = shift(settings["output_layers"], sequential)
    return {**settings, "layers": layers, "output_layers": outputs}
