"""Train a GAN on points in the plane, where D's output and mode collapse are visible."""

import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.architectures.blocks import define_gan
from common.basics.cli import command
from common.checkpoints import save_models
from common.data.datasets import Images
from common.fitting.build import define_models
from common.objectives.table import OPTIONS
from common.options.training_options import Script, training_options
from common.runs.layout import PLOT
from common.sampling import generate_images, generate_latent_points
from common.training import prepare, run_training
from toy_gan.points import SETS, coverage

TUTORIAL = {
    "epochs": 40,
    "steps_per_epoch": 500,
    "batch_size": 256,  # 128 real + 128 fake points for D, then 256 latent vectors for G
    "d_batches": "mixed",
    "latent_dim": 32,
    "save_every": 1,
}
OBJECTIVES = {  # in the plane higher rates and smaller penalties are needed
    **OPTIONS,
    "wgan": {**OPTIONS["wgan"], "learning_rate": 0.0005, "clip": 0.1},
    "wgan-gp": {**OPTIONS["wgan-gp"], "learning_rate": 0.001, "penalty": 0.1},
    "r3gan": {**OPTIONS["r3gan"], "penalty": 0.1},
}
SCRIPT = Script(
    "toy_gan/train_points.py", __doc__, tuple(SETS), TUTORIAL, objectives=OBJECTIVES
)


def define_discriminator(in_shape=(2,)):
    """Define and compile D, point (n, 2) -> probability of being real (n, 1)."""
    from keras import Sequential, layers, optimizers

    model = Sequential(
        [
            layers.Input(in_shape),
            layers.Dense(128, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ],
        name="discriminator",
    )
    # beta_1 = 0: with momentum the updates overshoot, and G does not recover lost modes
    model.compile(loss="binary_crossentropy", optimizer=optimizers.Adam(0.001, beta_1=0))
    return model


def define_generator(latent_dim):
    """Define G, latent vector (n, latent_dim) -> point in the plane (n, 2)."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(2),
        ],
        name="generator",
    )


def show_points(epoch, g_model, d_model, dataset, latent_dim, target, seed, run, **_):
    """Print the coverage, plot both sets of points over D's output, save the models."""
    from toy_gan.plots import save_points

    rng = np.random.default_rng(seed)
    points = generate_images(g_model, generate_latent_points(latent_dim, 2000, rng))
    modes, fraction = coverage(points, target)
    n_modes = target.modes.max() + 1
    title = f"epoch {epoch}: {modes} of {n_modes} modes, {fraction:.0%} within 3 sigma"
    print(f">{title}")
    save_points(run / PLOT.format(epoch), dataset, points, d_model, title)
    save_models(run, epoch, g_model, d_model)


@command
def main(argv=None):
    """Train with the options of the command line, in a new run folder."""
    options = training_options(argv, SCRIPT)
    target = SETS[options.data](np.random.default_rng(options.seed))
    images = Images(target.points, None, options.data, "drawn")
    functions = define_generator, define_discriminator, define_gan
    device = prepare(options, images, functions)
    models = define_models(options, *functions, shape=(2,))
    summarize = partial(show_points, target=target)
    run_training(SCRIPT, options, images, device, models, target.points, summarize)


if __name__ == "__main__":
    main()
