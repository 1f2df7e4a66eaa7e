"""`--preset quick` learns a folder of pictures; an untrained generator does not.

Judged by the colours of 4x4 fields, which hold sky, hills and sun where they belong.
"""

from pathlib import Path

import numpy as np
import pytest
from draw_landscapes import draw_folder

from celeba_gan import quick
from celeba_gan.load_data import scale
from celeba_gan.train import main
from common.checkpoints import load_generator
from common.data.celeba import load_images
from common.sampling import generate_images, generate_latent_points
from common.scores.metrics import frechet_distance


def fields(images):
    """float32 (n, 32, 32, 3) -> the mean colours of 4x4 fields, (n, 48)."""
    return images.reshape(-1, 4, 8, 4, 8, 3).mean((2, 4)).reshape(-1, 48)


@pytest.mark.slow
def test_quick_learns_a_folder_of_pictures_and_an_untrained_generator_does_not():
    draw_folder("photos", 1000)
    draw_folder("others", 1000, seed=1)
    words = ["--data", "photos", "--size", "32", "--preset", "quick", "--epochs", "1",
             "--steps-per-epoch", "700"]  # fmt: skip
    main([*words, "--seed", "1"])
    path = max(Path("runs/celeba_gan/0001").glob("generator_model_*.h5"))
    trained, latent_dim, _ = load_generator(path)
    vectors = generate_latent_points(latent_dim, 1000, np.random.default_rng(0))
    real = fields(scale(load_images("others", 32).pixels))
    made = {
        "real": scale(load_images("photos", 32).pixels),
        "trained": generate_images(trained, vectors),
        "untrained": generate_images(quick.define_generator(64, (32, 32, 3)), vectors),
    }
    distance = {k: frechet_distance(fields(images), real) for k, images in made.items()}
    print(distance)
    assert distance["real"] < distance["trained"] < distance["untrained"] / 5
