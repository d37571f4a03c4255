"""Signatures as schemas: what an `__init__` says is what a configuration may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError
from torch import Generator

from otae.errors import ConfigError, PluginError
from otae.explanation import explain
from otae.signature import filled, handed, options_model, parameters, validated


class Part:
    """Creates a part with one option of every kind."""

    def __init__(
        self,
        latent_dim: int,
        width: Annotated[int, Field(gt=0, le=512)] = 256,
        kernel: Literal["imq", "gaussian"] = "imq",
        scales: Annotated[tuple[float, ...], Field(min_length=1)] = (1.0, 2.0),
        dropout: Annotated[float, Field(ge=0, lt=1)] | None = None,
        mode: int | str = "full",
        copy: bool = False,
    ) -> None:
        self.latent_dim = latent_dim


class Bare:
    """Creates a part without options."""

    def __init__(self) -> None:
        pass


class Needy:
    """Creates a part whose option has no default."""

    def __init__(self, path: str, latent_dim: int, encoder: object = None) -> None:
        self.path = path


GIVEN = ("latent_dim", "encoder")
WHERE = "model.prior (prior 'part')"


def test_every_default_is_filled_in() -> None:
    assert validated(Part, WHERE, {}, GIVEN) == {
        "width": 256,
        "kernel": "imq",
        "scales": (1.0, 2.0),
        "dropout": None,
        "mode": "full",
        "copy": False,
    }


@pytest.mark.parametrize(
    "options", [{"width": 512}, {"kernel": "gaussian"}, {"dropout": 0.5}, {"dropout": None}, {"mode": 3}]
)
def test_what_is_set_replaces_the_default(options: dict[str, Any]) -> None:
    assert validated(Part, WHERE, options, GIVEN) == {**validated(Part, WHERE, {}, GIVEN), **options}


def test_yaml_lists_become_tuples_and_go_back_to_lists() -> None:
    assert validated(Part, WHERE, {"scales": [1, 2]}, GIVEN)["scales"] == (1.0, 2.0)
    assert filled(Part, WHERE, {"scales": [1, 2]}, GIVEN).model_dump(mode="json")["scales"] == [1.0, 2.0]


@pytest.mark.parametrize(("options", "message"), [
    ({"width": 0}, r"width: Input should be greater than 0 \(got 0\)"),
    ({"width": 513}, r"width: Input should be less than or equal to 512 \(got 513\)"),
    ({"width": 2.5}, r"width: Input should be a valid integer.* \(got 2\.5\)"),
    ({"width": None}, r"width: Input should be a valid integer \(got None\)"),
    ({"kernel": "img"}, r"kernel: Input should be 'imq' or 'gaussian' \(got 'img'\)"),
    ({"scales": []}, r"scales: .* at least 1 item"),
    ({"scales": [1, "a"]}, r"scales\.1: Input should be a valid number.* \(got 'a'\)"),
    ({"scales": [1, float("inf")]}, r"scales\.1: Input should be a finite number \(got inf\)"),
    ({"dropout": float("nan")}, r"dropout: Input should be a finite number \(got nan\)"),
    ({"dropout": 1}, r"dropout: Input should be less than 1 \(got 1\)"),
    ({"copy": "perhaps"}, r"copy: Input should be a valid boolean.* \(got 'perhaps'\)"),
    ({"witdh": 3}, r"witdh: unknown option\. Allowed: copy, .*width\. Did you mean 'width'\?"),
    ({"zzz": 3}, r"zzz: unknown option\. Allowed: copy, dropout, kernel, mode, scales, width\.$"),
    ({"latent_dim": 3}, r"'latent_dim' is handed in by the builder and cannot be set here\. Remove it"),
    ({"encoder": 3}, r"'encoder' is handed in by the builder"),
])  # fmt: skip
def test_a_wrong_option_is_refused_in_words(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^model\.prior \(prior 'part'\): {message}"):
        filled(Part, WHERE, options, GIVEN)


def test_every_mistake_is_told_at_once_one_a_line() -> None:
    with pytest.raises(ConfigError, match=r"(?s)width: .*\n.*kernel: .*\n.*depth: unknown option") as caught:
        filled(Part, WHERE, {"width": 0, "kernel": "x", "depth": 3}, GIVEN)
    assert all(line.startswith(WHERE) for line in str(caught.value).splitlines())


def test_a_required_option_is_asked_for() -> None:
    with pytest.raises(ConfigError, match="path: this option is required and was not given"):
        filled(Needy, WHERE, {}, GIVEN)


def test_a_part_without_options_says_that_there_are_none() -> None:
    assert validated(Bare, WHERE, {}) == {}
    with pytest.raises(ConfigError, match=r"x: unknown option\. Allowed: none"):
        filled(Bare, WHERE, {"x": 1})


def test_keys_that_stand_beside_the_options_are_hinted_at() -> None:
    with pytest.raises(
        ConfigError, match=r"batchsize: unknown option. Allowed: batch_size, .* Did you mean 'batch_size'\?"
    ):
        filled(Part, WHERE, {"batchsize": 1}, GIVEN, beside=["batch_size"])


def test_the_builder_hands_in_what_is_named_and_known() -> None:
    assert handed(Part, WHERE, {"latent_dim": 2, "data_shape": (6,)}, GIVEN) == {"latent_dim": 2}
    assert handed(Needy, WHERE, {"latent_dim": 2}, GIVEN) == {"latent_dim": 2}
    assert handed(Bare, WHERE, {"latent_dim": 2}, GIVEN) == {}
    with pytest.raises(ConfigError, match="needs 'latent_dim', which was not given"):
        handed(Part, WHERE, {}, GIVEN)


class Variadic:
    """Creates a part that takes anything."""

    def __init__(self, **options: int) -> None:
        pass


class Starred:
    """Creates a part that takes any number of things."""

    def __init__(self, *widths: int) -> None:
        pass


class Untyped:
    """Creates a part whose option has no type."""

    def __init__(self, width=3) -> None:  # type: ignore[no-untyped-def]
        pass


class Unfillable:
    """Creates a part whose option no YAML value can be."""

    def __init__(self, generator: Generator) -> None:
        pass


class Dangling:
    """Creates a part whose type is not there at run time."""

    def __init__(self, width: NoSuchType) -> None:  # type: ignore[name-defined]  # noqa: F821
        pass


@pytest.mark.parametrize(("part", "message"), [
    (Variadic, r"Variadic\.__init__ takes \*options: name and type every option"),
    (Starred, r"Starred\.__init__ takes \*widths: name and type every option"),
    (Untyped, r"Untyped\.__init__ gives no type for 'width': annotate it"),
    (Unfillable, r"options of \S*Unfillable have a type that no configuration can fill: .*Generator"),
    (Dangling, r"types of \S*Dangling\.__init__ cannot be read: name 'NoSuchType' is not defined"),
])  # fmt: skip
def test_a_signature_that_cannot_be_checked_is_the_plugins_fault(part: type, message: str) -> None:
    with pytest.raises(PluginError, match=message) as caught:
        options_model(part)
    assert __name__.rpartition(".")[2] in str(caught.value)


def test_what_the_builder_hands_in_needs_no_fillable_type() -> None:
    assert options_model(Unfillable, ["generator"]).model_fields == {}


def test_a_model_is_made_once_a_class() -> None:
    assert options_model(Part, GIVEN) is options_model(Part, list(GIVEN))


def test_parameters_leave_out_self() -> None:
    assert list(parameters(Needy)) == ["path", "latent_dim", "encoder"]


class Inner(BaseModel, extra="forbid"):
    """Creates a section."""

    width: int = 1


class Outer(BaseModel, extra="forbid"):
    """Creates a section of sections."""

    inner: Inner | None = None
    several: dict[str, Inner] = {}


@pytest.mark.parametrize(("values", "sentence"), [
    ({"innr": {}}, "file: innr: unknown option. Allowed: inner, several. Did you mean 'inner'?"),
    ({"inner": {"wdth": 1}}, "file: inner.wdth: unknown option. Allowed: width. Did you mean 'width'?"),
    ({"several": {"a": {"wdth": 1}}}, "file: several.a.wdth: unknown option. Allowed: width. Did you mean 'width'?"),
    ({"several": {"a": {"width": None}}}, "file: several.a.width: Input should be a valid integer (got None)."),
])  # fmt: skip
def test_an_explanation_holds_the_dotted_path(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match="1 validation error") as caught:
        Outer.model_validate(values)
    assert explain(caught.value, "file", Outer) == sentence
    assert explain(caught.value, "", Outer) == sentence.removeprefix("file: ")
