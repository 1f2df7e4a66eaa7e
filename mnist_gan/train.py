"""Step 6 of 6, adversarial training: D learns to classify real and fake, G to fool D."""

import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.architectures import architectures
from common.basics import cli
from common.data.mnist import load_images
from common.fitting.build import define_models, scaled_for
from common.options.training_options import Script, training_options
from common.training import prepare, run_training, summarize_performance
from mnist_gan import conditional_dense, quick
from mnist_gan.define_discriminator import define_discriminator
from mnist_gan.define_gan import define_gan
from mnist_gan.define_generator import define_generator
from mnist_gan.load_data import DATA

TUTORIAL = {
    "epochs": 100,
    "batch_size": 256,  # 128 real + 128 fake images for D, then 256 latent vectors for G
    "d_batches": "mixed",  # one D update on all 256 images
    "latent_dim": 100,
    "save_every": 10,
    "on_collapse": "restart",  # unlike the tutorial, which checks nothing
}
PRESETS = {"quick": quick.OPTIONS, "best": quick.BEST}
SHAPE = (28, 28, 1)
ARCHITECTURES = {
    "tutorial": (define_generator, define_discriminator, define_gan),
    "narrow": (quick.define_generator, quick.define_discriminator, quick.define_gan),
    **architectures(SHAPE),
    "conditional-dense": (
        conditional_dense.define_generator,
        conditional_dense.define_discriminator,
        conditional_dense.define_gan,
    ),
}
SCRIPT = Script("mnist_gan/train.py", __doc__, DATA, TUTORIAL, PRESETS, ARCHITECTURES)


@cli.command
def main(argv=None):
    """Train with the options of the command line, and save results in a run folder."""
    options = training_options(argv, SCRIPT)
    images = load_images(options.data).first(options.limit)
    architecture = ARCHITECTURES[options.architecture]
    device = prepare(options, images, architecture)
    models = define_models(options, *architecture, SHAPE, images.classes)
    dataset = scaled_for(models[0], images, options.conditional)
    summarize = partial(summarize_performance, n_samples=100, grid=10)
    run_training(SCRIPT, options, images, device, models, dataset, summarize)


if __name__ == "__main__":
    main()
