// node pictures.mjs PROMETHEUS_URL DIRECTORY [CHROMIUM]
//
// One picture of each dashboard in deploy/grafana/dashboards, of the last SPAN seconds, IOC of the
// page of one IOC; e.g. with a fleet of `python tools/run_fleet.py`. Needs `npm install
// --legacy-peer-deps` here, and Chromium.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import sharp from "sharp";
import { answers } from "./queries.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const DASHBOARDS = join(HERE, "../../deploy/grafana/dashboards");
const WIDTH = 1400;
const CELL = 38; // height of a row of the grid, as in Grafana

const [prometheus, target, chromium = "chromium"] = process.argv.slice(2);
const span = Number(process.env.SPAN ?? 120);
const end = Date.now() / 1000;
const variables = { interval: process.env.RATE_INTERVAL ?? "8s", span, end, start: end - span };

const { outputFiles } = await build({
  entryPoints: [join(HERE, "page.tsx")],
  bundle: true,
  write: false,
  outdir: "unused",
  format: "iife",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"', "process.env": "{}", global: "globalThis" },
  loader: { ".svg": "dataurl", ".woff2": "dataurl", ".woff": "empty", ".ttf": "empty" },
  logLevel: "error",
});
const bundle = (ending) => outputFiles.find((file) => file.path.endsWith(ending))?.text ?? "";

mkdirSync(target, { recursive: true });
for (const name of readdirSync(DASHBOARDS)) {
  const dashboard = JSON.parse(readFileSync(join(DASHBOARDS, name)));
  const several = dashboard.templating.list.find((each) => each.name === "ioc").includeAll;
  const ioc = several ? ".+" : (process.env.IOC ?? "vacuum");
  const found = await answers(prometheus, dashboard, { ...variables, ioc });
  const rows = Math.max(...dashboard.panels.map(({ gridPos: { y = 0, h } }) => y + h));
  const data = JSON.stringify({ dashboard, found, variables, width: WIDTH, cell: CELL });
  const directory = mkdtempSync(join(tmpdir(), "picture-"));
  const page = join(directory, "page.html");
  const shot = join(directory, "shot.png");
  writeFileSync(
    page,
    `<!doctype html><meta charset="utf-8"><style>${bundle(".css")}</style><div id="root"></div>` +
      `<script>window.PICTURE=${data.replaceAll("</", "<\\/")}</script>` +
      `<script>${bundle(".js").replaceAll("</script", "<\\/script")}</script>`,
  );
  execFileSync(
    chromium,
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--enable-logging=stderr",
      "--hide-scrollbars",
      "--virtual-time-budget=15000",
      `--user-data-dir=${join(directory, "profile")}`,
      `--window-size=${WIDTH},${rows * CELL + 60}`,
      `--screenshot=${shot}`,
      `file://${page}`,
    ],
    { stdio: process.env.DEBUG ? "inherit" : "ignore" },
  );
  // A few colours will do, and make a file of a third of the size.
  const options = { palette: true, colours: 64, effort: 10 };
  await sharp(shot).png(options).toFile(join(target, name.replace(".json", ".png")));
  rmSync(directory, { recursive: true });
}
