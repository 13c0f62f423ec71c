// A dashboard, drawn by the components that Grafana draws it with. Only the timeline of states is
// ours: Grafana's is not in a package.
import "@fontsource/inter/latin-400.css";
import "@fontsource/inter/latin-500.css";
import {
  createTheme,
  dateTime,
  FieldColorModeId,
  FieldType,
  getDisplayProcessor,
  standardTransformers,
  standardTransformersRegistry,
  ThemeContext,
  toDataFrame,
  transformDataFrame,
  type DataFrame,
  type Field,
} from "@grafana/data";
import { GlobalStyles, BigValue, BigValueColorMode, BigValueGraphMode, PanelChrome, TimeSeries } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import i18n from "i18next";
import { createRoot } from "react-dom/client";
import { initReactI18next } from "react-i18next";
import { lastValueFrom } from "rxjs";

const { dashboard, found, variables, width, cell } = (window as any).PICTURE;
const theme = createTheme({ colors: { mode: "dark" } });
const timeRange = {
  from: dateTime(variables.start * 1000),
  to: dateTime(variables.end * 1000),
  raw: { from: "now-1h", to: "now" },
};

type Series = { metric: Record<string, string>; values: [number, string][] };

const legend = (format: string, metric: Record<string, string>) =>
  format.replaceAll(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? "");

function frames(panel: any): DataFrame[] {
  const all = panel.targets.flatMap((target: any, index: number) =>
    found[panel.id][index].map((series: Series) => ({ series, name: legend(target.legendFormat, series.metric) })),
  );
  return all.map(({ series, name }: any, index: number) => {
    const config = {
      ...panel.fieldConfig.defaults,
      displayName: name,
      color: panel.fieldConfig.defaults.color ?? { mode: FieldColorModeId.PaletteClassic },
      custom: { drawStyle: "line", ...panel.fieldConfig.defaults.custom },
    };
    const frame = toDataFrame({
      name,
      refId: String(index),
      fields: [
        { name: "Time", type: FieldType.time, values: series.values.map(([time]: any) => time * 1000) },
        { name: "Value", type: FieldType.number, values: series.values.map(([, v]: any) => Number(v)), config },
      ],
    });
    for (const field of frame.fields) {
      field.state = { seriesIndex: index, displayName: field.type === FieldType.time ? "Time" : name };
      field.display = getDisplayProcessor({ field, theme });
    }
    return frame;
  });
}

function Curves({ panel, w, h }: any) {
  const drawn = frames(panel);
  if (!drawn.length) return <div style={{ padding: 20, color: theme.colors.text.secondary }}>No data</div>;
  return (
    <TimeSeries frames={drawn} width={w} height={h} timeRange={timeRange as any} timeZone="utc"
      legend={{ ...panel.options.legend, calcs: [] }} options={panel.options} />
  );
}

function Number_({ panel, w, h }: any) {
  const [frame] = frames(panel);
  const field = frame?.fields[1];
  const last = field?.values[field.values.length - 1];
  const byName = panel.options.textMode === "name";
  const value = !field
    ? { text: panel.fieldConfig.defaults.noValue ?? "No data", numeric: NaN, color: theme.colors.text.primary }
    : byName
      ? { text: field.config.displayName || "-", numeric: NaN, color: theme.colors.text.primary }
      : field.display!(last);
  return (
    <BigValue width={w} height={h} theme={theme} value={{ ...value, title: undefined } as any}
      colorMode={BigValueColorMode.Value} graphMode={BigValueGraphMode.None} />
  );
}

function Timeline({ panel, w, h }: any) {
  const texts = panel.fieldConfig.defaults.mappings[0].options;
  const all = found[panel.id][0] as Series[];
  const name = 90, axis = 20, keys = 24;
  const row = (h - axis - keys) / Math.max(all.length, 1);
  const x = (time: number) => name + ((time - variables.start) / variables.span) * (w - name);
  const step = variables.span / 240;
  const color = (value: string) => theme.visualization.getColorByName(texts[value]?.color ?? "gray");
  return (
    <svg width={w} height={h} style={{ fontSize: 12 }} shapeRendering="crispEdges" fill={theme.colors.text.primary}>
      {all.map(({ metric, values }, index) => (
        <g key={metric.ioc}>
          <text x={name - 8} y={row * (index + 0.6)} textAnchor="end">{metric.ioc}</text>
          {values.map(([time, value]) => (
            <rect key={time} x={x(time)} y={row * index + 2} width={Math.min(x(time + step), w) - x(time) + 0.5}
              height={row - 4} fill={color(value)} />
          ))}
        </g>
      ))}
      {[0, 0.25, 0.5, 0.75].map((part) => (
        <text key={part} x={name + part * (w - name)} y={h - keys - 4} fill={theme.colors.text.secondary}>
          {dateTime((variables.start + part * variables.span) * 1000).utc().format("HH:mm:ss")}
        </text>
      ))}
      {Object.values(texts).map((state: any, index) => (
        <g key={state.text} transform={`translate(${name + index * 100}, ${h - 14})`}>
          <rect width={14} height={4} y={3} fill={theme.visualization.getColorByName(state.color)} />
          <text x={20} y={9}>{state.text}</text>
        </g>
      ))}
    </svg>
  );
}

