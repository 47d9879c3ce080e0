"""A diffusion model that samples in two steps: a student that jumps where its teacher walks.

Progressive distillation (Salimans and Ho, 2022), with the teacher's guidance folded in (Meng et al., 2023): in each stage
one step of the student learns to land where two steps of its teacher do; then the student is the next teacher.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgm_models.conditions import NOTHING, Condition
from dgm_models.contracts import Family, Frame, Learner, Noise, Settings, knob
from dgm_models.networks import fitted
from dgm_models.samplers import euler
from dgm_models.spaces import Space


@dataclass(frozen=True)
class DistilledSettings(Settings):
    steps: int = knob(2, "Steps", 1, 4, step=1, help="its last lesson was 2, 4 an earlier one; 1 and 3 it never learned")
    temperature: float = knob(1.0, "Temperature", 0.0, 1.5, step=0.05, help="scale of the noise that sampling starts from")


class DistilledDiffusion(Family):
    """network(x_t, t (n,), labels (n,)) -> the mean velocity of the jump that starts at t."""

    Settings = DistilledSettings
    silent = "its two jumps are no density: what they squeeze is not known"
    stages = (8, 4, 2)
    teaches = len(stages)

    def __init__(
        self,
        network: nn.Module,
        space: Space,
        condition: Condition = NOTHING,
        guidance_scale: float = 1.7,
        guided: tuple[float, float] = (0.2, 0.6),
    ) -> None:
        super().__init__()
        self.network, self.space, self.condition = fitted(network, space.shape), space, condition
        self.guidance_scale, self.guided = guidance_scale, guided
        self._lesson: tuple[nn.Module, float, int, int] | None = None

    def learn_from(self, teacher: nn.Module, guidance_scale: float, steps: int, walks: int) -> None:
        """Set the lesson: one of `steps` steps must land where `walks` guided steps of the teacher's network do."""
        self._lesson = (teacher, guidance_scale, steps, walks)

    def lessons(self, teacher: Learner | None) -> Iterator[str]:
        """One step of 8 learns to land where three of the teacher's do, then one of 4 where two of its own do, then one of 2."""
        if teacher is None:
            raise ValueError("a student needs a teacher: a diffusion model that is trained")
        self.network.load_state_dict(teacher.network.state_dict())
        taught, scale, walks = deepcopy(teacher.network), self.guidance_scale, 3
        for stage in self.stages:
            self.learn_from(taught, scale, stage, walks)
            yield f"one step of {stage} learns to land where {walks} of its teacher's do"
            taught, scale, walks = deepcopy(self.network).requires_grad_(False), 1.0, 2

    def loss(self, x: Tensor, y: Tensor | None = None, player: str = "model") -> Tensor:
        """Mean squared error of the jump's mean velocity (Salimans and Ho, 2022, algorithm 2, on the straight path)."""
        if self._lesson is None:
            raise ValueError("the student has no lesson yet: call learn_from first")
        steps = self._lesson[2]
        y = self.condition.drop(self.labels(y, len(x)).to(x.device), 0.1)
        data, noise = self.space.to_signal(x), torch.randn_like(x)
        t = torch.randint(0, steps, (len(x),), device=x.device) / steps
        at = t.view(-1, *[1] * (x.dim() - 1))
        start = at * data + (1 - at) * noise
        return (self.network(start, t, y) - self._target(start, t, y)).square().mean()

    @torch.compiler.disable  # a graph of every walk of the teacher takes longer to compile than to run
    @torch.no_grad()
    def _target(self, start: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """The mean velocity of the teacher's walk from start, over one step of the student."""
        teacher, scale, steps, walks = self._lesson
        teacher.to(start.device)
        there, none = start, self.condition.null(len(y)).to(y.device)
        for walk in range(walks):
            now = t + walk / (steps * walks)
            if scale == 1:
                velocity = teacher(there, now, y)
            else:
                both = teacher(torch.cat([there, there]), torch.cat([now, now]), torch.cat([y, none]))
                with_label, without = both.chunk(2)
                strength = torch.where((now >= self.guided[0]) & (now < self.guided[1]), scale, 1.0).view(-1, *[1] * (start.dim() - 1))
                velocity = without + strength * (with_label - without)
            there = there + velocity / (steps * walks)
        return (there - start) * steps

    @torch.no_grad()
    def trace(self, noise: Noise, y: Tensor | None = None, settings: DistilledSettings | None = None) -> Iterator[Frame]:
        """From noise to data in a few jumps."""
        settings = settings or self.Settings()
        labels = self.labels(y, len(noise))
        x = settings.temperature * noise.normal(*self.space.shape)
        grid = [i / settings.steps for i in range(settings.steps + 1)]

        def denoise(x: Tensor, t: float) -> Tensor:
            return x + (1 - t) * self.network(x, torch.full((len(x),), t), labels)

        for t, x_t, guess in euler(denoise, x, grid):
            shown = self.space.from_signal(x_t)
            finished = self.space.clamp(self.space.from_signal(guess))
            yield Frame(self.space.clamp(shown) if t == 1 else shown, f"t = {t:.2f}" if t > 0 else "pure noise", finished)
