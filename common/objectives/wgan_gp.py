"""Wasserstein distance with a gradient penalty: Gulrajani et al. 2017, Algorithm 1."""

import keras
from keras import ops

from common.objectives.gradients import scores_and_slopes
from common.objectives.own_losses import OwnLossGAN


class WassersteinGPGAN(OwnLossGAN):
    """D is a critic whose slope is pulled to 1 on lines from fake to real images.

    Args:
        penalty: the paper's lambda.
    """

    def __init__(self, *models, penalty=10.0, **keywords):
        super().__init__(*models, **keywords)
        self.penalty = penalty

    def d_loss(self, x_real, x_fake):
        share = keras.random.uniform(  # epsilon: uniform, one for each image
            (ops.shape(x_real)[0], *[1] * (len(x_real.shape) - 1)), seed=self.latent_seed
        )
        between = share * x_real + (1 - share) * x_fake
        _, slopes = scores_and_slopes(self.judge, between)
        # The root has no finite slope of its own at 0.
        excess = ops.sqrt(slopes + 1e-12) - 1
        real, fake = (ops.mean(self.judge(x)) for x in (x_real, x_fake))
        self.show(score_real=real, score_fake=fake)
        return fake - real + self.penalty * ops.mean(ops.square(excess))  # eq. 3

    def g_loss(self, x_real, x_fake):
        return -ops.mean(self.judge(x_fake))  # Algorithm 1, line 12
