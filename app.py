"""The entry point: `python app.py`, and what a Space runs."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from dgm_models.ui.app import build_app, launch_options

demo = build_app()
demo.queue(max_size=64, status_update_rate=5, api_open=False)

if __name__ == "__main__":
    demo.launch(**launch_options())
