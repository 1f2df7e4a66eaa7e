"""Build the models, the optimizers and the GAN of the options, and scale real images."""

from dataclasses import replace
from functools import partial
from importlib import import_module
from inspect import getsourcefile
from pathlib import Path

import numpy as np

from common.basics.errors import UserError
from common.data.datasets import Scaled
from common.fitting import strategy
from common.objectives.table import LOSS_OPTIONS, OBJECTIVES, OPTIONS
from common.options import rules
from common.runs.record import ROOT
from common.sampling import image_range, takes_labels


def define_models(options, define_generator, define_discriminator, define_gan, shape,
                  classes=()):  # fmt: skip
    """Return G, D and the composite that the options describe.

    With the tutorials' options, this only calls the three functions.

    Args:
        options: Namespace, see `training_options`.
        define_generator: function, latent_dim -> G.
        define_discriminator: function, shape of an image -> compiled D.
        define_gan: function, G and D -> compiled composite.
        shape: (h, w, c) of an image.
        classes: names of the classes of a class-conditional GAN, with `--conditional`.

    Returns:
        (G, D, composite), D and the composite compiled.
    """
    from common.layers import augment, conditional
    from common.objectives.heads import head_for

    flexible = rules.flexible_options(vars(options))
    g_options = {n: x for n, x in flexible.items() if n != "dropout"}
    d_options = {n: x for n, x in flexible.items() if n not in ("upsampling", "output")}
    define_generator = partial(define_generator, **g_options)
    define_discriminator = partial(define_discriminator, **d_options)

    def define_d(in_shape):
        d_model = define_discriminator(in_shape)
        return head_for(options.objective, d_model, define_generator)

    n, z_dim = len(classes), options.latent_dim
    with strategy.scope(options.device):
        if options.architecture in rules.TAKE_LABELS:
            g_model = define_generator(z_dim, n_classes=n)
            d_model = define_discriminator(shape, n_classes=n)
            d_model = head_for(options.objective, d_model)
        elif options.conditional:
            args = n, options.condition
            g_model = conditional.conditional_generator(define_generator, z_dim, *args)
            d_model = conditional.conditional_discriminator(define_d, shape, *args)
            define_gan = partial(conditional.conditional_gan, define_gan=define_gan)
        else:
            g_model, d_model = define_generator(z_dim), define_d(shape)
        if options.augment:
            low, _ = image_range(g_model)
            d_model = augment.with_augmentation(d_model, low)
        return g_model, d_model, define_gan(g_model, d_model)


def gan_for(options, g_model, d_model, gan_model):
    """Return the GAN that `fit` trains, with the objective and optimizers of the options.

    Args:
        options: Namespace, see `training_options`.
        g_model, d_model, gan_model: see `define_models`.

    Returns:
        gan.GAN.
    """
    names = LOSS_OPTIONS & OPTIONS[options.objective].keys()
    loss_options = {name: vars(options)[name] for name in names}
    with strategy.scope(options.device):
        set_optimizers(options, d_model, gan_model)
        return make_gan(
            g_model, d_model, gan_model, options.d_batches, options.critic_steps,
            objective=options.objective, smoothing=options.label_smoothing,
            noise=options.label_noise, wrong_labels=options.wrong_labels, **loss_options,
        )  # fmt: skip


def make_gan(g_model, d_model, gan_model, d_batches="mixed", critic_steps=1, *,
             objective="bce", smoothing=0.0, noise=0.0, wrong_labels=False,
             **loss_options):  # fmt: skip
    """Return the GAN that `fit` trains, with the losses of an objective.

    Args:
        g_model, d_model, gan_model: as `gan.GAN` takes them; D with its head.
        d_batches: "mixed" or "separate", see `gan.GAN`.
        critic_steps: D updates per G update, see `gan.GAN`.
        objective: one of OBJECTIVES.
        smoothing, noise: see `labels.SmoothedLabels`.
        wrong_labels: see `conditional_gan.ConditionalGAN`; for class-conditional models.
        loss_options: numbers that this objective's losses read; defaults: `table.py`.

    Returns:
        gan.GAN, or conditional_gan.ConditionalGAN for class-conditional models.
    """
    from common.fitting.conditional_gan import ConditionalGAN
    from common.gan import GAN
    from common.objectives.labels import SmoothedLabels
    from common.objectives.wgan import Clip

    row, losses = compile_objective(OBJECTIVES[objective], d_model, gan_model)
    names = LOSS_OPTIONS & row.options.keys()
    loss_options = {name: row.options[name] for name in names} | loss_options
    if smoothing or noise:
        loss = SmoothedLabels(d_model.loss, smoothing, noise)
        d_model.compile(d_model.optimizer, loss=loss)
    clip = loss_options.pop("clip", None)
    gan_class = GAN
    if takes_labels(g_model):
        gan_class = partial(ConditionalGAN, wrong_labels=wrong_labels)
    separate = d_batches == "separate" and row.uses_labels
    models = g_model, d_model, gan_model
    gan = gan_class(*models, separate, critic_steps, row, losses, **loss_options)
    gan.noise_seed = getattr(d_model.loss, "seed", None)  # part of the saved state
    if clip:
        for weight in d_model.trainable_weights:
            weight.constraint = Clip(clip)  # the optimizer applies it after each step
    return gan


