"""The PVs of a menu of configurations: those of configMenu.db of synApps, and simple ones.

Names, types and states are a contract with the screens of synApps autosave (configMenu.adl and its
relatives). Records that only connect the others there (``do``, ``set_busy``, ``cpDesc1`` ...) are
not served, and sseq, which EPICS Base does not have, is a seq here.
"""

from typing import Any

from ioc_ops.autosave.configurations.files import ConfigEntry
from ioc_ops.autosave.configurations.names import menu_states
from ioc_ops.autosave.status_pvs import clip
from ioc_ops.channel import (
    AlarmSeverity,
    AlarmStatus,
    ChannelData,
    ChannelType,
    EventMask,
    Value,
)
from ioc_ops.errors import ChannelError
from ioc_ops.group import PVGroup, PvpropertyEnum, SubGroup, pvproperty
from ioc_ops.group.pvspec import Hook

__all__ = ["PAGE_SIZE", "ConfigMenuPVs", "is_part_of_a_menu"]

PAGE_SIZE = 10
"""Configurations that a page of the screens shows."""

_LISTED = 1000
# In place of a description; why is in the log, and in the message when somebody loads it.
_UNREADABLE = "(unreadable)"
_MESSAGE_BYTES = 256


def _text(name: str, doc: str, put: Hook | None = None, **how: Any) -> pvproperty:
    how = {"value": "", "dtype": ChannelType.STRING, "record": "stringout", **how}
    return pvproperty(name=name, doc=doc, put=put, **how)


def _button(name: str, doc: str, put: Hook, record: str = "seq") -> pvproperty:
    value = 0.0 if record == "calcout" else 0
    return pvproperty(name=name, value=value, record=record, doc=doc, put=put)


class ConfigRow(PVGroup):
    """One line of the page: a name to edit, a description, and two buttons."""

    async def _put_load(self, instance: ChannelData, value: Value) -> None:
        await _menu_of(self).at_load(instance, self.label.value)

    async def _put_save(self, instance: ChannelData, value: Value) -> None:
        description = None if self.desc.value == _UNREADABLE else self.desc.value
        await _menu_of(self).at_save_as(instance, self.label.value, description)

    label = _text("{CONFIG}Menu:name{N}", "Name of a configuration")
    desc = _text("{CONFIG}Menu:desc{N}", "Its description")
    load = _button("{CONFIG}Menu:loadConfig{N}", "Write .PROC to load it", _put_load)
    save = _button("{CONFIG}Menu:saveConfig{N}", "Write .PROC to save under this name", _put_save)


def _menu_of(group: PVGroup) -> "ConfigMenuPVs":
    while not isinstance(group, ConfigMenuPVs):
        assert group.parent is not None  # noqa: S101 - a row is part of a menu
        group = group.parent
    return group


_ROWS = type(
    "ConfigRows",
    (PVGroup,),
    {
        f"row{number}": SubGroup(ConfigRow, prefix="", macros={"N": str(number)})
        for number in range(1, PAGE_SIZE + 1)
    },
)


