"""The objectives against numbers worked out by hand, in games of a few numbers."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from games import (
    D_POINTS,
    G_POINTS,
    GAMES,
    OF_LABELS,
    POINTS,
    REAL,
    B,
    W,
    assert_logged,
    compiled,
    composite,
    descent,
    energy,
    energy_game,
    game,
    game_with,
    linear_game,
    model_of,
    one_step,
    probability,
    relu,
    score,
    sgd,
    softplus,
)
from helpers import slow
from keras import layers, ops
from scipy.stats import kstest
from small_gans import (
    both_moved,
    fit_batches,
    moved,
    traced,
    updates_one_by_one,
    weights,
)

from common.fitting.build import make_gan
from common.gan import GAN
from common.objectives.began import RATE
from common.objectives.ebgan import similarity
from common.objectives.penalties import scores_and_squared_norms
from common.objectives.pretraining import pretrain
from common.objectives.table import OBJECTIVES
from common.runs.state import load_state, save_state, state_variables
from toy_gan.points import ring


@pytest.mark.parametrize("objective", ["wgan-gp", "r3gan"])
def test_a_d_with_dropout_judges_as_in_training(objective):
    d_model = model_of(2, layers.Dropout(0.5), layers.Dense(1, activation="sigmoid"))
    gan = game_with(objective, compiled(d_model, sgd()))
    assert len(np.unique(gan.d_outputs(np.ones((64, 2), "float32")))) == 4


def test_bce_and_minimax_differ_in_the_loss_of_the_generator():
    p_real, p_fake, p_new = map(probability, (REAL, D_POINTS, G_POINTS))
    d_loss = -(np.log(p_real).mean() + np.log(1 - p_fake).mean()) / 2
    logs = one_step(linear_game("bce"))
    assert_logged(logs, d_loss=d_loss, g_loss=-np.log(p_new).mean())
    shares = {"acc_real": np.mean(p_real > 0.5), "acc_adv": np.mean(p_new > 0.5)}
    assert_logged(logs, acc_fake=np.mean(p_fake <= 0.5), **shares)
    logs = one_step(linear_game("minimax"))
    assert_logged(logs, d_loss=d_loss, g_loss=np.log(1 - p_new).mean())
    assert_logged(logs, acc_fake=np.mean(p_fake <= 0.5), **shares)


def test_the_losses_that_the_models_are_compiled_with_are_what_trains():
    """Each side has its own; D's gradient and G's follow them."""
    gan = linear_game("bce")
    gan.d_model.compile(sgd(1.0), loss="mean_squared_error")
    gan.gan_model.compile(sgd(1.0), loss="mean_absolute_error")
    gan = GAN(gan.g_model, gan.d_model, gan.gan_model)
    p_real, p_fake, p_new = map(probability, (REAL, D_POINTS, G_POINTS))
    before = gan.d_model.get_weights()[1], gan.g_model.get_weights()[1]
    gan.latent_vectors = lambda n: tf.constant(D_POINTS if n == 4 else G_POINTS)
    gan.train_g(REAL)
    gan.train_d(REAL)
    by_bias = -(p_new * (1 - p_new)).mean() * W  # of 1 - p, through D's weights
    np.testing.assert_allclose(gan.g_model.get_weights()[1], before[1] - by_bias, 1e-4)
    logs = {name: float(mean.result()) for name, mean in gan.means.items()}
    assert_logged(logs, g_loss=(1 - p_new).mean())
    fakes = gan.g_model(D_POINTS).numpy()
    p_fake = probability(fakes)
    assert_logged(logs, d_loss=(((p_real - 1) ** 2).mean() + (p_fake**2).mean()) / 2)
    by_bias = ((p_real - 1) * p_real * (1 - p_real)).mean()
    by_bias += (p_fake**2 * (1 - p_fake)).mean()
    np.testing.assert_allclose(gan.d_model.get_weights()[1], before[0] - by_bias, 1e-4)


def test_a_saturated_discriminator_still_has_a_gradient():
    """D(G(z)) is 0 in float32, -ln D falls with the slope 1 of the score all the same."""
    gan = linear_game("bce", b=-300.0)
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
    logs = one_step(linear_game("lsgan"))
    real, fake = ((score(REAL) - 1) ** 2).mean(), (score(D_POINTS) ** 2).mean()
    new = score(G_POINTS)
    assert_logged(logs, d_loss=(real + fake) / 2, g_loss=((new - 1) ** 2).mean())
    assert logs["acc_adv"] == np.mean(new > 0.5) and 0 < logs["acc_adv"] < 1
    lower = score(REAL) - 1  # two between 0.5 and 1.5
    logs = one_step(linear_game("lsgan", b=B - 1))
    assert logs["acc_real"] == np.mean(lower > 0.5) != np.mean(lower > 1.5)


def test_hinge_lets_alone_what_is_beyond_the_margin():
    assert min(score(REAL)) < 1 < max(score(REAL))
    assert min(score(D_POINTS)) < -1 < max(score(D_POINTS))
    logs = one_step(linear_game("hinge"))
    d_loss = (relu(1 - score(REAL)).mean() + relu(1 + score(D_POINTS)).mean()) / 2
    assert_logged(logs, d_loss=d_loss, g_loss=-score(G_POINTS).mean())
    assert logs["acc_real"] == np.mean(score(REAL) > 0) == 0.75
    assert np.mean(score(REAL) > 0.5) == 0.5


def test_wgan_is_the_difference_of_the_mean_scores():
    """Halved, as the mean over both halves of a batch is."""
    logs = one_step(linear_game("wgan", clip=None))
    real, fake, new = (score(x).mean() for x in (REAL, D_POINTS, G_POINTS))
    assert_logged(logs, d_loss=(fake - real) / 2, g_loss=-new)
    assert_logged(logs, score_real=real, score_fake=fake, score_adv=new)


def test_wgan_gp_adds_the_penalty_to_the_difference_of_the_mean_scores():
    """A linear critic has the slope |w| = 5 everywhere."""
    logs = one_step(linear_game("wgan-gp", penalty=0.3))
    real, fake, new = (score(x).mean() for x in (REAL, D_POINTS, G_POINTS))
    assert_logged(logs, d_loss=fake - real + 0.3 * (5 - 1) ** 2, g_loss=-new)
    assert_logged(logs, score_real=real, score_fake=fake)
    logs = one_step(linear_game("wgan-gp"))
    assert_logged(logs, d_loss=fake - real + 10 * (5 - 1) ** 2)


def test_r3gan_compares_pairs():
    """Each real image with its own fake; of G's two for each, both with the same one."""
    logs = one_step(linear_game("r3gan", penalty=0.2))
    real, fake, new = (score(x) for x in (REAL, D_POINTS, G_POINTS))
    d_loss = softplus(fake - real).mean() + 0.2 / 2 * (25 + 25)
    g_loss = softplus(np.concatenate([real, real]) - new).mean()
    assert_logged(logs, d_loss=d_loss, g_loss=g_loss)
    assert_logged(logs, score_real=real.mean(), score_fake=fake.mean())


