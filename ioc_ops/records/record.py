"""The fields of one record: PVs that exist once somebody asks for them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial

from ioc_ops.ca import EventMask
from ioc_ops.channel import PROCESSED, ChannelData
from ioc_ops.records.fields import FIELD_CLASSES, Field
from ioc_ops.records.following import follower_of
from ioc_ops.records.links import links_of
from ioc_ops.records.tables import attributes_of, fields_of

__all__ = ["RecordFields"]

_PROPERTY = int(EventMask.PROPERTY)
_VALUE = int(EventMask.VALUE | EventMask.LOG)


class _News:
    """A feed of the record: calls a function for some of its events."""

    __slots__ = ("mask", "post")

    def __init__(self, mask: int, tell: Callable[[], None]) -> None:
        self.mask = mask
        self.post = tell


class RecordFields(Mapping[str, ChannelData]):
    """The fields of one record by name; as attributes also by their Python names.

    ``parent`` is the PV whose fields these are. A field is made when it is first asked for.
    """

    table = ""
    """Record type whose fields these are, of EPICS Base or motor."""
    watches_writes = False
    """Whether these fields must be made to hear of writes to the record."""

    def __init__(self, parent: ChannelData) -> None:
        """Make no field yet."""
        self._made: dict[str, ChannelData] = {}
        self._following: dict[str, _News] = {}
        self.parent = parent

    def __getitem__(self, name: str) -> ChannelData:
        if name == "VAL":
            return self.parent
        made = self._made.get(name)
        if made is None:
            made = self._make(name)
            if not self._made:
                # From now on changes of the record reach the fields that show them.
                parent = self.parent
                parent.subscribe(_News(_VALUE, self._new_value))
                parent.subscribe(_News(_PROPERTY, self._new_metadata))
            self._made[name] = made
            self._complete(made, name)
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self.field_names())

    def __len__(self) -> int:
        return len(self.field_names())

    def __contains__(self, name: object) -> bool:
        return name == "VAL" or name in self.field_names()

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __getattr__(self, attribute: str) -> ChannelData:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        name = self.name_of(attribute)
        if name is None:
            raise AttributeError(f"{self.table} records have no field {attribute}")
        return self[name]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.parent.name}: {len(self._made)} made>"

    @classmethod
    @cache
    def field_names(cls) -> Collection[str]:
        """Names of all fields but VAL, in the order of the tables."""
        return {name: None for name in fields_of(cls.table) if name != "VAL"}

    @classmethod
    @cache
    def name_of(cls, attribute: str) -> str | None:
        """The name of a field, given by that or by its Python name; None when there is none."""
        names = cls.field_names()
        return attribute if attribute in names else attributes_of(cls.table).get(attribute)

    def _make(self, name: str) -> ChannelData:
        spec = fields_of(self.table)[name]
        link = links_of(self.table).get(name)
        if link is not None and not link.applies(self.parent):
            link = None
        return FIELD_CLASSES[spec.dbf](self, spec, link)

    def _complete(self, field: ChannelData, name: str) -> None:
        """Override to add to a field that has just been made."""

    # -- news of the record -------------------------------------------------------------

    def _fields(self) -> list[Field]:
        return [field for field in self._made.values() if isinstance(field, Field)]

    def _new_value(self) -> None:
        time_ns = self.parent.time_ns
        for field in self._fields():
            field.time_ns = max(field.time_ns, time_ns)
            field.encoded.clear()
            if field.link is not None and field.link.events == _VALUE:
                field.refresh()

    def _new_metadata(self) -> None:
        for field in self._fields():
            if field.link is not None and field.link.events == _PROPERTY:
                field.refresh()
            field.refresh_metadata()
            field.post(_PROPERTY)

    def written(self, field: Field) -> None:
        """A field has changed: others show it, and it may count when the record is processed."""
        name = field.spec.name
        follow = follower_of(self.table, name)
        if follow is not None:
            self._follow(field, follow)
        for other in self._fields():
            if name in other.spec.shows:
                other.refresh_metadata()

    def _follow(self, field: Field, follow: Callable[[Field], None]) -> None:
        name = field.spec.name
        before = self._following.pop(name, None)
        if before is not None:
            self.parent.unsubscribe(before)
        if field.value:
            news = self._following[name] = _News(PROCESSED, partial(follow, field))
            self.parent.subscribe(news)

    def refresh(self, name: str) -> None:
        """What a field shows may have changed."""
        field = self._made.get(name)
        if isinstance(field, Field):
            field.refresh()
