"""The rules of costs, as a conformance suite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from ..cloud import Cloud
from ..errors import CloudError
from ..interfaces import Cost
from .clouds import cloud_of, gradients, normal_law
from .laws import CostLaws
from .suite import ModuleSuite

DEGENERATE: dict[str, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "duplicates": lambda x, y: (x[[0, 0, 1, 1, 1]], y[[0, 1, 1, 0, 0]]),
    "equal": lambda x, y: (x, x.clone() if x.shape == y.shape else y),
    "collapsed": lambda x, y: (x[:1].repeat(5, 1), y[:1].repeat(5, 1)),
}
_MASSES = "average with cloud.mean, or multiply by cloud.masses"


class CostSuite(CostLaws, ModuleSuite):
    """Creates the rules that costs keep.

    The clouds of the tests have members of the shapes in `given["shapes"]`; several make them joint clouds. Where the
    cost looks at a law, its source has one normal law per point and its target one for all.

        class TestCritic(CostSuite):
            plugin = Critic
            given = {"shapes": ((1, 4, 4), (3,))}

    Attributes:
        target_shapes: The shapes of the target's members; those of the source where `None`.
        counts_multiplicity: Whether a point of weight 2 is two points of weight 1; not so for unbiased estimators.
        differentiates_weights: Whether a gradient in the weights is the value's; not so where a bandwidth follows them.
    """

    plugin: ClassVar[type[Cost]]
    given: ClassVar[dict[str, Any]] = {"shapes": ((4,),)}
    target_shapes: ClassVar[tuple[tuple[int, ...], ...] | None] = None
    counts_multiplicity: ClassVar[bool] = False
    differentiates_weights: ClassVar[bool] = True

    def draw(self, count: int, size: int) -> Tensor:
        """Returns generic points, with shape (count, size); override it where the cost is choosy about values.

        Args:
            count: The number of points.
            size: The number of entries of a point.
        """
        return torch.randn(count, size, dtype=torch.float64)

    def test_it_is_a_cost(self) -> None:
        assert issubclass(self.plugin, Cost), "subclass otae.Cost: the registry accepts nothing else"

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_its_value_is_one_finite_number_of_the_type_of_the_clouds(self, dtype: torch.dtype) -> None:
        x, y = self.points()
        value = self.evaluate(self.build().to(dtype), x.to(dtype), y.to(dtype))
        assert value.shape == (), f"return a scalar: sum or average what has shape {tuple(value.shape)}"
        assert value.dtype == dtype, f"compute in the type of the clouds, {dtype}: got {value.dtype}"
        assert value.isfinite(), f"the cost of generic clouds must be finite: got {value}"

    def test_mixed_precision_leaves_it_finite(self) -> None:
        x, y = self.points()
        with torch.autocast("cpu", torch.bfloat16):
            value = self.evaluate(self.build().float(), x.float(), y.float())
        assert value.isfinite(), (
            "compute distances in single precision: wrap them in torch.autocast(..., enabled=False)"
        )

    def test_tensors_are_clouds(self) -> None:
        x, y = self.points()
        source, target = self.source(x).points, self.target(y).points
        if 3 in (source.ndim, target.ndim) and not self.plugin.paired:
            with pytest.raises(CloudError, match="batched"):
                self.seeded_call(self.build(), source, target)
        elif self.plugin.needs_density:
            with pytest.raises(CloudError, match=r"law|densit"):
                self.seeded_call(self.build(), source, target)
        else:
            torch.testing.assert_close(
                self.seeded_call(self.build(), source, target), self.evaluate(self.build(), x, y)
            )

    def test_joint_clouds_are_clouds(self) -> None:
        if self.plugin.needs_density:
            pytest.skip("a joint cloud has no law")
        source, target = ([points[:, :1], points[:, 1:]] for points in self.points())
        assert self.seeded_call(self.build(), source, target).isfinite(), "read the points of a cloud from `cloud.flat`"

    def test_a_second_cloud_is_asked_for(self) -> None:
        if self.plugin.unary:
            pytest.skip("the cost looks at its source alone")
        with pytest.raises(CloudError, match="target"):
            self.build()(self.source(self.points()[0]))

    def test_clouds_of_unequal_sizes_are_compared_unless_paired(self) -> None:
        x, y = self.points(7, 5)
        if self.plugin.paired and not self.plugin.unary:
            with pytest.raises(CloudError, match="pairs"):
                self.evaluate(self.build(), x, y)
        else:
            assert self.evaluate(self.build(), x, y).isfinite(), (
                "set `paired = True` if the cost pairs sample by sample"
            )

    def test_clouds_of_two_spaces_are_compared_only_by_gromov_costs(self) -> None:
        if self.plugin.unary or self.plugin.needs_density:
            pytest.skip("the cost does not compare the points of two clouds")
        x, y = self.draw(5, self.size("source")), self.draw(5, self.size("source") + 2)
        if self.plugin.same_space:
            with pytest.raises(CloudError, match="one space"):
                self.build()(x, y)
        else:
            assert self.seeded_call(self.build(), x, y).isfinite(), "set `same_space = True` if the spaces must be one"

    @pytest.mark.parametrize("count", [1, 2])
    def test_a_tiny_batch_is_finite_or_refused(self, count: int) -> None:
        x, y = (points.requires_grad_() for points in self.points(count, count))
        try:
            value = self.evaluate(self.build(), x, y)
        except CloudError:
            return
        advice = "the last batch of an epoch may be this small: return a finite value, or raise CloudError and say why"
        assert value.isfinite(), f"{count} points gave {value}; {advice}"
        assert all(gradient.isfinite().all() for gradient in gradients(value, x, y)), (
            f"the gradient is not finite; {advice}"
        )

    def test_uniform_weights_change_nothing(self) -> None:
        x, y = self.points()
        weighted = self.evaluate(self.build(), x, y, x.new_full((len(x),), 3), y.new_full((len(y),), 3))
        torch.testing.assert_close(weighted, self.evaluate(self.build(), x, y), msg=f"normalise weights: {_MASSES}")

    @pytest.mark.parametrize("side", ["source", "target"])
    def test_a_point_without_mass_does_not_matter(self, side: str) -> None:
        if side == "target" and (self.plugin.unary or self.plugin.needs_density):
            pytest.skip("the cost does not look at the points of its target")
        x, y = self.points()
        weights = torch.tensor([2, 1, 1, 3, 1, 0], dtype=torch.float64)
        before = self.evaluate(self.build(), x, y, weights, weights)
        moved = x if side == "source" else y
        moved[-1] = moved[0]
        after = self.evaluate(self.build(), x, y, weights, weights)
        torch.testing.assert_close(after, before, msg=f"a point of weight 0 changed the cost: {_MASSES}")

    def test_a_point_of_weight_two_is_two_points(self) -> None:
        if not self.counts_multiplicity:
            pytest.skip("counts_multiplicity is not set")
        x, y = self.points(3, 3)
        weights = torch.tensor([1, 2, 1], dtype=torch.float64)
        weighted = self.evaluate(self.build(), x, y, weights, weights)
        repeated = self.evaluate(self.build(), x[[0, 1, 1, 2]], y[[0, 1, 1, 2]])
        torch.testing.assert_close(weighted, repeated, msg=f"weights are multiplicities: {_MASSES}")

    def test_the_order_of_the_points_does_not_matter(self) -> None:
        x, y = self.points(5, 5)
        order = torch.tensor([3, 1, 4, 0, 2])
        shuffled = self.evaluate(self.build(), x[order], y[order] if self.plugin.paired else y)
        value = self.evaluate(self.build(), x, y)
        torch.testing.assert_close(
            shuffled, value, msg=f"a cloud has no order: {value} became {shuffled} when shuffled"
        )

    @pytest.mark.parametrize("kind", DEGENERATE)
    def test_degenerate_clouds_have_finite_gradients(self, kind: str) -> None:
        x, y = (points.detach().requires_grad_() for points in DEGENERATE[kind](*self.points(5, 5)))
        part = self.build()
        value = self.evaluate(part, x, y)
        assert value.isfinite(), f"clouds that are {kind} gave {value}"
        for gradient in gradients(value, x, y, *self.owned(part).values()):
            advice = "sqrt and norm have no slope at 0: use otae.reductions.distances or safe_sqrt"
            assert gradient.isfinite().all(), f"clouds that are {kind} have a gradient that is not finite: {advice}"

    def test_gradients_are_those_of_the_value(self) -> None:
        part = self.build().eval()
        x, y = (points.requires_grad_() for points in self.points(4, 4))
        agrees = gradcheck(lambda a, b: self.evaluate(part, a, b), (x, y), raise_exception=False, fast_mode=True)
        assert agrees, "the gradient in the points differs from finite differences: look for detach, no_grad or .data"

    def test_gradients_in_the_weights_are_those_of_the_value(self) -> None:
        if not self.differentiates_weights:
            pytest.skip("differentiates_weights is not set")
        part, (x, y) = self.build().eval(), self.points(4, 4)
        v = x.new_tensor([2, 1, 1.5, 1]).requires_grad_()
        w = None if self.plugin.paired or self.plugin.unary else y.new_tensor([1, 1.1, 3, 1.2]).requires_grad_()
        inputs = [each for each in (v, w) if each is not None]
        value = self.evaluate(part, x, y, v, w)
        if not value.requires_grad or not gradients(value, *inputs):
            pytest.skip("the cost has no gradient in the weights")
        agrees = gradcheck(lambda *each: self.evaluate(part, x, y, *each), inputs, raise_exception=False)
        assert agrees, "the gradient in the weights differs from finite differences: detach no masses, or all of them"

    @pytest.mark.parametrize("count", [1, 2])
    def test_the_adversary_answers_a_tiny_batch(self, count: int) -> None:
        part = self.build().train()
        if part.adversary is None:
            pytest.skip("the cost has no adversary")
        x, y = self.points(count, count)
        try:
            loss = part.adversary_loss(self.source(x).detach(), self.target(y).detach())
        except CloudError:
            return
        assert loss.isfinite(), (
            f"adversary_loss of {count} points is {loss}: return a finite value, or raise CloudError"
        )

    def test_the_adversary_learns_from_its_own_loss(self) -> None:
        part = self.build().train()
        if part.adversary is None:
            pytest.skip("the cost has no adversary")
        x, y = self.points()
        loss = part.adversary_loss(self.source(x).detach(), self.target(y).detach())
        assert loss.shape == (), f"adversary_loss must be a scalar: got shape {tuple(loss.shape)}"
        assert loss.isfinite(), f"adversary_loss must be finite: got {loss}"
        loss.backward()
        for name, parameter in part.adversary.named_parameters():
            assert parameter.grad is not None, f"adversary_loss does not reach {name}: use it in the loss, or drop it"
            assert parameter.grad.isfinite().all(), f"adversary_loss gives {name} a gradient that is not finite"

    def test_the_adversary_is_a_part_of_the_cost(self) -> None:
        part = self.build()
        if part.adversary is None:
            pytest.skip("the cost has no adversary")
        mine = {id(parameter) for parameter in part.parameters()}
        strangers = [name for name, parameter in part.adversary.named_parameters() if id(parameter) not in mine]
        assert not strangers, f"register the adversary as a submodule, or {', '.join(strangers)} would not be saved"

    def outcome(self, part: Any) -> Tensor:
        x, y = self.points()
        return self.call(part, self.source(x), self.target(y))

    def owned(self, part: Any) -> dict[str, nn.Parameter]:
        """Returns the parameters that are minimised with the model: all but the adversary's."""
        others = set() if part.adversary is None else {id(parameter) for parameter in part.adversary.parameters()}
        return {name: parameter for name, parameter in super().owned(part).items() if id(parameter) not in others}

    def points(self, n: int = 6, m: int = 6) -> tuple[Tensor, Tensor]:
        """Returns the generic points of a source and a target, flat, with shapes (n, D) and (m, D')."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(2)
            x, y = self.draw(n, self.size("source")), self.draw(m, self.size("target"))
        return x.to(self.device), y.to(self.device)

    def size(self, side: str) -> int:
        """Returns the number of entries of a point of the source or the target."""
        return sum(math.prod(shape) for shape in self.shapes(side))

    def shapes(self, side: str) -> tuple[tuple[int, ...], ...]:
        """Returns the shapes of the members of the source or the target."""
        shapes: tuple[tuple[int, ...], ...] = self.given["shapes"]
        return shapes if side == "source" or self.target_shapes is None else self.target_shapes

    def source(self, points: Tensor, weights: Tensor | None = None) -> Cloud:
        """Returns flat points as a source, with one law per point where the cost looks at laws."""
        law = normal_law(points) if self.plugin.needs_density else None
        return cloud_of(points, self.shapes("source"), weights, law)

    def target(self, points: Tensor, weights: Tensor | None = None) -> Cloud:
        """Returns flat points as a target, with one law for all where the cost looks at laws."""
        law = normal_law(points.mean(0)) if self.plugin.needs_density else None
        return cloud_of(points, self.shapes("target"), weights, law)

    def evaluate(self, part: Any, x: Tensor, y: Tensor, v: Tensor | None = None, w: Tensor | None = None) -> Tensor:
        """Returns the cost of flat points and their weights, from one seed."""
        return self.seeded_call(part, self.source(x, v), self.target(y, w))

    def seeded_call(self, part: Any, source: Any, target: Any) -> Tensor:
        """Returns the cost of two clouds in eval mode, from one seed, with gradients."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            return self.call(part.eval(), source, target)

    def call(self, part: Any, source: Any, target: Any) -> Tensor:
        """Returns the cost of two clouds, or of the first where the cost looks at its source alone."""
        value: Tensor = part(source) if self.plugin.unary else part(source, target)
        return value
