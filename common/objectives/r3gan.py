"""R3GAN: pairs of a real and a fake image, and a penalty on D's slope at either.

Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern GAN Baseline", with the
penalties of Mescheder et al. 2018, "Which Training Methods for GANs do actually
Converge?".
"""

import math

from keras import ops

from common.objectives.gradients import scores_and_slopes
from common.objectives.own_losses import OwnLossGAN


class R3GAN(OwnLossGAN):
    """D learns to score a real image above a fake one, G to turn that round.

    Args:
        penalty: gamma of Mescheder et al., for R1 and R2 alike.
    """

    ideal = math.log(2)  # nats, where the penalties are 0

    def __init__(self, *models, penalty=1.0, **keywords):
        super().__init__(*models, **keywords)
        self.penalty = penalty

    def d_loss(self, x_real, x_fake):
        real, slopes_real = scores_and_slopes(self.judge, x_real)
        fake, slopes_fake = scores_and_slopes(self.judge, x_fake)
        self.show(score_real=ops.mean(real), score_fake=ops.mean(fake))
        r1 = self.penalty / 2 * ops.mean(slopes_real)  # Mescheder et al., eq. 9
        r2 = self.penalty / 2 * ops.mean(slopes_fake)  # Mescheder et al., eq. 10
        return ops.mean(ops.softplus(fake - real)) + r1 + r2  # Huang et al., eq. 2

    def g_loss(self, x_real, x_fake):
        real, fake = (self.judge(x) for x in (x_real, x_fake))
        return ops.mean(ops.softplus(real - fake))  # eq. 2 with the players exchanged
