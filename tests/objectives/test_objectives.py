"""The objectives against numbers computed by hand, for GANs with few parameters."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from small_gans import traced
from tiny_gans import (
    D_LATENT,
    G_LATENT,
    POINTS,
    REAL,
    B,
    W,
    assert_logged,
    compiled,
    composite,
    energy,
    energy_gan,
    gan_with,
    linear_gan,
    model_of,
    new_gan,
    one_step,
    probability,
    relu,
    score,
    sgd,
    softplus,
)

from common.fitting.build import make_gan
from common.gan import GAN
from common.objectives.began import LAMBDA_K
from common.objectives.ebgan import similarity
from common.runs.state import load_state, save_state, state_variables


@pytest.mark.parametrize("objective", ["wgan-gp", "r3gan"])
def test_a_d_with_dropout_judges_as_in_training(objective):
    d_model = model_of(2, layers.Dropout(0.5), layers.Dense(1, activation="sigmoid"))
    gan = gan_with(objective, compiled(d_model, sgd()))
    assert len(np.unique(gan.d_outputs(np.ones((64, 2), "float32")))) == 4


def test_bce_and_minimax_differ_in_the_loss_of_the_generator():
    p_real, p_fake, p_new = map(probability, (REAL, D_LATENT, G_LATENT))
    d_loss = -(np.log(p_real).mean() + np.log(1 - p_fake).mean()) / 2
    logs = one_step(linear_gan("bce"))
    assert_logged(logs, d_loss=d_loss, g_loss=-np.log(p_new).mean())
    shares = {"acc_real": np.mean(p_real > 0.5), "acc_adv": np.mean(p_new > 0.5)}
    assert_logged(logs, acc_fake=np.mean(p_fake <= 0.5), **shares)
    logs = one_step(linear_gan("minimax"))
    assert_logged(logs, d_loss=d_loss, g_loss=np.log(1 - p_new).mean())
    assert_logged(logs, acc_fake=np.mean(p_fake <= 0.5), **shares)


def test_the_losses_that_the_models_are_compiled_with_are_what_trains():
    """Each side has its own; D's gradient and G's follow them."""
    gan = linear_gan("bce")
    gan.d_model.compile(sgd(1.0), loss="mean_squared_error")
    gan.gan_model.compile(sgd(1.0), loss="mean_absolute_error")
    gan = GAN(gan.g_model, gan.d_model, gan.gan_model)
    p_real, p_fake, p_new = map(probability, (REAL, D_LATENT, G_LATENT))
    before = gan.d_model.get_weights()[1], gan.g_model.get_weights()[1]
    gan.latent_vectors = lambda n: tf.constant(D_LATENT if n == 4 else G_LATENT)
    gan.train_g(REAL)
    gan.train_d(REAL)
    by_bias = -(p_new * (1 - p_new)).mean() * W  # of 1 - p, through D's weights
    np.testing.assert_allclose(gan.g_model.get_weights()[1], before[1] - by_bias, 1e-4)
    logs = {name: float(mean.result()) for name, mean in gan.means.items()}
    assert_logged(logs, g_loss=(1 - p_new).mean())
    fakes = gan.g_model(D_LATENT).numpy()
    p_fake = probability(fakes)
    assert_logged(logs, d_loss=(((p_real - 1) ** 2).mean() + (p_fake**2).mean()) / 2)
    by_bias = ((p_real - 1) * p_real * (1 - p_real)).mean()
    by_bias += (p_fake**2 * (1 - p_fake)).mean()
    np.testing.assert_allclose(gan.d_model.get_weights()[1], before[0] - by_bias, 1e-4)


def test_a_saturated_discriminator_still_has_a_gradient():
    """D(G(z)) is 0 in float32, the gradient of -ln D by the score is -1 nevertheless."""
    gan = linear_gan("bce", b=-300.0)
    gan.gan_model.optimizer.learning_rate = 1.0
    before = gan.g_model.get_weights()[1]
    assert np.all(gan.d_outputs(REAL).numpy() == 0)
    gan.train_g(REAL)
    np.testing.assert_allclose(gan.g_model.get_weights()[1] - before, W, rtol=1e-4)


def test_regularizers_train_each_their_own_side():
    """Fakes equal the real images, so that nothing else has a gradient."""
    last = layers.Dense(1, kernel_regularizer="l2")
    d_model = compiled(model_of(2, last), sgd(1.0))
    last.set_weights([np.reshape(W, (2, 1)), np.zeros(1)])
    g_model = model_of(2, layers.Dense(2, kernel_regularizer="l2"))
    g_model.layers[-1].set_weights([np.eye(2), np.zeros(2)])
    models = g_model, d_model, composite(g_model, d_model)
    gan = make_gan(*models, objective="r3gan", penalty=0.0)
    logs = one_step(gan, REAL, REAL, np.concatenate([REAL, REAL]))
    np.testing.assert_allclose(last.get_weights()[0][:, 0], (1 - 0.02) * W, rtol=1e-5)
    assert_logged(logs, d_loss=np.log(2) + 0.01 * 25, g_loss=np.log(2) + 0.01 * 2)


def test_lsgan_is_the_squared_distance_of_the_score_from_the_label():
    logs = one_step(linear_gan("lsgan"))
    real, fake = ((score(REAL) - 1) ** 2).mean(), (score(D_LATENT) ** 2).mean()
    new = score(G_LATENT)
    assert_logged(logs, d_loss=(real + fake) / 2, g_loss=((new - 1) ** 2).mean())
    assert logs["acc_adv"] == np.mean(new > 0.5) and 0 < logs["acc_adv"] < 1
    lower = score(REAL) - 1  # two between 0.5 and 1.5
    logs = one_step(linear_gan("lsgan", b=B - 1))
    assert logs["acc_real"] == np.mean(lower > 0.5) != np.mean(lower > 1.5)


def test_hinge_lets_alone_what_is_beyond_the_margin():
    assert min(score(REAL)) < 1 < max(score(REAL))
    assert min(score(D_LATENT)) < -1 < max(score(D_LATENT))
    logs = one_step(linear_gan("hinge"))
    d_loss = (relu(1 - score(REAL)).mean() + relu(1 + score(D_LATENT)).mean()) / 2
    assert_logged(logs, d_loss=d_loss, g_loss=-score(G_LATENT).mean())
    assert logs["acc_real"] == np.mean(score(REAL) > 0) == 0.75
    assert np.mean(score(REAL) > 0.5) == 0.5


def test_wgan_is_the_difference_of_the_mean_scores():
    """Divided by 2, as the mean over a mixed batch."""
    logs = one_step(linear_gan("wgan", clip=None))
    real, fake, new = (score(x).mean() for x in (REAL, D_LATENT, G_LATENT))
    assert_logged(logs, d_loss=(fake - real) / 2, g_loss=-new)
    assert_logged(logs, score_real=real, score_fake=fake, score_adv=new)


def test_wgan_gp_adds_the_penalty_to_the_difference_of_the_mean_scores():
    """A linear critic has the gradient norm |w| = 5 everywhere."""
    logs = one_step(linear_gan("wgan-gp", penalty=0.3))
    real, fake, new = (score(x).mean() for x in (REAL, D_LATENT, G_LATENT))
    assert_logged(logs, d_loss=fake - real + 0.3 * (5 - 1) ** 2, g_loss=-new)
    assert_logged(logs, score_real=real, score_fake=fake)
    logs = one_step(linear_gan("wgan-gp"))
    assert_logged(logs, d_loss=fake - real + 10 * (5 - 1) ** 2)


def test_r3gan_compares_pairs():
    """Each real image with its own fake; of G's two for each, both with the same one."""
    logs = one_step(linear_gan("r3gan", penalty=0.2))
    real, fake, new = (score(x) for x in (REAL, D_LATENT, G_LATENT))
    d_loss = softplus(fake - real).mean() + 0.2 / 2 * (25 + 25)
    g_loss = softplus(np.concatenate([real, real]) - new).mean()
    assert_logged(logs, d_loss=d_loss, g_loss=g_loss)
    assert_logged(logs, score_real=real.mean(), score_fake=fake.mean())


