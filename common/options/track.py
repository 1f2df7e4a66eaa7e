"""What `--track comet` needs: the package, and the key of an account."""

import logging
import os

from common.basics.errors import UserError

SILENT = {  # read when it is imported
    "COMET_DISABLE_AUTO_LOGGING": "1",
    "COMET_DISABLE_ANNOUNCEMENT": "1",
    "COMET_ERROR_TRACKING_ENABLE": "0",
}


def package():
    """The module `comet_ml`, without its patches of Keras, reports and chatter.

    Raises:
        UserError: it is not installed.
    """
    os.environ.update(SILENT)
    logging.getLogger("comet_ml").setLevel(logging.WARNING)
    try:
        import comet_ml
    except ImportError:
        raise UserError(
            "--track comet needs the package comet_ml, which is not installed: "
            "pip install -r requirements-comet.txt"
        ) from None
    return comet_ml


def check(track):
    """See whether `--track` can do its work, before anything else is done.

    Args:
        track: "none", "comet" or "comet-offline".

    Raises:
        UserError: the package is missing, or the key of an account.
    """
    if track == "none":
        return
    comet_ml = package()
    if track == "comet" and not comet_ml.get_config()["comet.api_key"]:
        raise UserError(
            "--track comet needs the key of an account: set COMET_API_KEY, or run "
            "`comet login`, or take --track comet-offline, which needs none"
        )
