"""The maximum mean discrepancy by random Fourier features, in linear time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, cast

import torch
from pydantic import Field
from torch import Generator, Tensor
from torch.utils.checkpoint import checkpoint

from otae.cloud import Cloud
from otae.errors import ConfigError
from otae.interfaces import Batch, Cost

from .batches import fix_radial, require_two
from .estimators import ESTIMATORS, Estimator, fix_on_mass, points_with_mass
from .kernels import Gaussian
from .kernels.choice import Kernels, require_kernel

_AT_ONCE = 2**22  # waves that are computed at once while gradients are recorded
_BLOCK = 2**19  # and otherwise, so that they stay in the cache


class RandomFeatures(Cost):
    r"""Creates the squared maximum mean discrepancy, estimated from random waves.

    $$\mathrm{MMD}^2(x, y) \approx \frac{k(0)}{F} \sum_{f=1}^F
    \left| \mathbb{E}\, e^{i \langle\omega_f, x\rangle} - \mathbb{E}\, e^{i \langle\omega_f, y\rangle} \right|^2$$

    The frequencies ω are drawn from the spectrum of the kernel, again at each call, and shared by both clouds. Over them the
    estimate has that of `mmd`, with the same kernel and estimator, for its mean, and an error of O(1/√F): time and
    memory are linear in the number of points, O((N+M) F D) and O((N+M) D).

    Args:
        kernel: The kernel, as of `mmd`, or several as their sum; the energy distance has no such features, but
            `sliced-energy`.
        estimator: The estimator of the means within a cloud: `unbiased` leaves out each point's pair with itself;
            `biased` is never negative.
        features: The number of frequencies F, each with a cosine and a sine.
        seed: The seed of frequencies that stay the same from call to call, up to the bandwidth; fresh ones where `None`.

    Raises:
        ConfigError: If the kernel has no random frequencies.
        CloudError: If the unbiased estimator meets a cloud with fewer than two points.

    References:
        Random Features for Large-Scale Kernel Machines (Rahimi and Recht, 2007)
        https://papers.nips.cc/paper/3182-random-features-for-large-scale-kernel-machines

        FastMMD: Ensemble of Circular Discrepancy for Efficient Two-Sample Test (Zhao and Meng, 2015)
        https://arxiv.org/abs/1405.2664

    Examples:
        >>> x = torch.arange(6.0).reshape(3, 2)
        >>> RandomFeatures(estimator="biased")(x, x).item()
        0.0
    """

    former: ClassVar[Mapping[str, str]] = {
        "bandwidth": "kernel: {name: gaussian, bandwidth: VALUE}",
        "variance": "kernel: {name: imq, variance: VALUE}",
        "scales": "kernel: {name: imq, scales: VALUE}, or those of another kernel,",
        "alpha": "kernel: {name: rational-quadratic, alpha: VALUE}",
    }

    def __init__(
        self,
        kernel: Kernels = Gaussian(),
        estimator: Estimator = "unbiased",
        features: Annotated[int, Field(gt=0)] = 1024,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel = require_kernel(kernel)
        if not self.kernel.has_frequencies:
            raise ConfigError(
                f"The kernel {self.kernel} has no random frequencies. Take one that has, such as gaussian or imq, or the cost "
                "'mmd', or for the energy distance 'sliced-energy'."
            )
        self.estimator = estimator
        self.features = features
        self.seed = seed

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        (x, a), (y, b) = (
            points_with_mass(cloud, side, self.estimator) for cloud, side in ((source, "source"), (target, "target"))
        )
        with torch.no_grad():
            kernel = fix_on_mass(self.kernel, (x, a), (y, b))
            waves = kernel.draw_frequencies(self.features, x, self._generator(x))
            at_zero = kernel.diagonal(x[:1])[0]
            amid = (a @ x + b @ y) / 2  # small phases are exact
        of_source, of_target = _means(x - amid, a, waves), _means(y - amid, b, waves)
        between = (of_source - of_target).square().sum() / self.features
        excess = [self._excess(means, masses) for means, masses in ((of_source, a), (of_target, b))]
        return at_zero * (between + sum(excess))

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the discrepancies of a batch of pairs of clouds, with shape (B,), from the same frequencies.

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D).

        Raises:
            CloudError: If the unbiased estimator meets a cloud with fewer than two points.
        """
        require_two(source, target, self.estimator)
        x, y = source.points, target.points
        kernel = fix_radial(self.kernel, source, target)
        if kernel is None or len(x) * max(x.shape[1], y.shape[1]) * self.features > _AT_ONCE:
            return super().compare_batch(source, target)
        with torch.no_grad():
            waves, at_zero = (
                kernel.draw_frequencies(self.features, x, self._generator(x)),
                kernel.at_zero(x).reshape(-1),
            )
            amid = (source.mean() + target.mean())[:, None] / 2  # (B, 1, D)
        sums = [
            _sums(side.points - amid, side.masses[:, None], waves)[:, :, 0] for side in (source, target)
        ]  # (2, B, F)
        of_source, of_target = (each.transpose(0, 1) for each in sums)  # (B, 2, F)
        between = (of_source - of_target).square().sum((-2, -1)) / self.features
        excess = [self._excess(*each) for each in ((of_source, source.masses), (of_target, target.masses))]
        return at_zero * (between + sum(excess))

    def _generator(self, like: Tensor) -> Generator | None:
        return None if self.seed is None else Generator(like.device).manual_seed(self.seed)

    def _excess(self, means: Tensor, masses: Tensor) -> Tensor:
        within = means.square().sum((-2, -1)) / self.features
        return ESTIMATORS[self.estimator](within, masses, 1.0) - within

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, estimator={self.estimator}, features={self.features}"


def _means(points: Tensor, masses: Tensor, waves: Tensor) -> Tensor:
    """Returns the means of cosines and sines, with shape (2, F), from blocks of bounded memory."""
    count = waves.shape[1]
    recorded = torch.is_grad_enabled() and (points.requires_grad or masses.requires_grad)
    if recorded and len(points) * count <= _AT_ONCE:
        return _sums(points, masses, waves)
    size = max(1, _BLOCK // count)
    blocks = zip(torch.split(points, size), torch.split(masses, size), strict=True)
    if not recorded:
        return torch.stack([_sums(*block, waves) for block in blocks]).sum(0)
    sums: list[Tensor] = [
        checkpoint(_sums, *block, waves, use_reentrant=False, preserve_rng_state=False) for block in blocks
    ]
    return torch.stack(sums).sum(0)


def _sums(points: Tensor, masses: Tensor, waves: Tensor) -> Tensor:
    cosines, sines = cast("tuple[Tensor, Tensor]", _Waves.apply(points @ waves))  # type: ignore[no-untyped-call]
    return torch.stack([masses @ cosines, masses @ sines])


class _Waves(torch.autograd.Function):
    """Computes cosines and sines, whose gradients are each other: none is computed twice."""

    generate_vmap_rule = True

    @staticmethod
    def forward(phases: Tensor) -> tuple[Tensor, Tensor]:
        return phases.cos(), phases.sin()

    @staticmethod
    def setup_context(ctx: Any, _: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        cosines, sines = ctx.saved_tensors
        of_phases: Tensor = gradients[1] * cosines - gradients[0] * sines
        return of_phases