@pytest.mark.parametrize(
    "objective, logit", [("bce", 0.0), ("minimax", 0.0), ("lsgan", 0.5), ("hinge", 0.0)]
)
def test_ideal_is_the_loss_of_a_discriminator_that_cannot_tell(objective, logit):
    gan = linear_gan(objective, w=(0.0, 0.0), b=logit)
    assert_logged(one_step(gan), d_loss=gan.equilibrium_loss)


def test_the_ideal_of_r3gan_is_the_loss_of_equal_scores():
    gan = linear_gan("r3gan", w=(0.0, 0.0))
    assert_logged(one_step(gan), d_loss=gan.equilibrium_loss)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
@pytest.mark.parametrize(
    "objective, betas",
    [("bce", (0, 0.999)), ("wgan", (0, 0.9)), ("wgan-gp", (0, 0.9)),
     ("r3gan", (0, 0.99))],
)  # fmt: skip
def test_adam_forgets_as_fast_as_in_the_paper(objective, betas, precision):
    keras.config.set_dtype_policy(precision)
    gan = new_gan(objective, POINTS)
    for optimizer in (gan.d_model.optimizer, gan.gan_model.optimizer):
        adam = getattr(optimizer, "inner_optimizer", optimizer)
        assert (adam.beta_1, adam.beta_2) == betas


