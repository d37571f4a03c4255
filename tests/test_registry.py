"""The plugin door: what is listed, what is loaded, and what strangers can and cannot break."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import entrypoints
import pytest
from fakes import Fit, MeanGap, Shifted, Standard
from pydantic import Field

import otae
from otae.discovery import offers
from otae.errors import BrokenPluginError, ConfigError, PluginConflictError, PluginError, UnknownPluginError
from otae.recipes import recipe, recipes
from otae.registry import Registry, clashes, registries

Install = Callable[..., Path]

PRIOR = """
from otae.interfaces import Prior

class Mine(Prior):
    def sample(self, count, generator=None):
        return self.normal(count, self.latent_dim, generator=generator)
"""


def test_a_stranger_is_listed_with_its_origin_and_not_imported(install: Install) -> None:
    install("my_plugin", "[otae.priors]\nmine = my_module:Mine\n", {"my_module.py": PRIOR})
    assert "mine" in otae.priors.names()
    offer = otae.priors.offer("mine")
    assert (offer.origin, offer.value) == ("my_plugin 1.0", "my_module:Mine")
    assert "my_module" not in sys.modules
    assert otae.priors.get("mine").__module__ == "my_module"


def test_a_stranger_gone_is_listed_no_more(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("my_plugin", "[otae.priors]\nmine = my_module:Mine\n", {"my_module.py": PRIOR})
    assert "mine" in otae.priors.names()
    monkeypatch.undo()
    assert "mine" not in otae.priors.names()


def test_two_distributions_with_one_name_are_an_error_that_names_both(install: Install) -> None:
    install("first_plugin", "[otae.priors]\nmine = my_first:Mine\nother = my_first:Mine\n", {"my_first.py": PRIOR})
    install("second_plugin", "[otae.priors]\nmine = my_second:Mine\n", {"my_second.py": PRIOR}, version="2.5")
    assert clashes(otae.priors.offers()) == {"mine"}
    message = (
        r"'mine' in 'otae.priors' is offered by first_plugin 1.0 \(my_first:Mine\) and second_plugin 2.5 .* Uninstall"
    )
    with pytest.raises(PluginConflictError, match=message):
        otae.priors.get("mine")
    assert otae.priors.get("other").__name__ == "Mine"


def test_a_plugin_cannot_take_a_first_party_name(install: Install) -> None:
    install("thief", "[otae.priors]\ngaussian = my_thief:Mine\n", {"my_thief.py": PRIOR})
    with pytest.raises(PluginConflictError, match=r"offered by otae \S+ .* and thief 1\.0"):
        otae.priors.get("gaussian")


def test_of_two_copies_of_one_distribution_the_first_on_the_path_counts(install: Install) -> None:
    points = "[otae.priors]\nmine = my_module:Mine\n"
    install("my_plugin", points, {"my_module.py": PRIOR})
    install("my_plugin", points, version="2.0")
    assert len([offer for offer in otae.priors.offers() if offer.name == "mine"]) == 1


@pytest.mark.parametrize(("source", "reason"), [
    ("raise RuntimeError('no GPU today')", "RuntimeError: no GPU today"),
    ("import sys; sys.exit(3)", "SystemExit: 3"),
    ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
    ("def broken(:", "SyntaxError: invalid syntax"),
    ("", "AttributeError: module 'my_broken' has no attribute 'Mine'"),
    ("class Mine: pass", r"<class 'my_broken.Mine'> is not a subclass of otae.Prior"),
    ("Mine = 3", r"3 is not a subclass of otae.Prior"),
    ("from otae import Cost as Mine", "is not a subclass of otae.Prior"),
    ("from otae import Prior\nclass Mine(Prior): pass", "Mine does not implement sample of otae.Prior"),
    ("from otae import Prior as Mine", "Prior does not implement sample of otae.Prior"),
])  # fmt: skip
def test_a_broken_plugin_breaks_only_itself(install: Install, source: str, reason: str) -> None:
    install("broken_plugin", "[otae.priors]\nbroken = my_broken:Mine\n", {"my_broken.py": source}, version="3.1")
    assert "broken" in otae.priors.names()
    message = f"'broken' in 'otae.priors', from broken_plugin 3.1, cannot be used: .*{reason}.*Reinstall"
    with pytest.raises(BrokenPluginError, match=message):
        otae.priors.get("broken")
    assert issubclass(otae.priors.get("gaussian"), otae.Prior)


@pytest.mark.parametrize("value", ["", "no such module", "a..b", ":", "my_module:", "otae.interfaces:Prior.sample"])
def test_a_malformed_value_breaks_only_itself(install: Install, value: str) -> None:
    install("odd_plugin", f"[otae.priors]\nodd = {value}\n")
    with pytest.raises(BrokenPluginError, match=r"'odd' .* from odd_plugin 1.0, cannot be used"):
        otae.priors.get("odd")


@pytest.mark.parametrize("text", ["[otae.priors]\nno equals sign\n", "[console_scripts]\nnonsense\n"])
def test_a_malformed_file_of_a_stranger_does_not_end_discovery(install: Install, text: str) -> None:
    install("malformed", text)
    install("sound", "[otae.priors]\nmine = my_module:Mine\n", {"my_module.py": PRIOR})
    with pytest.warns(UserWarning, match=r"malformed in .* ignored: its entry_points\.txt cannot be read"):
        names = otae.priors.names()
    assert {"mine", "gaussian"} <= set(names)
    assert otae.priors.offer("mine").origin == "sound 1.0"


def test_a_distribution_without_metadata_does_not_end_discovery(install: Install, tmp_path: Any) -> None:
    install("stump", "[otae.priors]\nmine = my_module:Mine\n", {"my_module.py": PRIOR})
    (tmp_path / "site" / "stump-1.0.dist-info" / "METADATA").unlink()
    assert otae.priors.offer("mine").origin == "unknown"


def test_an_unknown_name_lists_what_is_installed_and_the_nearest() -> None:
    message = (
        r"No plugin named 'gausian' in 'otae.priors'\. Installed: .*gaussian, .*standard.*Did you mean 'gaussian'\?"
    )
    with pytest.raises(UnknownPluginError, match=message):
        otae.priors.get("gausian")


def test_an_unknown_name_in_an_empty_group_says_so() -> None:
    with pytest.raises(UnknownPluginError, match=r"No plugin named 'x' in 'otae.nothings'. Installed: none\.$"):
        Registry("nothing").get("x")


def test_a_session_offers_a_class_and_withdraws_it() -> None:
    class Local(Standard):
        pass

    assert otae.priors.register("local", Local) is Local
    assert otae.priors.get("local") is Local
    assert otae.priors.offer("local").origin == "session"
    otae.priors.unregister("local")
    assert "local" not in otae.priors.names()
    with pytest.raises(UnknownPluginError, match=r"'local' in 'otae.priors \(session\)'"):
        otae.priors.unregister("local")


def test_registering_again_replaces_the_class() -> None:
    for plugin in (Standard, Shifted):
        otae.priors.register("local", plugin)
    assert otae.priors.get("local") is Shifted
    otae.priors.unregister("local")


def test_a_name_of_a_distribution_cannot_be_registered() -> None:
    with pytest.raises(
        PluginConflictError, match=r"'gaussian' in 'otae.priors' is offered by otae \S+ and this session"
    ):
        otae.priors.register("gaussian", Standard)


class Unfinished(otae.Prior):
    """Creates a prior that draws nothing."""


@pytest.mark.parametrize(("plugin", "reason"), [
    (Fit, "is not a subclass of otae.Prior"),
    (Standard(2), "is not a subclass of otae.Prior"),
    (Unfinished, "Unfinished does not implement sample"),
])  # fmt: skip
def test_only_a_whole_class_of_the_kind_can_be_registered(plugin: Any, reason: str) -> None:
    with pytest.raises(PluginError, match=f"Cannot register 'wrong' in 'otae.priors': .*{reason}"):
        otae.priors.register("wrong", plugin)


def test_create_fills_options_and_hands_in_what_is_named() -> None:
    prior = otae.priors.create("shifted", latent_dim=3, shift=2, data_shape=(6,))
    assert prior.sample(4).shape == (4, 3)
    assert prior.shift.tolist() == [2.0, 2.0, 2.0]


class Picky(MeanGap):
    """Creates a cost whose option has no default."""

    def __init__(self, count: Annotated[int, Field(ge=1)]) -> None:
        super().__init__(scale=count)


@pytest.mark.parametrize(("options", "message"), [
    ({"scal": 2}, r"cost 'mean-gap': scal: unknown option. Allowed: scale. Did you mean 'scale'\?"),
    ({"scale": 0}, r"cost 'mean-gap': scale: Input should be greater than 0 \(got 0\)"),
    ({"scale": "wide"}, r"cost 'mean-gap': scale: Input should be a valid number.* \(got 'wide'\)"),
])  # fmt: skip
def test_create_refuses_a_wrong_option(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        otae.costs.create("mean-gap", **options)


def test_create_names_what_is_missing() -> None:
    with pytest.raises(ConfigError, match="prior 'standard': needs 'latent_dim', which was not given"):
        otae.priors.create("standard")
    otae.costs.register("picky", Picky)
    with pytest.raises(ConfigError, match="cost 'picky': count: this option is required and was not given"):
        otae.costs.create("picky")
    otae.costs.unregister("picky")


def test_the_registries_behave_alike() -> None:
    assert list(registries()) == ["encoder", "decoder", "prior", "cost", "dataset", "metric", "kernel", "ground"]
    for kind, registry in registries().items():
        assert registry.interface is getattr(otae, kind.capitalize())
        assert registry.names() == sorted(set(registry.names()))
        assert repr(registry).startswith(f"Registry('{kind}': ")


@pytest.mark.parametrize("group", [*(f"otae.{kind}s" for kind in registries()), "otae.recipes"])
def test_the_entrypoints_package_sees_the_same_plugins(install: Install, group: str) -> None:
    install("my_plugin", f"[{group}]\nmine = my_module.inner:Mine\n", version="0.3")
    expected = set()
    for point in entrypoints.get_group_all(group):
        value = f"{point.module_name}:{point.object_name}" if point.object_name else point.module_name
        expected.add((point.name, value, point.distro.name, point.distro.version))
    seen = offers(group)  # that package reads a distribution's name from its folder, where a dash is an underscore
    assert {(each.name, each.value, each.distribution.replace("-", "_"), each.version) for each in seen} == expected
    assert ("mine", "my_module.inner:Mine", "my_plugin", "0.3") in expected


def test_recipes_come_from_any_distribution_and_import_none(install: Install) -> None:
    files = {
        "my_recipes/__init__.py": "raise RuntimeError('imported')",
        "my_recipes/own.yaml": "# My own\ndata: blobs\n",
    }
    install("my_plugin", "[otae.recipes]\nmine = my_recipes\n", files)
    assert recipe("own").summary == "My own"
    assert recipe("own").offer.origin == "my_plugin 1.0"
    assert "my_recipes" not in sys.modules


def test_an_unknown_recipe_lists_those_shipped_and_the_nearest() -> None:
    with pytest.raises(
        UnknownPluginError, match=r"'gwea' in 'otae.recipes'\. Installed: .*gwae.*Did you mean 'gwae'\?"
    ):
        recipe("gwea")


def test_two_recipes_of_one_name_are_an_error_that_names_both(install: Install) -> None:
    files = {"my_recipes/__init__.py": "", "my_recipes/gwae.yaml": "data: blobs\n"}
    install("my_plugin", "[otae.recipes]\nmine = my_recipes\n", files)
    with pytest.raises(PluginConflictError, match=r"'gwae' in 'otae.recipes' is offered by my_plugin 1.0 .* and otae"):
        recipe("gwae")


@pytest.mark.parametrize("value", ["", "no_such_package", "no_such.package", "a..b", "my_raising.inner"])
def test_recipes_that_cannot_be_found_break_nothing_else(install: Install, value: str) -> None:
    install("odd_plugin", f"[otae.recipes]\nodd = {value}\n", {"my_raising.py": "raise RuntimeError('imported')"})
    assert "gwae" in {each.name for each in recipes()}
