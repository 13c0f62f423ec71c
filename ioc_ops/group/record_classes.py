"""A class for the fields of each record type, to name, to subclass and to register."""

from ioc_ops.group.record_fields import RecordFieldGroup

__all__ = [
    "AaiFields",
    "AaoFields",
    "AiFields",
    "AoFields",
    "AsubFields",
    "BiFields",
    "BoFields",
    "CalcFields",
    "CalcoutFields",
    "CompressFields",
    "DfanoutFields",
    "EventFields",
    "FanoutFields",
    "HistogramFields",
    "Int64inFields",
    "Int64outFields",
    "LonginFields",
    "LongoutFields",
    "LsiFields",
    "LsoFields",
    "MbbiFields",
    "MbbidirectFields",
    "MbboFields",
    "MbbodirectFields",
    "MotorFields",
    "PermissiveFields",
    "PrintfFields",
    "SelFields",
    "SeqFields",
    "StateFields",
    "StringinFields",
    "StringoutFields",
    "SubFields",
    "SubarrayFields",
    "WaveformFields",
]


class AaiFields(RecordFieldGroup, record="aai"):
    """Fields of aai records."""


class AaoFields(RecordFieldGroup, record="aao"):
    """Fields of aao records."""


class AiFields(RecordFieldGroup, record="ai"):
    """Fields of ai records."""


class AoFields(RecordFieldGroup, record="ao"):
    """Fields of ao records."""


class AsubFields(RecordFieldGroup, record="aSub"):
    """Fields of aSub records."""


class BiFields(RecordFieldGroup, record="bi"):
    """Fields of bi records."""


class BoFields(RecordFieldGroup, record="bo"):
    """Fields of bo records."""


class CalcFields(RecordFieldGroup, record="calc"):
    """Fields of calc records."""


class CalcoutFields(RecordFieldGroup, record="calcout"):
    """Fields of calcout records."""


class CompressFields(RecordFieldGroup, record="compress"):
    """Fields of compress records."""


class DfanoutFields(RecordFieldGroup, record="dfanout"):
    """Fields of dfanout records."""


class EventFields(RecordFieldGroup, record="event"):
    """Fields of event records."""


class FanoutFields(RecordFieldGroup, record="fanout"):
    """Fields of fanout records."""


class HistogramFields(RecordFieldGroup, record="histogram"):
    """Fields of histogram records."""


class Int64inFields(RecordFieldGroup, record="int64in"):
    """Fields of int64in records."""


class Int64outFields(RecordFieldGroup, record="int64out"):
    """Fields of int64out records."""


class LonginFields(RecordFieldGroup, record="longin"):
    """Fields of longin records."""


class LongoutFields(RecordFieldGroup, record="longout"):
    """Fields of longout records."""


class LsiFields(RecordFieldGroup, record="lsi"):
    """Fields of lsi records."""


class LsoFields(RecordFieldGroup, record="lso"):
    """Fields of lso records."""


class MbbiFields(RecordFieldGroup, record="mbbi"):
    """Fields of mbbi records."""


class MbbidirectFields(RecordFieldGroup, record="mbbiDirect"):
    """Fields of mbbiDirect records."""


class MbboFields(RecordFieldGroup, record="mbbo"):
    """Fields of mbbo records."""


class MbbodirectFields(RecordFieldGroup, record="mbboDirect"):
    """Fields of mbboDirect records."""


class MotorFields(RecordFieldGroup, record="motor"):
    """Fields of motor records."""


class PermissiveFields(RecordFieldGroup, record="permissive"):
    """Fields of permissive records."""


class PrintfFields(RecordFieldGroup, record="printf"):
    """Fields of printf records."""


class SelFields(RecordFieldGroup, record="sel"):
    """Fields of sel records."""


class SeqFields(RecordFieldGroup, record="seq"):
    """Fields of seq records."""


class StateFields(RecordFieldGroup, record="state"):
    """Fields of state records."""


class StringinFields(RecordFieldGroup, record="stringin"):
    """Fields of stringin records."""


class StringoutFields(RecordFieldGroup, record="stringout"):
    """Fields of stringout records."""


class SubFields(RecordFieldGroup, record="sub"):
    """Fields of sub records."""


class SubarrayFields(RecordFieldGroup, record="subArray"):
    """Fields of subArray records."""


class WaveformFields(RecordFieldGroup, record="waveform"):
    """Fields of waveform records."""
