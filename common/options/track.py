"""Check the requirements of `--track comet`: the package and an API key."""

import logging
import os

from common.basics.errors import UserError

COMET_SETTINGS = {  # environment variables that comet_ml reads at its import
    "COMET_DISABLE_AUTO_LOGGING": "1",
    "COMET_DISABLE_ANNOUNCEMENT": "1",
    "COMET_ERROR_TRACKING_ENABLE": "0",
}


def import_comet():
    """Import and return `comet_ml`, with its automatic logging and messages disabled.

    Raises:
        UserError: it is not installed.
    """
    os.environ.update(COMET_SETTINGS)
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
    """Raise a UserError if the package or the API key for `--track` is missing.

    Args:
        track: "none", "comet" or "comet-offline".
    """
    if track == "none":
        return
    comet_ml = import_comet()
    if track == "comet" and not comet_ml.get_config()["comet.api_key"]:
        raise UserError(
            "--track comet has no API key: set COMET_API_KEY, or run `comet login`, or "
            "use --track comet-offline, which needs none"
        )
