"""One IOC: its state, its clients, its event loop, its process."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.frame import IOC, Row, page
from dashboards.panels import STATES, Query, curves, number, switched, text_of_label

__all__ = ["one_ioc"]


def one_ioc() -> Dashboard:
    """What the fleet's page leads to."""
    rows: list[Row] = [_now(), _clients(), _loop(), _process(), _pvs()]
    about = "One IOC: its state, its clients, its event loop and its process."
    return page("epics-ioc", "EPICS IOCs / One IOC", about, rows, several=False)


def _per_second(metric: str, by: str = "ioc") -> str:
    return f"sum by ({by}) (rate({metric}{{{IOC}}}[$__rate_interval]))"


def _quantile(share: float, metric: str) -> str:
    buckets = f"sum by (ioc, le) (rate({metric}_bucket{{{IOC}}}[$__rate_interval]))"
    return f"histogram_quantile({share}, {buckets})"


def _now() -> Row:
    return None, [
        number(
            "State",
            "Down: Prometheus cannot reach it. Not ready: it starts or stops. Stuck: its event"
            " loop gives no sign of life.",
            f"max(ioc:epics_ioc_state:max{{{IOC}}})",
            texts=STATES,
            none="unknown",
            width=3,
        ),
        number(
            "Up for",
            "Time since the IOC started.",
            f"time() - max(epics_ioc_start_timestamp_seconds{{{IOC}}})",
            unit="s",
            decimals=0,
            none="-",
            width=3,
        ),
        number("PVs", "PVs that it serves.", f"max(epics_ioc_pvs{{{IOC}}})", none="-", width=3),
        number(
            "Clients",
            "Distinct pairs of user and host that are connected.",
            f"max(epics_ioc_ca_clients{{{IOC}}})",
            none="-",
            width=3,
        ),
        number(
            "Slow clients",
            "Connections whose client reads slower than its monitors update.",
            f"max(epics_ioc_ca_circuits_congested{{{IOC}}})",
            steps=((None, "green"), (1, "orange")),
            none="-",
            width=3,
        ),
        number(
            "Hooks that failed",
            "Exceptions that hooks raised in the time that is shown; the log has the tracebacks.",
            f"sum(increase(epics_ioc_hook_failures_total{{{IOC}}}[$__range]))",
            decimals=0,
            steps=((None, "green"), (1, "orange")),
            none="-",
            width=3,
        ),
        text_of_label(
            "Engineer",
            "Who looks after it: $ENGINEER of its environment.",
            f"epics_ioc_info{{{IOC}}}",
            "engineer",
            width=3,
        ),
        text_of_label("Host", "Where it runs.", f"epics_ioc_info{{{IOC}}}", "hostname", width=3),
    ]


def _clients() -> Row:
    return "Clients", [
        switched(
            curves(
                "Connections",
                "TCP connections, and the channels and monitors that clients hold through them.",
                Query(f"sum by (ioc) (epics_ioc_ca_circuits{{{IOC}}})", "connections"),
                Query(f"sum by (ioc) (epics_ioc_ca_channels{{{IOC}}})", "channels"),
                Query(f"sum by (ioc) (epics_ioc_ca_subscriptions{{{IOC}}})", "monitors"),
                width=8,
            )
        ),
        curves(
            "Requests",
            "What clients ask for.",
            Query(_per_second("epics_ioc_ca_reads_total"), "reads"),
            Query(_per_second("epics_ioc_ca_writes_total"), "writes"),
            unit="cps",
            width=8,
        ),
        curves(
            "Monitor updates",
            "Updates that went out, and those that a newer value replaced before a slow client"
            " could take them.",
            Query(_per_second("epics_ioc_ca_events_sent_total"), "sent"),
            Query(_per_second("epics_ioc_ca_events_dropped_total"), "replaced"),
            unit="cps",
            width=8,
        ),
        curves(
            "Traffic",
            "Bytes over the TCP connections.",
            Query(_per_second("epics_ioc_ca_received_bytes_total"), "received"),
            Query(_per_second("epics_ioc_ca_sent_bytes_total"), "sent"),
            unit="Bps",
            width=8,
        ),
        curves(
            "Searches",
            "Names that clients on the network look for, and those that are here.",
            Query(_per_second("epics_ioc_ca_searches_total"), "asked for"),
            Query(_per_second("epics_ioc_ca_search_hits_total"), "found here"),
            unit="cps",
            width=8,
        ),
        curves(
            "Refused",
            "Requests refused for want of rights, and connections closed because what came was"
            " not Channel Access.",
            Query(_per_second("epics_ioc_ca_access_denied_total"), "no rights"),
            Query(_per_second("epics_ioc_ca_protocol_errors_total"), "not Channel Access"),
            unit="cps",
            most=1,
            width=8,
        ),
    ]


