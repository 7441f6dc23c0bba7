// One sync: how it stands, what it did, what it costs, and what goes where.

import { dayLabel, days, legend, runBars, stack } from "./chart.js";
import { h, rich } from "./dom.js";
import { freshness, pill, progress } from "./overview.js";
import { ago, count, counted, moment, RUN_TONES, took, until } from "./words.js";

const KINDS = [["create", "s0", "creates"], ["update", "s1", "updates"], ["delete", "s2", "deletes"], ["look_up", "s3", "look-ups"], ["scan", "s4", "scans"], ["audit", "s5", "audits"], ["structure", "s6", "structure"]];

export function syncPage({ detail, run, isOperator, now }) {
  const sync = detail.summary;
  return [
    h("nav.crumbs", { "aria-label": "Where this is" }, h("a", { href: "/" }, "Overview"), h("span", { "aria-hidden": "true" }, "/"), h("span", sync.name)),
    h("section.head.row.spread",
      h("div",
        h("h1", sync.name, " ", pill(run && ["good", "new"].includes(sync.standing) ? "running" : sync.standing)),
        sync.description ? h("p.lead", sync.description) : null),
      isOperator ? actions(sync) : null),
    sync.stopped ? stopped(sync, isOperator) : null,
    h("section.grid.two",
      h("div.card",
        h("h2", "Now"),
        ["good", "running"].includes(sync.standing) ? null : h("p.words", rich(sync.in_words)),
        progress(run),
        freshness(sync),
        facts([
          ["Runs", sync.schedule],
          ["Next run", sync.next_run ? [until(sync.next_run, now), h("span.quiet", ` (${moment(sync.next_run)})`)] : run || sync.standing === "running" ? "under way" : "\u2013"],
          ["Last success", sync.last_success ? [ago(sync.last_success, now), h("span.quiet", ` (${moment(sync.last_success)})`)] : "never"],
          ["Records", count(sync.linked)],
          ["On their way", count(sync.waiting)],
          sync.in_doubt > 0 ? ["In doubt", `${count(sync.in_doubt)}: nobody answered, so they are looked up first`] : null,
          ["Refused", sync.quarantined > 0 ? h("a", { href: `/quarantine?sync=${encodeURIComponent(sync.name)}` }, counted(sync.quarantined, "row")) : "none"],
          sync.held > 0 ? ["Waiting for a yes", `${counted(sync.held, "record")} whose rows are gone: run --allow-deletes ${sync.held}`] : null,
          sync.to_read_again > 0 ? ["To be read again", counted(sync.to_read_again, "row")] : null,
          sync.binlog ? ["Binlog", `read up to ${sync.binlog.position}, ${counted(sync.binlog.lag_seconds, "second")} behind`] : null,
          ["Calls this month", count(sync.calls_this_month)],
        ])),
      h("div.card",
        h("h2", "From and to"),
        facts([
          ["Rows of", detail.source.table ? h("code", detail.source.table) : "a query"],
          ["Key", detail.source.key.length > 0 ? detail.source.key.map((column) => h("code", column, " ")) : "the table's own"],
          ["Changes by", detail.source.capture === "binlog" ? "the binlog" : detail.source.cursor ? h("code", detail.source.cursor) : "reading every row"],
          ["Table", [detail.destination.table_name ?? "not read yet", " ", h("code.quiet", detail.destination.table_id)]],
          ["Key field", detail.destination.external_id_field],
          ["Rows that are gone", { ignore: "leave their records", delete: "delete their records", archive: "archive their records" }[detail.destination.on_delete]],
        ]),
        detail.source.sql ? h("details", h("summary", detail.source.table ? "The condition" : "The query"), h("pre", { tabindex: "0" }, h("code", detail.source.sql.trim()))) : null)),
    charts(detail),
    mapping(detail),
    quarantined(detail),
    runTable(sync.runs),
  ];
}

function actions(sync) {
  const button = (action, words, tone = "plain") => h(`button.${tone}`, { "data-act": action, "data-sync": sync.name }, words);
  if (sync.standing === "disabled") return null;
  return h("div.row.actions",
    sync.paused_at ? button("resume", "Resume", "main") : button("run", "Run now", "main"),
    sync.paused_at ? null : button("pause", "Pause"),
    button("resync", "Read everything again\u2026"));
}

function stopped(sync, isOperator) {
  return h("section.banner.bad", { role: "alert" },
    h("p", h("strong", "Stopped: "), rich(sync.stopped.message), " ", h("code", sync.stopped.code)),
    h("p", rich(sync.stopped.hint)),
    isOperator ? h("button.plain", { "data-act": "run-again", "data-sync": sync.name }, "Let it go again") : null);
}

export function facts(pairs) {
  return h("dl.facts", pairs.filter(Boolean).map(([name, value]) => h("div", h("dt", name), h("dd", value))));
}

