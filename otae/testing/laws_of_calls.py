"""The laws of costs about how they are called: types, batches, and torch's modes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ..cloud import Cloud
from ..errors import CloudError
from .law_subject import LawSubject


class CallLaws(LawSubject):
    """Holds the laws of costs about how they are called."""

    def test_clouds_of_both_types_are_promoted(self: Any) -> None:
        self.skip_without_points()
        x, y = self.points()
        value = self.seeded_call(self.build(), self.source(x.float()), self.target(y))
        assert value.dtype == torch.float64, (
            f"float32 with float64 is float64, as everywhere in torch: got {value.dtype}"
        )

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
    def test_points_of_half_precision_cost_what_they_do_in_single(self: Any, dtype: torch.dtype) -> None:
        self.skip_without_points()
        if any(True for _ in self.build().parameters()):
            pytest.skip("the cost has parameters of a type of its own")
        x, y = (each.to(dtype) for each in self.points())
        value = self.seeded_call(self.build().float(), self.source(x), self.target(y))
        if self.draws:
            assert value.isfinite(), f"points of {dtype} gave {value}"
            return
        expected = self.evaluate(self.build().float(), x.float(), y.float())
        torch.testing.assert_close(value.float(), expected, rtol=1e-2, atol=1e-4, msg=f"{value}, not {expected}")

    def test_a_batch_of_clouds_is_not_taken_for_one(self: Any) -> None:
        self.skip_without_points()
        if self.plugin.paired:
            pytest.skip("samples of a paired cost may be of any shape")
        with pytest.raises(CloudError, match="batched"):
            self.build()(torch.zeros(2, 3, 4, dtype=torch.float64), torch.zeros(2, 3, 4, dtype=torch.float64))

    def test_a_batch_costs_what_its_clouds_do(self: Any) -> None:
        self.skip_without_points()
        if self.build().adversary is not None:
            pytest.skip("the cost has an adversary")
        pairs = [self.points(5, 5), tuple(2 * each for each in self.points(5, 5))]
        if not self.plugin.paired and len(self.given["shapes"]) > 1:
            pytest.skip("the clouds are joint")
        x, y = (torch.stack([pair[side] for pair in pairs]).clamp(-1e3, 1e3) for side in (0, 1))
        part = self.build().eval()
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(3)
                found = part.batched(x, y)
                torch.manual_seed(3)
                apart = torch.stack([part(Cloud(a), Cloud(b)) for a, b in zip(x, y, strict=True)])
        except CloudError:
            return  # the cost is choosy about values
        assert found.shape == (2,), f"batched returns one value for each cloud, got shape {tuple(found.shape)}"
        if not self.draws:
            torch.testing.assert_close(found, apart, rtol=1e-5, atol=1e-8)

    def test_vmap_sees_through_it_or_is_told_of_batched(self: Any) -> None:
        self.skip_without_points()
        if self.draws or len(self.given["shapes"]) > 1 or self.build().adversary is not None:
            pytest.skip("the cost draws, or looks at more than points")
        part, (x, y) = self.build().eval(), self.points(5, 5)
        together = torch.vmap(lambda each: part(Cloud(each), Cloud(y)), randomness="same")
        refusal, found = "", None
        try:
            found = together(torch.stack([x, 2 * x]))
        except CloudError:
            return  # the cost is choosy about values
        except RuntimeError as error:
            refusal = str(error)
        if found is None:
            told = not self.plugin.vectorized and "batched" in refusal
            assert told, f"let torch.vmap see through it, or tell of cost.batched(x, y): {refusal}"
            return
        expected = torch.stack([part(Cloud(x), Cloud(y)), part(Cloud(2 * x), Cloud(y))])
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)

    @pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode], ids=["no_grad", "inference_mode"])
    def test_it_works_without_gradients(self: Any, mode: Any) -> None:
        x, y = self.points()
        expected = self.evaluate(self.build(), x, y).detach()
        part = self.build()
        with mode():
            value = self.evaluate(part, x * 1, y * 1)
        torch.testing.assert_close(
            value.clone(), expected, msg="compute gradients, if at all, outside of inference mode"
        )

    def test_autocast_costs_no_precision(self: Any) -> None:
        self.skip_without_points()
        if self.build().adversary is not None:
            pytest.skip("the cost has a network")
        x, y = (each.float().requires_grad_() for each in self.points())
        expected = self.evaluate(self.build().float(), x, y)
        slopes = torch.autograd.grad(expected, x)[0]
        with torch.autocast("cpu", torch.bfloat16):
            value = self.evaluate(self.build().float(), x, y)
        told = f"autocast changed {expected} to {value}: compute distances outside of it"
        torch.testing.assert_close(value.float(), expected, rtol=1e-4, atol=1e-5, msg=told)
        found = torch.autograd.grad(value, x)[0]
        torch.testing.assert_close(found, slopes, rtol=1e-3, atol=1e-3 * slopes.abs().max().item())
