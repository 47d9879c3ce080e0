"""Samplers and schedules against closed forms and against diffusers."""

from __future__ import annotations

import math

import pytest
import torch

from dgm_models.contracts import Noise, last
from dgm_models.families.diffusion import Diffusion
from dgm_models.guidance import _conditioned, follow_measurement, weigh_hypotheses
from dgm_models.measurements import Hide, Shrink
from dgm_models.samplers import GRIDS, SAMPLERS, ddim, ddim_step, ddpm, dpm_solver_2m, euler, sde_dpm_solver_2m, times
from dgm_models.spaces import Pixels, Reals
from tests.conftest import TINY, toy_data

MEAN, STD = 0.3, 0.7


def gaussian_denoiser(x, t):
    """E[x0 | x_t] when x0 ~ N(MEAN, STD^2): the best there is."""
    variance = t * t * STD**2 + (1 - t) ** 2
    return MEAN + t * STD**2 / variance * (x - t * MEAN)


def run(sampler, x, steps, grid="uniform t"):
    noise = torch.Generator().manual_seed(3)
    *_, (t, x, _) = SAMPLERS[sampler](gaussian_denoiser, x, times(steps, grid), lambda: torch.randn(x.shape, generator=noise))
    assert t == 1
    return x


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("grid", GRIDS)
def test_a_gaussian_comes_out_as_that_gaussian(sampler, grid):
    start = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    x = run(sampler, start, 100, grid)
    assert x.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert x.std().item() == pytest.approx(STD, abs=0.03)


@pytest.mark.parametrize("sampler", ["Heun", "DPM-Solver++(2M)"])
def test_second_order_beats_euler(sampler):
    """The ODE maps z to MEAN + STD z."""
    z = torch.linspace(-2, 2, 9)
    error = lambda name: (run(name, z, 12) - (MEAN + STD * z)).abs().max()  # noqa: E731
    assert error(sampler) < 0.5 * error("Euler")


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("steps", [1, 2, 3, 8, 100])
def test_times_rise_from_0_to_1(grid, steps):
    grid_times = times(steps, grid)
    assert len(grid_times) == steps + 1
    assert grid_times[0] == 0
    assert grid_times[-1] == 1
    assert all(b > a for a, b in zip(grid_times[:-1], grid_times[1:], strict=True))