@pytest.mark.parametrize(
    "objective, verdict", [("bce", 0.0), ("minimax", 0.0), ("lsgan", 0.5), ("hinge", 0.0)]
)
def test_ideal_is_the_loss_of_a_discriminator_that_cannot_tell(objective, verdict):
    gan = linear_game(objective, w=(0.0, 0.0), b=verdict)
    assert_logged(one_step(gan), d_loss=gan.ideal)


def test_the_ideal_of_r3gan_is_the_loss_of_equal_scores():
    gan = linear_game("r3gan", w=(0.0, 0.0))
    assert_logged(one_step(gan), d_loss=gan.ideal)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
@pytest.mark.parametrize(
    "objective, betas",
    [("bce", (0, 0.999)), ("wgan", (0, 0.9)), ("wgan-gp", (0, 0.9)),
     ("r3gan", (0, 0.99))],
)  # fmt: skip
def test_adam_forgets_as_fast_as_in_the_paper(objective, betas, precision):
    keras.config.set_dtype_policy(precision)
    gan = game(objective, POINTS)
    for optimizer in (gan.d_model.optimizer, gan.gan_model.optimizer):
        adam = getattr(optimizer, "inner_optimizer", optimizer)
        assert (adam.beta_1, adam.beta_2) == betas


def test_ebgan_lets_alone_a_fake_above_the_margin():
    margin = 0.03
    real, fake, new = (energy(x) for x in (REAL, D_POINTS, G_POINTS))
    assert fake.min() < margin < fake.max()
    logs = one_step(energy_game("ebgan", margin=margin))
    d_loss = real.mean() + relu(margin - fake).mean()
    assert_logged(logs, d_loss=d_loss, g_loss=new.mean())
    assert_logged(logs, energy_real=real.mean(), energy_fake=fake.mean())


