"""Where uploads lie until they are read. No gradio in here, for gradio looks where its files go when it is imported."""

from __future__ import annotations

import atexit
import os
import tempfile


def own_folder() -> str:
    """The folder that GRADIO_TEMP_DIR names, else one of this process alone, which ends with it: another user's, or another instance's, is
    not touched."""
    if "GRADIO_TEMP_DIR" in os.environ:
        return os.environ["GRADIO_TEMP_DIR"]
    folder = tempfile.TemporaryDirectory(prefix="dgm-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return folder.name
