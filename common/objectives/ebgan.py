"""D as an energy: low where images are real. Zhao et al. 2017, "Energy-based GAN"."""

import keras
from keras import ops

from common.objectives.own_losses import OwnLossGAN


class EnergyGAN(OwnLossGAN):
    """D is an auto-encoder; the energy of an image is the error of its copy.

    Args:
        margin: m, the energy above which D has no interest in a fake any more.
        pull_away: weight of the term that keeps the codes of a batch of fakes apart; the
            paper uses 0.1.
    """

    shown = ("energy_real", "energy_fake")

    def __init__(self, *models, margin=0.02, pull_away=0.0, **keywords):
        super().__init__(*models, **keywords)
        self.margin, self.pull_away = margin, pull_away
        self.ideal = margin  # theorem 1
        code = self.d_model.get_layer("code").output
        self.energy_and_code = keras.Model(
            self.d_model.inputs, [*self.d_model.outputs, code]
        )

    def d_loss(self, x_real, x_fake):
        real, fake = (self.judge(x) for x in (x_real, x_fake))
        self.show(energy_real=ops.mean(real), energy_fake=ops.mean(fake))
        return ops.mean(real) + ops.mean(ops.relu(self.margin - fake))  # eq. 1

    def g_loss(self, x_real, x_fake):
        energies, codes = self.energy_and_code(x_fake, training=True)
        return ops.mean(energies) + self.pull_away * likeness(codes)  # eq. 2, section 2.4


def likeness(codes):
    """Mean squared cosine of the pairs of a batch: Zhao et al. 2017, section 2.4.

    Args:
        codes: (n, size), n > 1.
    """
    codes = ops.normalize(ops.cast(codes, "float32"), axis=1)
    n = ops.cast(ops.shape(codes)[0], "float32")
    cosines = ops.matmul(codes, ops.transpose(codes))
    return (ops.sum(ops.square(cosines)) - n) / (n * (n - 1))  # without n pairs of itself
