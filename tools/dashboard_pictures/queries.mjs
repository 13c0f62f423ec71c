// Asks a Prometheus what the panels of a dashboard ask.

const STEPS = 240;

function filledIn(expr, variables) {
  return expr
    .replaceAll("$__rate_interval", variables.interval)
    .replaceAll("$__range", `${variables.span}s`)
    .replaceAll("$ioc", variables.ioc);
}

async function ask(prometheus, path, parameters) {
  const answer = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await answer.json();
  if (body.status !== "success") throw new Error(`${parameters.query}: ${body.error}`);
  return body.data.result;
}

// The answers to all targets of all panels: {panel id: [[{metric, values}]]}.
export async function answers(prometheus, dashboard, variables) {
  const { start, end } = variables;
  const found = {};
  for (const panel of dashboard.panels.filter((each) => each.type !== "row")) {
    found[panel.id] = [];
    for (const target of panel.targets) {
      const query = filledIn(target.expr, variables);
      const result = target.instant
        ? await ask(prometheus, "query", { query, time: end })
        : await ask(prometheus, "query_range", { query, start, end, step: variables.span / STEPS });
      found[panel.id].push(
        result.map(({ metric, value, values }) => ({ metric, values: values ?? [value] })),
      );
    }
  }
  return found;
}
