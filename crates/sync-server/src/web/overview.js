// How every sync stands, at a glance.

import { dayLabel, days, legend, meter, runBars, SERIES, stack } from "./chart.js";
import { h, rich } from "./dom.js";
import { ago, count, counted, length, moment, PHASES, STANDINGS, until } from "./words.js";

export function pill(standing) {
  const [word, tone] = STANDINGS[standing] ?? [standing, "calm"];
  return h(`span.pill.${tone}`, h("i.dot", { "aria-hidden": "true" }), word);
}

export const addressOf = (sync) => `/syncs/${encodeURIComponent(sync)}`;

/** A run under way. */
export function progress(run) {
  if (!run) return null;
  const whole = run.settled + run.waiting;
  const words = [PHASES[run.phase] ?? run.phase, run.reads_everything ? "every row" : null, run.rows > 0 ? `${counted(run.rows, "row")} read` : null,
    whole > 0 ? `${count(run.settled)} of ${count(whole)} settled` : null, run.refused > 0 ? `${count(run.refused)} refused` : null,
    run.calls > 0 ? counted(run.calls, "call") : null].filter(Boolean);
  return h("div.progress", { "data-key": "progress" },
    whole > 0 ? meter(run.settled, whole, { tone: "busy", label: `${count(run.settled)} of ${count(whole)} settled` }) : h("div.pulse", { "aria-hidden": "true" }),
    h("p.small", words.join(" \u00b7 ")));
}

/** How old what SmartSuite shows is, held against how old it may be. */
export function freshness(sync) {
  if (sync.age_seconds === null) {
    return sync.is_late ? h("p.small", h("strong", "Late"), ": no read has come to its end yet") : h("p.small.quiet", "Nothing was read yet");
  }
  const age = length(sync.age_seconds);
  const tone = sync.is_late ? "bad" : sync.age_seconds > sync.goal_seconds * 0.8 ? "warn" : "good";
  const words = `${age} old, may be ${length(sync.goal_seconds)}`;
  return h("div", h("p.small", "In step as of ", h("strong", `${age} ago`), h("span.quiet", ` \u00b7 goal ${length(sync.goal_seconds)}`)),
    meter(sync.age_seconds, sync.goal_seconds, { tone, label: words }));
}

function figure(value, noun, tone, href) {
  const shown = [h("b", count(value)), h("span", noun)];
  return value > 0 && href ? h(`a.figure.${tone}`, { href }, shown) : h(`span.figure.${value > 0 ? tone : "none"}`, shown);
}

function card(sync, run, now) {
  const standing = run && ["good", "new"].includes(sync.standing) ? "running" : sync.standing;
  return h(`article.card.sync.edge-${(STANDINGS[standing] ?? ["", "calm"])[1]}`, { "data-key": sync.name, "aria-label": sync.name },
    h("header.row.spread",
      h("h2", h("a", { href: addressOf(sync.name) }, sync.name)),
      pill(standing)),
    sync.description ? h("p.quiet.small", sync.description) : null,
    ["good", "running", "new"].includes(sync.standing) ? null : h("p.words", rich(sync.in_words)),
    progress(run),
    freshness(sync),
    h("div.figures",
      figure(sync.linked, "records", "plain"),
      figure(sync.waiting + sync.in_doubt, "on their way", "busy"),
      figure(sync.quarantined, "refused", "warn", `/quarantine?sync=${encodeURIComponent(sync.name)}`)),
    h("div.lately", runBars(sync.runs), h("p.small.quiet", lately(sync.runs))),
    h("footer.row.spread.small.quiet",
      h("span", sync.schedule),
      sync.next_run ? h("span", { title: moment(sync.next_run) }, Date.parse(sync.next_run) <= Date.parse(now) ? "due now" : `next ${until(sync.next_run, now)}`) : h("span", sync.paused_at ? `paused ${ago(sync.paused_at, now)}` : "")));
}

/** What the bars of the newest runs say. */
function lately(runs) {
  if (runs.length === 0) return null;
  if (runs.length === 1) return `Its first run: ${runs[0].status}`;
  const failed = runs.filter((run) => run.status === "failed").length;
  return `The last ${runs.length} runs: ${failed > 0 ? `${failed} failed` : "none failed"}`;
}

const PARTS = 24;

/** Records written over time, by sync: from when on the runs of all syncs are at hand until now, in equal parts. */
function written(syncs, tone, now) {
  const firsts = syncs.filter((sync) => sync.runs.length > 0).map((sync) => Date.parse(sync.runs[sync.runs.length - 1].started_at));
  if (firsts.length === 0) return null;
  const end = Date.parse(now);
  // A sync whose older runs are not at hand would seem to have written nothing then.
  const full = syncs.filter((sync) => sync.runs.length >= 40).map((sync) => Date.parse(sync.runs[sync.runs.length - 1].started_at));
  const begin = Math.min(full.length > 0 ? Math.max(...full) : Math.min(...firsts), end - 3_600_000);
  const step = (end - begin) / PARTS;
  const isLong = end - begin > 36 * 3_600_000;
  const label = (at) => (isLong ? dayLabel(new Date(at).toISOString().slice(0, 10)) : new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }));
  const columns = Array.from({ length: PARTS }, (_, place) => {
    const [from, to] = [begin + place * step, begin + (place + 1) * step];
    const of = (sync) => sync.runs.filter((run) => Date.parse(run.started_at) >= from && (Date.parse(run.started_at) < to || place === PARTS - 1)).reduce((sum, run) => sum + run.created + run.updated + run.removed, 0);
    return { label: label(from), title: `${moment(from)} to ${moment(to)}`, parts: syncs.map((sync) => ({ value: of(sync), tone: tone.get(sync.name), name: sync.name })) };
  });
  return stack(columns, { label: `Records written since ${moment(begin)}, by sync`, unit: "records" });
}

