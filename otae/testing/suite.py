"""What every conformance suite shares: building the part, its options, its state."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..signature import options_model, validated


class Suite:
    """Creates the rules that parts of all kinds keep.

    A test subclasses the suite of its kind and sets `plugin`, and `options` where its defaults are not what to test:

        class TestMixture(PriorSuite):
            plugin = Mixture
            options = {"components": 3}

    Attributes:
        plugin: The class under test.
        options: The options to build it with.
        given: What the builder would hand in, by name; a suite fills it with sizes fit for a test.
    """

    plugin: ClassVar[type]
    options: ClassVar[dict[str, Any]] = {}
    given: ClassVar[dict[str, Any]] = {}

    def build(self) -> Any:
        """Returns a fresh instance, in double precision where it is a module, from one seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            names = inspect.signature(self.plugin).parameters
            handed = {name: value for name, value in self.given.items() if name in names}
            options = validated(self.plugin, self.plugin.__name__, self.options, tuple(self.given))
            part = self.plugin(**handed, **options)
        return part.double() if isinstance(part, nn.Module) else part

    def test_options_can_be_set_from_a_configuration(self) -> None:
        schema = options_model(self.plugin, tuple(self.given)).model_json_schema()
        assert not schema.get("additionalProperties"), "unknown options must be forbidden"

    def test_an_unknown_option_is_refused_by_name(self) -> None:
        with pytest.raises(ConfigError, match="no_such_option"):
            validated(self.plugin, self.plugin.__name__, {**self.options, "no_such_option": 1}, tuple(self.given))

    def test_it_has_a_docstring(self) -> None:
        assert (self.plugin.__doc__ or "").strip(), "the docstring is what `otae show` prints: say what the part is"


class ModuleSuite(Suite):
    """Creates the rules of parts that are torch modules."""

    def outcome(self, part: Any) -> Tensor:
        """Returns what the part computes on a fixed input, a tensor; each suite defines it."""
        raise NotImplementedError

    def test_the_state_restores_the_part(self) -> None:
        part, other = self.build(), self.build()
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.add_(1)
        other.load_state_dict(part.state_dict())
        torch.testing.assert_close(self.seeded(other), self.seeded(part), rtol=0, atol=0)

    def test_the_global_random_state_decides_every_draw(self) -> None:
        torch.testing.assert_close(self.seeded(self.build()), self.seeded(self.build()), rtol=0, atol=0)

    def test_it_follows_a_change_of_type(self) -> None:
        assert self.seeded(self.build().double()).dtype == torch.float64

    def test_it_prints_itself(self) -> None:
        assert self.plugin.__name__ in repr(self.build())

    def test_gradients_reach_every_parameter(self) -> None:
        part = self.build().train()
        if not (owned := self.owned(part)):
            pytest.skip("the part has no parameters")
        torch.autograd.backward(self.outcome(part).square().sum())
        idle = [name for name, parameter in owned.items() if parameter.grad is None]
        assert not idle, f"no gradient reaches {', '.join(idle)}: use the parameter in the graph, or drop it"

    def owned(self, part: nn.Module) -> dict[str, nn.Parameter]:
        """Returns the parameters that the outcome's gradient must reach."""
        return {name: parameter for name, parameter in part.named_parameters() if parameter.requires_grad}

    def seeded(self, part: nn.Module) -> Tensor:
        """Returns the outcome in eval mode, from one seed, without gradients."""
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(1)
            return self.outcome(part.eval())