def compile_objective(row, d_model, gan_model):
    """Compile an objective's losses into the models, and set Adam's betas.

    Args:
        row: objectives.table.Objective.
        d_model, gan_model: see `make_gan`.

    Returns:
        the row, with the threshold and the equilibrium of these models; and two functions
        that replace `GAN.d_loss` and `GAN.g_loss`, or None.
    """
    from keras.activations import linear
    from keras.optimizers import Adam

    from common.layers.ema import without_loss_scaling

    models = d_model, gan_model
    for model in models:
        optimizer = without_loss_scaling(model.optimizer)
        if row.betas and isinstance(optimizer, Adam):
            optimizer.beta_1, optimizer.beta_2 = row.betas
    if row.losses:
        module = import_module(f"common.objectives.{row.losses}")
        losses = module.d_loss, module.g_loss
        if not row.uses_labels:
            return row, losses
        for model, loss in zip(models, losses, strict=True):
            model.compile(model.optimizer, loss=loss)
        return row, None
    # User-defined models may have a D that returns scores, or an unknown loss.
    if getattr(d_model.layers[-1], "activation", None) is linear:
        row = replace(row, threshold=0.0)
    names = {getattr(model.loss, "name", model.loss) for model in models}
    if names != {"binary_crossentropy"}:
        row = replace(row, equilibrium_loss=None)
    return row, None


def set_optimizers(options, d_model, gan_model):
    """Set the class, the learning rates and the EMA of D's and G's optimizers.

    An option that is None does not change what the `define_*` functions compile.

    Args:
        options: Namespace, see `training_options`.
        d_model, gan_model: compiled models.

    Raises:
        UserError: a learning rate is to replace a learning rate schedule.
    """
    import keras

    from common.layers.ema import without_loss_scaling

    rates = options.d_learning_rate, options.g_learning_rate
    for model, rate in zip((d_model, gan_model), rates, strict=True):
        rate = rate or options.learning_rate
        if options.optimizer != "adam":
            rate = rate or float(model.optimizer.learning_rate)
            model.compile(keras.optimizers.get(options.optimizer), loss=model.loss)
        if rate:
            try:
                model.optimizer.learning_rate = rate
            except TypeError:  # Keras raises it for a schedule
                raise UserError(
                    f"a learning rate of {rate:g} cannot replace the learning rate "
                    "schedule that the models are compiled with: omit the option or the "
                    "objective that sets it, or compile with a number"
                ) from None
    if options.ema:
        optimizer = without_loss_scaling(gan_model.optimizer)
        optimizer.use_ema, optimizer.ema_momentum = True, options.ema


def check_classes(options, images):
    """Raise a UserError if `--conditional` is given for images without some class."""
    if options.conditional and (images.labels is None or not images.classes):
        raise UserError(
            f"--conditional: {images.name} has no classes, at least 2 are needed: use "
            "one subfolder per class, a file with labels 0, 1, ..., or CelebA's "
            "attributes with --attribute NAME; or omit --conditional or its preset"
        )
    classes = images.classes if options.conditional and options.limit else ()
    missing = [x for i, x in enumerate(classes) if i not in images.labels]
    if missing:
        raise UserError(
            f"--limit {options.limit}: the first images of {images.name} have none of "
            f"{', '.join(missing)}: use a larger --limit, or omit --conditional"
        )


def scaled_for(g_model, images, conditional=False):
    """Return the real images in the range of G's output: [0, 1], or [-1, 1] for tanh.

    Args:
        g_model: generator.
        images: datasets.Images.
        conditional: whether D and G are class-conditional.

    Returns:
        datasets.Scaled.
    """
    low, high = image_range(g_model)

    def scale(pixels):
        return pixels.astype("float32") / np.float32(255 / (high - low)) + low

    return Scaled(images.pixels, scale, *[images.labels, images.classes] * conditional)


def source_files(functions):
    """Return the paths of the files that define functions, such as "mnist_gan/quick.py".

    Args:
        functions: functions, or `functools.partial` objects of functions.
    """
    plain = [getattr(function, "func", function) for function in functions]
    paths = [Path(getsourcefile(function)).relative_to(ROOT) for function in plain]
    return ", ".join(dict.fromkeys(path.as_posix() for path in paths))