def _loop() -> Row:
    return "Event loop and hooks", [
        curves(
            "Silence of the event loop",
            "Time since its last sign of life, which is due every half second. Above the line it"
            " counts as stuck.",
            Query(f"max by (ioc) (epics_ioc_event_loop_heartbeat_age_seconds{{{IOC}}})", "silent"),
            Query(
                f"max by (ioc) (epics_ioc_event_loop_lag_max_seconds{{{IOC}}})",
                "largest lag in a minute",
            ),
            Query(_quantile(0.99, "epics_ioc_event_loop_lag_seconds"), "99 % of lags are below"),
            unit="s",
            steps=((None, "transparent"), (5, "red")),
            width=8,
        ),
        curves(
            "Time of hooks",
            "From a request to its end, where a getter or putter of the IOC's author had a part;"
            " other requests take no time worth measuring. No curve while nobody asks.",
            Query(_quantile(0.99, "epics_ioc_ca_read_duration_seconds"), "99 % of reads"),
            Query(_quantile(0.5, "epics_ioc_ca_read_duration_seconds"), "half of reads"),
            Query(_quantile(0.99, "epics_ioc_ca_write_duration_seconds"), "99 % of writes"),
            Query(_quantile(0.5, "epics_ioc_ca_write_duration_seconds"), "half of writes"),
            unit="s",
            width=8,
        ),
        curves(
            "Hooks that raise exceptions",
            "How often hooks of each kind fail.",
            Query(_per_second("epics_ioc_hook_failures_total", "ioc, hook"), "{{hook}}"),
            unit="cps",
            most=1,
            width=8,
        ),
    ]


def _process() -> Row:
    return "Process", [
        curves(
            "CPU",
            "Processor time; 100 % is one core.",
            Query(_per_second("process_cpu_seconds_total"), "CPU"),
            unit="percentunit",
            width=8,
        ),
        curves(
            "Memory",
            "Resident memory of the process.",
            Query(f"max by (ioc) (process_resident_memory_bytes{{{IOC}}})", "resident"),
            unit="bytes",
            width=8,
        ),
        curves(
            "File descriptors",
            "Of those that the process may have open; at 100 % nobody can connect any more.",
            Query(f"max by (ioc) (process_open_fds{{{IOC}}} / process_max_fds{{{IOC}}})", "open"),
            unit="percentunit",
            steps=((None, "transparent"), (0.8, "red")),
            most=1,
            width=8,
        ),
    ]


def _pvs() -> Row:
    return "Exported PVs", [
        curves(
            "Values",
            "Those PVs that the IOC exports.",
            Query(f"max by (ioc, pv) (epics_pv_value{{{IOC}}})", "{{pv}}"),
            least=None,
        ),
        switched(
            curves(
                "Alarm severity",
                "0 none, 1 MINOR, 2 MAJOR, 3 INVALID.",
                Query(f"max by (ioc, pv) (epics_pv_alarm_severity{{{IOC}}})", "{{pv}}"),
                decimals=0,
                steps=((None, "transparent"), (2, "red")),
                most=3,
            )
        ),
    ]
