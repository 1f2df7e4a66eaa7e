"""The training of every `train.py`: what comes before, during and after `fit`."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np

from common.basics.errors import UserError
from common.checkpoints import save_models
from common.data.datasets import show_notice
from common.devices import set_up
from common.fitting import strategy
from common.fitting.build import check_classes, gan_for, places_of
from common.objectives.pretraining import pretrain
from common.runs import folder
from common.runs.record import write_record
from common.runs.state import has_begun
from common.sampling import (
    class_grid,
    generate_fake_samples,
    generate_images,
    generate_real_samples,
    image_range,
    with_labels,
)

FEWEST_STEPS = 100  # of an epoch, where the options do not say: few images, many passes


@dataclass(frozen=True)
class Settings:
    """How `train` trains, besides its models and images; names as of the options.

    Attributes:
        steps_per_epoch: None: n // n_batch, but at least 100.
        save_every: epochs between pictures and models.
        seed: whole number, for the order of the images and the latent vectors of the
            pictures.
        resume: whether to go on with the state in the run folder.
        pretrain_discriminator: updates of an auto-encoding D on real images at first.
        on_collapse: "warn", "stop" or "restart", see `collapse.CollapseDetector`.
        evaluate_every: epochs between two scorings of G, see `report`; None: never.
        track: "none", "comet" or "comet-offline": where to log besides, see `tracking`.
        record: what to write as `options.json` once a state is there, see `record.py`.
        make_gan: function of the three models -> the GAN that learns; None: `gan.GAN`.
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
    def typed(cls, options, **more):
        """Return those of a Namespace, and what is given besides."""
        names = [field.name for field in fields(cls) if field.name not in more]
        return cls(**{name: vars(options)[name] for name in names}, **more)


def prepare(options, images, models):
    """Make all ready for a training's models, and say what will be trained on what.

    Args:
        options: Namespace, see `training_options`.
        images: datasets.Images.
        models: the `define_*` functions of the architecture.

    Returns:
        one line about the device, see `devices.set_up`.

    Raises:
        UserError: there are too few images, no classes, no such device, or machines that
            differ.
    """
    check_classes(options, images)
    n_images = options.batch_size // 2 * options.critic_steps
    if n_images > len(images.pixels):
        n_updates = options.critic_steps
        critic = f" and --critic-steps {n_updates}" if n_updates > 1 else ""
        raise UserError(
            f"--batch-size {options.batch_size}{critic}: a step takes {n_images} real "
            f"images, and there are {len(images.pixels)}: choose a smaller number"
        )
    device = set_up(options.device, options.precision) + strategy.start(options)
    show_notice(images)
    print(f"{device}; data: {len(images.pixels)} images of {images.name}")
    print(f"models: {options.architecture}, defined in {places_of(models)}")
    strategy.check_same(options, images)
    if options.device == "all" and not strategy.is_chief():
        strategy.as_worker(options)
    import keras

    keras.utils.set_random_seed(options.seed)
    return device


def train_as_asked(script, options, images, device, models, dataset, summarize):
    """Train these models on the command line's options, in a run folder.

    Args:
        script: training_options.Script.
        options: Namespace, see `training_options`.
        images: datasets.Images, of which the run keeps a description.
        device: one line, see `devices.set_up`.
        models: G, D and the composite, as `build.define_models` makes them.
        dataset, summarize: see `train`.

    Raises:
        UserError: a step cannot fit into memory, or there is no such run to resume.
    """
    from common.fitting import memory

    memory.check(*models[:2], options.batch_size)
    run, record = folder.start_run(script.path, options, images.describe(), device)
    print(f"seed: {options.seed}; results in {run}")
    make_gan = partial(gan_for, options)
    settings = Settings.typed(options, record=record, make_gan=make_gan)
    sizes = options.latent_dim, options.epochs, options.batch_size
    gan = train(*models, dataset, *sizes, settings=settings, run=run, summarize=summarize)
    print(f"{'stopped' if gan.stop_training else 'done'}: see {run}")


