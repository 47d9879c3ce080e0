"""Faces as pixel art: 12,000 drawings, 16 x 16, made with DiceBear's style "Pixel Art" from the seeds genai-0 to genai-11999. Models learn
from the first 11,000; the last 1,000 ship with the project."""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dgm_models.conditions import Classes
from dgm_models.data.dataset import ASSETS, DataError, Dataset, Split
from dgm_models.modalities import avatar
from dgm_models.spaces import Pixels

SIDE, LEARNED, HELD_OUT = 16, 11_000, 1_000
FILE = "pixel_avatars/pixel_avatars16.npz"
SHA256 = {  # of pixels, picture by picture, and attributes as `avatar.told` has them
    "train": "8cdc67e311155a15ec5e16a334d2dce5fa997c57d1130f57e38449bc37cdf474",
    "test": "a00730c0c3851a9874f239ca598a00fe037c28f1573f269fd86f87e8a08f45ca",
}


@lru_cache(maxsize=1)
def told_train() -> Split:
    """uint8 (11000, 3, 16, 16), and what is said of each, int64 (11000, avatar.NAMES). DataError where they are not there."""
    root = os.environ.get("DGM_DATA")
    try:
        if not root:
            raise FileNotFoundError("DGM_DATA is not set")
        with np.load(Path(root) / FILE) as file:
            x, rows, names = file["x"], file["attributes"], [str(name) for name in file["attribute_names"]]
            choices = json.loads(str(file["categories_json"]))
    except OSError as error:
        raise DataError(
            f"no avatars: {error}. Set DGM_DATA to a folder with {FILE}: x (12000, 16, 16, 3) and their parts, drawn by DiceBear 9.4.3 "
            f'("pixel-art") from the seeds genai-0 to genai-11999'
        ) from error
    parts = [{name: choices[name][at] for name, at in zip(names, row, strict=True)} for row in rows[:LEARNED]]
    return _verified(x[:LEARNED].transpose(0, 3, 1, 2), np.array([avatar.told(each) for each in parts]), "train")


@lru_cache(maxsize=1)
def told_test() -> Split:
    """Those that no model learned from, which ship: uint8 (1000, 3, 16, 16), int64 (1000, avatar.NAMES)."""
    sheet = np.asarray(Image.open(ASSETS / "data" / "avatars.webp").convert("RGB"))
    x = sheet.reshape(len(sheet) // SIDE, SIDE, -1, SIDE, 3).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3)
    with np.load(ASSETS / "data" / "avatars.npz") as file:
        return _verified(x.transpose(0, 3, 1, 2), file["attributes"], "test")


def _verified(x: np.ndarray, y: np.ndarray, part: str) -> Split:
    x, y = np.ascontiguousarray(x), y.astype(np.int64)
    found = hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()
    if found != SHA256[part]:
        raise DataError(f"the {part} avatars are not those that others learned from: sha256 {found[:16]}..., shape {x.shape}")
    return torch.from_numpy(x), torch.from_numpy(y)


def _by_hair(part: Split) -> Split:
    x, rows = part
    return x, rows[:, avatar.NAMES.index("hair colour")]


DATA = Dataset(
    "avatars",
    "Pixel avatars",
    "face",
    Pixels(3, SIDE),
    Classes(tuple(avatar.HAIR)),
    judge="reader-captions",
    hub="",
    licence="CC0 1.0",
    source='drawn with DiceBear\'s "Pixel Art" 9.4.3, seeds genai-0 to genai-11999',
    train=lambda: _by_hair(told_train()),
    test=lambda: _by_hair(told_test()),
    shown=lambda: _by_hair(told_test()),
)
