"""Step 6 of 6, adversarial training: D learns to classify real and fake, G to fool D."""

import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from cifar10_gan import best, quick
from cifar10_gan.define_discriminator import define_discriminator
from cifar10_gan.define_gan import define_gan
from cifar10_gan.define_generator import define_generator
from cifar10_gan.load_data import DATA
from common.architectures import architectures
from common.basics import cli
from common.data.cifar10 import load_images
from common.fitting.build import define_models, scaled_for
from common.options.training_options import Script, training_options
from common.training import prepare, run_training, summarize_performance

TUTORIAL = {
    "epochs": 200,
    "batch_size": 128,  # 64 real + 64 fake images for D, then 128 latent vectors for G
    "d_batches": "separate",  # one D update on the 64 real images, one on the 64 fake
    "latent_dim": 100,
    "save_every": 10,
    "on_collapse": "restart",  # unlike the tutorial, which checks nothing
}
PRESETS = {"quick": quick.OPTIONS, "best": best.OPTIONS}
SHAPE = (32, 32, 3)
ARCHITECTURES = {
    "tutorial": (define_generator, define_discriminator, define_gan),
    "narrow": (quick.define_generator, quick.define_discriminator, quick.define_gan),
    "best": (best.define_generator, best.define_discriminator, best.define_gan),
    **architectures(SHAPE),
}
SCRIPT = Script("cifar10_gan/train.py", __doc__, DATA, TUTORIAL, PRESETS, ARCHITECTURES)


@cli.command
def main(argv=None):
    """Train with the options of the command line, and save results in a run folder."""
    options = training_options(argv, SCRIPT)
    images = load_images(options.data).first(options.limit)
    architecture = ARCHITECTURES[options.architecture]
    device = prepare(options, images, architecture)
    models = define_models(options, *architecture, SHAPE, images.classes)
    dataset = scaled_for(models[0], images, options.conditional)
    summarize = partial(summarize_performance, n_samples=150, grid=7)
    run_training(SCRIPT, options, images, device, models, dataset, summarize)


if __name__ == "__main__":
    main()
