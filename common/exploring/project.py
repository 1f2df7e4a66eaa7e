"""Find the latent vector whose image is most similar to a given image: GAN inversion.

What to look for: a generated image is reconstructed almost exactly. A real image is
reconstructed as far as G has learned such images; what G cannot generate is missing or
replaced. The optimization starts from the nearest of 200 random latent vectors, of all
classes if G is class-conditional. The starts end at different errors: if these differ
much, even the best result may be a local minimum. A picture is resized to the size of
G's images, whatever its shape, and must look like the real images: digits are bright on
black.

The composite model has the structure of the GAN's composite model: here G is frozen, and
the latent vector is the trainable weight, optimized by gradient descent on the mean
squared error.

Sources: Creswell & Bharath (2016), "Inverting the Generator of a GAN"; Lipton & Tripathi
(2017), "Precise Recovery of Latent Vectors from GANs".
"""

import numpy as np
from PIL import Image
from tqdm import tqdm

from common.basics.cli import whole_number
from common.basics.errors import UserError
from common.exploring.pictures import read_picture, save_rows
from common.plotting import new_figure

LEARNING_RATE = 0.1  # initial learning rate of Adam, with cosine decay to zero
N_RANDOM = 200  # latent vectors that the starts are selected from
STEPS_PER_ERROR = 10  # steps between two values of the curves


def add_options(parser):
    add = parser.add_argument
    text = "picture file, resized to G's size; or N, the index of a held-out real image"
    add("image", metavar="IMAGE", help=text)
    text = "number of starts: the nearest random latent vectors (8)"
    add("--restarts", type=whole_number(1, 1000), default=8, metavar="N", help=text)
    text = "steps of gradient descent (500)"
    add("--steps", type=whole_number(1, 100_000), default=500, metavar="N", help=text)


def read_target(subject, name):
    """Return the target image, float32 (h, w, c) in [low, 1].

    Args:
        subject: subject.Subject.
        name: path of a picture, or the index of a held-out real image, as a str.

    Raises:
        UserError: the file is not a picture, or no real image has the index.
    """
    if name.isdecimal() and len(name) < 10:
        train, test = subject.real
        images = (train if test is None else test).pixels
        if int(name) >= len(images):
            raise UserError(f"IMAGE {name}: choose an index from 0 to {len(images) - 1}")
        pixels = images[[int(name)]][0]
    else:
        height, width, channels = subject.shape
        picture = read_picture("IMAGE", name, "L" if channels == 1 else "RGB")
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        pixels = np.asarray(picture).reshape(subject.shape)
    return subject.from_bytes(pixels)


def run(subject, options, folder):
    """Save the target and the results, the errors over the steps, and the latent vector.

    Args:
        subject: subject.Subject.
        options: Namespace with image, restarts, steps, seed and label.
        folder: Path of the folder for the results.
    """
    target = read_target(subject, options.image)
    starts, labels, random_errors = nearest_starts(subject, options, target)
    vectors, errors = project(subject.g_model, target, starts, options.steps, labels)
    errors = subject.require_finite(errors) / (1 - subject.low)  # for pixels in [0, 1]
    order = np.argsort(errors[-1], kind="stable")
    images, final = subject.generate(vectors, labels)[order], errors[-1, order]
    print(f">best error {final[0]:.4f}, worst {final[-1]:.4f} (starts: {len(final)})")
    text = f"mean error {random_errors.mean():.4f}, best {random_errors.min():.4f}"
    print(f">{N_RANDOM} random images: {text}")
    norm = np.linalg.norm(vectors[order[0]])
    print(f">norm of the latent vector {norm:.1f}, typical {subject.latent_dim**0.5:.1f}")
    text = f"generate.py {subject.path.name} --latent point.npy"
    if subject.classes:
        text += f" --label {subject.classes[labels[order[0]]]}"
    print(f"point.npy holds the best latent vector: {text}")
    np.save(folder / "point.npy", vectors[order[:1]])
    save_errors(errors[:, order], folder / "errors.png")
    difference = np.abs(images[0] - target)
    factor = (1 - subject.low) / max(difference.max(), 1e-6)
    comparison = np.stack([target, images[0], subject.low + factor * difference])
    captions = [f"target, best,\n{factor:.1f} x difference"]
    captions += [f"all starts, errors\n{final[0]:.3f} to {final[-1]:.3f}"]
    save_rows([comparison, images], captions, folder / "projection.png", subject.low)


def nearest_starts(subject, options, target):
    """Return the random latent vectors whose images are nearest to the target.

    Args:
        subject: subject.Subject.
        options: Namespace with restarts, seed and label.
        target: float32 (h, w, c) in [low, 1].

    Returns:
        latent vectors float32 (restarts, latent_dim), their labels int (restarts,) or
        None, and the errors of all random images, float (n,), for pixels in [0, 1].
    """
    n = max(N_RANDOM, options.restarts)
    vectors = subject.latent_vectors(n, options.seed)
    labels = subject.labels(n, options.label)
    images = subject.flatten(subject.generate(vectors, labels))
    errors = np.sqrt(np.mean((images - subject.flatten(target[None])) ** 2, axis=1))
    picks = np.argsort(errors, kind="stable")[: options.restarts]
    return vectors[picks], None if labels is None else labels[picks], errors


def project(g_model, target, starts, steps, labels=None):
    """Optimize latent vectors so that their images become similar to the target.

    Args:
        g_model: generator; it is frozen, and stays frozen.
        target: float32 (h, w, c) in G's range.
        starts: float32 (n, latent_dim).
        steps: number of steps of Adam.
        labels: int (n,), if G is class-conditional.

    Returns:
        latent vectors float32 (n, latent_dim), and errors float (steps // 10 + 1, n): the
        root mean square difference to the target, at the start and after every 10 steps.
    """
    import keras
    from keras import layers

    n, latent_dim = starts.shape
    indices = [np.arange(n)] if labels is None else [np.arange(n), labels]
    x = [np.int32(index).reshape(-1, 1) for index in indices]
    inputs = [layers.Input((1,), dtype="int32") for _ in x]
    embedding = layers.Embedding(n, latent_dim)  # its weights are the latent vectors
    z = layers.Flatten()(embedding(inputs[0]))
    embedding.set_weights([starts])
    g_model.trainable = False
    image = g_model(z if labels is None else [z, inputs[1]], training=False)
    model = keras.Model(inputs, image, name="composite")
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    model.compile(keras.optimizers.Adam(rate), keras.losses.MeanSquaredError("sum"))
    y, errors = np.stack([target] * n), []
    for step in (bar := tqdm(range(steps + 1), disable=None, unit="step")):
        if step % STEPS_PER_ERROR == 0:
            images = model.predict_on_batch(x)
            errors.append(np.sqrt(np.mean((images - y) ** 2, axis=(1, 2, 3))))
            bar.set_postfix(error=f"{errors[-1].min():.4f}")
        if step < steps:
            model.train_on_batch(x, y)
    return embedding.get_weights()[0], np.stack(errors)


def save_errors(errors, path):
    """Plot the errors of all starts over the steps: float (k, n), best start first."""
    steps = STEPS_PER_ERROR * np.arange(len(errors))
    with new_figure(path, (6, 3.5)) as (_, (axis,)):
        axis.plot(steps, errors[:, 1:], color="lightgrey")
        axis.plot(steps, errors[:, 0], color="tab:blue", label="best start")
        ylabel = "error (root mean square,\npixels in [0, 1])"
        axis.set(xlabel="step", ylabel=ylabel, ylim=(0, None))
        axis.legend(frameon=False)
