"""The architectures of `--architecture`: what D and G are built of, for any dataset.

Each module has `define_discriminator(in_shape)` and `define_generator(latent_dim,
out_shape)`, like the folders' own; `flexible` is that of the two tutorials, MNIST's for
28x28 and CIFAR-10's for all other sizes, with the options that they leave as exercises.
Height and width are multiples of 4, at least 8. `train.py` sets the optimizers' rates.
"""

from functools import partial

from common.architectures import blocks, dcgan, dense, flexible, resnet, small

ARCHITECTURES = {
    "dense": dense,
    "dcgan": dcgan,
    "small": small,
    "resnet": resnet,
    "flexible": flexible,
}


def architectures(shape=None):
    """Name -> define_generator, define_discriminator and define_gan, for `train.py`.

    Args:
        shape: (h, w, c) of an image; if None, define_generator asks for it.
    """
    trios = {}
    for name, module in ARCHITECTURES.items():
        draw = module.define_generator
        draw = partial(draw, out_shape=shape) if shape else draw
        trios[name] = draw, module.define_discriminator, blocks.define_gan
    return trios
