"""The plugin door: names to classes through entry points; listing them imports no plugin."""

from __future__ import annotations

import importlib
import traceback
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .discovery import Offer, offers
from .errors import BrokenPluginError, PluginConflictError, PluginError, UnknownPluginError
from .names import require_plugin_name
from .notebook import to_table

if TYPE_CHECKING:
    from .interfaces import Cost, Dataset, Decoder, Encoder, Ground, Kernel, Metric, Prior

T = TypeVar("T")


def _place(error: BaseException) -> str:
    """Returns in brackets where a module raised something, or an empty string where no frame is its own."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if "importlib" not in each.filename and each.filename != __file__]
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}, line {error.lineno})"
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""


class Registry(Generic[T]):
    """Creates the register of one kind of part, filled from entry points and by hand.

    Args:
        kind: The kind in the singular, such as `prior`; the entry-point group is `otae.<kind>s`.
        given: The arguments that a builder hands to a part whose `__init__` names them; they are no options of a config.

    Examples:
        >>> import otae
        >>> "mixture" in otae.priors.names()
        True
    """

    def __init__(self, kind: str, given: Collection[str] = ()) -> None:
        self.kind = kind
        self.group = f"otae.{kind}s"
        self.given = frozenset(given)
        self._session: dict[str, type[T]] = {}
        self._loaded: dict[type, Offer] = {}

    def __repr__(self) -> str:
        return f"Registry({self.kind!r}: {', '.join(self.names())})"

    @property
    def interface(self) -> type[T]:
        """Returns the abstract class that every plugin of this kind implements."""
        return cast("type[T]", getattr(importlib.import_module("otae.interfaces"), self.kind.capitalize()))

    @property
    def session(self) -> Mapping[str, type[T]]:
        """Returns the classes that were registered in this session, by name."""
        return self._session

    def offers(self) -> list[Offer]:
        """Returns every offer of this kind, sorted by name, importing none; a name may occur twice where packages clash."""
        session = [Offer(name, "session", "", f"{c.__module__}:{c.__qualname__}") for name, c in self._session.items()]
        return sorted([*offers(self.group), *session])

    def names(self) -> list[str]:
        """Returns the names on offer, sorted, importing none."""
        return sorted({offer.name for offer in self.offers()})

    def offer(self, name: str) -> Offer:
        """Returns the one offer of a name.

        Args:
            name: The plugin's name.

        Raises:
            UnknownPluginError: If nobody offers the name.
            PluginConflictError: If several distributions do.
        """
        found = [offer for offer in self.offers() if offer.name == name]
        if not found:
            raise UnknownPluginError(name, self.group, self.names())
        if len(found) > 1:
            raise PluginConflictError(name, self.group, [f"{offer.origin} ({offer.value})" for offer in found])
        return found[0]

    def get(self, name: str) -> type[T]:
        """Returns the class of a name, importing its plugin.

        Args:
            name: The plugin's name.

        Raises:
            UnknownPluginError: If nobody offers the name.
            PluginConflictError: If several distributions do.
            BrokenPluginError: If the plugin fails to import, or is no class of this kind.
        """
        offer = self.offer(name)
        plugin = self._session[name] if offer.distribution == "session" else self._load(offer)
        self._loaded[plugin] = offer
        return plugin

    def find_loaded(self, plugin: type) -> Offer | None:
        """Returns the offer that a class was last loaded by, or `None`.

        Args:
            plugin: The class.
        """
        return self._loaded.get(plugin)

    def create(self, name: str, /, **options: Any) -> T:
        """Returns an instance of a plugin.

        Args:
            name: The plugin's name.
            options: The arguments of its `__init__`, with those that a builder would hand in, such as `latent_dim`.

        Raises:
            ConfigError: If an option is unknown, missing or out of its bounds.
        """
        from .signature import handed, validated  # pydantic need not be imported to list names

        plugin, where = self.get(name), f"{self.kind} {name!r}"
        own = {key: value for key, value in options.items() if key not in self.given}
        arguments = create_nested(validated(plugin, where, own, self.given))
        return plugin(**handed(plugin, where, options, self.given), **arguments)

    def __iter__(self) -> Iterator[str]:
        """Yields the names of the plugins, sorted."""
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def _repr_html_(self) -> str:
        """Returns the plugins with the distributions that offer them, as a table for notebooks."""
        rows = [(offer.name, offer.distribution, offer.version) for offer in self.offers()]
        return to_table((self.kind, "distribution", "version"), rows)

    def register(self, name: str, plugin: type[T]) -> type[T]:
        """Offers a class under a name for this session, and returns it.

        Args:
            name: The name; registering it again replaces the class.
            plugin: A concrete subclass of this kind's interface.

        Raises:
            PluginError: If the name is no plugin's, the class is of another kind, or an installed distribution offers the
                name already.
        """
        require_plugin_name(self.kind, name)
        if fault := self._fault(plugin):
            raise PluginError(f"Cannot register {name!r} in {self.group!r}: {fault}.")
        if installed := [offer for offer in offers(self.group) if offer.name == name]:
            raise PluginConflictError(name, self.group, [installed[0].origin, "this session"])
        self._session[name] = plugin
        self._loaded[plugin] = Offer(name, "session", "", "")
        return plugin

    def unregister(self, name: str) -> None:
        """Withdraws a class registered in this session.

        Args:
            name: The name it was registered under.

        Raises:
            UnknownPluginError: If the session registered no such name.
        """
        if name not in self._session:
            raise UnknownPluginError(name, f"{self.group} (session)", self._session)
        self._loaded.pop(self._session.pop(name), None)

    def _load(self, offer: Offer) -> type[T]:
        try:
            plugin = EntryPoint(offer.name, offer.value, self.group).load()
        except (Exception, SystemExit) as error:  # the plugin door: a stranger's module may raise anything
            reason = f"importing {offer.value} raised {type(error).__name__}: {error}{_place(error)}"
            raise BrokenPluginError(offer.name, self.group, offer.origin, reason) from error
        if fault := self._fault(plugin):
            raise BrokenPluginError(offer.name, self.group, offer.origin, fault)
        return cast("type[T]", plugin)

    def _fault(self, plugin: object) -> str | None:
        interface = f"otae.{self.interface.__name__}"
        if not (isinstance(plugin, type) and issubclass(plugin, self.interface)):
            return f"{plugin!r} is not a subclass of {interface}"
        if missing := sorted(getattr(plugin, "__abstractmethods__", ())):
            return f"{plugin.__name__} does not implement {', '.join(missing)} of {interface}"
        return None


encoders: Registry[Encoder] = Registry("encoder", ["data_shape", "latent_dim", "value_range"])
decoders: Registry[Decoder] = Registry("decoder", ["data_shape", "latent_dim", "value_range"])
priors: Registry[Prior] = Registry("prior", ["data_shape", "latent_dim", "value_range", "encoder"])
costs: Registry[Cost] = Registry(
    "cost", ["data_shape", "latent_dim", "value_range", "shapes", "source_shapes", "target_shapes"]
)
datasets: Registry[Dataset] = Registry("dataset", ["memory"])
metrics: Registry[Metric] = Registry("metric")
kernels: Registry[Kernel] = Registry("kernel")
grounds: Registry[Ground] = Registry("ground")


@cache
def registries() -> dict[str, Registry[Any]]:
    """Returns the registries by kind."""
    return {
        registry.kind: registry for registry in (encoders, decoders, priors, costs, datasets, metrics, kernels, grounds)
    }


def create_nested(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns checked options in which every component that was given by name and options is made, by its own registry."""
    return {name: _create_each(value) for name, value in options.items()}


def _create_each(value: Any) -> Any:
    from .nested import Nested

    if isinstance(value, list | tuple):
        return type(value)(map(_create_each, value))
    return registries()[value.kind].create(value.name, **value.options) if isinstance(value, Nested) else value


def clashes(listed: list[Offer]) -> set[str]:
    """Returns the names that more than one distribution offers.

    Args:
        listed: The offers of one group.
    """
    by_name: defaultdict[str, int] = defaultdict(int)
    for offer in listed:
        by_name[offer.name] += 1
    return {name for name, count in by_name.items() if count > 1}