class ConfigMenuPVs(PVGroup):
    """What clients see of a menu of configurations; the macro CONFIG names it."""

    # --- what clients ask for ---------------------------------------------------------------

    async def at_load(self, instance: ChannelData, name: str) -> None:
        """A client wants a configuration loaded; its put fails if that does."""
        raise NotImplementedError

    async def at_save_as(self, instance: ChannelData, name: str, description: str | None) -> None:
        """A client wants the present values saved; None keeps the description that there is."""
        raise NotImplementedError

    async def at_delete(self, instance: ChannelData, name: str) -> None:
        """A client wants a configuration deleted."""
        raise NotImplementedError

    async def at_find(self, instance: ChannelData) -> None:
        """A client wants the directory looked through again."""
        raise NotImplementedError

    @property
    def entries(self) -> list[ConfigEntry]:
        """What there is, in the order in which it is shown."""
        raise NotImplementedError

    async def check_enabled(self, instance: ChannelData) -> None:
        """Raises ChannelError if clients may not save and delete; they are shown why."""
        if self.enabled.value != "Yes":
            refusal = f"saving is switched off by {self.enabled.name}"
            if self.busy.value == "Done":  # else the message is that of what goes on
                await self.show_end(refusal, AlarmSeverity.MAJOR_ALARM)
            raise ChannelError(f"{instance.name}: {refusal}")

    # --- what that means --------------------------------------------------------------------

    async def _put_menu(self, instance: ChannelData, value: Value) -> None:
        shown = dict(zip(menu_states(self._names_on_page()), self._names_on_page(), strict=False))
        await self.at_load(instance, shown.get(str(value), ""))

    async def _put_load_name(self, instance: ChannelData, value: str) -> None:
        await self.at_load(instance, value)
        await publish(self.load_desc, self.current_desc.value)

    async def _put_load_again(self, instance: ChannelData, value: Value) -> None:
        await self.at_load(instance, self.load_name.value)
        await publish(self.load_desc, self.current_desc.value)

    async def _put_load_one(self, instance: ChannelData, value: str) -> None:
        await self.at_load(instance, value)

    async def _put_save_as(self, instance: ChannelData, value: str) -> None:
        await self.at_save_as(instance, value, self.save_as_desc.value or None)
        await publish(self.save_as_desc, "")

    async def _put_delete_one(self, instance: ChannelData, value: str) -> None:
        await self.at_delete(instance, value)

    async def _put_menu_name(self, instance: ChannelData, value: str) -> str:
        await self.at_find(instance)
        return self.macros["CONFIG"]  # another one would be another menu

    async def _put_find_files(self, instance: ChannelData, value: Value) -> None:
        await self.at_find(instance)

    async def _put_enabled(self, instance: ChannelData, value: str) -> None:
        await self._show_disabled(enabled=value == "Yes")

    async def _put_page(self, instance: ChannelData, value: int) -> int:
        page = self._page_near(value)
        await self._show_page(page)
        return page

    async def _put_page_up(self, instance: ChannelData, value: Value) -> float:
        await self.page.write(self.page.value + 1)
        return float(self.page.value)

    async def _put_page_down(self, instance: ChannelData, value: Value) -> float:
        await self.page.write(self.page.value - 1)
        return float(self.page.value)

    # --- the PVs --------------------------------------------------------------------------

    menu = pvproperty(
        name="{CONFIG}Menu",
        dtype=ChannelType.ENUM,
        enum_strings=("",),
        value=0,
        record="mbbo",
        doc="Write a state to load it",
        put=_put_menu,
    )
    rows = SubGroup(_ROWS, prefix="")
    load_name = _text(
        "{CONFIG}Menu:name",
        "Write a name to load it",
        put=_put_load_name,
    )
    load_desc = _text("{CONFIG}Menu:desc", "Description of what was loaded so")
    load_again = _button(
        "{CONFIG}Menu:loadConfig",
        "Write .PROC to load that name again",
        put=_put_load_again,
    )
    current = _text("{CONFIG}Menu:currName", "Loaded or saved last", read_only=True, autosave=True)
    current_desc = _text("{CONFIG}Menu:currDesc", "Its description", read_only=True, autosave=True)
    busy = pvproperty(
        name="{CONFIG}Menu:busy",
        dtype=ChannelType.ENUM,
        enum_strings=("Done", "Loading"),
        value="Done",
        record="bo",
        read_only=True,
        doc="Whether it loads or saves",
    )
    status = pvproperty(
        name="{CONFIG}Menu:status",
        dtype=ChannelType.ENUM,
        enum_strings=("Success", "Failure"),
        value="Success",
        record="bo",
        read_only=True,
        doc="How that ended",
    )
    enabled = pvproperty(
        name="{CONFIG}Menu:enableSave",
        dtype=ChannelType.ENUM,
        enum_strings=("No", "Yes"),
        value="Yes",
        record="bo",
        autosave=True,
        doc="Whether clients may save and delete",
        put=_put_enabled,
    )
    disabled = pvproperty(
        name="{CONFIG}Menu:disable",
        value=0.0,
        record="calcout",
        read_only=True,
        doc="1 while nothing can be saved",
    )
    page = pvproperty(
        name="{CONFIG}Menu:Page",
        value=0,
        record="longout",
        doc="First is 0",
        put=_put_page,
    )
    page_up = _button(
        "{CONFIG}Menu:PageUp", "Write .PROC: next page", _put_page_up, record="calcout"
    )
    page_down = _button(
        "{CONFIG}Menu:PageDn", "Write .PROC: previous page", _put_page_down, record="calcout"
    )
    menu_name = _text(
        "{CONFIG}Menu:menuName",
        "The menu; write .PROC to look for files again",
        put=_put_menu_name,
    )
    find_files = pvproperty(
        name="{CONFIG}Menu:findFiles",
        dtype=ChannelType.ENUM,
        enum_strings=("Idle", "Find"),
        value=0,
        record="bo",
        doc="Write it to look for files again",
        put=_put_find_files,
    )
    request_file = _text("{CONFIG}Menu:reqFile", "Says which PVs, if a file does", read_only=True)

    save_as = _text(
        "{CONFIG}Menu:SaveAs",
        "Write a name to save under it",
        put=_put_save_as,
    )
    save_as_desc = _text("{CONFIG}Menu:SaveAsDesc", "Description for the next write of SaveAs")
    load_one = _text(
        "{CONFIG}Menu:Load",
        "Write a name to load it",
        put=_put_load_one,
    )
    delete_one = _text(
        "{CONFIG}Menu:Delete",
        "Write a name to delete it; a copy stays",
        put=_put_delete_one,
    )
    listed = pvproperty(
        name="{CONFIG}Menu:List",
        dtype=ChannelType.STRING,
        value=[""],
        max_length=_LISTED,
        read_only=True,
        doc=f"Names of the configurations, the first {_LISTED}",
    )
    message = pvproperty(
        name="{CONFIG}Menu:Message",
        value="",
        max_length=_MESSAGE_BYTES,
        read_only=True,
        doc="What was done, or why it was not",
    )

    # --- what clients see -------------------------------------------------------------------

    def _page_near(self, page: int) -> int:
        # The last one has a line that is free, to type a new name in.
        return max(0, min(page, len(self.entries) // PAGE_SIZE))

    def _names_on_page(self) -> list[str]:
        first = self.page.value * PAGE_SIZE
        return [entry.name for entry in self.entries[first : first + PAGE_SIZE]]

    async def show_entries(self) -> None:
        """Publish what there is; the page that is shown stays if that is possible."""
        # Never empty: clients on libca get no answer of no elements.
        await publish(self.listed, [entry.name for entry in self.entries[:_LISTED]] or [""])
        page = self._page_near(self.page.value)
        await publish(self.page, page)
        await self._show_page(page)

    async def _show_page(self, page: int) -> None:
        entries = self.entries[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
        for number in range(PAGE_SIZE):
            row: ConfigRow = getattr(self.rows, f"row{number + 1}")
            entry = entries[number] if number < len(entries) else ConfigEntry("", "")
            await publish(row.label, entry.name)
            await publish(row.desc, _UNREADABLE if entry.trouble else entry.description)
        names = [entry.name for entry in entries]
        states = menu_states(names)
        assert isinstance(self.menu, PvpropertyEnum)  # noqa: S101 - for the type checker
        if states != self.menu.enum_strings:
            before = self.menu.value
            await self.menu.write_metadata(enum_strings=states)
            if self.menu.value != before:
                self.menu.post(int(EventMask.VALUE | EventMask.LOG))  # as mbboRecord.c does
        if self.current.value in names:
            await publish(self.menu, names.index(self.current.value))
        elif self.menu.raw_value >= len(states):
            await publish(self.menu, 0)

    async def show_current(self, name: str, description: str) -> None:
        """Publish which configuration the PVs are now."""
        await publish(self.current_desc, description)
        await publish(self.current, name)
        names = self._names_on_page()
        if name in names:
            await publish(self.menu, names.index(name))

    async def show_busy(self, *, busy: bool) -> None:
        """Publish that something begins or has ended."""
        await publish(self.busy, "Loading" if busy else "Done")
        await self._show_disabled(enabled=self.enabled.value == "Yes")

    async def _show_disabled(self, *, enabled: bool) -> None:
        await publish(self.disabled, float(not enabled or self.busy.value == "Loading"))

    async def show_end(self, message: str, severity: AlarmSeverity) -> None:
        """Publish how it ended: MAJOR for a failure, MINOR for something to look at."""
        failed = severity == AlarmSeverity.MAJOR_ALARM
        status = AlarmStatus.WRITE if severity else AlarmStatus.NO_ALARM
        await publish(self.message, clip(message, _MESSAGE_BYTES))
        await self.status.write(
            "Failure" if failed else "Success",
            verify_value=False,
            status=status,
            severity=severity,
        )


def is_part_of_a_menu(channel: ChannelData) -> bool:
    """Whether a PV is one of those above: it is part of no configuration."""
    return isinstance(getattr(channel, "group", None), ConfigMenuPVs | ConfigRow)


async def publish(channel: ChannelData, value: Value) -> None:
    """Show a value, without running the putter; a PV that would not change is left alone."""
    if channel.value != value:
        await channel.write(value, verify_value=False)