def test_pull_away_adds_the_similarity_of_the_codes_of_the_new_fakes():
    norms = np.linalg.norm(G_POINTS, axis=1)
    cosines = G_POINTS @ G_POINTS.T / np.outer(norms, norms)
    pairs = cosines[~np.eye(8, dtype=bool)] ** 2
    logs = one_step(energy_game("ebgan", pull_away=0.1))
    assert_logged(logs, g_loss=energy(G_POINTS).mean() + 0.1 * pairs.mean())


def test_similarity_of_equal_codes_is_1_and_of_orthogonal_codes_0():
    assert float(similarity(tf.constant([[3.0, 4.0]] * 5))) == pytest.approx(1)
    assert float(similarity(2 * tf.eye(4))) == pytest.approx(0, abs=1e-6)
    assert float(similarity(tf.constant([[1.0, 0.0], [-7.0, 0.0]]))) == pytest.approx(1)
    assert float(similarity(tf.constant([[1.0, 0.0], [2.0, 2.0]]))) == pytest.approx(0.5)
    codes = tf.constant([[1.0, 0.0], [5.0, 0.0], [0.0, 1.0]])
    assert float(similarity(codes)) == pytest.approx(1 / 3)


def test_began_weighs_the_energy_of_fakes_with_the_k_before_the_step():
    gan = energy_game("began", gamma=0.7)
    gan.k.assign(0.4)
    logs = one_step(gan)
    real, fake, new = (energy(x).mean() for x in (REAL, D_POINTS, G_POINTS))
    k = 0.4 + RATE * (0.7 * real - fake)
    assert_logged(logs, d_loss=real - 0.4 * fake, g_loss=new, k=k)
    assert_logged(logs, energy_real=real, energy_fake=fake)
    assert_logged(logs, convergence=real + abs(0.7 * real - fake))


def points_of_energy(value, n=4):
    return np.full((n, 2), np.sqrt(4 * value), "float32")


@pytest.mark.parametrize(
    "real, fake, before, after",
    [
        (6.0, 2.0, 0.0, RATE),  # gamma 0.5: 3 - 2 is 1 too much
        (6.0, 2.0, 0.4, 0.4 + RATE),
        (2.0, 2.0, 0.4, 0.4 - RATE),
        (2.0, 2.0, 0.0, 0.0),
        (2.0, 2.0, RATE / 2, 0.0),
        (6.0, 2.0, 1 - RATE / 2, 1.0),
    ],
)
def test_k_follows_the_gap_and_stays_from_0_to_1(real, fake, before, after):
    gan = energy_game("began", gamma=0.5)
    assert float(gan.k) == 0 and 0 < RATE < 0.1
    gan.k.assign(before)
    gan.latent_vectors = lambda n: tf.constant(points_of_energy(fake))
    traced(gan.train_d)(tf.constant(points_of_energy(real)))
    assert float(gan.k) == pytest.approx(after, abs=1e-6)
    assert 0 <= float(gan.k) <= 1


def test_k_settles_where_fakes_have_their_wanted_share_of_energy():
    """In place of a D that learns: the more it cares, the worse it copies fakes."""
    gan = energy_game("began", gamma=0.5)
    scale = 0.5 / RATE
    for _ in range(25):
        fake = points_of_energy(scale * float(gan.k))
        gan.reset_metrics()
        gan.d_loss(points_of_energy(0.8 * scale), tf.constant(fake))
    found = {name: float(mean.result()) / scale for name, mean in gan.means.items()}
    assert float(gan.k) == pytest.approx(0.4, abs=1e-4)
    assert found["energy_fake"] == pytest.approx(0.5 * 0.8, abs=1e-4)
    assert found["convergence"] == pytest.approx(0.8, abs=1e-4)


