"""Reading what pythonSoftIOC's autosave writes: a YAML mapping of names to values.

    x:A: 1.5
    x:B: [1, 2, 3]
    x:B.DESC: ''

Values of records have their types, those of fields are text of whatever type: `UntypedValue`.
Nothing marks the end of the file, so that what parses is taken.
"""

from typing import TYPE_CHECKING

from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import Scalar, UntypedValue, Value
from ioc_ops.errors import AutosaveError

if TYPE_CHECKING:
    import yaml

__all__ = ["loads_softsav"]

_TAG = "tag:yaml.org,2002:"
_SCALARS = {_TAG + name for name in ("bool", "int", "float", "str")}


def loads_softsav(data: bytes) -> Snapshot:
    """Read a ``.softsav`` file.

    Returns:
        The state. Entries in no form of pythonSoftIOC's are in ``unreadable``, with their line.

    Raises:
        AutosaveError: it is empty, no YAML or no mapping (names the line), or PyYAML, the extra
            ``softioc``, is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise AutosaveError("to read YAML, install PyYAML: pip install ioc-ops[softioc]") from error
    try:
        loader = yaml.SafeLoader(data)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise AutosaveError(f"{line}no YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise AutosaveError(f"{_line_of(error, data)}no YAML: {error}".split("\n", 1)[0]) from error
    if root is None:
        raise AutosaveError("the file is empty")
    if not isinstance(root, yaml.MappingNode):
        raise AutosaveError(f"line {root.start_mark.line + 1}: no mapping of names to values")
    values: dict[str, Value] = {}
    unreadable: dict[str, str] = {}
    for key, node in root.value:
        line = f"line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or not key.value:
            unreadable[line] = "no name of a PV"
            continue
        try:
            value = _value(loader, node)
        except AutosaveError as error:
            unreadable[key.value] = f"{line}: {error}"
            values.pop(key.value, None)
            continue
        is_field = "." in key.value and isinstance(value, str)
        values[key.value] = UntypedValue(str(value)) if is_field else value
        unreadable.pop(key.value, None)
    return Snapshot(values, unreadable=unreadable)


def _line_of(error: Exception, data: bytes) -> str:
    """YAML tells the position of a character that it does not allow, not its line."""
    position = getattr(error, "position", None)
    return f"line {data.count(10, 0, position) + 1}: " if isinstance(position, int) else ""


def _value(loader: "yaml.SafeLoader", node: "yaml.Node") -> Value:
    if isinstance(node.value, str):
        return _scalar(loader, node)
    if node.tag == f"{_TAG}seq":
        items: list[Scalar] = [_scalar(loader, item) for item in node.value]
        return items
    raise AutosaveError("neither a value nor a list of values")


def _scalar(loader: "yaml.SafeLoader", node: "yaml.Node") -> Scalar:
    if node.tag not in _SCALARS or not isinstance(node.value, str):
        raise AutosaveError(f"{node.tag.removeprefix(_TAG)[:40]!r} is no type of a value")
    try:
        value: Scalar = loader.construct_object(node)
    except Exception as error:  # an explicit tag on any text: PyYAML raises what it comes across
        raise AutosaveError(f"{node.value[:40]!r} is no {node.tag.removeprefix(_TAG)}") from error
    return value
