"""D and G in balance: Berthelot, Schumm, Metz 2017, "BEGAN", section 3.4."""

from keras import ops

from common.objectives.own_losses import OwnLossGAN

RATE = 0.05  # lambda_k, how fast k follows; in the paper 0.001, for far longer runs


class BoundaryEquilibriumGAN(OwnLossGAN):
    """D is an auto-encoder; k says how much it shall care to copy fakes badly.

    Args:
        gamma: the energy of fakes that is wanted, as a share of that of real images;
            small: sharp images of little variety.
    """

    shown = ("energy_real", "energy_fake", "k", "convergence")

    def __init__(self, *models, gamma=1.0, **keywords):
        super().__init__(*models, **keywords)
        self.gamma = gamma
        self.k = self.add_weight(shape=(), initializer="zeros", trainable=False, name="k")

    def d_loss(self, x_real, x_fake):
        real, fake = (ops.mean(self.judge(x)) for x in (x_real, x_fake))
        loss = real - ops.copy(self.k) * fake  # L_D
        gap = self.gamma * real - fake  # 0 in balance; the fakes are D's, the paper's G's
        self.k.assign(ops.clip(self.k + RATE * gap, 0, 1))  # k_t+1
        measure = real + ops.abs(gap)  # section 3.4.1, M_global
        self.show(energy_real=real, energy_fake=fake, k=self.k, convergence=measure)
        return loss

    def g_loss(self, x_real, x_fake):
        return ops.mean(self.judge(x_fake))  # L_G