def test_k_is_a_part_of_the_state(tmp_path):
    gan = energy_game("began")
    assert sum(variable is gan.k for variable in state_variables(gan)) == 1
    gan.k.assign(0.625)
    save_state(gan, 3, tmp_path)
    other = energy_game("began")
    assert load_state(other, tmp_path).epoch == 3 and float(other.k) == 0.625


@pytest.mark.parametrize("w", [(3.0, 4.0), (0.3, -0.1)])
def test_the_penalty_pulls_the_slope_of_a_linear_critic_to_1(w):
    """Where fakes equal the real images, the penalty alone is left."""
    gan = linear_game("wgan-gp", rate=1.0, w=w, penalty=0.05)
    norm = np.linalg.norm(w)
    expected = 2 * 0.05 * (norm - 1) * np.array(w) / norm
    np.testing.assert_allclose(descent(gan, REAL, REAL), [*expected, 0], atol=1e-5)


def test_the_penalty_has_a_gradient_where_the_critic_has_no_slope():
    gan = linear_game("wgan-gp", rate=1.0, w=(0.0, 0.0))
    found = descent(gan, REAL, D_POINTS)
    np.testing.assert_allclose(found, [*(D_POINTS - REAL).mean(axis=0), 0], atol=1e-5)
    assert_logged(one_step(linear_game("wgan-gp", w=(0.0, 0.0))), d_loss=10)


def test_the_slope_at_an_image_is_taken_over_all_its_pixels():
    d_model = model_of((2, 1, 3), layers.Flatten(), layers.Dense(1))
    images = np.random.default_rng(1).normal(size=(5, 2, 1, 3)).astype("float32")
    scores, slopes = scores_and_squared_norms(d_model, tf.constant(images))
    np.testing.assert_allclose(scores, d_model(images))
    assert np.array_equal(scores_and_squared_norms(d_model, images)[0], scores)
    squares = np.full(5, np.sum(d_model.layers[-1].kernel.numpy() ** 2))
    np.testing.assert_allclose(slopes, squares, rtol=1e-5)


