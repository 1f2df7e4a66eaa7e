"""What the command line asks for: models, optimizers, the GAN, and the images' range."""

from dataclasses import replace
from functools import partial, wraps
from importlib import import_module

import numpy as np

from common.basics.errors import UserError
from common.data.datasets import Scaled
from common.fitting import replicas
from common.objectives.table import OBJECTIVES, OPTIONS, OWN
from common.options import extensions
from common.sampling import image_range


def _in_scope(function):
    """Call `function(options, ...)` where `--devices all` wants models to be made."""

    @wraps(function)
    def make(options, *arguments, **keywords):
        with replicas.scope(options.devices):
            return function(options, *arguments, **keywords)

    return make


@_in_scope
def define_models(options, define_generator, define_discriminator, define_gan, shape,
                  classes=()):  # fmt: skip
    """G, D and the composite, as the options ask for them.

    With the tutorials' options this calls the three functions, and nothing else.

    Args:
        options: Namespace, see `training_options`.
        define_generator: function, latent_dim -> G.
        define_discriminator: function, shape of an image -> compiled D.
        define_gan: function, G and D -> compiled composite.
        shape: (h, w, c) of an image.
        classes: names of the classes that G and D are told, with `--conditional`.
    """
    from common.objectives.heads import head_for

    if options.architecture == "flexible":
        of_g, of_d = extensions.of_flexible(options)
        define_generator = partial(define_generator, **of_g)
        define_discriminator = partial(define_discriminator, **of_d)

    def define_d(in_shape):
        return head_for(
            options.objective, define_discriminator(in_shape), define_generator
        )

    if options.architecture in extensions.TOLD:
        n = len(classes)
        g_model = define_generator(options.latent_dim, n_classes=n)
        d_model = head_for(options.objective, define_discriminator(shape, n_classes=n))
    elif options.conditional:
        from common.layers import conditional

        kind = len(classes), options.condition
        g_model = conditional.conditional_generator(
            define_generator, options.latent_dim, *kind
        )
        d_model = conditional.conditional_discriminator(define_d, shape, *kind)
        define_gan = partial(conditional.conditional_gan, define_gan=define_gan)
    else:
        g_model, d_model = define_generator(options.latent_dim), define_d(shape)
    if options.augment:
        from common.layers.augment import with_augmentation

        d_model = with_augmentation(d_model, low=image_range(g_model)[0])
    return g_model, d_model, define_gan(g_model, d_model)


@_in_scope
def gan_for(options, g_model, d_model, gan_model):
    """The GAN that `fit` trains, with the objective and the optimizers asked for.

    Args:
        options: Namespace, see `training_options`.
        g_model, d_model, gan_model: see `define_models`.
    """
    set_optimizers(options, d_model, gan_model)
    own = {
        name: vars(options)[name] for name in OPTIONS[options.objective] if name in OWN
    }
    return make_gan(
        g_model, d_model, gan_model, options.halves, options.critic_steps,
        objective=options.objective, smoothing=options.label_smoothing,
        noise=options.label_noise, wrong_labels=options.wrong_labels, **own,
    )  # fmt: skip


def make_gan(g_model, d_model, gan_model, halves="merged", critic_steps=1, *,
             objective="bce", smoothing=0.0, noise=0.0, wrong_labels=False,
             **own):  # fmt: skip
    """Return the GAN that `fit` trains on an objective.

    Args:
        g_model, d_model, gan_model: as `gan.GAN` takes them; D with its head.
        halves: "merged" or "separate", see `gan.GAN`.
        critic_steps: as of `gan.GAN`.
        objective: one of OBJECTIVES.
        smoothing, noise: see `labels.SmoothedLabels`.
        wrong_labels: see `conditional_gan.ConditionalGAN`, which is for a G of classes.
        own: options that only this objective has, else as in its paper.
    """
    from keras.activations import linear
    from keras.optimizers import Adam

    from common.fitting.conditional_gan import ConditionalGAN
    from common.gan import GAN
    from common.layers.ema import inner
    from common.objectives.labels import SmoothedLabels
    from common.objectives.wgan import Clip
    from common.sampling import takes_labels

    row = OBJECTIVES[objective]
    if row.betas:
        for model in (d_model, gan_model):
            adam = inner(model.optimizer)
            if isinstance(adam, Adam):
                adam.beta_1, adam.beta_2 = row.betas
    losses, noise_seed = None, None
    if row.losses:
        module = import_module(f"common.objectives.{row.losses}")
        losses = module.d_loss, module.g_loss
        if row.of_labels:
            for model, loss in zip((d_model, gan_model), losses, strict=True):
                model.compile(model.optimizer, loss=loss)
            losses = None
    elif getattr(d_model.layers[-1], "activation", None) is linear:
        row = replace(row, threshold=0.0)  # a reader's own D gives scores
    known_loss = d_model.loss
    if smoothing or noise:
        loss = SmoothedLabels(d_model.loss, smoothing, noise)
        d_model.compile(d_model.optimizer, loss=loss)
        noise_seed = loss.seed
    own = {name: row.options[name] for name in OWN if name in row.options} | own
    clip = own.pop("clip", None)
    gan_class = GAN
    if takes_labels(g_model):
        gan_class = partial(ConditionalGAN, wrong_labels=wrong_labels)
    gan = gan_class(
        g_model, d_model, gan_model, separate=halves == "separate" and row.of_labels,
        critic_steps=critic_steps, objective=row, losses=losses, **own,
    )  # fmt: skip
    gan.noise_seed = noise_seed  # a part of what is saved and resumed
    if isinstance(row.ideal, str):
        gan.ideal = getattr(gan, row.ideal)
    names = {getattr(x, "name", x) for x in (known_loss, gan_model.loss)}
    if row.losses is None and names != {"binary_crossentropy"}:
        gan.ideal = None  # a reader's own loss
    if clip:
        for weight in d_model.trainable_weights:
            weight.constraint = Clip(clip)  # the optimizer applies it after each step
    return gan


def set_optimizers(options, d_model, gan_model):
    """Give D's and G's optimizers the kind, the rates and the mean that are asked for.

    What is not asked for stays as the `define_*` functions compile it.
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
                    "the models are compiled with a schedule of the learning rate, which "
                    f"a rate of {rate:g} cannot replace: leave out the option or the "
                    "objective that sets it, or compile a number"
                ) from None
    if options.ema:
        optimizer = inner(gan_model.optimizer)
        optimizer.use_ema, optimizer.ema_momentum = True, options.ema


def classes_of(images, options):
    """What `--conditional` needs: labels int (n,) and names; None and () without it.

    Raises:
        UserError: the images have no classes.
    """
    if not options.conditional:
        return None, ()
    if images.labels is None or not images.classes:
        raise UserError(
            f"--conditional: {images.name} has no classes, at least two; wanted are "
            "subfolders, one for each class, a file with labels 0, 1, ..., or CelebA's "
            "attributes and --attribute NAME; else leave out --conditional, or the "
            "preset that sets it"
        )
    return images.labels, tuple(images.classes)


def scaled_for(g_model, images, labels=None):
    """The real images in the range of G's: [0, 1], or [-1, 1] where its end is tanh.

    Args:
        g_model: generator.
        images: datasets.Images.
        labels: int (n,), where D and G are told the classes.

    Returns:
        datasets.Scaled.
    """
    low, high = image_range(g_model)

    def scale(pixels):
        return pixels.astype("float32") / np.float32(255 / (high - low)) + low

    return Scaled(images.pixels, scale, labels)
