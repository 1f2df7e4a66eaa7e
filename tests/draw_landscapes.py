"""Draw landscapes of several sizes and file formats, as example pictures."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

SUFFIXES = ("jpg", "png", "webp", "gif")


def draw_landscape(rng, width, height):
    """Draw a sky, a sun and some ranges of hills: uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width] / min(width, height)
    bottom = y.max()
    high, low = np.array([[40, 90, 170], [235, 200, 150]]) + rng.integers(-40, 41, (2, 3))
    picture = high + (low - high) * (y / bottom)[..., np.newaxis]
    sun = np.hypot(x - rng.uniform(0.2, 0.8) * x.max(), y - rng.uniform(0.15, 0.4))
    glow = np.clip(1.3 - sun / rng.uniform(0.08, 0.16), 0, 1)[..., np.newaxis]
    picture = picture + glow * (np.array([255, 235, 160]) - picture)
    colour = np.array([90, 110, 120]) + rng.integers(-30, 31, 3)
    for level in np.sort(rng.uniform(0.4, 0.9, rng.integers(2, 5))) * bottom:
        waves = sum(
            rng.uniform(0.02, 0.08) / k * np.sin(k * 5 * x[0] + rng.uniform(0, 6.3))
            for k in (1, 2, 3)
        )
        colour = colour * rng.uniform([0.6, 0.75, 0.5], [0.75, 0.9, 0.7])
        picture[y > level + waves] = colour
    grain = rng.normal(0, 4, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def draw_folder(folder, n=200, seed=0, largest=160):
    """Save n landscapes, portrait and landscape format, sides 80 to `largest` pixels."""
    rng = np.random.default_rng(seed)
    folder = Path(folder)
    folder.mkdir(parents=True)
    for i in range(n):
        width, height = rng.integers(80, largest + 1, 2)
        image = Image.fromarray(draw_landscape(rng, width, height))
        image = image.filter(ImageFilter.GaussianBlur(0.8))
        image.save(folder / f"landscape_{i:03d}.{SUFFIXES[i % len(SUFFIXES)]}")


if __name__ == "__main__":
    draw_folder(sys.argv[1], largest=400)