class Recorder(layers.Layer):
    """Passes on what it is given, and remembers it."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def call(self, x):
        if tf.executing_eagerly():
            self.seen.append(x.numpy())
        return x


def test_the_penalty_is_taken_at_uniform_points_of_lines_from_fake_to_real():
    recorder = Recorder()
    d_model = compiled(model_of((2, 1, 3), recorder, layers.Flatten(), layers.Dense(1)),
                       sgd())  # fmt: skip
    gan = game_with("wgan-gp", d_model)
    rng = np.random.default_rng(1)
    real, fake = rng.normal(size=(2, 3000, 2, 1, 3)).astype("float32")
    fake += 3 * np.sign(fake - real)  # far enough apart to divide by the distance
    gan.d_loss(tf.constant(real), tf.constant(fake))
    (between,) = (
        x for x in recorder.seen if not any(np.array_equal(x, y) for y in (real, fake))
    )
    shares = ((between - fake) / (real - fake)).reshape(3000, 6)
    np.testing.assert_allclose(shares, shares[:, :1].repeat(6, axis=1), atol=1e-4)
    assert kstest(shares[:, 0], "uniform").pvalue > 0.01
    first = between
    recorder.seen.clear()
    gan.d_loss(tf.constant(real), tf.constant(fake))
    assert not any(np.array_equal(x, first) for x in recorder.seen)


class Quadratic(layers.Layer):
    """a |x|^2 / 2, whose gradient by x is a x."""

    def build(self, shape):
        self.a = self.add_weight(shape=(), initializer="ones")

    def call(self, x):
        return self.a / 2 * ops.sum(ops.square(x), axis=1, keepdims=True)


@pytest.mark.parametrize("share_real, share_fake", [(1, 0), (0, 1), (1, 1)])
def test_r1_and_r2_are_half_the_mean_squared_slopes(share_real, share_fake):
    """Here gamma / 2 a^2 mean |x|^2, with a = 1; the gradient by a is the double."""
    d_model = compiled(model_of(2, Quadratic()), sgd(1.0))
    gan = game_with("r3gan", d_model, penalty=0.3)
    real, fake = share_real * REAL, share_fake * REAL
    squares = np.sum(real**2, axis=1), np.sum(fake**2, axis=1)
    scores = softplus((squares[1] - squares[0]) / 2).mean()
    r1, r2 = (0.3 / 2 * square.mean() for square in squares)
    found = descent(gan, real, fake)
    assert float(gan.means["d_loss"].result()) == pytest.approx(scores + r1 + r2, 1e-5)
    gaps = (squares[1] - squares[0]) / 2
    by_scores = (gaps / (1 + np.exp(-gaps))).mean()
    assert found == pytest.approx([by_scores + 2 * r1 + 2 * r2], rel=1e-4)


SMOOTH = (
    lambda n: model_of(n, layers.Dense(3, activation="tanh"), layers.Dense(2)),
    lambda: compiled(
        model_of(
            2,
            layers.Dense(4, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ),
        sgd(),
    ),
    composite,
)
SMOOTH_OWN = {
    "wgan": {"clip": None},
    "ebgan": {"margin": 5.0, "pull_away": 0.5},
    "began": {"gamma": 0.7},
}


@pytest.mark.parametrize("side", ["d", "g"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_side_goes_down_the_slope_of_its_own_loss(objective, side):
    """Gradients against differences of the logged loss, in random directions."""
    gan = game(objective, SMOOTH, 2, **SMOOTH_OWN.get(objective, {}))
    model, optimizer = {
        "d": (gan.d_model, gan.d_model.optimizer),
        "g": (gan.g_model, gan.gan_model.optimizer),
    }[side]
    optimizer.learning_rate = 1.0
    start, seed = model.get_weights(), gan.latent_seed.state.numpy()

    def loss_at(values):
        model.set_weights(values)
        gan.latent_seed.state.assign(seed)
        if objective == "began":
            gan.k.assign(0.4)
        return one_step(gan)[f"{side}_loss"]

    loss_at(start)
    gradient = [w - v for w, v in zip(start, model.get_weights(), strict=True)]
    rng = np.random.default_rng(4)
    for _ in range(3):
        way = [rng.normal(size=w.shape) for w in start]
        length = np.sqrt(sum(np.sum(v**2) for v in way))
        way = [0.003 / length * v for v in way]
        ahead = loss_at([w + v for w, v in zip(start, way, strict=True)])
        behind = loss_at([w - v for w, v in zip(start, way, strict=True)])
        slope = sum(np.sum(g * v) for g, v in zip(gradient, way, strict=True))
        rounding = 2e-7 * max(1, abs(ahead))
        assert (ahead - behind) / 2 == pytest.approx(slope, rel=0.01, abs=rounding)


def small_d():
    return compiled(
        model_of(
            (4, 4, 1),
            layers.Conv2D(3, 3, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ),
        sgd(0.01),
    )


def small_g(latent_dim):
    return model_of(
        latent_dim,
        layers.Dense(8, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Dense(16, activation="tanh"),
        layers.Reshape((4, 4, 1)),
    )


def small_gan(g_model, d_model):
    return composite(g_model, d_model, partial(sgd, 0.01))


SMALL = (small_g, small_d, small_gan)


def small_images(n, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, 4, 4, 1)).astype("float32")


def r3gan_with_batch_norm():
    g_model, d_model = small_g(8), small_d()
    return make_gan(g_model, d_model, small_gan(g_model, d_model), objective="r3gan")


QUICK = ("began", "wgan-gp")  # in the fast tests; test_gan has the usual game
MOVERS = [
    *(
        pytest.param(
            partial(game, name, SMALL, halves=halves),
            id=f"{name}-{halves}",
            marks=[] if name in QUICK else pytest.mark.slow,
        )
        for name in OBJECTIVES
        for halves in ("merged", "separate")[: 1 + (name in OF_LABELS)]
    ),
    pytest.param(r3gan_with_batch_norm, id="r3gan with BatchNormalization in D"),
]


@pytest.mark.parametrize("make", MOVERS)
def test_inside_compiled_steps_only_the_own_side_moves(make):
    """BatchNormalization's statistics included, of both sides."""
    gan = make()
    train_d, train_g = traced(gan.train_d), traced(gan.train_g)
    for half in (4, 2, 4):
        x_real = tf.constant(small_images(half))
        n_updates = int(gan.gan_model.optimizer.iterations)
        g, d = both_moved(gan, lambda x=x_real: train_d(x))
        assert g == 0 and d > 0
        assert int(gan.gan_model.optimizer.iterations) == n_updates
        n_updates = int(gan.d_model.optimizer.iterations)
        g, d = both_moved(gan, lambda x=x_real: train_g(x))
        assert g > 0 and d == 0
        assert int(gan.d_model.optimizer.iterations) == n_updates


