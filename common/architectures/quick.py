"""What the pairs of `--preset quick` share: an Adam with a short memory."""


def adam(learning_rate):
    """Adam for few steps: beta_2 0.99 instead of 0.999; beta_1 is the tutorials'."""
    from keras.optimizers import Adam

    return Adam(learning_rate, beta_1=0.5, beta_2=0.99)


def define_gan(g_model, d_model):
    """As the tutorials' define_gan, with an optimizer like D's."""
    from keras import Sequential

    d_model.trainable = False
    return compile_like(d_model, Sequential([g_model, d_model], name="gan"))


def compile_like(d_model, model):
    """Compile a composite with an optimizer like D's; return it."""
    optimizer = type(d_model.optimizer).from_config(d_model.optimizer.get_config())
    model.compile(loss="binary_crossentropy", optimizer=optimizer)
    return model
