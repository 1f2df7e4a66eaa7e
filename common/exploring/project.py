"""Find the point whose image is most like a given one.

What to look for: does G know this image? One of its own comes back; a real one comes back
as far as G has learned such images, and what it does not draw is missing or replaced.
Starts are the nearest of 200 random points, of all classes where G draws classes; they
end in other places: take the spread of their errors as a warning. A picture is scaled to
G's size, whatever its shape, and must be drawn as the real images are: digits are bright
on black.

It is the pattern of the GAN once more: a composite model, in which this time G is frozen,
and the point is the weight that learns, by gradient descent on the mean square error.

Creswell & Bharath (2016), "Inverting the Generator of a GAN"; Lipton & Tripathi (2017).
"""

import numpy as np
from PIL import Image
from tqdm import tqdm

from common.basics.cli import whole_number
from common.basics.errors import UserError
from common.exploring.pictures import read_picture, save_rows
from common.plotting import new_figure

RATE = 0.1  # of Adam at the start, falling to zero by a cosine
CHANCE = 200  # images of G to compare with
EVERY = 10  # steps between two points of the curves


def add_options(parser):
    add = parser.add_argument
    text = "a picture, scaled to G's size; or N, the number of a held-out real image"
    add("image", metavar="IMAGE", help=text)
    text = "nearest random points to start from (8)"
    add("--restarts", type=whole_number(1, 1000), default=8, metavar="N", help=text)
    text = "of gradient descent (500)"
    add("--steps", type=whole_number(1, 100_000), default=500, metavar="N", help=text)


def read_target(subject, name):
    """The image to look for, float32 (h, w, c) in [low, 1].

    Raises:
        UserError: there is no such picture, or no such real image.
    """
    if name.isdecimal() and len(name) < 10:
        train, test = subject.real
        images = (train if test is None else test).pixels
        if int(name) >= len(images):
            raise UserError(f"IMAGE {name}: there are {len(images)}, counted from 0")
        pixels = images[[int(name)]][0]
    else:
        height, width, channels = subject.shape
        picture = read_picture("IMAGE", name, "L" if channels == 1 else "RGB")
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        pixels = np.asarray(picture).reshape(subject.shape)
    return np.float32(subject.low + pixels / np.float32(255) * (1 - subject.low))


def run(subject, options, folder):
    """Save the target beside what was found, the errors over the steps, and the point."""
    target = read_target(subject, options.image)
    starts, labels, by_chance = nearest_by_chance(subject, options, target)
    points, errors = project(subject.g_model, target, starts, options.steps, labels)
    errors = subject.checked(errors) / (1 - subject.low)  # of grey levels of 0 to 1
    order = np.argsort(errors[-1], kind="stable")
    found, best = subject.draw(points, labels)[order], errors[-1, order]
    print(f">best error {best[0]:.4f}, worst of {len(best)} starts {best[-1]:.4f}")
    text = f"{by_chance.mean():.4f} in the mean, {by_chance.min():.4f} the nearest"
    print(f">of {CHANCE} images by chance {text}")
    length = np.linalg.norm(points[order[0]])
    print(f">length of the point {length:.1f}, usual is {subject.latent_dim**0.5:.1f}")
    told = ""
    if subject.classes:
        told = f", of the class {subject.classes[labels[order[0]]]}"
    print(f"point.npy is the point{told}: generate.py {subject.path.name} --latent FILE")
    np.save(folder / "point.npy", points[order[:1]])
    save_errors(errors[:, order], folder / "errors.png")
    difference = np.abs(found[0] - target)
    strength = (1 - subject.low) / max(difference.max(), 1e-6)
    shown = np.stack([target, found[0], subject.low + strength * difference])
    captions = [f"target, best,\n{strength:.1f} x difference"]
    captions += [f"all starts, errors\n{best[0]:.3f} to {best[-1]:.3f}"]
    save_rows([shown, found], captions, folder / "projection.png", subject.low)


def nearest_by_chance(subject, options, target):
    """Where to start: the points, of many random ones, whose images are nearest.

    Returns:
        points float32 (restarts, latent_dim), their labels int (restarts,) or None, and
        the errors of all images by chance, float (n,), of grey levels of 0 to 1.
    """
    n = max(CHANCE, options.restarts)
    points, labels = (
        subject.latent_vectors(n, options.seed),
        subject.labels(n, options.label),
    )
    drawn, wanted = subject.flat(subject.draw(points, labels)), subject.flat(target[None])
    errors = np.sqrt(np.mean((drawn - wanted) ** 2, axis=1))
    picks = np.argsort(errors, kind="stable")[: options.restarts]
    return points[picks], None if labels is None else labels[picks], errors


def project(g_model, target, starts, steps, labels=None):
    """Move points until their images are like the target.

    Args:
        g_model: generator; it is frozen, and stays so.
        target: float32 (h, w, c) in G's range.
        starts: float32 (n, latent_dim).
        steps: number of Adam's steps.
        labels: int (n,), where G draws classes.

    Returns:
        points float32 (n, latent_dim), and errors float (steps // 10 + 1, n): the root
        mean square difference to the target, at the start and after every 10 steps.
    """
    import keras
    from keras import layers

    n, latent_dim = starts.shape
    number = layers.Input((1,), dtype="int32")
    embedding = layers.Embedding(n, latent_dim)
    point = layers.Flatten()(embedding(number))
    embedding.set_weights([starts])
    g_model.trainable = False
    inputs, x = [number], [np.arange(n).reshape(-1, 1)]
    if labels is not None:
        inputs.append(layers.Input((1,), dtype="int32"))
        x.append(np.int32(labels).reshape(-1, 1))
    image = g_model([point, *inputs[1:]] if labels is not None else point, training=False)
    model = keras.Model(inputs, image, name="composite")
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    model.compile(keras.optimizers.Adam(rate), keras.losses.MeanSquaredError("sum"))
    y, errors = np.stack([target] * n), []
    for step in (bar := tqdm(range(steps + 1), disable=None, unit="step")):
        if step % EVERY == 0:
            made = model.predict_on_batch(x)
            errors.append(np.sqrt(np.mean((made - y) ** 2, axis=(1, 2, 3))))
            bar.set_postfix(error=f"{errors[-1].min():.4f}")
        if step < steps:
            model.train_on_batch(x, y)
    return embedding.get_weights()[0], np.stack(errors)


def save_errors(errors, path):
    """Draw the errors of every start over the steps: float (k, n), the best one first."""
    steps = EVERY * np.arange(len(errors))
    with new_figure(path, (6, 3.5)) as (_, (axis,)):
        axis.plot(steps, errors[:, 1:], color="lightgrey")
        axis.plot(steps, errors[:, 0], color="tab:blue", label="best start")
        ylabel = "error (root mean square\nof grey levels of 0 to 1)"
        axis.set(xlabel="step", ylabel=ylabel, ylim=(0, None))
        axis.legend(frameon=False)
