"""What every conformance suite shares: building the part, its options, its state."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from ..errors import ConfigError, OtaeError
from ..registry import create_nested
from ..signature import options_model, validated
from .limits import allowed, forbidden

_SETTINGS = {
    "grad mode": torch.is_grad_enabled,
    "default type": torch.get_default_dtype,
    "default device": torch.get_default_device,
    "number of threads": torch.get_num_threads,
    "use of deterministic algorithms": torch.are_deterministic_algorithms_enabled,
    "detection of anomalies": torch.is_anomaly_enabled,
}


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
        pickles: Whether the part can be pickled; not so with `torch.nn.utils.parametrizations`, which can be copied only.
    """

    plugin: ClassVar[type]
    options: ClassVar[dict[str, Any]] = {}
    given: ClassVar[dict[str, Any]] = {}
    pickles: ClassVar[bool] = True
    device: torch.device = torch.device("cpu")

    def build(self) -> Any:
        """Returns a fresh instance, in double precision where it is a module, from one seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            part = self.made(self.options)
        return part.double().to(self.device) if isinstance(part, nn.Module) else part

    def made(self, options: dict[str, Any]) -> Any:
        """Returns a fresh instance as the builder makes it.

        Args:
            options: Its options.
        """
        names, given = inspect.signature(self.plugin).parameters, self.handed()
        handed = {name: value for name, value in given.items() if name in names}
        checked = create_nested(validated(self.plugin, self.plugin.__name__, options, tuple(given)))
        return self.plugin(**handed, **checked)

    def handed(self) -> dict[str, Any]:
        """Returns what the builder hands in; a suite overrides it where a part of it is made anew for each instance."""
        return self.given

    def use(self, part: Any) -> None:
        """Lets a part do its work once; each suite defines it.

        Args:
            part: The part.
        """

    def schemas(self) -> dict[str, dict[str, Any]]:
        """Returns the JSON Schema of each option."""
        found: dict[str, dict[str, Any]] = self._schema().get("properties", {})
        return found

    def _schema(self) -> dict[str, Any]:
        return options_model(self.plugin, tuple(self.given)).model_json_schema()

    def test_options_can_be_set_from_a_configuration(self) -> None:
        assert not self._schema().get("additionalProperties"), "unknown options must be forbidden"

    def test_an_unknown_option_is_refused_by_name(self) -> None:
        with pytest.raises(ConfigError, match="no_such_option"):
            validated(self.plugin, self.plugin.__name__, {**self.options, "no_such_option": 1}, tuple(self.given))

    def test_every_default_keeps_to_its_own_type(self) -> None:
        model = options_model(self.plugin, tuple(self.given))
        required = {name: value for name, value in self.options.items() if model.model_fields[name].is_required()}
        for name, field in model.model_fields.items():
            if not field.is_required():
                default = field.get_default(call_default_factory=True)
                try:
                    validated(self.plugin, name, {**required, name: default}, tuple(self.given))
                except ConfigError as error:
                    pytest.fail(f"the default of {name} is one that no user could set: change it or the type. {error}")

    def test_options_at_their_limits_build_or_are_refused_clearly(self) -> None:
        for name, spec in self.schemas().items():
            for value in allowed(spec):
                try:
                    self.made({**self.options, name: value})
                except OtaeError:
                    continue  # it says why: the option depends on another, or on the data
                except Exception as error:  # a stranger's part may raise anything
                    cure = "narrow the option's type, or raise ConfigError and say what to do"
                    pytest.fail(f"{name}={value!r} is allowed by the type, but {type(error).__name__}: {error}; {cure}")

    def test_options_beyond_their_limits_are_refused_by_name(self) -> None:
        for name, spec in self.schemas().items():
            for value in forbidden(spec):
                with pytest.raises(ConfigError, match=name):
                    self.made({**self.options, name: value})

    def test_it_has_a_docstring(self) -> None:
        assert (self.plugin.__doc__ or "").strip(), "the docstring is what `otae show` prints: say what the part is"

    def test_its_docstring_tells_of_every_option(self) -> None:
        text = f"{inspect.getdoc(self.plugin)}\n{inspect.getdoc(self.plugin.__init__)}"  # type: ignore[misc]  # a class
        untold = [name for name in self.schemas() if not re.search(rf"^\s+{name}( \(.*\))?: \S", text, re.MULTILINE)]
        assert not untold, (
            f"the docstring does not tell of {', '.join(untold)}: add a line under Args, `name: What it is.`"
        )

    def test_it_can_be_copied_and_sent_to_another_process(self) -> None:
        part = self.build()
        self.check_copy(part, copy.deepcopy(part))
        if self.pickles:
            try:
                pickled = pickle.dumps(part)
            except Exception as error:  # whatever a stranger's attribute raises
                pytest.fail(f"it cannot be pickled: keep no function, file or lock as an attribute. {error}")
            self.check_copy(part, pickle.loads(pickled))

    def check_copy(self, part: Any, other: Any) -> None:
        """Checks that a copy is what it was copied from.

        Args:
            part: The part.
            other: Its copy.
        """
        assert type(other) is type(part), "a copy must be of the same class"

    def test_torch_is_left_as_it_was(self) -> None:
        before = {name: read() for name, read in _SETTINGS.items()}
        self.use(self.build())
        changed = [name for name, read in _SETTINGS.items() if read() != before[name]]
        assert not changed, (
            f"the part changed torch's {', '.join(changed)} for everybody: a part changes no global state"
        )

    def test_the_global_random_state_is_never_seeded(self) -> None:
        after = []
        with torch.random.fork_rng(devices=[]):
            for seed in (1, 2):
                torch.manual_seed(seed)
                self.use(self.made(self.options))
                after.append(torch.get_rng_state())
        cure = "call no torch.manual_seed: draw from the global state, or with a torch.Generator of your own"
        assert not torch.equal(*after), (
            f"the part seeds torch's global random state, and so every draw after it; {cure}"
        )


class ModuleSuite(Suite):
    """Creates the rules of parts that are torch modules."""

    def outcome(self, part: Any) -> Tensor:
        """Returns what the part computes on a fixed input, a tensor; each suite defines it."""
        raise NotImplementedError

    def use(self, part: Any) -> None:
        self.outcome(part.double())

    def check_copy(self, part: Any, other: Any) -> None:
        super().check_copy(part, other)
        same = torch.equal(self.seeded(part), self.seeded(other))
        assert same, "a copy must compute the same: keep what a part computes with in parameters, buffers or attributes"

    def test_the_state_restores_the_part(self) -> None:
        part, other = self.build(), self.build()
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.add_(1)
        other.load_state_dict(part.state_dict())
        same = torch.equal(self.seeded(other), self.seeded(part))
        assert same, "the state must restore the part: register what it computes with as a parameter or a buffer"

    def test_the_global_random_state_decides_every_draw(self) -> None:
        same = torch.equal(self.seeded(self.build()), self.seeded(self.build()))
        assert same, "one seed must give one outcome: draw with torch's functions, not with those of random or numpy"

    def test_in_eval_mode_its_state_stays_as_it_is(self) -> None:
        part = self.build().eval()
        before = copy.deepcopy(part.state_dict())
        self.seeded(part)
        changed = [name for name, value in part.state_dict().items() if not torch.equal(value, before[name])]
        assert not changed, (
            f"the part changed {', '.join(changed)} in eval mode: update running values in training only"
        )

    def test_it_follows_a_change_of_type(self) -> None:
        dtype = self.seeded(self.build().double()).dtype
        assert dtype == torch.float64, f"after .double() the outcome is {dtype}: keep constants as buffers"

    def test_it_computes_on_a_gpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if not torch.cuda.is_available():
            pytest.skip("there is no CUDA device")
        here = self.seeded(self.build())
        monkeypatch.setattr(type(self), "device", torch.device("cuda"))
        there = self.seeded(self.build())
        cure = "create tensors like the input (x.new_zeros), and keep constants as buffers"
        assert there.device.type == "cuda", f"the outcome lies on {there.device}: {cure}"
        assert there.shape == here.shape, f"the outcome has another shape on a GPU: {tuple(there.shape)}"
        assert there.isfinite().all(), "the outcome is not finite on a GPU"

    def test_it_prints_itself(self) -> None:
        told = repr(self.build())
        assert self.plugin.__name__ in told, (
            f"repr must name the class: override extra_repr, not __repr__; got {told!r}"
        )

    def test_gradients_reach_every_parameter(self) -> None:
        part = self.build().train()
        if not (owned := self.owned(part)):
            pytest.skip("the part has no parameters")
        outcome = self.outcome(part)
        assert outcome.requires_grad, f"no gradient reaches {', '.join(owned)}: look for detach, no_grad or .data"
        torch.autograd.backward(outcome.square().sum())
        idle = [name for name, parameter in owned.items() if parameter.grad is None]
        assert not idle, f"no gradient reaches {', '.join(idle)}: use the parameter in the graph, or drop it"

    def owned(self, part: nn.Module) -> dict[str, nn.Parameter]:
        """Returns the parameters that the outcome's gradient must reach."""
        return {name: parameter for name, parameter in part.named_parameters() if parameter.requires_grad}

    def seeded(self, part: nn.Module) -> Tensor:
        """Returns the outcome in eval mode, from one seed, without gradients."""
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(1)
            return self.outcome(part.eval())