def test_ddim_is_euler_on_the_straight_path():
    x = torch.randn(50, generator=torch.Generator().manual_seed(0))
    for (_, a, _), (_, b, _) in zip(ddim(gaussian_denoiser, x, times(7), None), euler(gaussian_denoiser, x, times(7)), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def vp(t):
    """alpha and sigma of the variance-preserving path at the same signal-to-noise ratio, and what scales ours to it."""
    scale = 1 / math.sqrt(t * t + (1 - t) ** 2)
    return t * scale, (1 - t) * scale, scale


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_ddim_and_ddpm_steps_agree_with_diffusers(eta):
    """The same step on the variance-preserving path, which is ours scaled."""
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(num_train_timesteps=1000, clip_sample=False, set_alpha_to_one=False, prediction_type="sample")
    scheduler.set_timesteps(10)
    now, before = 500, 400
    x = torch.randn(64, generator=torch.Generator().manual_seed(0))
    guess, fresh = gaussian_denoiser(x, 0.4), torch.randn(64, generator=torch.Generator().manual_seed(1))
    level = lambda step: (a := scheduler.alphas_cumprod[step].sqrt().item()) / (a + math.sqrt(1 - a * a))  # noqa: E731
    t, s = level(now), level(before)
    theirs = scheduler.step(guess, now, x * vp(t)[2], eta=eta, variance_noise=fresh).prev_sample
    ours = ddim_step(x, t, s, guess, eta=eta, fresh=lambda: fresh)
    assert torch.allclose(ours * vp(s)[2], theirs, atol=1e-4)


@pytest.mark.parametrize(("kind", "sampler"), [("dpmsolver++", dpm_solver_2m), ("sde-dpmsolver++", sde_dpm_solver_2m)])
def test_dpm_solvers_agree_with_diffusers(kind, sampler):
    """Predictions of x0, on the scheduler's own noise levels; the second one with the same fresh noise."""
    from diffusers import DPMSolverMultistepScheduler

    scheduler = DPMSolverMultistepScheduler(
        algorithm_type=kind, solver_order=2, prediction_type="sample", lower_order_final=True, final_sigmas_type="zero"
    )
    scheduler.set_timesteps(6)
    ratios = scheduler.sigmas.tolist()  # sigma / alpha on the variance-preserving path
    grid = [1 / (1 + ratio) for ratio in ratios]
    x = torch.randn(64, generator=torch.Generator().manual_seed(0))
    theirs, ours = x * vp(grid[0])[2], x
    fresh = torch.randn(64, generator=torch.Generator().manual_seed(1))
    ours_film = sampler(gaussian_denoiser, ours, grid, lambda: fresh)
    next(ours_film)  # where it starts
    for step, t, s in zip(scheduler.timesteps, grid[:-1], grid[1:], strict=True):
        guess = gaussian_denoiser(theirs / vp(t)[2], t)
        theirs = scheduler.step(guess, step, theirs, variance_noise=fresh).prev_sample
        _, ours, _ = next(ours_film)
        assert torch.allclose(ours * vp(s)[2], theirs, atol=2e-3)


@pytest.mark.parametrize(("name", "scheduler"), [("Euler", "FlowMatchEulerDiscreteScheduler"), ("Heun", "FlowMatchHeunDiscreteScheduler")])
def test_flow_steps_agree_with_diffusers(name, scheduler):
    import diffusers

    theirs = getattr(diffusers, scheduler)(num_train_timesteps=1000, shift=1.0)
    theirs.set_timesteps(5)
    levels = [1.0, *[sigma for sigma in theirs.sigmas.unique().flip(0).tolist() if sigma < 1]]
    x = y = torch.randn(64, generator=torch.Generator().manual_seed(0))
    sigmas = theirs.sigmas.tolist()
    for step, sigma in zip(theirs.timesteps, sigmas, strict=False):
        t = 1 - sigma
        y = theirs.step((y - gaussian_denoiser(y, t)) / (1 - t), step, y).prev_sample
    film = SAMPLERS[name](gaussian_denoiser, x, [1 - sigma for sigma in levels], None)
    *_, (_, x, _) = film
    assert torch.allclose(x, y, atol=1e-4)


def test_the_karras_grid_is_that_of_diffusers():
    from diffusers import EulerDiscreteScheduler

    theirs = EulerDiscreteScheduler(use_karras_sigmas=True, sigma_max=8.0, sigma_min=0.1)
    theirs.set_timesteps(7)
    assert times(8, "Karras")[1:-1] == pytest.approx([1 / (1 + sigma) for sigma in theirs.sigmas.tolist()[:-1]], abs=1e-4)


def test_ancestral_noise_is_fresh():
    x = torch.zeros(1000)
    film = list(ddpm(gaussian_denoiser, x, times(4), lambda: torch.randn(1000, generator=torch.Generator().manual_seed(1))))
    assert film[1][1].std() > 0.1
    assert len(film) == 5


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_each_prediction_is_made_from_the_picture_beside_it(sampler):
    start, noise = torch.randn(9, generator=torch.Generator().manual_seed(0)), torch.Generator().manual_seed(3)
    film = list(SAMPLERS[sampler](gaussian_denoiser, start, times(5), lambda: torch.randn(9, generator=noise)))
    assert torch.equal(film[0][1], start)
    assert [t for t, _, _ in film] == times(5)
    for t, x, guess in film[:-1]:
        assert torch.allclose(guess, gaussian_denoiser(x, t))
    assert torch.equal(film[-1][1], film[-1][2])


class Exact(torch.nn.Module):
    """The velocity of a Gaussian that is correlated between neighbours: its posteriors are known."""

    def __init__(self, covariance):
        super().__init__()
        self.covariance = covariance

    def forward(self, x, t, y):
        t0 = t[0].item()
        flat = x.flatten(1)
        total = t0 * t0 * self.covariance + (1 - t0) ** 2 * torch.eye(flat.shape[1])
        guess = (t0 * self.covariance @ torch.linalg.solve(total, flat.T)).T
        return ((guess - flat) / (1 - t0)).view_as(x)


def test_log_prob_of_a_gaussian_is_its_density():
    covariance = torch.tensor([[1.0, 0.6], [0.6, 0.5]])
    model = Diffusion(Exact(covariance), Reals((2,)))
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0)) @ torch.linalg.cholesky(covariance).T
    truth = torch.distributions.MultivariateNormal(torch.zeros(2), covariance).log_prob(x)
    assert (model.log_prob(x, steps=64) - truth).mean().abs() < 0.05


