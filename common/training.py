"""Train the GAN of a `train.py`: check the options, call `fit`, save the results."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np

from common import sampling
from common.basics.errors import UserError
from common.checkpoints import save_models
from common.data.datasets import show_notice
from common.devices import set_up
from common.fitting import strategy
from common.fitting.build import check_classes, gan_for, source_files
from common.objectives.pretraining import pretrain
from common.runs import folder
from common.runs.record import write_record
from common.runs.state import has_begun

MIN_STEPS = 100  # of an epoch by default: few images are used several times


@dataclass(frozen=True)
class Settings:
    """Settings of `train`, named as the options of the command line.

    Attributes:
        steps_per_epoch: None: n // n_batch, but at least 100.
        save_every: epochs between saved image grids and models.
        seed: int, seed of the images' order and of the grids' latent vectors.
        resume: whether to resume from the state in the run folder.
        pretrain_discriminator: updates of an auto-encoder D on real images before
            adversarial training.
        on_collapse: "warn", "stop" or "restart", see `collapse.CollapseDetector`.
        evaluate_every: epochs between scores of G, see `scores/report.py`; None: never.
        track: "none", "comet" or "comet-offline", see `tracking`.
        record: content of `options.json`, written after the first state; see `record.py`.
        make_gan: function, G, D and composite -> gan.GAN; None: `gan.GAN`.
    """

    steps_per_epoch: int | None = None
    save_every: int = 10
    seed: int = 0
    resume: str | bool | None = None
    pretrain_discriminator: int = 0
    on_collapse: str = "warn"
    evaluate_every: int | None = None
    track: str = "none"
    record: dict | None = None
    make_gan: Callable | None = None

    @classmethod
    def from_options(cls, options, **more):
        """Return the settings that a Namespace has, and those of `more`."""
        names = [field.name for field in fields(cls) if field.name not in more]
        return cls(**{name: vars(options)[name] for name in names}, **more)


def prepare(options, images, models):
    """Check the options, set up devices and seed, and print the data and the models.

    Args:
        options: Namespace, see `training_options`.
        images: datasets.Images.
        models: the `define_*` functions of the architecture.

    Returns:
        one line about the device, see `devices.set_up`.

    Raises:
        UserError: there are fewer images than a step needs, no classes or no such device,
            or the machines of TF_CONFIG differ.
    """
    check_classes(options, images)
    n_needed, n_real = options.batch_size // 2 * options.critic_steps, len(images.pixels)
    if n_needed > n_real:
        bound = f"--batch-size must be at most {2 * n_real}"
        if options.critic_steps > 1:
            bound = f"--batch-size / 2 x --critic-steps must be at most {n_real}"
        raise UserError(
            f"a step takes {n_needed} real images, and there are {n_real}: {bound}"
        )
    device = set_up(options.device, options.precision) + strategy.start(options)
    show_notice(images)
    print(f"{device}; data: {len(images.pixels)} images of {images.name}")
    print(f"models: {options.architecture}, defined in {source_files(models)}")
    strategy.check_same(options, images)
    if options.device == "all" and not strategy.is_chief():
        strategy.redirect_worker_output(options)
    import keras

    keras.utils.set_random_seed(options.seed)
    return device


def run_training(script, options, images, device, models, dataset, summarize):
    """Train models with the options of the command line; save results in a run folder.

    Args:
        script: training_options.Script.
        options: Namespace, see `training_options`.
        images: datasets.Images; their description is saved in the run folder.
        device: one line, see `devices.set_up`.
        models: G, D and the composite, as `build.define_models` makes them.
        dataset, summarize: see `train`.

    Raises:
        UserError: a step does not fit into memory, or there is no run to resume.
    """
    from common.fitting import memory

    memory.check(*models[:2], options.batch_size)
    run, record = folder.start_run(script.path, options, images.describe(), device)
    print(f"seed: {options.seed}; results in {run}")
    make_gan = partial(gan_for, options)
    settings = Settings.from_options(options, record=record, make_gan=make_gan)
    sizes = options.latent_dim, options.epochs, options.batch_size
    gan = train(*models, dataset, *sizes, settings=settings, run=run, summarize=summarize)
    print(f"{'stopped' if gan.stop_training else 'done'}: see {run}")


def train(g_model, d_model, gan_model, dataset, latent_dim=100, n_epochs=100, n_batch=256,
          *, settings=Settings(), run=None, summarize=None):  # fmt: skip
    """Train D and G alternately, on real images that are shuffled for every pass.

    Args:
        g_model, d_model, gan_model: as returned by the `define_*` functions.
        dataset: array or `datasets.Scaled`, float32 (n, h, w, c) in G's range.
        latent_dim: length of a latent vector.
        n_epochs: number of epochs, of `settings.steps_per_epoch` steps each.
        n_batch: images of D's update, half of them real; latent vectors of G's update.
        settings: Settings.
        run: Path of the run folder; a new one if None.
        summarize: function like `summarize_performance`, the default.

    Returns:
        the trained gan.GAN.

    Raises:
        UserError: the state to resume is missing or belongs to other models, or Comet
            cannot be reached.
    """
    from common.data.batches import batches_of
    from common.fitting import resume as resuming
    from common.gan import GAN

    run, seed = run or folder.new_run("trained"), settings.seed
    gan = (settings.make_gan or GAN)(g_model, d_model, gan_model)
    batches = batches_of(dataset, n_batch // 2, seed)
    pretrain_d = partial(pretrain, gan, batches, settings.pretrain_discriminator)
    resume = settings.resume and has_begun(run)  # a run may have no state yet
    if not resume:
        pretrain_d()
    start = resuming.start(gan, run, resume)
    if settings.record:
        write_record(run, settings.record)
    n_steps = settings.steps_per_epoch or max(len(dataset) // n_batch, MIN_STEPS)
    n_real = n_batch // 2 * gan.critic_steps
    keywords = {"g_model": g_model, "d_model": d_model, "threshold": gan.threshold}
    keywords |= {"dataset": dataset, "latent_dim": latent_dim, "seed": seed, "run": run}
    summarize = partial(summarize or summarize_performance, **keywords)
    epochs = {"initial_epoch": start, "epochs": n_epochs, "steps_per_epoch": n_steps}
    fit_in_run(gan, n_real, epochs, dataset, settings, run, summarize, pretrain_d)
    return gan


def fit_in_run(gan, n_real, epochs, dataset, settings, run, summarize, pretrain_d):
    """Call `fit` with all callbacks and trackers, and plot the loss curves at the end.

    Args:
        gan: gan.GAN.
        n_real, epochs: real images per step; dict of `fit`'s numbers of epochs and steps.
        dataset, settings, run: see `train`.
        summarize: function of the number of finished epochs.
        pretrain_d: function without arguments, see `restart.restart`.
    """
    from common.data.batches import batches_of
    from common.fitting.callbacks import run_callbacks, verbosity
    from common.fitting.collapse import CollapseDetector
    from common.fitting.distributed import fit_of
    from common.fitting.restart import fit_with_restarts
    from common.fitting.resume import save_on_interrupt
    from common.fitting.tracking import tracked
    from common.plotting import draw_run

    detector = CollapseDetector(run, dataset, settings.on_collapse, settings.seed)
    with (
        tracked(run, dataset, settings.seed, settings.track) as trackers,
        save_on_interrupt(gan, run, summarize),
    ):
        called = run_callbacks(gan, run, settings, summarize, detector, trackers)

        def fit(start):
            step = start * epochs["steps_per_epoch"]
            batches = batches_of(dataset, n_real, settings.seed, start=step)
            keywords = {**epochs, "initial_epoch": start, "callbacks": called}
            keywords |= {"shuffle": False, "verbose": verbosity()}  # batches are shuffled
            fit_of(gan)(batches, **keywords)

        start = epochs["initial_epoch"]
        start = fit_with_restarts(fit, start, gan, run, settings.seed, pretrain_d)
        if start == epochs["epochs"] or (gan.stop_training and start):  # not saved yet
            with gan.averaged_generator():
                summarize(start)
        if start or not gan.stop_training:  # else no epoch is left
            draw_run(run, gan.equilibrium_loss)


def summarize_performance(epoch, g_model, d_model, dataset, latent_dim, n_samples=100,
                          *, threshold=0.5, grid=10, seed=0, run=Path()):  # fmt: skip
    """Print D's accuracy; save grid x grid generated images and both models.

    The latent vectors are the same for every epoch, so that the grids can be compared.
    If the dataset has classes, each row of the grid is a class, and each column is a
    latent vector.

    Args:
        epoch: number of finished epochs, part of the file names.
        g_model, d_model: the models.
        dataset, latent_dim: see `train`.
        n_samples: number of real images, and of generated ones without classes.
        threshold: D classifies images with larger outputs as real; None: D's mean outputs
            are printed in place of its accuracy.
        grid: rows (without classes) and columns of the grid.
        seed: int, seed of the real images and the latent vectors.
        run: Path of the run folder.
    """
    from common.plotting import save_plot

    rng = np.random.default_rng(seed)
    X_real, _ = sampling.generate_real_samples(dataset, n_samples, rng)
    classes = getattr(dataset, "classes", ())
    if classes:
        z, labels = sampling.class_grid(latent_dim, len(classes), grid, rng)
        pictures = sampling.generate_images(g_model, z, labels)
        X_fake = sampling.with_labels(pictures, labels)
    else:
        X_fake, _ = sampling.generate_fake_samples(g_model, latent_dim, n_samples, rng)
        pictures = X_fake[: grid * grid]
    real, fake = (d_model.predict(X, verbose=0) for X in (X_real, X_fake))
    if threshold is None:
        print(f">D's output real: {real.mean():.3g}, fake: {fake.mean():.3g}")
    else:
        acc_real, acc_fake = np.mean(real > threshold), np.mean(fake <= threshold)
        print(f">Accuracy real: {acc_real:.0%}, fake: {acc_fake:.0%}")
    low, _ = sampling.image_range(g_model)
    print(f"saved {save_plot(pictures, epoch, grid, low=low, run=run)}")
    save_models(run, epoch, g_model, d_model, classes)
