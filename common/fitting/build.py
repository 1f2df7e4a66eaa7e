"""Build what the options request: models, optimizers, the GAN, and scaled images."""

from dataclasses import replace
from functools import partial
from importlib import import_module
from inspect import getsourcefile
from pathlib import Path

import numpy as np

from common.basics.errors import UserError
from common.data.datasets import Scaled
from common.fitting import strategy
from common.objectives.table import OBJECTIVES, OPTIONS, OWN
from common.options import rules
from common.runs.record import ROOT
from common.sampling import image_range, takes_labels


def define_models(options, define_generator, define_discriminator, define_gan, shape,
                  classes=()):  # fmt: skip
    """Return G, D and the composite that the options describe.

    With the tutorials' options this only calls the three functions.

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
    from common.objectives.heads import head_for

    flexible = rules.flexible_options(vars(options))
    of_g = {n: x for n, x in flexible.items() if n != "dropout"}
    of_d = {n: x for n, x in flexible.items() if n not in ("upsampling", "output")}
    define_generator = partial(define_generator, **of_g)
    define_discriminator = partial(define_discriminator, **of_d)

    def define_d(in_shape):
        return head_for(
            options.objective, define_discriminator(in_shape), define_generator
        )

    n, size = len(classes), options.latent_dim
    with strategy.scope(options.device):
        if options.architecture in rules.TAKE_LABELS:
            g_model = define_generator(size, n_classes=n)
            d_model = define_discriminator(shape, n_classes=n)
            d_model = head_for(options.objective, d_model)
        elif options.conditional:
            from common.layers import conditional

            kind = n, options.condition
            g_model = conditional.conditional_generator(define_generator, size, *kind)
            d_model = conditional.conditional_discriminator(define_d, shape, *kind)
            define_gan = partial(conditional.conditional_gan, define_gan=define_gan)
        else:
            g_model, d_model = define_generator(size), define_d(shape)
        if options.augment:
            from common.layers.augment import with_augmentation

            d_model = with_augmentation(d_model, low=image_range(g_model)[0])
        return g_model, d_model, define_gan(g_model, d_model)


def gan_for(options, g_model, d_model, gan_model):
    """Return the GAN that `fit` trains, with the objective and optimizers of the options.

    Args:
        options: Namespace, see `training_options`.
        g_model, d_model, gan_model: see `define_models`.

    Returns:
        gan.GAN.
    """
    own = {
        name: vars(options)[name] for name in OPTIONS[options.objective] if name in OWN
    }
    with strategy.scope(options.device):
        set_optimizers(options, d_model, gan_model)
        return make_gan(
            g_model, d_model, gan_model, options.d_batches, options.critic_steps,
            objective=options.objective, smoothing=options.label_smoothing,
            noise=options.label_noise, wrong_labels=options.wrong_labels, **own,
        )  # fmt: skip


def make_gan(g_model, d_model, gan_model, d_batches="mixed", critic_steps=1, *,
             objective="bce", smoothing=0.0, noise=0.0, wrong_labels=False,
             **own):  # fmt: skip
    """Return the GAN that `fit` trains on an objective.

    Args:
        g_model, d_model, gan_model: as `gan.GAN` takes them; D with its head.
        d_batches: "mixed" or "separate", see `gan.GAN`.
        critic_steps: D updates per G update, see `gan.GAN`.
        objective: one of OBJECTIVES.
        smoothing, noise: see `labels.SmoothedLabels`.
        wrong_labels: see `conditional_gan.ConditionalGAN`; for class-conditional models.
        own: options of this objective; the others have the defaults of `table.py`.
    """
    from common.fitting.conditional_gan import ConditionalGAN
    from common.gan import GAN
    from common.objectives.labels import SmoothedLabels
    from common.objectives.wgan import Clip

    row, losses = install(OBJECTIVES[objective], d_model, gan_model)
    own = {name: row.options[name] for name in OWN if name in row.options} | own
    noise_seed = None
    if smoothing or noise:
        loss = SmoothedLabels(d_model.loss, smoothing, noise)
        d_model.compile(d_model.optimizer, loss=loss)
        noise_seed = loss.seed
    clip = own.pop("clip", None)
    gan_class = GAN
    if takes_labels(g_model):
        gan_class = partial(ConditionalGAN, wrong_labels=wrong_labels)
    separate = d_batches == "separate" and row.of_labels
    models = g_model, d_model, gan_model
    gan = gan_class(*models, separate, critic_steps, row, losses, **own)
    gan.ideal = own.get(row.ideal, row.ideal)
    gan.noise_seed = noise_seed  # part of the saved state
    if clip:
        for weight in d_model.trainable_weights:
            weight.constraint = Clip(clip)  # the optimizer applies it after each step
    return gan


def install(row, d_model, gan_model):
    """Compile an objective's losses into the models, and set Adam's betas.

    Args:
        row: objectives.table.Objective.
        d_model, gan_model: see `make_gan`.

    Returns:
        the row with the values for these models, and two functions that replace
        `GAN.d_loss` and `GAN.g_loss`, or None.
    """
    from keras.activations import linear
    from keras.optimizers import Adam

    from common.layers.ema import inner

    models = d_model, gan_model
    for adam in (inner(model.optimizer) for model in models):
        if row.betas and isinstance(adam, Adam):
            adam.beta_1, adam.beta_2 = row.betas
    if row.losses:
        module = import_module(f"common.objectives.{row.losses}")
        losses = module.d_loss, module.g_loss
        if not row.of_labels:
            return row, losses
        for model, loss in zip(models, losses, strict=True):
            model.compile(model.optimizer, loss=loss)
        return row, None
    # User-defined models: D may return scores, and the ideal of another loss is unknown.
    if getattr(d_model.layers[-1], "activation", None) is linear:
        row = replace(row, threshold=0.0)
    names = {getattr(model.loss, "name", model.loss) for model in models}
    return (row if names == {"binary_crossentropy"} else replace(row, ideal=None)), None


def set_optimizers(options, d_model, gan_model):
    """Set the kind, the learning rates and the EMA of D's and G's optimizers.

    Options that are None leave what the `define_*` functions compile.

    Raises:
        UserError: a learning rate is to replace a learning rate schedule.
    """
    import keras

    from common.layers.ema import inner

    rates = options.d_learning_rate, options.g_learning_rate
    for model, rate in zip((d_model, gan_model), rates, strict=True):
        rate = rate or options.learning_rate
        if options.optimizer != "adam":
            rate = rate or float(model.optimizer.learning_rate)
            model.compile(keras.optimizers.get(options.optimizer), loss=model.loss)
        if rate:
            try:
                model.optimizer.learning_rate = rate
            except TypeError:  # of Keras
                raise UserError(
                    f"a learning rate of {rate:g} cannot replace the learning rate "
                    "schedule that the models are compiled with: omit the option or the "
                    "objective that sets it, or compile with a number"
                ) from None
    if options.ema:
        optimizer = inner(gan_model.optimizer)
        optimizer.use_ema, optimizer.ema_momentum = True, options.ema


def check_classes(options, images):
    """Raise a UserError if `--conditional` is given for images without class labels."""
    if options.conditional and (images.labels is None or not images.classes):
        raise UserError(
            f"--conditional: {images.name} has no classes, at least 2 are needed: use "
            "one subfolder per class, a file with labels 0, 1, ..., or CelebA's "
            "attributes with --attribute NAME; or omit --conditional, or the preset "
            "that sets it"
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
    """Return the files that define functions, a str such as "mnist_gan/quick.py"."""
    plain = [getattr(function, "func", function) for function in functions]
    paths = [Path(getsourcefile(function)).relative_to(ROOT) for function in plain]
    return ", ".join(dict.fromkeys(path.as_posix() for path in paths))