/** Calls on each of the last two weeks' days, by sync. */
function called(syncs, tone, budget, now) {
  const today = now.slice(0, 10);
  const first = new Date(Date.parse(`${today}T12:00:00Z`) - 13 * 86_400_000).toISOString().slice(0, 10);
  const byDay = new Map(budget.days.map((one) => [one.day, one.syncs]));
  const columns = days(first, today).map((at) => ({ label: dayLabel(at), parts: syncs.map((sync) => ({ value: byDay.get(at)?.[sync.name] ?? 0, tone: tone.get(sync.name), name: sync.name })) }));
  return stack(columns, { label: "API calls on each of the last 14 days, by sync", unit: "calls" });
}

function charts(syncs, budget, now) {
  // In the order of their names, as on the page of the budget.
  const tone = new Map(syncs.map((sync) => sync.name).sort().map((name, place) => [name, SERIES[place % SERIES.length]]));
  const bars = written(syncs, tone, now);
  if (!bars || !budget) return null;
  const names = () => legend(syncs.map((sync) => [tone.get(sync.name), sync.name]));
  return h("section.grid.two",
    h("div.card", h("h2", "Records written lately"), bars, names()),
    h("div.card", h("h2", "API calls a day"), called(syncs, tone, budget, now), names()));
}

function headline(syncs) {
  const bad = syncs.filter((sync) => ["failed", "stopped"].includes(sync.standing));
  const warn = syncs.filter((sync) => sync.standing === "warning");
  const waiting = syncs.filter((sync) => sync.standing === "new");
  if (syncs.length === 0) return ["No sync is set up", "calm"];
  if (bad.length > 0) return [`${bad.map((sync) => sync.name).join(" and ")} ${bad.length === 1 ? "does" : "do"} not run`, "bad"];
  if (warn.length > 0) return [`${warn.map((sync) => sync.name).join(" and ")} ${warn.length === 1 ? "needs" : "need"} a look`, "warn"];
  if (waiting.length === syncs.length) return ["Waiting for the first run", "calm"];
  return ["Everything is in step", "good"];
}

export function overviewPage({ overview, budget, runs }) {
  const syncs = overview.syncs;
  const sum = (of) => syncs.reduce((total, sync) => total + of(sync), 0);
  const [words, tone] = headline(syncs);
  const monthly = budget?.monthly;
  return [
    h("section.hero",
      h(`i.beacon.${tone}`, { "aria-hidden": "true" }),
      h("div",
        h("h1", words),
        h("p.lead", `${counted(syncs.length, "sync")} \u00b7 serving since ${moment(overview.started_at)} \u00b7 ${counted(sum((sync) => sync.linked), "record")} in step`))),
    overview.paused_until ? h("p.banner.warn", { role: "status" }, `SmartSuite asked for a pause: every call waits until ${moment(overview.paused_until)}.`) : null,
    overview.unsent.length > 0 ? h("p.banner.bad", { role: "alert", "data-key": "unsent" }, h("strong", `${counted(overview.unsent.length, "alert")} could not be sent`),
      ` by ${[...new Set(overview.unsent.map((one) => one.channel))].join(", ")}: `, rich(overview.unsent[0].error)) : null,
    overview.alerts.length > 0 ? h("section.card", { "data-key": "alerts" }, h("h2", "What is wrong"), h("ul.notes", overview.alerts.map((alert) => h("li.bad", { "data-key": `${alert.kind} ${alert.subject}` },
      alert.subject ? h("strong", alert.subject, ": ") : null, rich(alert.message), h("span.quiet", ` since ${moment(alert.since)}`), h("span.block.quiet", rich(alert.hint)))))) : null,
    h("section.tiles", { "aria-label": "In numbers" },
      tile("Rows on their way", count(sum((sync) => sync.waiting + sync.in_doubt)), "to SmartSuite"),
      tile("Rows refused", count(sum((sync) => sync.quarantined)), "in quarantine", "/quarantine"),
      tile("API calls today", count(overview.calls_today), "all syncs, UTC", "/budget"),
      tile("API calls this month", count(budget?.used ?? overview.calls_this_month), monthly ? `of ${count(monthly)}` : "no budget is set", "/budget",
        monthly ? meter(budget.used, monthly, { tone: budget.used > monthly ? "bad" : budget.used > 0.8 * monthly ? "warn" : "good", label: `${count(budget.used)} of ${count(monthly)} calls` }) : null)),
    h("section.cards", { "aria-label": "Syncs" }, syncs.map((sync) => card(sync, runs[sync.name], overview.now))),
    charts(syncs, budget, overview.now),
  ];
}

function tile(title, value, words, href, extra) {
  const inside = [h("span.small.quiet", title), h("b.big", value), h("span.small.quiet", words), extra];
  return href ? h("a.tile", { href }, inside) : h("div.tile", inside);
}
