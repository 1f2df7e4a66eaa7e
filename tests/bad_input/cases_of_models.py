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
    "a place for images that cannot be": (
        DRAW, modelled("m.h5", "--out", "g.png", "--images", "/proc/x/y"), "x/y: No"),
    "a model of 0 bytes": (DRAW, with_file("m.h5", b"", named()), "is empty"),
    **{f"a model cut off at {share:.0%}": (
        DRAW, with_file("m.h5", cut_model(share), named()), "damaged or not a Keras")
       for share in (0.01, 0.5, 0.99)},
    "a model that is a folder": (DRAW, folder("m.h5", named()), "is no file"),
    "a model that is a pipe": (DRAW, pipe("m.h5", named()), "is no file"),
    "a model that is a text": (DRAW, with_file("m.h5", "text", named()), "neither an"),
    "a pickle for a model": (
        DRAW, with_file("m.h5", pickle.dumps(Hostile()), named()), "neither an .h5"),
    "a packed file for a model": (DRAW, packed(lambda f: None, named()), "not numbers"),
    "a discriminator for a generator": (
        DRAW, modelled("m.h5", kind="discriminator"), "is a discriminator"),
    "a .keras file cut off": (
        DRAW, with_file("m.keras", lambda: model(ending="keras")[:900], named()),
        "damaged or not"),
    "a .keras file that points outside": (
        DRAW, with_file("m.keras", zipped({"../x": b""}), named()), "nothing else"),
    "a .keras file that is a bomb": (
        DRAW, with_file("m.keras", lambda: zipped({"config.json": bytes(10**7)},
                                                  zipfile.ZIP_DEFLATED), named()),
        "compressed or encrypted"),
    "a class of a model that has none": (
        DRAW, modelled("m.h5", "--label", "3"), "takes no class"),
    "points of another size": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=points(np.zeros((2, 6)))),
        "vectors of shape (n, 5)"),
    "points that are NaN": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=points(np.full((1, 5), np.nan))),
        "not finite"),
    "points of 1e300": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=points(np.full((1, 5), 1e300))),
        "not finite"),
    "points that are pickles": (
        DRAW, modelled("m.h5", "--latent", "p.npy",
                       make=points(np.array([Hostile()], object))), "Python objects"),
    "points that are declared and not there": (
        DRAW, modelled("m.h5", "--latent", "p.npy",
                       make=lambda: write("p.npy", header((10**11, 5), "<f4"))),
        "it declares an array"),
    "more points than are drawn": (
        DRAW, modelled("m.h5", "--latent", "p.npy",
                       make=points(np.zeros((100_001, 5), "f4"))), "(100001, 5)"),
    "a --latent of 0 bytes": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=lambda: write("p.npy", b"")),
        "cannot be read"),
    "a picture in no folder": (
        DRAW, modelled("m.h5", "--out", "no/such/a.png"), "no folder no/such"),
    "a picture of another kind": (
        DRAW, modelled("m.h5", "--out", "a.jpg"), "must end in .png"),
    "a picture that is there": (
        DRAW, modelled("m.h5", "--out", "a.png", make=lambda: write("a.png", b"mine")),
        "exists already"),
    "a model of 500 layers": (
        DRAW, modelled("m.h5", change=many_layers), "the limit of 200"),
    "a generator for --discriminator": (
        DRAW, modelled("m.h5", "--discriminator", "m.h5"), "is not a discriminator"),
    # Scores
    "scores of a folder that is no run": (SCORE, folder("run", named()), "not a run"),
    "scores of a run without models": (
        SCORE, lambda: [a_run(), ["run"]][1], "no generator_model"),
    "scores of a model cut off": (
        SCORE, with_file("m.h5", cut_model(0.5), named()), "damaged or not"),
    "scores against other images": (
        SCORE, modelled("m.h5", "--data", "digits", kind="colour generator"),
        "generates images of (32, 32, 3)"),
    "scores against a damaged set": (
        SCORE, modelled("m.h5", "--data", "a.npz", make=lambda: write("a.npz", b"x")),
        "cannot be read"),
    "scores of held-out images without any": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--split", "test"), "no held-"),
    "features of another kind": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.txt"), "choose"),
    "features that are not here": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "keras-inception"),
        "there is no file"),
    "features of 0 bytes": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.h5",
                        make=lambda: write("x.h5", b"")), "not the Inception"),
    "a graph of 0 bytes": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.pb",
                        make=lambda: write("x.pb", b"")), "not the Inception"),
    "a graph that writes files": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.pb",
                        make=lambda: write("x.pb", graph_that_writes())),
        "the operation WriteFile"),
    "a folder of texts to score": (
        SCORE, pictures("text", 3, words=named("--images")), "no pictures in it"),
    "results into a folder in use": (
        SCORE, modelled("m.h5", "--run-dir", ".", "--data", "synthetic"), "not empty"),
    # Looking inside
    "no real images named": (LOOK, modelled("diversity", "m.h5"), "does not record"),
    "a model that names another script": (
        LOOK, modelled("diversity", "m.h5", change=origin(script="toy_gan/train.py")),
        "makes no images"),
    "a model that names its images by a number": (
        LOOK, modelled("diversity", "m.h5", change=origin(options={"data": 5})),
        "training images is not valid"),
    "a model that names images of another size": (
        LOOK, modelled("diversity", "m.h5", change=origin(
            script="celeba_gan/train.py", options={"data": "/", "size": 10**9})),
        "training images is not valid"),
    "a model whose images' name is damaged": (
        LOOK, modelled("diversity", "m.h5",
                       change=lambda f: f.attrs.update(trained_on="[" * 9000)),
        "the name of its images is damaged"),
    "a picture that is none": (
        LOOK, modelled("project", "m.h5", "a.png", make=lambda: write("a.png", "text")),
        "cannot be read"),
    "a picture of 60000x60000 pixels": (
        LOOK, modelled("project", "m.h5", "a.png",
                       make=lambda: write("a.png", huge_png())), "cannot be read"),
    "a picture that is a pipe": (
        LOOK, modelled("project", "m.h5", "a.png", make=lambda: os.mkfifo("a.png")),
        "not a regular file"),
    "the number of a picture, 5000 digits": (
        LOOK, modelled("project", "m.h5", "9" * 5000), "too long"),
    "one point to walk from": (
        LOOK, modelled("interpolate", "m.h5", "--seeds", "3"), "at least two"),
    "masks that are none": (
        LOOK, modelled("dissect", "m.h5", "--masks", "masks",
                       make=lambda: write("masks/a.png", "text")), "cannot be read"),
    "a generator without maps": (
        LOOK, modelled("dissect", "m.h5", "--layer", "x", "--data", "synthetic"), "no l"),
    "a file for the results' folder": (
        LOOK, modelled("interpolate", "m.h5", "--run-dir", "m.h5"), "not an empty"),
}  # fmt: skip
