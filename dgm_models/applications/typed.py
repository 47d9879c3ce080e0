"""Molecules that a person types, read by RDKit in a process of its own, with little time and memory: what hangs it or brings it down is
answered by a sentence, and the page lives on."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dgm_models.applications.molecules import Told, told
from dgm_models.data import qm9
from dgm_models.modalities.molecule import Facts, drawing

MOST = 120  # letters
SECONDS, START, MEMORY = 1.0, 60.0, 2 << 30  # for an answer; for the process to begin; bytes
ROOT = Path(__file__).resolve().parents[2]
Answer = tuple[Told, list[list[Any]]]


def read(smiles: Any, label: str = "Molecule", data: str = qm9.DATA.id) -> Answer:
    """What is known of a string, beside the molecules of a data set, and its drawing. ValueError, which names the label, for what is no
    text, too long, or took too much."""
    text = smiles.strip() if isinstance(smiles, str) else ""
    if not text or len(text) > MOST or not text.isascii() or not text.isprintable():
        got = "nothing" if not text else f"{len(text):,} letters" if len(text) > MOST else "other letters"
        raise ValueError(f"{label}: expected a SMILES string of 1 to {MOST} plain letters, such as CCO, got {got}")
    answer = _reader.ask(text, label, data)
    facts = answer["told"].pop("facts")
    return Told(**answer["told"], facts=Facts(**facts) if facts else None), answer["drawing"]


class Reader:
    """The process, begun when it is first asked, and begun anew after a string that it did not survive."""

    def __init__(self) -> None:
        self._lock, self._process, self._said = threading.Lock(), None, queue.SimpleQueue()
        self._ready: set[str] = set()  # the data sets that it has read

    def ask(self, text: str, label: str = "Molecule", data: str = qm9.DATA.id) -> dict[str, Any]:
        with self._lock:
            try:
                if self._process is None:
                    self._begin()
                if data not in self._ready:
                    self._answer("C", data, START)
                    self._ready.add(data)
                return self._answer(text, data, SECONDS)
            except (queue.Empty, OSError) as error:
                self.end()
                raise ValueError(f"{label}: RDKit took too long over this string, or too much memory. Try a shorter one.") from error

    def _begin(self) -> None:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._said = queue.SimpleQueue()
        self._ready = set()
        threading.Thread(target=_listen, args=(self._process.stdout, self._said), daemon=True).start()

    def _answer(self, text: str, data: str, seconds: float) -> dict[str, Any]:
        self._process.stdin.write(json.dumps([text, data]).encode() + b"\n")
        self._process.stdin.flush()
        line = self._said.get(timeout=seconds)
        if line is None:
            raise OSError("the process is gone")
        return json.loads(line)

    def end(self) -> None:
        """Stop the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process = None


def _listen(pipe: Any, said: queue.SimpleQueue) -> None:
    for line in pipe:
        said.put(line)
    said.put(None)


_reader = Reader()


# in that process ------------------------------------------------------------------------------------------------------


def _limit() -> None:
    try:
        import resource
    except ImportError:  # where a system has no such limits
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _answered(lines: Iterator[bytes]) -> Iterator[str]:
    for line in lines:
        text, data = json.loads(line)
        try:
            known, parts = told(text, data), drawing(text)
        except (RuntimeError, ValueError) as error:  # what RDKit throws beside saying that it is none
            known, parts = Told(text, f"RDKit gave it up ({type(error).__name__})"), []
        yield json.dumps({"told": asdict(known), "drawing": parts})


if __name__ == "__main__":
    _limit()
    for answer in _answered(sys.stdin.buffer):
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()
