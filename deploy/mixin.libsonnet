// For sites that put their monitoring together with jsonnet; the files it imports do without.
{
  grafanaDashboards+:: {
    'epics-ioc-fleet.json': import 'grafana/dashboards/epics-ioc-fleet.json',
    'epics-ioc.json': import 'grafana/dashboards/epics-ioc.json',
    'epics-ioc-autosave.json': import 'grafana/dashboards/epics-ioc-autosave.json',
    'epics-ioc-memory.json': import 'grafana/dashboards/epics-ioc-memory.json',
  },
  prometheusAlerts+:: std.parseYaml(importstr 'prometheus/alerts.yaml'),
  prometheusRules+:: std.parseYaml(importstr 'prometheus/rules.yaml'),
}
