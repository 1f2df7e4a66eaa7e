"""Add and subtract latent vectors: A - B + C transfers an attribute.

Without --a, --b and --c: images of two seeds, of the sum and of the difference of their
latent vectors, and a contact sheet of 64 numbered images. Then choose images from the
sheet by their numbers: A with an attribute (such as a smile), B similar to A without the
attribute, and C without it. The attribute is added to C:

    explore.py arithmetic MODEL --a 3 18 40 --b 5 9 22 --c 11 30 57

What to look for: the image of mean(A) - mean(B) + mean(C) should look like C with the
attribute. The eight images beside it, generated from nearby latent vectors, should also
have the attribute. The mean of several latent vectors shows what their images have in
common. The sum of two latent vectors has a norm 1.4 times (sqrt 2) that of the training
distribution; its image is often exaggerated.

Sources: Radford et al. (2016), "DCGAN", section 6.3.2, for the arithmetic; Rashid (2020),
"Make Your First GAN with PyTorch", for the two seeds.
"""

import numpy as np

from common.basics.cli import seed_number, whole_number
from common.basics.errors import UserError
from common.exploring.pictures import save_rows
from common.plotting import save_captioned_grid

N_SHEET, SHEET_COLUMNS = 64, 8  # images of the contact sheet
N_NEARBY, NOISE_RANGE = 8, 0.25  # images beside the result, uniform noise: as the paper


def add_options(parser):
    add = parser.add_argument
    text = "two seeds, whose latent vectors are added (default: --seed and --seed + 1)"
    add("--seeds", nargs=2, type=seed_number, metavar="SEED", help=text)
    number = whole_number(0, N_SHEET - 1)
    kinds = {"a": "with the attribute", "b": "like A without it", "c": "without it"}
    for name, kind in kinds.items():
        text = f"images {name.upper()}, {kind}: numbers on the contact sheet"
        add(f"--{name}", nargs="+", type=number, metavar="N", help=text)


def run(subject, options, folder):
    """Save seeds.png, contact_sheet.png and, for chosen images, arithmetic.png.

    Args:
        subject: subject.Subject.
        options: Namespace with a, b, c, seeds, seed and label.
        folder: Path of the folder for the results.

    Raises:
        UserError: only one or two of --a, --b and --c were given.
    """
    groups = [options.a, options.b, options.c]
    if any(groups) and not all(groups):
        raise UserError("--a, --b and --c: only some are given; give all three, or none")
    seeds = options.seeds or [options.seed, (options.seed + 1) % 2**32]
    s1, s2 = (subject.latent_vector(seed) for seed in seeds)
    captions = [f"s1, seed {seeds[0]}", f"s2, seed {seeds[1]}", "s1 + s2", "s1 - s2"]
    images = subject.generate_class([s1, s2, s1 + s2, s1 - s2], options.label)
    for caption, name in zip(captions, subject.classify(images), strict=True):
        print(f">{caption}{f' is classified as {name}' * bool(name)}")
    save_captioned_grid(images, captions, folder / "seeds.png", 4, subject.low)
    vectors = subject.latent_vectors(N_SHEET, options.seed)
    sheet = subject.generate_class(vectors, options.label)
    path = folder / "contact_sheet.png"
    save_captioned_grid(sheet, range(N_SHEET), path, SHEET_COLUMNS, subject.low)
    if not options.a:
        print("next: choose images of contact_sheet.png by number with --a, --b and --c")
        return
    means = np.stack([vectors[group].mean(axis=0) for group in groups])
    generated = subject.generate_class(means, options.label)
    rows = [np.stack([*sheet[i], x]) for i, x in zip(groups, generated, strict=True)]
    result = means[0] - means[1] + means[2]
    rng = np.random.default_rng(options.seed)
    noise = rng.uniform(-NOISE_RANGE, NOISE_RANGE, (N_NEARBY + 1, len(result)))
    noise[0] = 0  # the first image is the result itself
    rows.append(subject.generate_class(result + noise, options.label))
    captions = ["A ... mean", "B ... mean", "C ... mean", "A - B + C"]
    save_rows(rows, captions, folder / "arithmetic.png", subject.low)
    for caption, row in zip(captions, rows, strict=True):
        if names := ", ".join(filter(None, subject.classify(row))):
            print(f">{caption} is classified as {names}")
