"""Step 6 of 6, the training: D learns to tell real from fake, G to be taken for real."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from cifar10_gan import quick
from cifar10_gan.define_discriminator import define_discriminator
from cifar10_gan.define_gan import define_gan
from cifar10_gan.define_generator import define_generator
from cifar10_gan.load_data import DATA, scale
from common import cli
from common.cifar10 import load_images
from common.datasets import Scaled
from common.training import discriminator_for, prepare, train_as_asked
from common.training_options import training_options

SCRIPT = "cifar10_gan/train.py"

TUTORIAL = {
    "epochs": 200,
    "batch_size": 128,  # 64 real + 64 fake images for D, then 128 points for G
    "halves": "separate",  # D learns from the 64 real, then from the 64 fake ones
    "latent_dim": 100,
    "learning_rate": 0.0002,
    "save_every": 10,
}
PRESETS = {"quick": quick.OPTIONS}
MODELS = {  # preset -> its functions; None: the tutorial's
    None: (define_generator, define_discriminator, define_gan),
    "quick": (quick.define_generator, quick.define_discriminator, quick.define_gan),
}


@cli.command
def main(argv=None):
    """Train on the command line's options, in a run folder."""
    options = training_options(argv, __doc__, SCRIPT, DATA, TUTORIAL, PRESETS)
    images = load_images(options.data)
    run = prepare(SCRIPT, options, images)
    define_g, define_d, define_composite = MODELS[options.preset]
    g_model = define_g(options.latent_dim)
    d_model = discriminator_for(options, define_d(), define_g)
    models = g_model, d_model, define_composite(g_model, d_model)
    dataset = Scaled(images.pixels, scale)
    train_as_asked(options, models, dataset, run, n_samples=150, grid=7)


if __name__ == "__main__":
    main()
