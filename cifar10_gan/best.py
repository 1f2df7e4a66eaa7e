"""Define the models of `--preset best`.

The G of `quick.py`; a D whose convolutions have spectral norm 1; the hinge loss (Miyato
et al. 2018, "Spectral Normalization for Generative Adversarial Networks"). The D of
`quick.py` soon separates real and fake almost perfectly, which leads to mode collapse; a
D with spectral normalization does not. G and D are class-conditional, D by a projection
(Miyato & Koyama 2018).
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
    """Define and compile the D of `quick.py` with spectral normalization."""
    convolutions = quick.CONVOLUTIONS  # 16x16x64, 8x8x128, 4x4x256
    adam = {"learning_rate": OPTIONS["learning_rate"], "beta_1": 0.0, "beta_2": 0.9}
    return discriminator(in_shape, convolutions, "spectral", negative_slope=0.1, **adam)
