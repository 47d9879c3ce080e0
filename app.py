"""The entry point: `python app.py`, and what a Space runs."""

import os

from dgm_models.ui.folder import own_folder

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_TEMP_DIR", own_folder())

from dgm_models.ui.app import PEOPLE, build_app, serve

demo = build_app()
demo.queue(max_size=None, status_update_rate=5, api_open=False, default_concurrency_limit=PEOPLE)

if __name__ == "__main__":
    serve(demo)
