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
from celeba_gan.options import ATTRIBUTE, CROP, SIZE
from common.architectures import architectures
from common.basics import cli
from common.data.celeba import DATA, load_images
from common.fitting.build import define_models, scaled_for
from common.options.training_options import Script, training_options
from common.training import prepare, run_training, summarize_performance

TUTORIAL = {
    "epochs": 50,
    "batch_size": 128,  # 64 real + 64 fake images for D, then 128 latent vectors for G
    "d_batches": "separate",  # BatchNormalization in D needs batches of one kind
    "latent_dim": 100,
    "save_every": 5,
    "on_collapse": "restart",  # unlike the tutorial, which checks nothing
}
PRESETS = {"quick": quick.OPTIONS, "best": quick.BEST}
ARCHITECTURES = {
    "tutorial": (define_generator, define_discriminator, define_gan),
    "narrow": (quick.define_generator, quick.define_discriminator, quick.define_gan),
    **architectures(),
    "dense": (dense.define_generator, dense.define_discriminator, define_gan),
}
OWN = (SIZE, CROP, ATTRIBUTE)
SCRIPT = Script(
    "celeba_gan/train.py", __doc__, DATA, TUTORIAL, PRESETS, ARCHITECTURES, own=OWN
)


@cli.command
def main(argv=None):
    """Train with the options of the command line, and save results in a run folder."""
    options = training_options(argv, SCRIPT)
    images = load_images(options.data, options.size, options.crop, options.attribute)
    images = images.first(options.limit)
    shape = images.pixels.shape[1:]
    define_g, define_d, define_composite = ARCHITECTURES[options.architecture]
    architecture = partial(define_g, out_shape=shape), define_d, define_composite
    device = prepare(options, images, architecture)
    models = define_models(options, *architecture, shape, images.classes)
    dataset = scaled_for(models[0], images, options.conditional)
    summarize = partial(summarize_performance, n_samples=100, grid=7)
    run_training(SCRIPT, options, images, device, models, dataset, summarize)


if __name__ == "__main__":
    main()