def test_the_bound_of_8_bit_pictures_sums_to_one():
    """One noise a picture makes exp(bound) an unbiased estimate of p(x): over all pictures they sum to one. Of one pixel these are
    all levels; of two, every third level of either stands for its neighbours, for the density is smooth."""
    covariance = torch.tensor([[0.2, 0.1], [0.1, 0.15]])
    one = Diffusion(Exact(covariance[:1, :1]), Pixels(1, 1, 1))
    assert one.log_prob((torch.arange(256) / 255).view(-1, 1, 1, 1), steps=64).exp().sum().item() == pytest.approx(1, abs=0.05)
    model = Diffusion(Exact(covariance), Pixels(1, 1, 2))
    level = torch.arange(1, 256, 3) / 255
    pictures = torch.cartesian_prod(level, level).view(-1, 1, 1, 2)
    total = 9 * model.log_prob(pictures, steps=64).double().exp().sum().item()
    assert total == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("away", [Hide(torch.tensor([True, True, False, False]).view(1, 1, 4)), Shrink(2)], ids=["hidden", "shrunk"])
def test_hypotheses_are_weighed_by_their_likelihood_of_what_was_seen(away):
    """Of Gaussians with different means and one correlated covariance the bounds differ by what the log-densities differ by."""
    shape = (1, 2, 2) if isinstance(away, Shrink) else (1, 1, 4)
    space, generator = Pixels(*shape), torch.Generator().manual_seed(2)
    root = torch.randn(4, 4, generator=generator)
    covariance = 0.05 * (root @ root.T) / 4 + 0.02 * torch.eye(4)
    means = 0.2 * torch.randn(3, 4, generator=generator)

    def denoiser(which):
        def denoise(x, t):
            mean = means[which]
            total = t * t * covariance + (1 - t) ** 2 * torch.eye(4)
            return (mean + t * torch.linalg.solve(total, (x.flatten(1) - t * mean).T).T @ covariance).view_as(x)

        return denoise

    drawn = (means + 0.1 * torch.randn(3, 4, generator=generator)).view(3, *shape)
    seen = away((drawn + 1) / 2)
    bound = weigh_hypotheses(denoiser, 3, space, seen, away, Noise(range(3)), steps=60, pairs=8, margin=1e9, until=0.99)
    linear = away(torch.eye(4).view(4, *shape)).flatten(1)  # the measurement as a matrix
    linear = linear[:, linear.abs().sum(0) > 0]
    law = torch.distributions.MultivariateNormal(means @ linear, linear.T @ covariance @ linear)
    truth = law.log_prob((drawn.flatten(1) @ linear)[:, None])
    assert torch.allclose(bound - bound.mean(1, keepdim=True), truth - truth.mean(1, keepdim=True), rtol=0.15, atol=0.15)


def test_only_hypotheses_within_reach_walk_on():
    """The far one is left after the first pair, and the bounds of the others do not change for that."""
    walking = []

    def denoiser(which):
        walking.append(which.tolist())
        return lambda x, t: torch.tensor([0.0, 0.1, 0.9])[which].view(-1, 1, 1, 1) + 0 * x

    ask = {"seen": torch.full((1, 1, 1, 4), 0.5), "measurement": Hide(torch.ones(1, 1, 4, dtype=torch.bool)), "steps": 5, "pairs": 2}
    some = weigh_hypotheses(denoiser, 3, Pixels(1, 1, 4), noise=Noise([0]), margin=1.0, **ask)
    assert walking == [[0, 1, 2, 0, 1, 2], [0, 1, 0, 1]]
    every = weigh_hypotheses(denoiser, 3, Pixels(1, 1, 4), noise=Noise([0]), margin=1e9, **ask)
    assert torch.allclose(some[:, :2], every[:, :2])