function charts(detail) {
  const runs = [...detail.summary.runs].reverse();
  const last = runs.slice(-60);
  const isLong = last.length > 0 && Date.parse(detail.now) - Date.parse(last[0].started_at) > 36 * 3_600_000;
  const written = last.map((run) => ({
    label: isLong ? dayLabel(run.started_at.slice(0, 10)) : new Date(run.started_at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }),
    title: moment(run.started_at),
    parts: [{ value: run.created, tone: "s0", name: "created" }, { value: run.updated, tone: "s1", name: "updated" }, { value: run.removed, tone: "s2", name: "removed" }, { value: run.refused, tone: "warn", name: "refused" }],
  }));
  const today = detail.now.slice(0, 10);
  const first = new Date(Date.parse(`${today}T12:00:00Z`) - 29 * 86_400_000).toISOString().slice(0, 10);
  const byDay = new Map(detail.calls.map((one) => [one.day, one.kinds]));
  const calls = days(first, today).map((day) => ({
    label: dayLabel(day),
    parts: KINDS.map(([kind, tone, name]) => ({ value: byDay.get(day)?.[kind] ?? 0, tone, name })),
  }));
  const used = KINDS.filter(([kind]) => detail.calls.some((one) => one.kinds[kind] > 0));
  return h("section.grid.two",
    h("div.card", h("h2", "Written by each run"), written.length > 0 ? stack(written, { label: `Records written by the last ${written.length} runs` }) : h("p.quiet", "No runs yet"),
      legend([["s0", "created"], ["s1", "updated"], ["s2", "removed"], ["warn", "refused"]])),
    h("div.card", h("h2", "API calls a day"), stack(calls, { label: "API calls on each of the last 30 days", unit: "calls" }),
      used.length > 0 ? legend(used.map(([, tone, name]) => [tone, name])) : h("p.small.quiet", "None in 30 days")));
}

function mapping(detail) {
  const missing = detail.fields.filter((field) => field.is_missing).length;
  const labels = new Map(detail.fields.map((field) => [field.slug, field.label]));
  const leftOut = new Set(detail.left_out.map((one) => one.slug));
  return h("section.card",
    h("div.row.spread", h("h2", "What goes where"), detail.destination.read_at ? h("span.small.quiet", `table read ${ago(detail.destination.read_at, detail.now)}`) : null),
    missing > 0 ? h("p.banner.bad", `${counted(missing, "field")} of the mapping ${missing === 1 ? "is" : "are"} not in the table any more.`) : null,
    detail.left_out.length > 0 ? h("ul.notes", { "aria-label": "Fields that are written no more" }, detail.left_out.map((one) => h("li.bad", { "data-key": `left-out ${one.slug}` }, "Written no more: ", h("strong", labels.get(one.slug) ?? one.slug), ". ", rich(one.reason)))) : null,
    detail.notes.length > 0 ? h("ul.notes", detail.notes.map((note) => h(`li.${note.is_error ? "bad" : "warn"}`, rich(note.message), " ", h("code", note.code), note.hint ? h("span.block.quiet", rich(note.hint)) : null))) : null,
    h("div.wide", { tabindex: "0", role: "region", "aria-label": "Fields and what fills them" }, h("table",
      h("thead", h("tr", ["From", "", "Field", "Type", "Written"].map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", detail.fields.map((field) => h("tr", { class: field.is_missing || leftOut.has(field.slug) ? "bad" : null },
        h("td", field.origin === "column" ? h("code", field.from) : field.origin === "expression" ? h("code.formula", field.from) : field.from),
        h("td.arrow", { "aria-hidden": "true" }, "\u2192"),
        h("td", field.label ?? h("span.quiet", "not in the table"), " ", h("code.quiet", field.slug)),
        h("td", [field.kind?.replace(/field$/, ""), field.conversion?.replace(/field$/, "")].filter(Boolean).join(", ") || "\u2013"),
        h("td", leftOut.has(field.slug) ? "no more" : { always: "always", on_create: "on create", if_empty: "if empty" }[field.write])))))),
    detail.lacking_links.length > 0 ? h("ul.notes", detail.lacking_links.map((one) => h("li.warn",
      `${counted(one.links, "link")} of ${one.field} wait for records of ${one.sync}`, one.keys.length > 0 ? h("span.block.quiet", `for example ${one.keys.join(", ")}`) : null))) : null);
}

function quarantined(detail) {
  if (detail.quarantine.length === 0) return null;
  const href = (group) => `/quarantine?sync=${encodeURIComponent(group.sync)}&code=${encodeURIComponent(group.code)}`;
  return h("section.card", h("h2", "Refused rows"),
    h("ul.plain", detail.quarantine.map((group) => h("li", h("a", { href: href(group) }, counted(group.rows, "row")), " ", h("code", group.code), group.field ? [" field ", h("code", group.field)] : null))));
}

function runTable(runs) {
  return h("section.card", h("h2", "Runs"),
    runBars(runs, { width: 720, height: 46, most: 100 }),
    runs.length === 0 ? null : h("div.wide", { tabindex: "0", role: "region", "aria-label": "The newest runs" }, h("table",
      h("thead", h("tr", ["Began", "Ended", "Took", "Read", "Created", "Updated", "Refused", "Calls"].map((title, place) => h("th", { scope: "col", class: place > 1 ? "number" : null }, title)))),
      h("tbody", runs.slice(0, 30).map((run) => h("tr", { "data-key": `run-${run.id}` },
        h("td", moment(run.started_at)),
        h("td", h(`span.pill.small.${RUN_TONES[run.status] ?? "calm"}`, h("i.dot", { "aria-hidden": "true" }), run.status), run.message ? h("span.block.small.quiet", rich(run.message)) : null),
        [took(run.duration_ms), count(run.read), count(run.created), count(run.updated), count(run.refused), count(run.calls)].map((value) => h("td.number", value))))))));
}
