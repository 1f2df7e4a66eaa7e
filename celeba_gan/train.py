"""Step 6 of 6, the training: on faces, or on your own pictures with --data FOLDER."""

import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from celeba_gan import dense, quick
from celeba_gan.define_discriminator import define_discriminator
from celeba_gan.define_gan import define_gan
from celeba_gan.define_generator import define_generator
from celeba_gan.options import add_size_and_crop
from common.architectures import architectures
from common.basics import cli
from common.data.celeba import DATA, load_images
from common.fitting.build import classes_of, define_models, scaled_for
from common.options.training_options import training_options
from common.training import prepare, train_as_asked

SCRIPT = "celeba_gan/train.py"

TUTORIAL = {
    "size": 64,
    "crop": None,  # None: load_data chooses
    "attribute": None,
    "epochs": 50,
    "batch_size": 128,  # 64 real + 64 fake images for D, then 128 points for G
    "halves": "separate",  # so that BatchNormalization in D sees one kind at a time
    "latent_dim": 100,
    "save_every": 5,
}
PRESETS = {"quick": quick.OPTIONS, "best": quick.BEST}
ARCHITECTURES = {
    "tutorial": (define_generator, define_discriminator, define_gan),
    "narrow": (quick.define_generator, quick.define_discriminator, quick.define_gan),
    **architectures(),
    "dense": (dense.define_generator, dense.define_discriminator, define_gan),
}


def add_options(group):
    """Add the options that only this training has."""
    add_size_and_crop(group, default=None)
    text = "with --conditional: the attribute of CelebA that is the class"
    group.add_argument("--attribute", metavar="NAME", help=text)


@cli.command
def main(argv=None):
    """Train on the command line's options, in a run folder."""
    options = training_options(
        argv, __doc__, SCRIPT, DATA, TUTORIAL, PRESETS, add_options,
        architectures=ARCHITECTURES,
    )  # fmt: skip
    images = load_images(options.data, options.size, options.crop, options.attribute)
    labels, classes = classes_of(images, options)
    device = prepare(options, images)
    define_g, define_d, define_composite = ARCHITECTURES[options.architecture]
    shape = images.pixels.shape[1:]
    define_g = partial(define_g, out_shape=shape)
    trio = define_g, define_d, define_composite
    models = define_models(options, *trio, shape, classes)
    dataset = scaled_for(models[0], images, labels)
    train_as_asked(
        SCRIPT, options, images, device, models, dataset,
        n_samples=100, grid=7, classes=classes,
    )  # fmt: skip


if __name__ == "__main__":
    main()