async function tableOf(panel: any): Promise<DataFrame> {
  const inputs = panel.targets.map((target: any, index: number) => {
    const all = found[panel.id][index] as Series[];
    const labels = [...new Set(all.flatMap(({ metric }) => Object.keys(metric)))];
    const at = (series: Series) => series.values[series.values.length - 1];
    return toDataFrame({
      refId: target.refId,
      fields: [
        { name: "Time", type: FieldType.time, values: all.map((series) => at(series)[0] * 1000) },
        ...labels.map((label) => ({
          name: label, type: FieldType.string, values: all.map(({ metric }) => metric[label]),
        })),
        { name: `Value #${target.refId}`, type: FieldType.number, values: all.map((series) => Number(at(series)[1])) },
      ],
    });
  });
  const [frame] = await lastValueFrom(transformDataFrame(panel.transformations, inputs.filter((each: any) => each.length)));
  for (const field of frame.fields as Field[]) {
    const name = field.config.displayName ?? field.name;
    const override = panel.fieldConfig.overrides.find(({ matcher }: any) => matcher.options === name);
    field.config = { ...panel.fieldConfig.defaults, ...field.config, custom: { cellOptions: { type: "auto" } }, displayName: name };
    for (const { id, value } of override?.properties ?? []) {
      if (id === "links") continue;
      if (id.startsWith("custom.")) (field.config.custom as any)[id.slice(7)] = value;
      else (field.config as any)[id] = value;
    }
    if (field.config.thresholds) field.config.color = { mode: FieldColorModeId.Thresholds };
    field.display = getDisplayProcessor({ field, theme });
  }
  return frame;
}

const KINDS: Record<string, any> = { timeseries: Curves, stat: Number_, "state-timeline": Timeline };

const PARTS_OF_ORGANIZE = [
  standardTransformers.orderFieldsTransformer,
  standardTransformers.renameFieldsTransformer,
  standardTransformers.filterFieldsTransformer,
  standardTransformers.filterFieldsByNameTransformer,
];

async function draw() {
  await i18n.use(initReactI18next).init({ lng: "en", resources: {} });
  const { mergeTransformer, organizeFieldsTransformer } = standardTransformers;
  const transformers = [mergeTransformer, organizeFieldsTransformer, ...PARTS_OF_ORGANIZE];
  standardTransformersRegistry.setInit(() =>
    transformers.map((one: any) => ({ id: one.id, name: one.name, transformation: () => Promise.resolve(one) })) as any,
  );
  const tables: Record<number, DataFrame> = {};
  for (const panel of dashboard.panels) if (panel.type === "table") tables[panel.id] = await tableOf(panel);
  const column = (width - 16) / 24;
  const place = ({ x = 0, y = 0, w, h }: any) => ({
    position: "absolute" as const, left: 8 + x * column, top: 52 + y * cell, width: w * column - 8, height: h * cell - 8,
  });
  const page = (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ padding: "14px 12px", font: "500 18px Inter" }}>{dashboard.title}</div>
      {dashboard.panels.map((panel: any) => {
        const at = place(panel.gridPos);
        if (panel.type === "row")
          return <div key={panel.id} style={{ ...at, font: "500 15px Inter", paddingTop: 8 }}>{panel.title}</div>;
        const Kind = KINDS[panel.type];
        return (
          <div key={panel.id} style={at}>
            <PanelChrome title={panel.title} width={at.width} height={at.height}>
              {(w, h) => Kind ? <Kind panel={panel} w={w} h={h} />
                : <TableNG data={tables[panel.id]} width={w} height={h} structureRev={1} sortBy={panel.options.sortBy} />}
            </PanelChrome>
          </div>
        );
      })}
    </ThemeContext.Provider>
  );
  createRoot(document.getElementById("root")!).render(page);
}

document.body.style.cssText = `margin:0;background:${theme.colors.background.canvas};color:${theme.colors.text.primary};font:14px Inter`;
void draw();
