"""Define the models D and G of each `--architecture`, for any dataset.

Each module has `define_discriminator(in_shape)` and `define_generator(latent_dim,
out_shape)`, like the dataset folders. `flexible` has the models of the two tutorials,
MNIST's for 28x28 and CIFAR-10's for all other sizes, with options for their exercises.
Height and width are multiples of 4, at least 8. `train.py` sets the learning rates.
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
    """Return the `define_*` functions of all architectures, for `train.py`.

    Args:
        shape: (h, w, c) of an image; if None, define_generator takes it as out_shape.

    Returns:
        dict, name -> (define_generator, define_discriminator, define_gan).
    """
    functions = {}
    for name, module in ARCHITECTURES.items():
        define_g = module.define_generator
        define_g = partial(define_g, out_shape=shape) if shape else define_g
        functions[name] = define_g, module.define_discriminator, blocks.define_gan
    return functions
