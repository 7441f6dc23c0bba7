// Why a record is as it is: from the row to what was done.

import { h, rich } from "./dom.js";
import { facts } from "./sync.js";
import { ago, moment } from "./words.js";

const STANDINGS = { waiting: "waits to be sent", sending: "is being sent", indoubt: "is in doubt: nobody answered, and it is looked up", quarantined: "is in quarantine", held: "is held until somebody agrees" };
const LINKS = { held: "", gone: "its row is gone, and it is kept", missing: "it was found missing: its id is looked up before it is created again", leftmissing: "it was found missing, and is left so" };
const TONES = { created: "good", updated: "good", found: "busy", deleted: "warn", archived: "warn", missing: "warn", refused: "bad", unanswered: "warn" };

export function recordPage({ syncs, query, story, problem, isOperator, now }) {
  return [
    h("section", h("h1", "Why is a record as it is?"), h("p.lead", "Give the key of a row. You see the row, what it becomes, and everything that was done to its record.")),
    h("form.card.row.search", { "data-submit": "record", role: "search", "data-key": "record-form" },
      h("label.stack", "Sync", h("select", { name: "sync" }, syncs.map((name) => h("option", { value: name, selected: name === query.sync }, name)))),
      h("label.stack.grow", "Key", h("input", { name: "key", required: true, value: query.key ?? "", placeholder: "42", autocomplete: "off", spellcheck: "false" })),
      h("label.check", h("input", { type: "checkbox", name: "live", value: "true", checked: query.live !== "false" }), "read the row, too"),
      h("button.main", { type: "submit" }, "Look")),
    problem ? h("p.banner.bad", { role: "alert" }, problem.message, h("span.block.quiet", problem.hint)) : null,
    story ? shown(story, isOperator, now) : null,
  ];
}

function shown(story, isOperator, now) {
  const known = story.link || story.entries.length > 0 || story.effects.length > 0 || story.source?.found;
  if (!known) return h("p.card", { role: "status" }, "Nobody knows this key. Is it spelled as in the database?");
  return [
    h("section.head.row.spread",
      h("h2", `${story.sync} `, h("code", story.key)),
      isOperator ? h("button.plain", { "data-act": "read-again", "data-sync": story.sync, "data-row": story.key }, "Read this row again") : null),
    h("ol.story",
      story.source ? h("li.card", h("h3", "The row"), source(story.source)) : null,
      story.source?.becomes || story.source?.fault || (story.source && !story.source.fits) ? h("li.card", h("h3", "What it becomes"), becomes(story.source)) : null,
      h("li.card", h("h3", "Its record"), link(story, now)),
      h("li.card", h("h3", "What waits"), entries(story, now)),
      h("li.card", h("h3", "What was done"), effects(story, now))),
  ];
}

function source(side) {
  if (side.error) return h("p.problem", "It could not be read ", h("code", side.error));
  if (!side.found) return h("p", "The query yields no row with this key.");
  return values(side.row);
}

function becomes(side) {
  if (side.fault) return [h("p.problem", rich(side.fault.message), " ", h("code", side.fault.code)), h("p.quiet", rich(side.fault.hint))];
  if (!side.fits) return h("p.problem", "The mapping does not fit the table.");
  return [values(side.becomes), side.next_run ? h("p", h("strong", "The next run: "), side.next_run) : null];
}

export function values(object) {
  if (!object) return h("p.quiet", "Not kept");
  const text = (value) => (value === null ? h("span.quiet", "empty") : inWords(value) || h("code", JSON.stringify(value)));
  return facts(Object.entries(object).map(([name, value]) => [name, text(value)]));
}

/** A value as people read it: of what has parts the texts, which say all but flags and kinds. */
function inWords(value) {
  if (Array.isArray(value)) return value.map(inWords).filter(Boolean).join(", ");
  if (value === null || typeof value !== "object") return value === null ? "" : String(value);
  const texts = Object.values(value).filter((part) => part !== null && typeof part !== "number" && typeof part !== "boolean");
  return texts.map((part) => (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(part) ? part.replace("T", " ").replace("Z", " UTC") : inWords(part))).filter(Boolean).join(" ");
}

function link(story, now) {
  const held = story.link;
  if (!held) return h("p", "None is linked.");
  return [
    facts([
      ["Record", h("code", held.record)],
      ["Comes from", held.created_here ? "created by this tool" : "found by its external id"],
      ["Linked", [ago(held.since, now), h("span.quiet", ` (${moment(held.since)})`)]],
      ["Holds", held.fingerprint ? [h("code.break", held.fingerprint), h("span.quiet", ` since ${moment(held.updated_at)}`)] : "not known for sure: its row is compared or sent again"],
      ["External id", h("code", story.external_id)],
    ]),
    LINKS[held.standing] ? h("p.problem", LINKS[held.standing]) : null,
    story.read_again ? h("p", "Its row is read again by the next run.") : null,
    story.look_again_at ? h("p", `It is looked at once more after ${moment(story.look_again_at)}.`) : null,
  ];
}

function entries(story, now) {
  if (story.entries.length === 0) return h("p.quiet", "Nothing.");
  return story.entries.map((entry) => h("div",
    h("p", `${entry.gone ? "A deletion" : "A draft"} read ${ago(entry.since, now)} ${STANDINGS[entry.standing] ?? entry.standing}${entry.refusals > 0 ? `, refused ${entry.refusals} times` : ""}.`),
    entry.fault ? [h("p.problem", rich(entry.fault.message), " ", h("code", entry.fault.code)), h("p.quiet", rich(entry.fault.hint))] : null,
    entry.fields ? h("details", h("summary", "What is to be written"), values(entry.fields)) : null));
}

function effects(story, now) {
  if (story.effects.length === 0) return h("p.quiet", "Nothing is remembered.");
  return h("ol.timeline", story.effects.map((effect) => h("li", h(`i.dot.${TONES[effect.kind] ?? "calm"}`, { "aria-hidden": "true" }),
    h("div", h("p", h("strong", effect.kind), effect.code ? [" ", h("code", effect.code)] : null, h("span.quiet", ` ${ago(effect.at, now)} \u00b7 ${moment(effect.at)}`)),
      effect.fields.length > 0 ? h("p.small", effect.fields.join(", ")) : null,
      effect.run ? h("p.small.quiet", `run ${effect.run}${effect.call ? `, call ${effect.call}` : ""}`) : null))));
}
