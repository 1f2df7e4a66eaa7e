"""Define the table of all objectives, without Keras, so that `--help` is fast."""

import math
from dataclasses import dataclass, field

LN2 = math.log(2)  # nats
ACCURACIES = ("acc_real", "acc_fake", "acc_adv")
SCORES = ("score_real", "score_fake")


@dataclass(frozen=True)
class Objective:
    """The losses of D and G, and the settings that they need.

    Attributes:
        losses: module of this package with the functions `d_loss` and `g_loss`, which
            `build.make_gan` installs; None: the losses that `define_*` functions compile.
        uses_labels: whether these are losses of (labels, outputs) with real = 1 and
            fake = 0, which are compiled into the models. Otherwise they replace
            `gan.GAN.d_loss` and `gan.GAN.g_loss`, with the GAN as additional argument.
        head: function of `heads.py` that converts the defined D; None: D is unchanged.
        threshold: outputs above it are classified as real; None: outputs are scores.
        equilibrium_loss: D's loss if real and fake images are indistinguishable, or the
            name of the option that sets it; None: unknown.
        betas: Adam's beta_1 and beta_2 of the paper; None: those of the models.
        logs: names of logged values besides the losses. With uses_labels: acc_* with a
            threshold, else score_*, for real, fake and adv (fakes of G's update).
        state: names of scalars that the losses store in the GAN, initially 0.
        options: default values of options on the command line.
    """

    losses: str | None = None
    uses_labels: bool = True
    head: str | None = None
    threshold: float | None = None
    equilibrium_loss: float | str | None = None
    betas: tuple | None = None
    logs: tuple = SCORES
    state: tuple = ()
    options: dict = field(default_factory=dict)


OBJECTIVES = {
    # Goodfellow et al. 2014, section 3
    "bce": Objective(threshold=0.5, equilibrium_loss=LN2, logs=ACCURACIES),
    # Goodfellow et al. 2014, eq. 1
    "minimax": Objective("minimax", threshold=0.5, equilibrium_loss=LN2, logs=ACCURACIES),
    # Mao et al. 2017, eq. 9
    "lsgan": Objective(
        "lsgan", head="score", threshold=0.5, equilibrium_loss=0.25, logs=ACCURACIES
    ),
    # Lim & Ye 2017; Miyato et al. 2018, eq. 16 and 17
    "hinge": Objective(
        "hinge", head="score", threshold=0.0, equilibrium_loss=1.0, logs=ACCURACIES
    ),
    # Arjovsky et al. 2017, Algorithm 1. Adam with beta_1 = 0 is RMSprop, bias-corrected.
    "wgan": Objective(
        "wgan",
        head="score",
        betas=(0.0, 0.9),
        logs=(*SCORES, "score_adv"),
        options={"learning_rate": 5e-5, "critic_steps": 5, "clip": 0.01},
    ),
    # Gulrajani et al. 2017, Algorithm 1
    "wgan-gp": Objective(
        "wgan_gp",
        uses_labels=False,
        head="score_of_single_images",
        betas=(0.0, 0.9),
        options={
            "d_batches": "mixed",
            "learning_rate": 1e-4,
            "critic_steps": 5,
            "penalty": 10.0,
        },
    ),
    # Zhao et al. 2017
    "ebgan": Objective(
        "ebgan",
        uses_labels=False,
        head="square_energy",
        equilibrium_loss="margin",  # theorem 1
        logs=("energy_real", "energy_fake"),
        options={
            "d_batches": "mixed",
            "margin": 0.02,
            "pull_away": 0.0,
            "pretrain_discriminator": 0,
        },
    ),
    # Berthelot et al. 2017
    "began": Objective(
        "began",
        uses_labels=False,
        head="absolute_energy",
        logs=("energy_real", "energy_fake", "k", "convergence"),
        state=("k",),
        options={"d_batches": "mixed", "gamma": 1.0, "pretrain_discriminator": 0},
    ),
    # Huang et al. 2024
    "r3gan": Objective(
        "r3gan",
        uses_labels=False,
        head="score_of_single_images",
        equilibrium_loss=LN2,  # if both penalties are 0
        betas=(0.0, 0.99),
        options={"d_batches": "mixed", "penalty": 1.0},
    ),
}
OPTIONS = {name: objective.options for name, objective in OBJECTIVES.items()}
TRAIN_OPTIONS = {"d_batches", "learning_rate", "critic_steps", "pretrain_discriminator"}
LOSS_OPTIONS = set().union(*OPTIONS.values()) - TRAIN_OPTIONS  # which the losses read


def objectives_with(option):
    """Return the names of the objectives that have this option, as a phrase."""
    return " and ".join(name for name, options in OPTIONS.items() if option in options)
