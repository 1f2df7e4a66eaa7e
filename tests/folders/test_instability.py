"""Training on x * y, compared with results computed by hand."""

import numpy as np
import pytest
from PIL import Image

from toy_gan import instability
from toy_gan.instability import distance, moving_average, running_mean, train


def test_the_first_steps_by_hand():
    np.testing.assert_allclose(train(0.1, 2), [(1, 0), (1, 0.1), (0.99, 0.2)])
    path = train(0.1, 2, alternating=True, start=(1, 1))
    np.testing.assert_allclose(path, [(1, 1), (0.9, 1.09), (0.791, 1.1691)])
    np.testing.assert_allclose(train(0.1, 1, penalty=0.5, start=(1, 1))[1], (0.9, 1.05))


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_simultaneous_steps_grow_by_the_same_factor(rate):
    far = distance(train(rate, 100))
    np.testing.assert_allclose(far[1:] / far[:-1], np.sqrt(1 + rate**2))


def test_alternating_steps_stay_on_an_ellipse():
    x, y = train(0.2, 2000, alternating=True).T
    np.testing.assert_allclose(x**2 + y**2 - 0.2 * x * y, 1)
    assert 0.9 < np.hypot(x, y).min() < np.hypot(x, y).max() < 1.1


def test_the_mean_of_alternating_steps_converges():
    far = distance(running_mean(train(0.1, 10_000, alternating=True)))
    steps = np.arange(1, len(far) + 1)
    assert (far * steps).max() < 2.2 / 0.1  # so the distance falls like 1 / steps
    assert far[-100:].max() < 0.003


def test_the_mean_does_not_save_simultaneous_steps():
    far = distance(running_mean(train(0.1, 3000)))
    assert far[-1] > 1000


def test_running_mean_by_hand():
    path = np.array([(1.0, 0.0), (3.0, 2.0), (2.0, 7.0)])
    np.testing.assert_allclose(running_mean(path), [(1, 0), (2, 1), (2, 3)])


def test_moving_average_by_hand():
    path = np.array([(1.0, 0.0), (3.0, 2.0), (2.0, 5.0)])
    np.testing.assert_allclose(moving_average(path, 0.5), [(1, 0), (2, 1), (2, 3)])
    np.testing.assert_allclose(moving_average(path, 0), path)


def test_the_moving_average_stays_nearer_than_the_last_step():
    path = train(0.1, 2000, alternating=True)
    far = distance(moving_average(path, 0.99))[-200:]
    assert far == pytest.approx(0.1, rel=0.15)


def test_a_penalty_above_the_rate_converges():
    far = distance(train(0.1, 1000, penalty=0.5))
    assert far[-1] == pytest.approx((1 - 0.1 * 0.5 + 0.1**2) ** (1000 / 2), rel=0.5)
    assert distance(train(0.1, 1000, penalty=0.05))[-1] > 2
    assert distance(train(0.1, 1000, alternating=True, penalty=0.05))[-1] < 0.1


def test_main_draws_one_picture(tmp_path, capsys):
    run = tmp_path / "run"
    instability.main(["--run-dir", str(run)])
    assert [path.name for path in run.iterdir()] == ["instability.png"]
    with Image.open(run / "instability.png") as picture:
        picture.load()
        assert picture.format == "PNG"
    output = capsys.readouterr().out
    assert output.count("Notice: ") == 4
    assert "grows 1.00499 times a step, to 12.03 in 500 steps" in output