@pytest.mark.parametrize("objective", ["bce", "wgan-gp", "r3gan", "ebgan"])
def test_the_generator_learns_as_in_training_and_keeps_its_statistics(objective):
    gan = game(objective, SMALL)
    norm = gan.g_model.layers[1]
    gan.train_g(tf.constant(small_images(4)))
    assert np.abs(norm.moving_mean.numpy()).max() > 0


@pytest.mark.parametrize(
    "objective, critic_steps", [("wgan-gp", 5), slow("r3gan", 1), slow("began", 1)]
)
def test_updates_called_one_by_one_equal_fit_bit_for_bit(objective, critic_steps):
    """150 steps, and all that is saved; only the logs may be rounded otherwise."""
    points = ring(np.random.default_rng(0), 150 * critic_steps * 16).points
    states, logs = [], []
    for in_fit in (True, False):
        keras.utils.set_random_seed(3)
        gan = game(objective, POINTS, critic_steps=critic_steps)
        if in_fit:
            fit_batches(gan, points.reshape(-1, 16, 2))
        else:
            updates_one_by_one(gan, points.reshape(-1, 16, 2), critic_steps)
        states.append([variable.numpy() for variable in state_variables(gan)])
        logs.append([float(mean.result()) for mean in gan.metrics])
    for one, other in zip(*states, strict=True):
        assert np.array_equal(one, other)
    np.testing.assert_allclose(*logs, rtol=1e-5)


def mean_loss(gan, side, step, words, n_steps):
    """The mean of a side's loss over some updates of that side."""
    gan.reset_metrics()
    for word in words[:n_steps]:
        step(word)
    names = ("d1", "d2") if gan.separate and side == "d" else (f"{side}_loss",)
    return sum(float(gan.means[name].result()) for name in names)


@pytest.mark.parametrize("objective, halves", GAMES)
def test_each_side_lowers_its_loss_while_the_other_stands_still(objective, halves):
    own = {"wgan": {"clip": 0.1}, "r3gan": {"penalty": 0.05}}.get(objective, {})
    gan = game(objective, POINTS, halves=halves, **own)
    for model in (gan.d_model, gan.gan_model):
        model.optimizer.learning_rate = 0.003
    points = ring(np.random.default_rng(0), 64 * 40).points.reshape(40, 64, 2)
    batches = [tf.constant(x) for x in points]
    for side, train in (("d", gan.train_d), ("g", gan.train_g)):
        step = traced(train)
        step(batches[0])  # with wgan, D's weights come into their bounds
        losses = [mean_loss(gan, side, step, batches, 3)]
        mean_loss(gan, side, step, batches, 40)
        losses.append(mean_loss(gan, side, step, batches, 3))
        assert losses[1] < losses[0] - 0.05 * abs(losses[0])


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_with_wgan_every_weight_of_the_critic_stays_within_the_bound(precision):
    keras.config.set_dtype_policy(precision)
    gan = game("wgan", SMALL)
    train_d = traced(gan.train_d)
    assert len(gan.d_model.trainable_weights) == 6  # also biases, gamma and beta
    for seed, far in enumerate((1.0, -1.0, 1.0)):
        for weight in gan.d_model.trainable_weights:
            weight.assign(ops.full(weight.shape, far))
        train_d(tf.constant(small_images(4, seed)))
        for weight in gan.d_model.trainable_weights:
            np.testing.assert_allclose(weight.numpy(), far * 0.01, rtol=1e-6)
    gan.train_g(tf.constant(small_images(4)))
    kernels = [w.numpy() for w in gan.g_model.trainable_weights if w.name == "kernel"]
    assert min(np.abs(kernel).max() for kernel in kernels) > 0.1


