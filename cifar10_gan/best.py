"""The pair of `train.py --preset best`: the best of an hour or two on two CPU cores.

Quick's G, against a D whose convolutions have spectral norm 1, and the hinge loss (Miyato
et al. 2018, "Spectral Normalization for Generative Adversarial Networks"). Quick's own D
is soon sure of nearly every image, and its G then draws few; this one stays close. Both
are told the class, D by a projection (Miyato & Koyama 2018).
"""

from cifar10_gan import quick
from cifar10_gan.quick import define_gan, define_generator  # noqa: F401
from common.architectures.blocks import discriminator

OPTIONS = {
    **quick.OPTIONS,
    "architecture": "best",
    "objective": "hinge",
    "conditional": True,
    "condition": "hadamard",
    "epochs": 25,
    "steps_per_epoch": 2000,
    "learning_rate": 0.0004,
    "ema": 0.999,
    "save_every": 1,
}


def define_discriminator(in_shape=(32, 32, 3)):
    """As quick's, with convolutions that are divided by their largest singular value."""
    convolutions = quick.CONVOLUTIONS  # 16x16x64, 8x8x128, 4x4x256
    adam = {"learning_rate": OPTIONS["learning_rate"], "beta_1": 0.0, "beta_2": 0.9}
    return discriminator(in_shape, convolutions, "spectral", negative_slope=0.1, **adam)