def train(g_model, d_model, gan_model, dataset, latent_dim=100, n_epochs=100, n_batch=256,
          *, settings=Settings(), run=None, summarize=None):  # fmt: skip
    """Train D and G alternating, on real images in an order reshuffled for every pass.

    Args:
        g_model, d_model, gan_model: as the `define_*` functions make them.
        dataset: array or `datasets.Scaled`, float32 (n, h, w, c) in G's range.
        latent_dim: numbers of a latent vector.
        n_epochs: number of epochs, of `settings.steps_per_epoch` steps each.
        n_batch: images D sees in a step, half of them real; latent vectors of G's update.
        settings: Settings.
        run: Path of the run folder; a new one if None.
        summarize: function like `summarize_performance`, which it is if None.

    Returns:
        the GAN that has learned.

    Raises:
        UserError: the state to go on with is missing or belongs to other models, or
            Comet cannot be reached.
    """
    from common.data.batches import batches_of
    from common.fitting import resume as resuming
    from common.gan import GAN

    run, seed = run or folder.new_run("trained"), settings.seed
    gan = (settings.make_gan or GAN)(g_model, d_model, gan_model)
    resume = settings.resume and has_begun(run)  # or it was killed before its first state
    if settings.pretrain_discriminator and not resume:
        batches = batches_of(dataset, n_batch // 2, seed)
        pretrain(gan, batches, settings.pretrain_discriminator)
    start = resuming.start(gan, run, resume)
    if settings.record:
        write_record(run, settings.record)
    n_steps = settings.steps_per_epoch or max(len(dataset) // n_batch, FEWEST_STEPS)
    n_real = n_batch // 2 * gan.critic_steps
    batches = batches_of(dataset, n_real, seed, start=start * n_steps)
    own = {"g_model": g_model, "d_model": d_model, "threshold": gan.threshold}
    own |= {"dataset": dataset, "latent_dim": latent_dim, "seed": seed, "run": run}
    summarize = partial(summarize or summarize_performance, **own)
    epochs = {"initial_epoch": start, "epochs": n_epochs, "steps_per_epoch": n_steps}
    fit_in_run(gan, batches, epochs, dataset, settings, run, summarize)
    return gan


def fit_in_run(gan, batches, epochs, dataset, settings, run, summarize):
    """Call `fit` with what happens besides; draw the run when it ends.

    Args:
        gan: gan.GAN.
        batches: see `batches.batches_of`.
        epochs: dict of `fit`'s initial_epoch, epochs and steps_per_epoch.
        dataset, settings, run: as of `train`.
        summarize: function of the number of finished epochs.
    """
    from common.fitting import callbacks
    from common.fitting.collapse import CollapseDetector
    from common.fitting.distributed import fit_of
    from common.fitting.resume import kept_on_interrupt
    from common.fitting.tracking import tracked
    from common.plotting import draw_run

    detector = CollapseDetector(run, dataset, settings.on_collapse, settings.seed)
    beside = gan, run, settings, summarize, detector
    with (
        tracked(run, dataset, settings.seed, settings.track) as trackers,
        kept_on_interrupt(gan, run, summarize),
    ):
        fit_of(gan)(
            batches,
            **epochs,
            shuffle=False,  # `batches` does it
            callbacks=callbacks.run_callbacks(*beside, trackers),
            verbose=callbacks.verbosity(),
        )
        if epochs["initial_epoch"] == epochs["epochs"]:  # it was killed after the last
            with gan.averaged_generator():
                summarize(epochs["epochs"])
        draw_run(run, gan.ideal)


def summarize_performance(epoch, g_model, d_model, dataset, latent_dim, n_samples=100,
                          *, threshold=0.5, grid=10, seed=0, run=Path()):  # fmt: skip
    """Print how well D tells real from fake; save grid x grid images and both models.

    The latent vectors are the same for every epoch, so that the pictures can be compared.
    Where D has no threshold above which it classifies an image as real, its mean outputs
    are printed. Where the dataset has classes, a row of the picture is a class and a
    column a latent vector.
    """
    from common.plotting import save_plot

    rng = np.random.default_rng(seed)
    X_real, _ = generate_real_samples(dataset, n_samples, rng)
    classes = getattr(dataset, "classes", ())
    if classes:
        points, labels = class_grid(latent_dim, len(classes), grid, rng)
        pictures = generate_images(g_model, points, labels)
        X_fake = with_labels(pictures, labels)
    else:
        X_fake, _ = generate_fake_samples(g_model, latent_dim, n_samples, rng)
        pictures = X_fake[: grid * grid]
    real, fake = (d_model.predict(X, verbose=0) for X in (X_real, X_fake))
    if threshold is None:
        print(f">D's output real: {real.mean():.3g}, fake: {fake.mean():.3g}")
    else:
        acc_real, acc_fake = np.mean(real > threshold), np.mean(fake <= threshold)
        print(f">Accuracy real: {acc_real:.0%}, fake: {acc_fake:.0%}")
    low, _ = image_range(g_model)
    print(f"saved {save_plot(pictures, epoch, grid, low=low, run=run)}")
    save_models(run, epoch, g_model, d_model, classes)
