"""All objectives in one table, and the models and steps that they stand for."""

import math
from functools import partial
from typing import NamedTuple

import keras
import numpy as np

from common.averages import inner
from common.gan import GAN, compile_again
from common.objectives import heads
from common.objectives.began import BoundaryEquilibriumGAN
from common.objectives.ebgan import EnergyGAN
from common.objectives.losses import Clip, Unsure, minimax, wasserstein
from common.objectives.r3gan import R3GAN
from common.objectives.wgan_gp import WassersteinGPGAN
from common.sampling import takes_labels

BCE, MSE = "binary_crossentropy", "mean_squared_error"
LN2 = math.log(2)


class Objective(NamedTuple):
    """What D and G minimize, and what follows from it."""

    d_loss: object = None  # for compile; None: the models', or the class's own
    g_loss: object = None
    gan: type = GAN
    head: object = None  # (the folder's D, a function that defines G) -> the D needed
    threshold: float | None = None  # D calls real what is above; None: it only scores
    ideal: float | None = None  # D's loss when it cannot tell real from fake
    betas: tuple | None = None  # of Adam, where the paper has other ones than the folder


OBJECTIVES = {
    # Goodfellow et al. 2014, section 3 and eq. 1
    "bce": Objective(threshold=0.5, ideal=LN2),  # the loss is in the define_* functions
    "minimax": Objective(BCE, minimax, threshold=0.5, ideal=LN2),
    # Mao et al. 2017, eq. 9, without its factor 1/2
    "lsgan": Objective(MSE, MSE, head=heads.with_score, threshold=0.5, ideal=0.25),
    # Lim & Ye 2017; Miyato et al. 2018, eq. 16 and 17
    "hinge": Objective(
        "hinge", wasserstein, head=heads.with_score, threshold=0.0, ideal=1.0
    ),
    # Arjovsky et al. 2017, Algorithm 1. Adam with beta_1 = 0 is its RMSprop.
    "wgan": Objective(wasserstein, wasserstein, head=heads.with_score, betas=(0.0, 0.9)),
    "wgan-gp": Objective(
        gan=WassersteinGPGAN, head=heads.with_own_score, betas=(0.0, 0.9)
    ),
    "ebgan": Objective(gan=EnergyGAN, head=partial(heads.with_energy, distance="square")),
    "began": Objective(
        gan=BoundaryEquilibriumGAN, head=partial(heads.with_energy, distance="absolute")
    ),
    "r3gan": Objective(gan=R3GAN, head=heads.with_own_score, betas=(0.0, 0.99)),
}


def make_gan(g_model, d_model, gan_model, halves="merged", critic_steps=1, *,
             objective="bce", clip=None, smoothing=0.0, noise=0.0, wrong_labels=False,
             **own):  # fmt: skip
    """The GAN that `fit` trains on an objective.

    Args:
        g_model, d_model, gan_model: as `gan.GAN` takes them; D with its head.
        halves, critic_steps: as of `gan.GAN`.
        objective: one of OBJECTIVES.
        clip: bound of D's weights, with wgan.
        smoothing, noise: see `losses.Unsure`.
        wrong_labels: see `conditional.Conditional`, which is for a G of classes.
        own: what only this objective's class takes.
    """
    chosen = OBJECTIVES[objective]
    if chosen.betas:
        for model in (d_model, gan_model):
            adam = inner(model.optimizer)
            if isinstance(adam, keras.optimizers.Adam):
                adam.beta_1, adam.beta_2 = chosen.betas
    gan_class = chosen.gan
    if takes_labels(g_model):
        from common.conditional import conditional

        gan_class = conditional(gan_class)
        own["wrong_labels"] = wrong_labels
    own["critic_steps"] = critic_steps
    if chosen.gan is not GAN:
        return gan_class(g_model, d_model, gan_model, **own)
    d_loss = chosen.d_loss or d_model.loss
    unsure = Unsure(d_loss, smoothing, noise) if smoothing or noise else None
    compile_again(d_model, loss=unsure or d_loss)
    compile_again(gan_model, loss=chosen.g_loss)
    own.update(halves=halves, threshold=chosen.threshold)
    gan = gan_class(g_model, d_model, gan_model, **own)
    gan.ideal = chosen.ideal
    gan.noise_seed = unsure and unsure.seed  # a part of what is saved and resumed
    for weight in d_model.trainable_weights if clip else []:
        weight.constraint = Clip(clip)  # the optimizer applies it after each step
    return gan


def pretrain(gan, batches, n_steps):
    """Train an auto-encoding D to copy real images, before G enters.

    Args:
        gan: one of an energy.
        batches: what `batches.batches_of` gives.
        n_steps: number of updates of D.
    """
    from tqdm import trange

    compile_again(gan.d_model, loss=lambda y_true, energy: energy)
    energies = []
    try:
        for i in trange(n_steps, desc="D copies real images", disable=None):
            (x_real,) = batches[i]
            zeros = np.zeros((len(x_real), 1))
            energies.append(gan.d_model.train_on_batch(x_real, zeros))
    except KeyboardInterrupt:
        print("\ninterrupted before the first epoch: there is nothing to go on with")
        raise
    print(f"D alone, {n_steps} steps: energy {energies[0]:.4f} -> {energies[-1]:.4f}")
