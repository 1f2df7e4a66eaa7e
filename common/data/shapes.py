"""Draw synthetic images for tests: coloured geometric shapes of ten classes."""

import numpy as np

from common.data.datasets import Images

SPLITS = {"train": (2000, 0), "test": (500, 1)}  # number of images, seed


def max_norm(x, y):
    return np.maximum(abs(x), abs(y))


SHAPES = (  # whether (x, y) is in the shape; x goes right, y down, both from -1 to 1
    lambda x, y: x**2 + y**2 < 1,  # disc
    lambda x, y: max_norm(x, y) < 0.8,  # square
    lambda x, y: (2 * abs(x) - 1 < y) & (y < 0.7),  # triangle
    lambda x, y: abs(x**2 + y**2 - 0.65) < 0.35,  # ring
    lambda x, y: (np.minimum(abs(x), abs(y)) < 0.3) & (max_norm(x, y) < 1),  # cross
    lambda x, y: ((y + 1) % 0.8 < 0.4) & (max_norm(x, y) < 1),  # horizontal bars
    lambda x, y: ((x + 1) % 0.8 < 0.4) & (max_norm(x, y) < 1),  # vertical bars
    lambda x, y: 1.5 * abs(x) + abs(y) < 1,  # diamond
    lambda x, y: sum(x * np.sin(a) - y * np.cos(a) < 0.31 for a in FIFTHS) > 3,  # star
    lambda x, y: ((x // 0.5 + y // 0.5) % 2 < 1) & (max_norm(x, y) < 1),  # checkerboard
)
NAMES = ("disc", "square", "triangle", "ring", "cross", "horizontal bars",
         "vertical bars", "diamond", "star", "checkerboard")  # fmt: skip
FIFTHS = np.arange(5) * 2 * np.pi / 5


def synthetic_shapes(split="train", size=32):
    """Return images of shapes of ten classes, each in a random colour on another.

    Args:
        split: "train" (2,000 images) or "test" (500 other images).
        size: height and width.

    Returns:
        Images: pixels uint8 (n, size, size, 3), labels int (n,) in 0..9.
    """
    n, seed = SPLITS[split]
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 10)
    n_subpixels = max(2, 128 // size)  # per pixel and axis, for antialiasing
    grid = (np.arange(n_subpixels * size) + 0.5) / n_subpixels
    pixels = np.empty((n, size, size, 3), np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        radius = size * rng.uniform(0.22, 0.43)
        left, top = rng.uniform(radius, size - radius, 2)
        x, y = (grid - left) / radius, (grid[:, np.newaxis] - top) / radius
        inside = SHAPES[label](x, y).reshape(size, n_subpixels, size, n_subpixels)
        background = rng.integers(0, 256, 3)
        colour = (background + rng.integers(64, 193, 3)) % 256  # differs by at least 64
        coverage = inside.mean((1, 3))[..., np.newaxis]
        image[:] = np.round(background + coverage * (colour - background))
    notice = "SYNTHETIC DATA, NOT PHOTOGRAPHS: coloured shapes, to test the script."
    return Images(pixels, labels, "synthetic", "drawn", notice, classes=NAMES)
