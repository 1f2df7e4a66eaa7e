"""Step 6 of 6, the training: D learns to tell real from fake, G to be taken for real."""

import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common import cli, runs
from common.datasets import load_images, show_notice
from common.devices import set_up
from common.sampling import generate_fake_samples, generate_real_samples, real_batches
from mnist_gan import quick
from mnist_gan.define_discriminator import define_discriminator
from mnist_gan.define_gan import define_gan
from mnist_gan.define_generator import define_generator
from mnist_gan.load_data import scale

SCRIPT = "mnist_gan/train.py"

TUTORIAL = {
    "epochs": 100,
    "batch_size": 256,  # 128 real + 128 fake images for D, then 256 points for G
    "latent_dim": 100,
    "learning_rate": 0.0002,
    "save_every": 10,
}
PRESETS = {"quick": quick.OPTIONS}
MODELS = {  # preset -> its functions; None: the tutorial's
    None: (define_generator, define_discriminator, define_gan),
    "quick": (quick.define_generator, quick.define_discriminator, quick.define_gan),
}


def train(g_model, d_model, gan_model, dataset, latent_dim=100, n_epochs=100, n_batch=256,
          *, n_steps=None, save_every=10, seed=0, run=None, resume=False):  # fmt: skip
    """Train D and G by turns, on real images in an order reshuffled for every pass.

    Args:
        g_model, d_model, gan_model: as the `define_*` functions make them.
        dataset: float32 (n, 28, 28, 1) in [0, 1].
        latent_dim: numbers of a latent point.
        n_epochs: how often to go through n_steps steps.
        n_batch: images D sees in a step, half of them real; points G learns from.
        n_steps: steps an epoch; n // n_batch if None.
        save_every: epochs between pictures and models.
        seed: whole number, for the order of the images and the points of the pictures.
        run: Path of the run folder; a new one if None.
        resume: whether to go on with the state in `run`.

    Raises:
        UserError: the state to go on with is missing or belongs to other models.
    """
    from common import callbacks
    from common.gan import GAN
    from common.plotting import draw_run

    run = run or runs.new_run("mnist_gan")
    n_steps = n_steps or len(dataset) // n_batch
    gan = GAN(g_model, d_model, gan_model)
    done = callbacks.start(gan, run, resume)
    summarize = partial(
        summarize_performance, g_model=g_model, d_model=d_model, dataset=dataset,
        latent_dim=latent_dim, seed=seed, run=run,
    )  # fmt: skip
    with callbacks.kept_on_interrupt(gan, run, summarize):
        gan.fit(
            real_batches(dataset, n_batch // 2, seed, start=done * n_steps),
            epochs=n_epochs,
            initial_epoch=done,
            steps_per_epoch=n_steps,
            shuffle=False,  # real_batches does it
            callbacks=callbacks.run_callbacks(run, save_every, summarize),
            verbose=callbacks.verbosity(),
        )
        draw_run(run)


def summarize_performance(epoch, g_model, d_model, dataset, latent_dim, n_samples=100,
                          *, seed=0, run=Path()):  # fmt: skip
    """Print how well D tells real from fake; save a 10x10 grid and both models.

    The points are the same for every epoch, so that the pictures can be compared.
    """
    from common.checkpoints import save_models
    from common.plotting import save_plot

    rng = np.random.default_rng(seed)
    X_real, _ = generate_real_samples(dataset, n_samples, rng)
    X_fake, _ = generate_fake_samples(g_model, latent_dim, n_samples, rng)
    acc_real = np.mean(d_model.predict(X_real, verbose=0) > 0.5)
    acc_fake = np.mean(d_model.predict(X_fake, verbose=0) <= 0.5)
    print(f">Accuracy real: {acc_real:.0%}, fake: {acc_fake:.0%}")
    print(f"saved {save_plot(X_fake, epoch, run=run)}")
    save_models(run, epoch, g_model, d_model)


@cli.command
def main(argv=None):
    """Train on the command line's options, in a run folder."""
    options = cli.training_options(argv, __doc__, SCRIPT, TUTORIAL, PRESETS)
    images = load_images(options.data)
    if options.batch_size > len(images.pixels):
        raise cli.UserError(
            f"--batch-size {options.batch_size} is larger than the {len(images.pixels)} "
            "images: choose a smaller one"
        )
    device = set_up(options.device, options.precision)
    show_notice(images)
    print(f"{device}; data: {len(images.pixels)} images of {images.name}")
    run = runs.start_run(SCRIPT, options, images.describe(), device)
    print(f"seed: {options.seed}; results in {run}")

    import keras

    keras.utils.set_random_seed(options.seed)
    define_g, define_d, define_composite = MODELS[options.preset]
    g_model, d_model = define_g(options.latent_dim), define_d()
    gan_model = define_composite(g_model, d_model)
    for model in (d_model, gan_model):
        model.optimizer.learning_rate = options.learning_rate
    train(
        g_model, d_model, gan_model, scale(images.pixels), options.latent_dim,
        options.epochs, options.batch_size, n_steps=options.steps_per_epoch,
        save_every=options.save_every, seed=options.seed, run=run,
        resume=bool(options.resume),
    )  # fmt: skip
    print(f"done: see {run}")


if __name__ == "__main__":
    main()