def test_ebgan_lets_alone_a_fake_above_the_margin():
    margin = 0.03
    real, fake, new = (energy(x) for x in (REAL, D_LATENT, G_LATENT))
    assert fake.min() < margin < fake.max()
    logs = one_step(energy_gan("ebgan", margin=margin))
    d_loss = real.mean() + relu(margin - fake).mean()
    assert_logged(logs, d_loss=d_loss, g_loss=new.mean())
    assert_logged(logs, energy_real=real.mean(), energy_fake=fake.mean())


def test_pull_away_adds_the_similarity_of_the_codes_of_the_new_fakes():
    norms = np.linalg.norm(G_LATENT, axis=1)
    cosines = G_LATENT @ G_LATENT.T / np.outer(norms, norms)
    pairs = cosines[~np.eye(8, dtype=bool)] ** 2
    logs = one_step(energy_gan("ebgan", pull_away=0.1))
    assert_logged(logs, g_loss=energy(G_LATENT).mean() + 0.1 * pairs.mean())


def test_similarity_of_equal_codes_is_1_and_of_orthogonal_codes_0():
    assert float(similarity(tf.constant([[3.0, 4.0]] * 5))) == pytest.approx(1)
    assert float(similarity(2 * tf.eye(4))) == pytest.approx(0, abs=1e-6)
    assert float(similarity(tf.constant([[1.0, 0.0], [-7.0, 0.0]]))) == pytest.approx(1)
    assert float(similarity(tf.constant([[1.0, 0.0], [2.0, 2.0]]))) == pytest.approx(0.5)
    codes = tf.constant([[1.0, 0.0], [5.0, 0.0], [0.0, 1.0]])
    assert float(similarity(codes)) == pytest.approx(1 / 3)


def test_began_weighs_the_energy_of_fakes_with_the_k_before_the_step():
    gan = energy_gan("began", gamma=0.7)
    gan.k.assign(0.4)
    logs = one_step(gan)
    real, fake, new = (energy(x).mean() for x in (REAL, D_LATENT, G_LATENT))
    k = 0.4 + LAMBDA_K * (0.7 * real - fake)
    assert_logged(logs, d_loss=real - 0.4 * fake, g_loss=new, k=k)
    assert_logged(logs, energy_real=real, energy_fake=fake)
    assert_logged(logs, convergence=real + abs(0.7 * real - fake))


def vectors_of_energy(value, n=4):
    return np.full((n, 2), np.sqrt(4 * value), "float32")


@pytest.mark.parametrize(
    "real, fake, before, after",
    [
        (6.0, 2.0, 0.0, LAMBDA_K),  # gamma 0.5: 3 - 2 is 1 too much
        (6.0, 2.0, 0.4, 0.4 + LAMBDA_K),
        (2.0, 2.0, 0.4, 0.4 - LAMBDA_K),
        (2.0, 2.0, 0.0, 0.0),
        (2.0, 2.0, LAMBDA_K / 2, 0.0),
        (6.0, 2.0, 1 - LAMBDA_K / 2, 1.0),
    ],
)
def test_k_follows_the_gap_and_stays_from_0_to_1(real, fake, before, after):
    gan = energy_gan("began", gamma=0.5)
    assert float(gan.k) == 0 and 0 < LAMBDA_K < 0.1
    gan.k.assign(before)
    gan.latent_vectors = lambda n: tf.constant(vectors_of_energy(fake))
    traced(gan.train_d)(tf.constant(vectors_of_energy(real)))
    assert float(gan.k) == pytest.approx(after, abs=1e-6)
    assert 0 <= float(gan.k) <= 1


def test_k_settles_where_fakes_have_their_wanted_share_of_energy():
    """In place of a D that learns: the more it cares, the worse it copies fakes."""
    gan = energy_gan("began", gamma=0.5)
    scale = 0.5 / LAMBDA_K
    for _ in range(25):
        fake = vectors_of_energy(scale * float(gan.k))
        gan.reset_metrics()
        gan.d_loss(vectors_of_energy(0.8 * scale), tf.constant(fake))
    found = {name: float(mean.result()) / scale for name, mean in gan.means.items()}
    assert float(gan.k) == pytest.approx(0.4, abs=1e-4)
    assert found["energy_fake"] == pytest.approx(0.5 * 0.8, abs=1e-4)
    assert found["convergence"] == pytest.approx(0.8, abs=1e-4)


def test_k_is_a_part_of_the_state(tmp_path):
    gan = energy_gan("began")
    assert sum(variable is gan.k for variable in state_variables(gan)) == 1
    gan.k.assign(0.625)
    save_state(gan, 3, tmp_path)
    other = energy_gan("began")
    assert load_state(other, tmp_path) == 3 and float(other.k) == 0.625
