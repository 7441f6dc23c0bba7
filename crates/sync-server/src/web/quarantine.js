// Rows that could not be written: by reason, one by one, with what to do.

import { h, rich } from "./dom.js";
import { addressOf } from "./overview.js";
import { values } from "./record.js";
import { ago, count, counted, until } from "./words.js";

export function quarantinePage({ view, query, isOperator, now }) {
  const total = view.groups.reduce((sum, group) => sum + group.rows, 0);
  const isNarrow = Boolean(query.sync || query.code || query.key);
  return [
    h("section", h("h1", total === 0 ? "No row is refused" : `${counted(total, "row")} refused`),
      h("p.lead", total === 0 ? "Every row that was read is in SmartSuite or on its way." : "They wait with their reasons while all others go on. They are tried again by themselves: when the row or the mapping changes, and at longer and longer intervals.")),
    total === 0 ? null : h("section.card", h("h2", "By reason"), h("ul.groups", view.groups.map((group) => groupOf(group, query, isOperator)))),
    view.rows.length === 0 && isNarrow ? h("p.card", "No row is meant by this. ", h("a", { href: "/quarantine" }, "Show all")) : null,
    view.rows.length === 0 ? null : h("section",
      h("div.row.spread", h("h2", isNarrow ? [[query.sync, query.code, query.key].filter(Boolean).join(" \u00b7 "), " ", h("a.small", { href: "/quarantine" }, "show all")] : "Rows"),
        isOperator && !isNarrow ? h("span.row", rowsButton("retry", "Try all again", {}), rowsButton("drop", "Forget all\u2026", {})) : null),
      h("div.rows", view.rows.map((row) => rowOf(row, isOperator, now)))),
    Object.entries(view.next).map(([sync, after]) => h("p", h("a", { href: `/quarantine?${new URLSearchParams({ ...query, sync, after })}` }, `More of ${sync}`))),
  ];
}

function rowsButton(verb, words, { sync, code, key, rows }, tone = "plain") {
  return h(`button.${tone}`, { "data-act": `${verb}-rows`, "data-sync": sync, "data-code": code, "data-row": key, "data-count": rows }, words);
}

function groupOf(group, query, isOperator) {
  const isMeant = query.sync === group.sync && query.code === group.code;
  const href = `/quarantine?${new URLSearchParams({ sync: group.sync, code: group.code })}`;
  return h("li", { "data-key": `${group.sync} ${group.code} ${group.field}` },
    h("a.group", { href, "aria-current": isMeant ? "true" : null }, h("b", count(group.rows)), h("span", h("code", group.code), h("span.block.small.quiet", group.sync, group.field ? ` \u00b7 field ${group.field}` : ""))),
    isOperator ? h("span.row", rowsButton("retry", "Try again", group), rowsButton("drop", "Forget\u2026", group)) : null);
}

function rowOf(row, isOperator, now) {
  const story = `/record?${new URLSearchParams({ sync: row.sync, key: row.key })}`;
  return h("article.card.refused", { "data-key": `${row.sync} ${row.key}`, "aria-label": `${row.sync} ${row.key}` },
    h("header.row.spread", h("h3", h("a", { href: addressOf(row.sync) }, row.sync), " ", h("code", row.key)), h("code.tag", row.code)),
    h("p.words", row.field ? [h("strong", row.field), ": "] : null, rich(row.reason)),
    h("p.quiet", rich(row.hint)),
    h("details", h("summary", "What was to be written"), values(row.values)),
    h("footer.row.spread.small",
      h("span.quiet", `${row.attempts > 0 ? `refused ${counted(row.attempts, "time")} \u00b7 ` : ""}read ${ago(row.since, now)} \u00b7 next try ${until(row.next_try, now)}`),
      h("span.row", h("a", { href: story }, "Its story"),
        isOperator ? [rowsButton("retry", "Try again", row), rowsButton("drop", "Forget\u2026", row)] : null)));
}
