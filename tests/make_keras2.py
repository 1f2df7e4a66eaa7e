"""Generators of Keras 2 tutorials, saved by tf_keras, with the images that it computes.

    python tests/make_keras2.py DIR    # in an environment with tf_keras

saves NAME.h5, NAME.keras and NAME.npy (images of `latent_vectors`) in DIR, and their
configs, names and shapes of weights, and some pixels in keras2.json, which is in tests/.
"""

import json
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np

N, LATENT_DIM = 5, 4
PIXELS = slice(0, None, 29)  # of all images, in keras2.json


def latent_vectors():
    return np.random.default_rng(1).standard_normal((N, LATENT_DIM)).astype("float32")


def weight(i, shape):
    """Weight number i of a model: positive, as a variance must be."""
    return np.random.default_rng(i).uniform(0.1, 0.5, shape).astype("float32") - (
        0.3 * (len(shape) > 1)
    )


def dcgan(keras):
    """Radford et al.; as in Machine Learning Mastery."""
    layers, model = keras.layers, keras.Sequential()
    model.add(layers.Dense(4 * 4 * 2, input_dim=LATENT_DIM))
    model.add(layers.LeakyReLU(alpha=0.2))
    model.add(layers.Reshape((4, 4, 2)))
    model.add(layers.Conv2DTranspose(3, 4, strides=2, padding="same", use_bias=False))
    model.add(layers.BatchNormalization(momentum=0.8))
    model.add(layers.Conv2DTranspose(1, 4, padding="same", activation="tanh"))
    return model


def nested(keras):
    """A Sequential inside a Model, as in Keras-GAN."""
    noise = keras.Input(shape=(LATENT_DIM,))
    return keras.Model(noise, dcgan(keras)(noise))


def conditional(keras):
    """A conditional generator of two inputs, as in Machine Learning Mastery."""
    layers = keras.layers
    label = keras.Input(shape=(1,))
    y = layers.Reshape((4, 4, 1))(layers.Dense(16)(layers.Embedding(10, 3)(label)))
    noise = keras.Input(shape=(LATENT_DIM,))
    x = layers.LeakyReLU(alpha=0.2)(layers.Dense(4 * 4 * 2)(noise))
    x = layers.Concatenate()([layers.Reshape((4, 4, 2))(x), y])
    x = layers.Conv2DTranspose(2, 4, strides=2, padding="same")(x)
    x = layers.Conv2D(1, 3, activation="tanh", padding="same")(x)
    return keras.Model([noise, label], x)


def mixed(keras):
    """The first one in mixed precision."""
    keras.mixed_precision.set_global_policy("mixed_float16")
    model = dcgan(keras)
    model.add(keras.layers.Activation("linear", dtype="float32"))
    keras.mixed_precision.set_global_policy("float32")
    return model


MODELS = (dcgan, nested, conditional, mixed)


def weights_in(file, values):
    """[path, shape, number] of the datasets in an open HDF5 file."""
    found = []

    def visit(path, item):
        if hasattr(item, "shape"):
            numbers = [i for i, x in enumerate(values) if np.array_equal(x, item[()])]
            found.append([path, item.shape, *numbers])

    file.visititems(visit)
    return found


def describe(path, values):
    """What keras2.json has of a file."""
    import h5py

    if path.suffix == ".h5":
        with h5py.File(path) as file:
            groups = file["model_weights"]
            names = {n: list(groups[n].attrs["weight_names"]) for n in
                     groups.attrs["layer_names"]}  # fmt: skip
            config = file.attrs["model_config"]
            weights = weights_in(groups, values)
        return {"config": json.loads(config), "layers": names, "weights": weights}
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        with h5py.File(BytesIO(archive.read("model.weights.h5"))) as file:
            return {"config": config, "weights": weights_in(file, values)}


def main(folder):
    import tf_keras

    command = "python tests/make_keras2.py DIR"
    described = {"keras_version": tf_keras.__version__, "command": command}
    for define in MODELS:
        name = define.__name__
        model = define(tf_keras)
        values = [weight(i, x.shape) for i, x in enumerate(model.get_weights())]
        model.set_weights(values)
        z = latent_vectors()
        inputs = z if len(model.inputs) == 1 else [z, np.arange(N).reshape(-1, 1)]
        images = model.predict(inputs, verbose=0)
        np.save(folder / f"{name}.npy", images)
        described[name] = {"pixels": [float(x) for x in images.ravel()[PIXELS]]}
        for kind in ("h5", "keras"):
            model.save(folder / f"{name}.{kind}")
            if kind == "h5" or name == "nested":  # the file in the repository stays small
                described[name][kind] = describe(folder / f"{name}.{kind}", values)
    (folder / "keras2.json").write_text(json.dumps(described) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
