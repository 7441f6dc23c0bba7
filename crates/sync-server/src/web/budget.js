// The month's calls: what was used, by whom, and whether it will last.

import { dayLabel, days, full, legend, meter, SERIES, stack } from "./chart.js";
import { h } from "./dom.js";
import { count, day } from "./words.js";

export function budgetPage({ budget }) {
  const names = [...new Set(budget.days.flatMap((one) => Object.keys(one.syncs)))].sort();
  const tone = new Map(names.map((name, place) => [name, SERIES[place % SERIES.length]]));
  const byDay = new Map(budget.days.map((one) => [one.day, one.syncs]));
  const today = budget.now.slice(0, 10);
  const first = new Date(Date.parse(`${today}T12:00:00Z`) - 30 * 86_400_000).toISOString().slice(0, 10);
  const columns = days(first, today).map((at) => ({ label: dayLabel(at), parts: names.map((name) => ({ value: byDay.get(at)?.[name] ?? 0, tone: tone.get(name), name })) }));
  const monthly = budget.monthly;
  const left = budget.until ? days(today, budget.until).length - 1 : 0;
  const allowed = monthly ? Math.max(0, monthly - (budget.reserve ?? 0) - budget.used) / Math.max(1, left) : null;
  return [
    h("section", h("h1", sentence(budget)), h("p.lead", `Every HTTP request to SmartSuite is one call of the workspace's plan. This is what was counted here from ${day(budget.from)} on.`)),
    h("section.grid.three",
      box("Used", count(budget.used), monthly ? `of ${count(monthly)} until ${day(budget.until)}` : "no budget is set in the mapping file",
        monthly ? meter(budget.used, monthly, { tone: budget.used >= monthly ? "bad" : budget.used >= 0.8 * monthly ? "warn" : "good", label: `${count(budget.used)} of ${count(monthly)} calls used`, mark: budget.reserve ? monthly - budget.reserve : null }) : null),
      box("Forecast for the whole month", budget.forecast === null ? "\u2013" : count(budget.forecast), monthly ? (budget.forecast > monthly ? `${count(budget.forecast - monthly)} more than there are` : `${count(monthly - budget.forecast)} will be left`) : "needs a budget"),
      box(budget.reserve ? "Kept for people" : "Left", budget.reserve ? count(budget.reserve) : monthly ? count(Math.max(0, monthly - budget.used)) : "\u2013",
        budget.exhausted_on ? `used up on ${day(budget.exhausted_on)} at this pace` : monthly ? `${count(Math.floor(allowed))} a day would last` : "set smartsuite.plan to see it")),
    h("section.card", h("h2", "Calls a day, by sync"),
      stack(columns, { label: "API calls on each of the last 31 days, by sync", width: full(), height: 240, unit: "calls", line: allowed ? { value: allowed, name: "what lasts" } : null }),
      legend(names.map((name) => [tone.get(name), name]))),
    h("section.card", h("h2", "By sync, this month"), table(budget, names, tone)),
  ];
}

function sentence(budget) {
  if (!budget.monthly) return `${count(budget.used)} calls this month`;
  if (budget.used >= budget.monthly) return "The month's calls are used up";
  if (budget.exhausted_on) return `The month's calls last until ${day(budget.exhausted_on)}`;
  return "The month's calls will last";
}

function box(title, value, words, extra) {
  return h("div.tile", h("span.small.quiet", title), h("b.big", value), h("span.small.quiet", words), extra);
}

function table(budget, names, tone) {
  const month = budget.days.filter((one) => one.day >= budget.from);
  const sums = names.map((name) => [name, month.reduce((sum, one) => sum + (one.syncs[name] ?? 0), 0)]).sort((a, b) => b[1] - a[1]);
  const all = sums.reduce((sum, [, calls]) => sum + calls, 0);
  if (all === 0) return h("p.quiet", "No calls yet.");
  return h("table.bars", h("thead", h("tr", h("th", { scope: "col" }, "Sync"), h("th.number", { scope: "col" }, "Calls"), h("th", { scope: "col" }, "Share"))),
    h("tbody", sums.map(([name, calls]) => h("tr", h("td", name), h("td.number", count(calls)), h("td", meter(calls, all, { tone: tone.get(name), label: `${Math.round((100 * calls) / all)} %` }))))));
}
