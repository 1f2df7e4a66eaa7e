"""Damaged and hostile models, for whatever draws with them, scores or explores them.

Name -> (script, function that makes them, words of the message).
"""

import os
import pickle
import zipfile

import numpy as np
from bad_files import (
    DRAW,
    LOOK,
    SCORE,
    Hostile,
    folder,
    header,
    huge_png,
    named,
    packed,
    pictures,
    pipe,
    with_file,
    write,
    zipped,
)
from bad_models import (
    a_run,
    cut_model,
    graph_that_writes,
    many_layers,
    model,
    modelled,
    origin,
    points,
)

MODELS = {
    # Models
    "an output folder that cannot be created": (
        DRAW, modelled("m.h5", "--out", "g.png", "--images", "/proc/x/y"), "created: No"),
    "a model of 0 bytes": (DRAW, with_file("m.h5", b"", named()), "is empty"),
    **{f"a model truncated at {share:.0%}": (
        DRAW, with_file("m.h5", cut_model(share), named()), "damaged or not a Keras")
       for share in (0.01, 0.5, 0.99)},
    "a folder in place of a model": (DRAW, folder("m.h5", named()), "is not a file"),
    "a named pipe in place of a model": (DRAW, pipe("m.h5", named()), "is not a file"),
    "a text file in place of a model": (
        DRAW, with_file("m.h5", "text", named()), "neither an"),
    "a pickle in place of a model": (
        DRAW, with_file("m.h5", pickle.dumps(Hostile()), named()), "neither an .h5"),
    "a packed file in place of a model": (
        DRAW, packed(lambda f: None, named()), "not a dataset of numbers"),
    "a discriminator in place of a generator": (
        DRAW, modelled("m.h5", kind="discriminator"), "is a discriminator"),
    "a truncated .keras file": (
        DRAW, with_file("m.keras", lambda: model(ending="keras")[:900], named()),
        "damaged or not"),
    "a .keras file with a path outside of the archive": (
        DRAW, with_file("m.keras", zipped({"../x": b""}), named()), "instead of"),
    "a .keras file that is a decompression bomb": (
        DRAW, with_file("m.keras", lambda: zipped({"config.json": bytes(10**7)},
                                                  zipfile.ZIP_DEFLATED), named()),
        "compressed or encrypted"),
    "--label for a model without classes": (
        DRAW, modelled("m.h5", "--label", "3"), "takes no class"),
    "latent vectors of another size": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=points(np.zeros((2, 6)))),
        "vectors of shape (n, 5)"),
    "latent vectors with NaN": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=points(np.full((1, 5), np.nan))),
        "not finite"),
    "latent vectors that exceed float32": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=points(np.full((1, 5), 1e300))),
        "not finite"),
    "a latent vector file with pickled objects": (
        DRAW, modelled("m.h5", "--latent", "p.npy",
                       make=points(np.array([Hostile()], object))), "Python objects"),
    "a latent vector file that declares more numbers than it has": (
        DRAW, modelled("m.h5", "--latent", "p.npy",
                       make=lambda: write("p.npy", header((10**11, 5), "<f4"))),
        "it declares the shape"),
    "too many latent vectors": (
        DRAW, modelled("m.h5", "--latent", "p.npy",
                       make=points(np.zeros((100_001, 5), "f4"))), "(100001, 5)"),
    "a latent vector file of 0 bytes": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=lambda: write("p.npy", b"")),
        "cannot be read"),
    "an output file in a folder that does not exist": (
        DRAW, modelled("m.h5", "--out", "no/such/a.png"), "does not exist"),
    "an output file that is not a .png": (
        DRAW, modelled("m.h5", "--out", "a.jpg"), "must end in .png"),
    "an output file that exists": (
        DRAW, modelled("m.h5", "--out", "a.png", make=lambda: write("a.png", b"mine")),
        "already exists"),
    "a model of 500 layers": (
        DRAW, modelled("m.h5", change=many_layers), "more than 200"),
    "a generator in place of a discriminator": (
        DRAW, modelled("m.h5", "--discriminator", "m.h5"), "is not a discriminator"),
    # Scores
    "a folder that is not a run folder": (SCORE, folder("run", named()), "not a run"),
    "a run folder without models": (
        SCORE, lambda: [a_run(), ["run"]][1], "no generator_model"),
    "a truncated model": (
        SCORE, with_file("m.h5", cut_model(0.5), named()), "damaged or not"),
    "real images of another shape": (
        SCORE, modelled("m.h5", "--data", "digits", kind="colour generator"),
        "generates images of (32, 32, 3)"),
    "a damaged data set": (
        SCORE, modelled("m.h5", "--data", "a.npz", make=lambda: write("a.npz", b"x")),
        "cannot be read"),
    "--split test of a data set without held-out images": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--split", "test"), "no held-"),
    "features of another file format": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.txt"), "choose"),
    "features whose weights are not downloaded": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "keras-inception"),
        "there is no file"),
    "Inception weights of 0 bytes": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.h5",
                        make=lambda: write("x.h5", b"")), "not the Inception"),
    "an Inception graph of 0 bytes": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.pb",
                        make=lambda: write("x.pb", b"")), "not the Inception"),
    "an Inception graph with an operation that writes files": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.pb",
                        make=lambda: write("x.pb", graph_that_writes())),
        "the operation WriteFile"),
    "a folder of text files to score": (
        SCORE, pictures("text", 3, words=named("--images")), "no readable pictures"),
    "a result folder that is not empty": (
        SCORE, modelled("m.h5", "--run-dir", ".", "--data", "synthetic"), "not empty"),
    # Looking inside
    "a model that does not record its training images": (
        LOOK, modelled("diversity", "m.h5"), "does not record"),
    "a model that records a script without images": (
        LOOK, modelled("diversity", "m.h5", change=origin(script="toy_gan/train.py")),
        "train.py has no images: set --data"),
    "a model that records a number as its data set": (
        LOOK, modelled("diversity", "m.h5", change=origin(options={"data": 5})),
        "training images is not valid"),
    "a model that records images of another size": (
        LOOK, modelled("diversity", "m.h5", change=origin(
            script="celeba_gan/train.py", options={"data": "/", "size": 10**9})),
        "training images is not valid"),
    "a model whose record of its images is damaged": (
        LOOK, modelled("diversity", "m.h5",
                       change=lambda f: f.attrs.update(trained_on="[" * 9000)),
        "trained_on is damaged"),
    "a text file in place of a picture": (
        LOOK, modelled("project", "m.h5", "a.png", make=lambda: write("a.png", "text")),
        "cannot be read"),
    "a picture that is a decompression bomb (60000x60000 pixels)": (
        LOOK, modelled("project", "m.h5", "a.png",
                       make=lambda: write("a.png", huge_png())), "cannot be read"),
    "a named pipe in place of a picture": (
        LOOK, modelled("project", "m.h5", "a.png", make=lambda: os.mkfifo("a.png")),
        "not a regular file"),
    "an image index of 5000 digits": (
        LOOK, modelled("project", "m.h5", "9" * 5000), "too long"),
    "a single seed to interpolate": (
        LOOK, modelled("interpolate", "m.h5", "--seeds", "3"), "at least 2 seeds"),
    "text files in place of masks": (
        LOOK, modelled("dissect", "m.h5", "--masks", "masks",
                       make=lambda: write("masks/a.png", "text")), "cannot be read"),
    "a generator without feature maps": (
        LOOK, modelled("dissect", "m.h5", "--layer", "x", "--data", "synthetic"), "no l"),
    "a file in place of the result folder": (
        LOOK, modelled("interpolate", "m.h5", "--run-dir", "m.h5"), "not an empty"),
}  # fmt: skip
