// Charts as SVG. Each says in words what it shows, and each bar what it is.

import { h } from "./dom.js";
import { count, day, RUN_TONES, took } from "./words.js";

const round = (number) => Math.round(number * 100) / 100;

/** The newest runs as bars, the newest at the right: as high as they took long, coloured by how they ended. */
export function runBars(runs, { width = 240, height = 34, most = 40 } = {}) {
  const shown = runs.slice(0, most).reverse();
  if (shown.length === 0) return h("p.quiet.small", "No runs yet");
  const step = width / most;
  // A logarithm, so that one first load does not make all others invisible.
  const size = (run) => Math.log10(10 + (run.duration_ms ?? 0));
  const top = Math.max(...shown.map(size), 3);
  const bars = shown.map((run, place) => {
    const high = Math.max(4, ((size(run) - 0.7) / (top - 0.7)) * height);
    const words = `${run.status}, ${took(run.duration_ms)}, ${count(run.read)} read, ${count(run.created + run.updated)} written`;
    return h("rect", { class: `fill-${RUN_TONES[run.status] ?? "calm"}`, x: round((most - shown.length + place) * step + 0.75), y: round(height - high), width: round(step - 1.5), height: round(high), rx: 1.5 }, h("title", words));
  });
  // Places of runs that are yet to come, so that few runs look like few and not like a broken chart.
  const empty = Array.from({ length: most - shown.length }, (_, place) => h("rect.track", { x: round(place * step + 0.75), y: height - 4, width: round(step - 1.5), height: 4, rx: 1.5 }));
  const failed = shown.filter((run) => run.status === "failed").length;
  const label = `The last ${shown.length} runs: ${failed === 0 ? "none failed" : `${failed} failed`}`;
  return h("svg.runs", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, preserveAspectRatio: "none" }, empty, bars);
}

/** Widths that keep letters at their size: of a card that has half of the page, and of one that has all of it. */
const fitting = (most) => Math.max(280, Math.min(most, innerWidth - 76));
export const half = () => fitting(540);
export const full = () => fitting(1120);

/** Round numbers for an axis that ends at or above `top`. */
function ticks(top) {
  if (top <= 0) return [0, 1];
  const rough = top / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough));
  const all = [];
  for (let value = 0; value < top + step; value += step) all.push(value);
  return all;
}

/**
 * Stacked columns. `columns`: [{label, title, parts: [{value, tone, name}]}]; `line`: a value that the columns are
 * held against, with its name.
 */
export function stack(columns, { label, width = half(), height = 190, line = null, unit = "" } = {}) {
  const left = 46;
  const bottom = 22;
  const total = (column) => column.parts.reduce((sum, one) => sum + one.value, 0);
  const most = Math.max(...columns.map(total), 1);
  // A line far above them would leave the columns too small to read, and is not drawn.
  const marks = ticks(line && line.value <= 4 * most ? Math.max(line.value, most) : most);
  const top = marks[marks.length - 1];
  const y = (value) => round(8 + (height - 8) * (1 - value / top));
  const step = (width - left) / Math.max(columns.length, 1);
  const gap = Math.min(step * 0.3, 6);
  const grid = marks.map((mark) => h("g",
    h("line.grid", { x1: left, x2: width, y1: y(mark), y2: y(mark) }),
    h("text.axis", { x: left - 8, y: y(mark) + 4, "text-anchor": "end" }, short(mark))));
  const every = Math.ceil((columns.length * 62) / (width - left));
  const bars = columns.map((column, place) => {
    let base = 0;
    const wide = Math.min(step - gap, 36);
    const x = round(left + place * step + (step - wide) / 2);
    const parts = column.parts.filter((one) => one.value > 0).map((one) => {
      const from = base;
      base += one.value;
      return h("rect", { class: `fill-${one.tone}`, x, y: y(base), width: round(Math.max(1, wide)), height: round(Math.max(0.5, y(from) - y(base))) });
    });
    const words = column.parts.filter((one) => one.value > 0).map((one) => `${one.name} ${count(one.value)}`);
    const title = `${column.title ?? column.label}: ${words.length > 0 ? words.join(", ") : "none"}${unit && words.length > 0 ? ` ${unit}` : ""}`;
    const shows = (columns.length - 1 - place) % every === 0;
    return h("g.column",
      h("title", title),
      h("rect.hit", { x: round(left + place * step), y: 0, width: round(step), height }),
      parts,
      shows ? h("text.axis", { x: round(x + wide / 2), y: height + 16, "text-anchor": "middle" }, column.label) : null);
  });
  const held = line && line.value <= top
    ? h("g", h("line.mark", { x1: left, x2: width, y1: y(line.value), y2: y(line.value) }),
      h("text.axis", { x: width - 4, y: y(line.value) - 5, "text-anchor": "end" }, line.name))
    : null;
  return h("svg.chart", { viewBox: `0 0 ${width} ${height + bottom}`, role: "img", "aria-label": label }, grid, bars, held);
}

function short(value) {
  if (value >= 1_000_000) return `${round(value / 1_000_000)}M`;
  if (value >= 10_000) return `${round(value / 1_000)}k`;
  return count(value);
}

/** What the colours mean. */
export function legend(entries) {
  return h("ul.legend", entries.map(([tone, name]) => h("li", h(`i.swatch.back-${tone}`, { "aria-hidden": "true" }), name)));
}

/** How much of a whole: `value` of `most`, with words beside it for those who cannot see it. */
export function meter(value, most, { tone = "good", label, mark = null } = {}) {
  const share = most > 0 ? Math.min(1, value / most) : 0;
  return h("svg.meter", { viewBox: "0 0 200 8", role: "img", "aria-label": label, preserveAspectRatio: "none" },
    h("rect.track", { width: 200, height: 8 }),
    h("rect", { class: `fill-${tone}`, width: round(Math.max(share * 200, value > 0 ? 3 : 0)), height: 8 }),
    mark === null ? null : h("rect.notch", { x: round(Math.min(1, mark / most) * 200 - 1), width: 2, height: 8 }));
}

/** Days from `from` to `to`, both inclusive, as text. */
export function days(from, to) {
  const all = [];
  for (let at = Date.parse(`${from}T12:00:00Z`); at <= Date.parse(`${to}T12:00:00Z`); at += 86_400_000) {
    all.push(new Date(at).toISOString().slice(0, 10));
  }
  return all;
}

export const dayLabel = day;

/** The tones that tell syncs apart. */
export const SERIES = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"];