def test_guidance_by_a_measurement_samples_the_posterior():
    """Of a correlated Gaussian (signal range, no clamping in play) the seen half fixes the mean and the variance of the rest."""
    size = 4
    rank = torch.randn(size, size, generator=torch.Generator().manual_seed(2))
    covariance = 0.1 * (rank @ rank.T) / size + 0.01 * torch.eye(size)
    model, space = Diffusion(Exact(covariance), Pixels(1, 1, size)), Pixels(1, 1, size)
    mask = torch.tensor([True, True, False, False]).view(1, 1, size)
    seen_signal = torch.tensor([0.15, -0.1])
    seen = torch.zeros(1, 1, size)
    seen[..., :2] = (seen_signal + 1) / 2
    n = 3000
    denoise = model.denoiser(torch.zeros(n, dtype=torch.long))
    film = follow_measurement(denoise, space, seen.expand(n, 1, 1, size), Hide(mask), Noise(range(n)), steps=60)
    *_, (_, x, _) = film
    hidden = x.view(n, size)[:, 2:]
    gain = covariance[2:, :2] @ torch.linalg.inv(covariance[:2, :2])
    mean, variance = gain @ seen_signal, (covariance[2:, 2:] - gain @ covariance[:2, 2:]).diagonal()
    assert torch.allclose(x.view(n, size)[:, :2], seen_signal.expand(n, 2), atol=1e-5)
    assert torch.allclose(hidden.mean(0), mean, atol=0.03)
    assert ((hidden.var(0) / variance) > 0.4).all()
    assert ((hidden.var(0) / variance) < 2.5).all()


def test_nothing_is_concluded_along_a_direction_of_negative_variance():
    """Where a rough network predicts less of what there is more of, a step by that variance would leave the range a hundredfold."""
    x, away = torch.randn(2, 1, 1, 4, generator=torch.Generator().manual_seed(0)), Hide(torch.ones(1, 1, 4, dtype=torch.bool))
    for slope, moves in ((-3.0, False), (0.5, True)):
        plain, guess = _conditioned(lambda x, t, slope=slope: slope * x, x, 0.1, torch.zeros_like(x), away, solves=2)
        assert torch.equal(plain, slope * x)
        assert torch.equal(plain, guess) != moves


def test_guidance_ends_when_it_is_told_to(toys):
    model, _ = toys.get("diffusion", "pixels")
    draw = lambda **knobs: model.sample(Noise([4]), torch.tensor([1]), model.Settings(**knobs))  # noqa: E731
    plain = draw(guidance_scale=1.0)
    assert torch.equal(draw(guidance_scale=4.0, guide_from=0.0, guide_until=0.0), plain)
    half, whole = draw(guidance_scale=4.0, guide_from=0.0, guide_until=0.5), draw(guidance_scale=4.0, guide_from=0.0, guide_until=1.0)
    assert not torch.equal(half, plain)
    assert not torch.equal(half, whole)


def test_a_label_is_inferred_once_for_one_measurement(toys):
    """Four answers to one question cost one inference, and an answer is the same alone and beside others."""
    model, _ = toys.get("diffusion", "pixels")
    x, _ = toy_data(TINY)
    away = Hide(torch.tensor([[[True, True, False, False]] * 4]))
    seen = away(x[[0, 0, 0, 0, 1]])
    rows = []
    hook = model.network.register_forward_hook(lambda module, inputs, output: rows.append(len(inputs[0])))
    settings = model.Restoring(label_steps=4, steps=2)
    together = last(model.restore(seen, away, Noise(range(5)), None, settings)).x
    hook.remove()
    assert rows[:4] == [2 * model.classes * 2] * 4  # two measurements, each label from a noise and from its mirror image
    alone = last(model.restore(seen[2:3], away, Noise([2]), None, settings)).x
    assert torch.allclose(alone, together[2:3], atol=2 / 255)
