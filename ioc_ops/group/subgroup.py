"""SubGroup: a group inside a group, from a class, a dictionary, or a decorated class."""

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, overload

from ioc_ops.errors import DefinitionError
from ioc_ops.group.macros import Expanded, expand_macros
from ioc_ops.group.pvproperty import pvproperty
from ioc_ops.group.pvspec import PVSpec

if TYPE_CHECKING:
    from ioc_ops.group.group import PVGroup

__all__ = ["SubGroup"]

_Members = Mapping[str, "PVSpec | pvproperty | Mapping[str, Any]"]


class SubGroup:
    """Declares a group: ``motor = SubGroup(Motor, prefix="m1:")``, or decorates an inner class."""

    def __init__(
        self,
        group: "type[PVGroup] | _Members | None" = None,
        *,
        prefix: str | None = None,
        macros: Mapping[str, str] | None = None,
        attr_separator: str | None = None,
        doc: str | None = None,
        base: "tuple[type, ...] | None" = None,
        **init_kwargs: Any,
    ) -> None:
        """Declare a group.

        Args:
            group: a PVGroup class, or what a class is made from: PVSpecs, pvproperties or
                their arguments by attribute; None when used as a decorator.
            prefix: behind that of the parent, as it is; default the attribute and a separator.
            macros: added to those of the parent.
            attr_separator: between attribute and PV name; default that of the class.
            doc: for people.
            base: bases of a class made from a dictionary.
            init_kwargs: arguments of the class.

        Raises:
            DefinitionError: ``group`` is neither a PVGroup class nor a dictionary.
        """
        self.prefix = prefix
        self.macros = dict(macros or {})
        self.attr_separator = attr_separator
        self.base = base
        self.init_kwargs = init_kwargs
        self.attr_name = ""
        self._owned = False
        self.autosave: object = None
        self.exported = False
        self.group_cls: type[PVGroup] | None = None
        self.__doc__ = doc
        if isinstance(group, Mapping):
            self._members: _Members | None = group
        else:
            self._members = None
            if group is not None:
                self._adopt(group)

    def __call__(self, group: "type[PVGroup] | _Members") -> Self:
        """``@SubGroup(prefix=...)`` above a class."""
        if isinstance(group, Mapping):
            self._members = group
        else:
            self._adopt(group)
        return self

    def _adopt(self, group: "type[PVGroup]") -> None:
        if not (isinstance(group, type) and hasattr(group, "_pvs_")):
            raise DefinitionError(
                f"SubGroup({group!r}): give a PVGroup class, and its arguments behind it"
            )
        self.group_cls = group
        self.__doc__ = self.__doc__ or group.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.attr_name = name
        self._owned = True

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Any: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance.groups[self.attr_name]

    def __getattr__(self, attr: str) -> Any:
        """A PV of the group, for ``@sub.attr.putter``."""
        if not attr.startswith("_"):
            cls = self.__dict__.get("group_cls") or self._made_class()
            if cls is not None and attr in cls._pvs_:
                return _MemberOf(self, cls._pvs_[attr])
        raise AttributeError(attr)

    def _made_class(self) -> "type[PVGroup] | None":
        from ioc_ops.group.group import PVGroup

        members = self.__dict__.get("_members")
        if self.group_cls is None and members is not None:
            body: dict[str, Any] = {}
            for attr, member in members.items():
                if isinstance(member, PVSpec):
                    body[attr] = pvproperty.from_pvspec(member)
                elif isinstance(member, Mapping):
                    body[attr] = pvproperty(**member)
                else:
                    body[attr] = member
            bases = self.base or (PVGroup,)
            self.group_cls = type(self.attr_name or "SubGroup", bases, body)
        return self.group_cls

    def with_member(self, member: pvproperty) -> "SubGroup":
        """The same with a class that differs in one PV."""
        if self.group_cls is None:
            raise DefinitionError("a SubGroup without a class has no PVs to decorate")
        # A subclass that decorates its parent's SubGroup must not change the parent.
        target = copy.copy(self) if self._owned else self
        name = self.group_cls.__name__
        target.group_cls = type(name, (self.group_cls,), {member.attr_name: member})
        return target

    def create(self, parent: "PVGroup", attr: str) -> "PVGroup":
        """Make the group of one parent.

        Raises:
            DefinitionError: there is no class to make it from, or it takes other arguments.
        """
        cls = self._made_class()
        if cls is None:
            raise DefinitionError(f"{type(parent).__name__}.{attr}: SubGroup of what? Give a class")
        macros = {**parent.macros, **self.macros}
        separator = cls.attr_separator if self.attr_separator is None else self.attr_separator
        own = attr + separator if self.prefix is None else self.prefix
        prefix = Expanded(parent.prefix + expand_macros(own, macros))
        name = f"{parent.name}.{attr}"
        try:
            return cls(prefix=prefix, macros=macros, parent=parent, name=name, **self.init_kwargs)
        except TypeError as problem:
            if "__init__() " not in str(problem):
                raise
            raise DefinitionError(f"{name}: {problem}") from problem


class _MemberOf:
    """A PV of a SubGroup in the body of the outer class: its decorators return the SubGroup."""

    def __init__(self, subgroup: SubGroup, member: pvproperty) -> None:
        self._subgroup = subgroup
        self._member = member

    def __getattr__(self, decorator: str) -> Any:
        decorate = getattr(self._member, decorator)
        if not callable(decorate):
            return decorate

        def apply(*arguments: Any, **options: Any) -> Any:
            answer = decorate(*arguments, **options)
            if isinstance(answer, pvproperty):
                answer.attr_name = self._member.attr_name
                return self._subgroup.with_member(answer)
            return lambda function: apply_inner(answer, function)

        def apply_inner(inner: Any, function: Any) -> SubGroup:
            made = inner(function)
            made.attr_name = self._member.attr_name
            return self._subgroup.with_member(made)

        return apply
