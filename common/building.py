"""What the command line asks for: models, optimizers, the GAN, and the images' range."""

from functools import partial, wraps

import numpy as np

from common import extensions, replicas
from common.checkpoints import image_range
from common.datasets import Scaled
from common.errors import UserError
from common.objectives import OPTIONS, OWN


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
    from common.objectives.table import OBJECTIVES

    head = OBJECTIVES[options.objective].head or (lambda d_model, define_decoder: d_model)
    if options.architecture == "flexible":
        of_g, of_d = extensions.of_flexible(options)
        define_generator = partial(define_generator, **of_g)
        define_discriminator = partial(define_discriminator, **of_d)

    def define_d(in_shape):
        return head(define_discriminator(in_shape), define_generator)

    if options.architecture in extensions.TOLD:
        n = len(classes)
        g_model = define_generator(options.latent_dim, n_classes=n)
        d_model = head(define_discriminator(shape, n_classes=n), None)
    elif options.conditional:
        from common import conditional

        kind = len(classes), options.condition
        g_model = conditional.conditional_generator(
            define_generator, options.latent_dim, *kind
        )
        d_model = conditional.conditional_discriminator(define_d, shape, *kind)
        define_gan = conditional.conditional_gan
    else:
        g_model, d_model = define_generator(options.latent_dim), define_d(shape)
    if options.augment:
        from common.augment import with_augmentation

        d_model = with_augmentation(d_model, low=image_range(g_model)[0])
    return g_model, d_model, define_gan(g_model, d_model)


@_in_scope
def gan_for(options, g_model, d_model, gan_model):
    """The GAN that `fit` trains, with the objective and the optimizers asked for.

    Args:
        options: Namespace, see `training_options`.
        g_model, d_model, gan_model: see `define_models`.
    """
    from common.objectives.table import make_gan

    set_optimizers(options, d_model, gan_model)
    own = {
        name: vars(options)[name] for name in OPTIONS[options.objective] if name in OWN
    }
    return make_gan(
        g_model, d_model, gan_model, options.halves, options.critic_steps,
        objective=options.objective, smoothing=options.label_smoothing,
        noise=options.label_noise, wrong_labels=options.wrong_labels, **own,
    )  # fmt: skip


def set_optimizers(options, d_model, gan_model):
    """Give D's and G's optimizers the kind, the rates and the mean that are asked for.

    What is not asked for stays as the `define_*` functions compile it.
    """
    import keras

    from common.averages import inner

    rates = options.d_learning_rate, options.g_learning_rate
    for model, rate in zip((d_model, gan_model), rates, strict=True):
        rate = rate or options.learning_rate
        if options.optimizer != "adam":
            rate = rate or float(model.optimizer.learning_rate)
            model.compile(keras.optimizers.get(options.optimizer), loss=model.loss)
        if rate:
            model.optimizer.learning_rate = rate
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
