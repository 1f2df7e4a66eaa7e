"""Step 6 of 6, the training: D learns to tell real from fake, G to be taken for real."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common import cli
from common.datasets import Scaled, load_images
from common.training import discriminator_for, prepare, train_as_asked
from common.training_options import training_options
from mnist_gan import quick
from mnist_gan.define_discriminator import define_discriminator
from mnist_gan.define_gan import define_gan
from mnist_gan.define_generator import define_generator
from mnist_gan.load_data import DATA, scale

SCRIPT = "mnist_gan/train.py"

TUTORIAL = {
    "epochs": 100,
    "batch_size": 256,  # 128 real + 128 fake images for D, then 256 points for G
    "halves": "merged",  # the 128 + 128 are one batch
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
    train_as_asked(options, models, dataset, run, n_samples=100, grid=10)


if __name__ == "__main__":
    main()