@pytest.mark.parametrize(
    "objective",
    [
        x if x in ("bce", "wgan-gp", "began") else slow(x)
        for x in OBJECTIVES
        if x != "wgan"
    ],
)
def test_without_wgan_no_weight_is_clipped(objective):
    gan = game(objective, SMALL)
    gan.train_d(tf.constant(small_images(4)))
    kernels = [w.numpy() for w in gan.d_model.trainable_weights if w.name == "kernel"]
    assert min(np.abs(kernel).max() for kernel in kernels) > 0.05


@pytest.mark.parametrize(
    "objective, halves", [("hinge", "merged"), ("hinge", "separate"), ("r3gan", "merged")]
)
def test_three_critic_steps_take_three_batches_of_real_images(objective, halves):
    gan = game(objective, SMALL, halves=halves, critic_steps=3)
    gan.run_eagerly = True
    seen, train_d = [], gan.train_d

    def watched(x_real):
        seen.append(x_real.numpy())
        return train_d(x_real)

    gan.train_d = watched
    images = small_images(24)
    gan.fit(images, batch_size=12, shuffle=False, verbose=0)
    assert [len(x) for x in seen] == [4] * 6
    np.testing.assert_array_equal(np.concatenate(seen), images)
    n_halves = 2 if halves == "separate" else 1
    assert int(gan.gan_model.optimizer.iterations) == 2
    assert int(gan.d_model.optimizer.iterations) == 2 * 3 * n_halves


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(
    "objective", [x if x == "began" else slow(x) for x in OBJECTIVES]
)
def test_both_sides_move_in_mixed_precision(objective, precision):
    """With float16 some steps pass by until the loss scale suits the gradients."""
    keras.config.set_dtype_policy(precision)
    gan = game(objective, SMALL)
    x_real = tf.constant(small_images(8))
    for model, step in (
        (gan.d_model, lambda: gan.train_d(x_real)),
        (gan.g_model, lambda: gan.train_g(x_real)),
    ):
        tries = 1 if precision == "mixed_bfloat16" else 12
        for _ in range(2):
            assert any(moved(model, step) > 0 for _ in range(tries))
        assert np.isfinite(weights(model)).all()
        assert {w.dtype for w in model.weights} == {"float32"}


def test_who_interrupts_pretraining_is_told_that_nothing_is_kept(capsys):
    class Interrupted:
        def __getitem__(self, i):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(game("began", POINTS), Interrupted(), 60)
    assert "there is nothing to go on with" in capsys.readouterr().out


@pytest.mark.parametrize("objective", [slow("ebgan"), "began"])
def test_pretraining_lowers_the_energy_of_real_images_alone(capsys, objective):
    gan = game(objective, POINTS)
    points = ring(np.random.default_rng(0), 256).points
    before = gan.d_model.predict(points, verbose=0).mean()
    batches = [(points[i : i + 64],) for i in (0, 64, 128, 192)] * 15

    assert moved(gan.g_model, lambda: pretrain(gan, batches, 60)) == 0
    assert gan.d_model.predict(points, verbose=0).mean() < before / 2
    assert "D alone, 60 steps: energy" in capsys.readouterr().out
    assert int(gan.d_model.optimizer.iterations) == 60
    assert int(gan.gan_model.optimizer.iterations) == 0
    if objective == "began":
        assert float(gan.k) == 0
    assert moved(gan.d_model, lambda: gan.train_d(points[:8])) > 0  # and the game begins
