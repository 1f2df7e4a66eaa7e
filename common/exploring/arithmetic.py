"""Add and subtract points: is there a meaning in the difference of two of them?

Without picks: images of two seeds, of the sum and of the difference of their points, and
a contact sheet of 64 numbered images. Then pick from the sheet, by their numbers, some
images A that have something, some B that are like A but for that, and some C that lack
it as well:

    explore.py arithmetic MODEL --a 3 18 40 --b 5 9 22 --c 11 30 57

What to look for: mean(A) - mean(B) + mean(C) should be like C, with what A has and B has
not; the eight images beside it, of points nearby, should be so, too. The mean of a few
images' points shows what they have in common; a sum of two points is 1.4 times as far
from zero as G knows, and often too bold.

Rashid (2020), "Make Your First GAN with PyTorch", on seeds; Radford et al. (2016), 6.3.2.
"""

import numpy as np

from common.basics.cli import seed_number, whole_number
from common.basics.errors import UserError
from common.exploring.pictures import save_rows
from common.plotting import save_captioned_grid

SHEET, COLUMNS = 64, 8
NEARBY, NOISE = 8, 0.25  # images beside the result, uniform noise: as in the paper


def add_options(parser):
    add = parser.add_argument
    text = "two, whose points are added and subtracted (--seed and the next)"
    add("--seeds", nargs=2, type=seed_number, metavar="SEED", help=text)
    number = whole_number(0, SHEET - 1)
    kinds = {"a": "A: with it", "b": "B: as A, but without", "c": "C: without, too"}
    for name, text in kinds.items():
        text = f"numbers of images on the contact sheet, {text}"
        add(f"--{name}", nargs="+", type=number, metavar="N", help=text)


def run(subject, options, folder):
    """Save the two seeds and their sum, the contact sheet, and A - B + C.

    Raises:
        UserError: not all of A, B and C were picked, or none.
    """
    picks = [options.a, options.b, options.c]
    if any(picks) and not all(picks):
        raise UserError("--a, --b and --c: pick images for all three, or for none")
    seeds = options.seeds or [options.seed, (options.seed + 1) % 2**32]
    s1, s2 = (subject.point(seed) for seed in seeds)
    heads = [f"s1, seed {seeds[0]}", f"s2, seed {seeds[1]}", "s1 + s2", "s1 - s2"]
    images = subject.draw_class(np.stack([s1, s2, s1 + s2, s1 - s2]), options.label)
    for head, reading in zip(heads, subject.read(images), strict=True):
        print(f">{head}{f' is read as {reading}' * bool(reading)}")
    save_captioned_grid(images, heads, folder / "seeds.png", 4, subject.low)
    points = subject.latent_vectors(SHEET, options.seed)
    sheet = subject.draw_class(points, options.label)
    path = folder / "contact_sheet.png"
    save_captioned_grid(sheet, range(SHEET), path, COLUMNS, subject.low)
    if not options.a:
        print("pick images of contact_sheet.png by their numbers: --a, --b and --c")
        return
    means = np.stack([points[chosen].mean(axis=0) for chosen in picks])
    drawn = subject.draw_class(means, options.label)
    rows = [np.stack([*sheet[i], mean]) for i, mean in zip(picks, drawn, strict=True)]
    y = means[0] - means[1] + means[2]
    rng = np.random.default_rng(options.seed)
    noise = rng.uniform(-NOISE, NOISE, (NEARBY + 1, len(y)))
    noise[0] = 0
    rows.append(subject.draw_class(y + noise, options.label))
    captions = ["A ... mean", "B ... mean", "C ... mean", "A - B + C"]
    save_rows(rows, captions, folder / "arithmetic.png", subject.low)
    for caption, row in zip(captions, rows, strict=True):
        if reading := ", ".join(filter(None, subject.read(row))):
            print(f">{caption} is read as {reading}")
