"""GANs that are told which class to draw: `--conditional`.

Here are the models: any G and any D of this collection, with a class as second input. The
training is that of `gan.py`, which gives the classes to both (`ConditionalGAN`).
"""

import threading

import keras
from keras import Model, layers, ops

from common.architectures.quick import compile_like
from common.gan import GAN
from common.objectives.heads import ClassLoss
from common.sampling import n_classes

SIZE = 50  # numbers that stand for a class


def class_input():
    return layers.Input((1,), dtype="int32", name="class")


def embedding(classes, n_classes, size, scale=1.0):
    """A row of `size` numbers for each class, learned: int32 (n, 1) -> (n, size)."""
    start = keras.initializers.RandomNormal(stddev=scale)
    return layers.Flatten()(layers.Embedding(n_classes, size, start)(classes))


def conditional_generator(define_generator, latent_dim, n_classes, condition):
    """G with a class, [latent points (n, latent_dim), int32 (n, 1)] -> images.

    Args:
        define_generator: function, latent_dim -> G.
        latent_dim: numbers of a latent point.
        n_classes: number of classes; they are counted from 0.
        condition: "concat" joins the point and the class's embedding (Mirza & Osindero
            2014, section 3.2); "hadamard" and "classify" multiply the two. (Joined, a G
            that is to please a classifier soon overlooks the point.)
    """
    points, classes = layers.Input((latent_dim,), name="point"), class_input()
    if condition != "concat":
        x = layers.Multiply()([points, embedding(classes, n_classes, latent_dim)])
    else:
        x = layers.Concatenate()([points, embedding(classes, n_classes, SIZE)])
    draw = define_generator(x.shape[-1])
    draw.name = "draw"
    return Model([points, classes], draw(x), name="generator")


def conditional_discriminator(define_discriminator, shape, n_classes, condition):
    """D with a class, [images (n, *shape), int32 (n, 1)] -> verdict (n, 1), compiled.

    Args:
        define_discriminator: function, shape of an image -> D with the objective's head.
        shape: (h, w, c).
        n_classes: number of classes; they are counted from 0.
        condition: "concat": the class's embedding is one more channel of the image
            (Mirza & Osindero 2014). "hadamard": it is multiplied with D's features, and
            the sum of the product added to the score (Miyato & Koyama 2018, "cGANs with
            Projection Discriminator", eq. 3). "classify": D sees the image alone, and
            learns to name its class, too (Odena et al. 2017, eq. 2 and 3).
    """
    images, classes = layers.Input(shape, name="image"), class_input()
    if condition == "concat":
        height, width, channels = shape
        plane = layers.Dense(height * width)(embedding(classes, n_classes, SIZE))
        plane = layers.Reshape((height, width, 1))(plane)
        body = define_discriminator((height, width, channels + 1))
        outputs = body(layers.Concatenate()([images, plane]))
    else:
        body = define_discriminator(shape)
        last = body.layers[-1]
        features = Model(body.inputs, last.input, name="features")(images)
        end = {"hadamard": projected, "classify": classifying}[condition]
        outputs = end(features, last, classes, n_classes)
    model = Model([images, classes], outputs, name="discriminator")
    model.compile(loss=body.loss, optimizer=body.optimizer)
    return model


def projected(features, last, classes, n_classes):
    """D's last layer, with the projection on the class before its activation."""
    activation, last.activation = last.activation, keras.activations.linear
    named = embedding(classes, n_classes, features.shape[-1], scale=0.02)
    likeness = layers.Dot(axes=1, dtype="float32")([features, named])
    score = layers.Add(dtype="float32")([last(features), likeness])
    return layers.Activation(activation, dtype="float32")(score)


def classifying(features, last, classes, n_classes):
    """D's last layer; beside it another one guesses the class, and adds its loss."""
    guess = layers.Dense(n_classes, dtype="float32", name="guess")(features)
    return ClassLoss(name="verdict")([last(features), guess, classes])


def conditional_gan(g_model, d_model, define_gan):
    """Return the composite, [latent vectors, classes] -> verdict (n, 1), with D frozen.

    Args:
        g_model, d_model: as made here.
        define_gan: function, G and D -> composite; its loss and its optimizer are taken.
    """
    d_model.trainable = False
    points, classes = g_model.inputs
    verdict = d_model([g_model([points, classes]), classes])
    model = Model([points, classes], verdict, name="gan")
    empty_g, empty_d = (
        keras.Sequential([layers.Input((1,)), layers.Identity()]) for _ in range(2)
    )
    alike = define_gan(empty_g, compile_like(d_model, empty_d))
    model.compile(alike.optimizer, loss=alike.loss)
    return model


class ConditionalGAN(GAN):
    """A GAN whose models take classes.

    Feed `fit` with (images, classes), classes int32 (n, 1); the updates take both as a
    pair. The fakes of D's update have the classes of its real images, G's update takes
    each of them twice.

    Args:
        models, keywords: as of `gan.GAN`.
        wrong_labels: whether a third of what D sees is real images with wrong classes,
            which are to be called fake: Reed et al. 2016, "Generative Adversarial Text
            to Image Synthesis", Algorithm 1 (GAN-CLS).
    """

    def __init__(self, *models, wrong_labels=False, **keywords):
        super().__init__(*models, **keywords)
        self.wrong_labels = wrong_labels
        self.of_update = threading.local()  # each replica has a thread, and its classes

    def real_batches(self, data):
        images, classes, _ = keras.utils.unpack_x_y_sample_weight(data)
        parts = (ops.split(part, self.critic_steps) for part in (images, classes))
        return zip(*parts, strict=True)

    def train_d(self, x_real):
        images, self.of_update.classes = x_real
        super().train_d(images)

    def train_g(self, x_real):
        images, self.of_update.classes = x_real
        super().train_g(images)

    def model_inputs(self, x):
        """Return [x, classes], where x has each class of the update once or more."""
        n_times = ops.shape(x)[0] // ops.shape(self.of_update.classes)[0]
        return [x, ops.tile(self.of_update.classes, (n_times, 1))]

    def labelled_batch(self, x_real, x_fake):
        inputs, labels, _ = super().labelled_batch(x_real, x_fake)
        if not self.wrong_labels:
            return inputs, labels, None
        classes, n = self.of_update.classes, n_classes(self.g_model)
        others = keras.random.randint(ops.shape(classes), 1, n, seed=self.latent_seed)
        wrong = [x_real, ops.mod(classes + others, n)]
        inputs = [ops.concatenate(pair) for pair in zip(inputs, wrong, strict=True)]
        labels = ops.concatenate([labels, ops.zeros((ops.shape(x_real)[0], 1))])
        weights = ops.where(labels > 0.5, 1.5, 0.75)  # 3/6, 1/4 and 1/4 of the loss
        return inputs, labels, weights[:, 0]
