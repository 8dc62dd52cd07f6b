"""The configuration that an evaluator is given."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # importing typing and dataclasses would double the start of an evaluator
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from dataclasses import dataclass
    from typing import Any, Self
else:

    def dataclass(cls: type) -> type:
        """Leave the class as it is; ``_Lazy`` makes it a dataclass for those who ask."""
        return cls


class _Lazy:
    """A dataclass attribute that is worked out when somebody looks.

    A subclass that uses ``@dataclass`` finds fields to inherit, one that does not never pays for it.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type[Config]) -> object:
        return getattr(_as_dataclass(owner), self.name)


@dataclass
class Config:
    """Settings of an evaluator; subclass it as ``TaskConfig`` and override what differs.

    Overrides are class attributes, annotated or not, or fields under ``@dataclass``. The harness makes
    it as ``TaskConfig(eval_workspace=..., workspace=...)``, so everything needs a default. The judge's
    settings come from the environment where the task declares a judge.

    Attributes:
        eval_workspace: The ``evaluations`` folder.
        workspace: What the agent sees as ``/workspace``; its outputs are in ``data/outputs``.
        task_name: Folder name of the task.
        max_eval_time: Seconds that an evaluation may take.
        api_key: Key of the judge's service.
        api_version: Version of the judge's interface.
        api_endpoint: Address of the judge's service.
        model_name: Name of the judge's model.
        batch_size: Requests to the judge at once.
    """

    eval_workspace: str = "evaluations"
    workspace: str = "/workspace"
    task_name: str = ""
    max_eval_time: int = 5000
    api_key: str = os.environ.get("IBENCH_JUDGE_API_KEY", "")
    api_version: str = os.environ.get("IBENCH_JUDGE_API_VERSION", "")
    api_endpoint: str = os.environ.get("IBENCH_JUDGE_API_ENDPOINT", "")
    model_name: str = os.environ.get("IBENCH_JUDGE_MODEL", "")
    batch_size: int = 10

    if not TYPE_CHECKING:
        __dataclass_fields__ = _Lazy()
        __dataclass_params__ = _Lazy()

        def __init__(self, *values: object, **named: object) -> None:
            names = list(_names(type(self)))
            if len(values) > len(names):
                raise TypeError(f"{type(self).__name__} takes at most {len(names)} values")
            for name, value in [*zip(names, values), *named.items()]:  # noqa: B905 - runs on Python 3.8
                if name not in names:
                    raise TypeError(f"{type(self).__name__} has no setting {name!r}")
                setattr(self, name, value)

        def __eq__(self, other: object) -> bool:
            return type(self) is type(other) and self.to_dict() == other.to_dict()

        __hash__ = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a configuration from the names and values that ``to_dict`` gives."""
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings by name."""
        return {name: getattr(self, name) for name in _names(type(self)) if hasattr(self, name)}

    def __str__(self) -> str:
        shown = (f"{name}={_shown(name, value)}" for name, value in self.to_dict().items())
        return f"{type(self).__name__}({', '.join(shown)})"

    __repr__ = __str__


def _names(cls: type) -> Iterator[str]:
    """Yield the settings of a class, those of ``Config`` first."""
    seen: set[str] = set()
    for base in reversed(cls.__mro__[:-1]):
        for name in [*getattr(base, "__annotations__", ()), *vars(base)]:
            if name not in seen and not name.startswith("_") and not _is_method(vars(base).get(name)):
                seen.add(name)
                yield name


def _is_method(value: object) -> bool:
    return callable(value) or isinstance(value, (property, classmethod, staticmethod))


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in ("key", "token", "secret", "password"))


def _shown(name: str, value: object) -> str:
    return "'***'" if value and _is_secret(name) else repr(value)


def _as_dataclass(cls: type[Config]) -> type:
    """Return a dataclass with the settings of ``cls`` and their present defaults."""
    import dataclasses  # noqa: PLC0415 - only those who ask pay for it

    def as_field(name: str) -> Any:  # noqa: ANN401 - what dataclasses.field returns depends on its default
        default = getattr(cls, name, dataclasses.MISSING)
        if type(default).__hash__ is None:
            return dataclasses.field(default_factory=lambda: default, repr=not _is_secret(name))
        return dataclasses.field(default=default, repr=not _is_secret(name))

    return dataclasses.make_dataclass(
        cls.__name__, [(name, "object", as_field(name)) for name in _names(cls)]
    )
