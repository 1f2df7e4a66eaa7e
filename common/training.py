"""The training of every `train.py`: what comes before, during and after `fit`."""

from functools import partial
from pathlib import Path

import numpy as np

from common.basics.errors import UserError
from common.data.datasets import show_notice
from common.devices import set_up
from common.fitting import replicas
from common.fitting.build import gan_for
from common.runs import folder
from common.sampling import (
    class_grid,
    generate_fake_samples,
    generate_images,
    generate_real_samples,
    with_labels,
)

FEWEST_STEPS = 100  # of an epoch, where the options do not say: few images, many passes


def prepare(options, images):
    """Make all ready for a training's models, and say what will be trained on what.

    Args:
        options: Namespace, see `training_options`.
        images: datasets.Images.

    Returns:
        one line about the device, see `devices.set_up`.

    Raises:
        UserError: there are too few images, no such device, or machines that differ.
    """
    n_images = options.batch_size // 2 * options.critic_steps
    if n_images > len(images.pixels):
        n_updates = options.critic_steps
        critic = f" and --critic-steps {n_updates}" if n_updates > 1 else ""
        raise UserError(
            f"--batch-size {options.batch_size}{critic}: a step takes {n_images} real "
            f"images, and there are {len(images.pixels)}: choose a smaller number"
        )
    device = set_up(options.device, options.precision) + replicas.start(options)
    show_notice(images)
    models = f"models: {options.architecture}"
    print(f"{device}; {models}; data: {len(images.pixels)} images of {images.name}")
    replicas.check_same(options, images)
    if options.devices == "all" and not replicas.is_chief():
        replicas.as_worker(options)
    import keras

    keras.utils.set_random_seed(options.seed)
    return device


def train_as_asked(script, options, images, device, models, dataset, **snapshot):
    """Train these models on the command line's options, in a run folder.

    Args:
        script: path of the script below the repository, "mnist_gan/train.py".
        options: Namespace, see `training_options`.
        images: datasets.Images, of which the run keeps a description.
        device: one line, see `devices.set_up`.
        models: G, D and the composite, as `build.define_models` makes them.
        dataset, snapshot: see `train`.

    Raises:
        UserError: a step cannot fit into memory, or there is no such run to resume.
    """
    from common.fitting import memory

    memory.check(*models[:2], options.batch_size)
    run, record = folder.start_run(script, options, images.describe(), device)
    print(f"seed: {options.seed}; results in {run}")
    gan = train(
        *models, dataset, options.latent_dim, options.epochs, options.batch_size,
        n_steps=options.steps_per_epoch, save_every=options.save_every,
        seed=options.seed, run=run, record=record, resume=bool(options.resume),
        n_pretrain=options.pretrain_discriminator, make_gan=partial(gan_for, options),
        on_collapse=options.on_collapse, evaluate_every=options.evaluate_every,
        track=options.track, save_every_steps=options.save_every_steps,
        **snapshot,
    )  # fmt: skip
    print(f"{'stopped' if gan.stop_training else 'done'}: see {run}")


def train(g_model, d_model, gan_model, dataset, latent_dim=100, n_epochs=100, n_batch=256,
          *, n_steps=None, save_every=10, seed=0, run=None, record=None, resume=False,
          make_gan=None, n_pretrain=0, on_collapse="warn", evaluate_every=None,
          track="none", save_every_steps=None, summarize=None, **snapshot):  # fmt: skip
    """Train D and G by turns, on real images in an order reshuffled for every pass.

    Args:
        g_model, d_model, gan_model: as the `define_*` functions make them.
        dataset: array or `datasets.Scaled`, float32 (n, h, w, c) in G's range.
        latent_dim: numbers of a latent point.
        n_epochs: how often to go through n_steps steps.
        n_batch: images D sees in a step, half of them real; points G learns from.
        n_steps: steps an epoch; if None, n // n_batch, but at least 100.
        save_every: epochs between pictures and models.
        seed: whole number, for the order of the images and the points of the pictures.
        run: Path of the run folder; a new one if None.
        record: what to write as `options.json` once a state is there, see `runs`.
        resume: whether to go on with the state in `run`.
        make_gan: function of the three models -> the GAN that learns; if None, `gan.GAN`.
        n_pretrain: updates of an auto-encoding D on real images before the game.
        on_collapse: "warn", "stop" or "restart", see `collapse.Guard`.
        evaluate_every: epochs between two scorings of G, see `report`; None: never.
        track: "none", "comet" or "comet-offline": where to log besides, see `tracking`.
        save_every_steps: steps between two states within an epoch; None: none is saved.
        summarize: what to call for pictures; if None, `summarize_performance`.
        snapshot: what it takes besides.

    Returns:
        the GAN that has learned.

    Raises:
        UserError: the state to go on with is missing or belongs to other models, or
            Comet cannot be reached.
    """
    from common.data.batches import batches_of
    from common.fitting import callbacks
    from common.fitting import resume as resuming
    from common.fitting.collapse import Guard
    from common.fitting.distributed import fit_of
    from common.fitting.tracking import tracked
    from common.gan import GAN
    from common.objectives.pretraining import pretrain
    from common.plotting import draw_run
    from common.runs.state import has_begun

    run = run or folder.new_run("trained")
    n_steps = n_steps or max(len(dataset) // n_batch, FEWEST_STEPS)
    gan = (make_gan or GAN)(g_model, d_model, gan_model)
    fit = fit_of(gan)
    n_real = n_batch // 2 * gan.critic_steps
    resume = resume and has_begun(run)  # or it was killed before its first state
    if n_pretrain and not resume:
        pretrain(gan, batches_of(dataset, n_batch // 2, seed), n_pretrain)
    start = resuming.start(gan, run, resume, n_steps)
    if record:
        folder.write_record(run, record)
    summarize = partial(
        summarize or summarize_performance, g_model=g_model, d_model=d_model,
        dataset=dataset, latent_dim=latent_dim, threshold=gan.threshold, seed=seed,
        run=run, **snapshot,
    )  # fmt: skip
    guard = Guard(run, dataset, on_collapse, seed)
    with (
        tracked(run, dataset, seed, track) as trackers,
        resuming.kept_on_interrupt(gan, run, summarize),
    ):
        fit(
            batches_of(dataset, n_real, seed, start=start.epoch * n_steps),
            epochs=n_epochs,
            initial_epoch=start.epoch,
            steps_per_epoch=n_steps,
            shuffle=False,  # batches_of does it
            callbacks=callbacks.run_callbacks(
                run,
                start,
                save_every,
                save_every_steps,
                summarize,
                guard,
                evaluate_every,
                trackers,
            ),
            verbose=callbacks.verbosity(),
        )
        if start.epoch == n_epochs:  # it was killed then, or more were asked for before
            with gan.averaged_generator():
                summarize(n_epochs)
        draw_run(run, gan.ideal)
    return gan


def summarize_performance(epoch, g_model, d_model, dataset, latent_dim, n_samples=100,
                          *, threshold=0.5, grid=10, seed=0, run=Path(),
                          classes=()):  # fmt: skip
    """Print how well D tells real from fake; save grid x grid images and both models.

    The points are the same for every epoch, so that the pictures can be compared. Where
    D has no threshold above which it calls an image real, its mean outputs are printed.
    Where G draws classes, of which these are the names, a row of the picture is a class
    and a column a point.
    """
    from common.checkpoints import save_models
    from common.plotting import save_plot
    from common.sampling import image_range

    rng = np.random.default_rng(seed)
    X_real, _ = generate_real_samples(dataset, n_samples, rng)
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
