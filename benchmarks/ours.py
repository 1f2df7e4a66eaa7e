"""Run the project's own training step, as the tutorials' `train.py` does."""

import importlib
import time
from itertools import pairwise

FOLDERS = {"mnist": "mnist_gan", "cifar10": "cifar10_gan", "faces": "celeba_gan"}


def script_of(dataset):
    """Return the module `train` of a dataset's folder."""
    return importlib.import_module(f"{FOLDERS[dataset]}.train")


def is_separate(dataset):
    """Return whether the tutorial's D is updated on separate real and fake batches."""
    return script_of(dataset).TUTORIAL["d_batches"] == "separate"


def define_models(dataset):
    """Return the tutorial's G, D and composite."""
    define_g, define_d, define_composite = script_of(dataset).ARCHITECTURES["tutorial"]
    g_model, d_model = define_g(latent_dim=100), define_d()
    return g_model, d_model, define_composite(g_model, d_model)


def scaled(g_model, pixels):
    """Return uint8 images (n, h, w, c) as datasets.Scaled, in G's range."""
    from common.data.datasets import Images
    from common.fitting.build import scaled_for

    return scaled_for(g_model, Images(pixels, None, "benchmark", ""))


def stepper(dataset, precision, pixels):
    """Return a function for `worker.py`: batch size and k -> list of seconds of k steps.

    `fit` runs the steps, with the batches of training and no other callbacks. A step is
    measured from the end of the previous one, so that the time to load its data counts.
    """
    import keras

    from common.data.batches import batches_of
    from common.devices import set_up
    from common.gan import GAN

    set_up("auto", precision)
    models = define_models(dataset)
    gan = GAN(*models, separate=is_separate(dataset))
    images, ends = scaled(models[0], pixels), []

    def record_time(step=0, logs=None):
        ends.append(time.perf_counter())

    clock = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda step, logs: step == 0 and record_time(),
        on_train_batch_end=record_time,
    )

    def run(n_batch, k):
        ends.clear()
        batches = batches_of(images, n_batch // 2, seed=0)
        gan.fit(batches, steps_per_epoch=k, shuffle=False, verbose=0, callbacks=[clock])
        return [b - a for a, b in pairwise(ends)]

    return run
