// Shows the page that the address says, keeps it current, and does what people ask.

import { api, follow, Problem } from "./api.js";
import { budgetPage } from "./budget.js";
import { confirm, say, sayProblem } from "./dialog.js";
import { h, show } from "./dom.js";
import { overviewPage } from "./overview.js";
import { quarantinePage } from "./quarantine.js";
import { recordPage } from "./record.js";
import { signInPage } from "./sign_in.js";
import { syncPage } from "./sync.js";
import { counted } from "./words.js";

const main = document.getElementById("main");
const PAGES = [["/", "Overview"], ["/record", "Records"], ["/quarantine", "Quarantine"], ["/budget", "Budget"]];

let session = null;
let live = { runs: {}, version: null };
let isLost = false;
let stop = null;
/** What the page in view was made from, so that it can be drawn again without asking. */
let drawn = null;
let asking = 0;

const isOperator = () => session?.role === "operator";

/** Which page the address means: its title, what it asks for, how it is drawn. */
function pageOf(url) {
  const query = Object.fromEntries(url.searchParams);
  const sync = url.pathname.match(/^\/syncs\/([^/]+)$/);
  if (sync) {
    const name = decodeURIComponent(sync[1]);
    return { title: name, nav: "/", load: async () => ({ detail: await api.sync(name) }), draw: ({ detail }) => syncPage({ detail, run: live.runs[name], isOperator: isOperator(), now: now(detail.now) }) };
  }
  switch (url.pathname) {
    case "/record":
      return {
        title: "Records", nav: "/record",
        load: async () => {
          const syncs = (await api.overview()).syncs.map((one) => one.name);
          if (!query.key) return { syncs, query };
          try {
            return { syncs, query, story: await api.record(query.sync ?? syncs[0], query.key, query.live ?? "true") };
          } catch (problem) {
            if (problem.status === 401) throw problem;
            return { syncs, query, problem };
          }
        },
        draw: (data) => recordPage({ ...data, isOperator: isOperator(), now: now() }),
      };
    case "/quarantine":
      return { title: "Quarantine", nav: "/quarantine", load: async () => ({ view: await api.quarantine(query) }), draw: ({ view }) => quarantinePage({ view, query, isOperator: isOperator(), now: now() }) };
    case "/budget":
      return { title: "Budget", nav: "/budget", load: async () => ({ budget: await api.budget() }), draw: budgetPage };
    default:
      return {
        title: "Overview", nav: "/",
        load: async () => {
          const [overview, budget] = await Promise.all([api.overview(), api.budget()]);
          return { overview, budget };
        },
        draw: ({ overview, budget }) => overviewPage({ overview: { ...overview, now: now(overview.now) }, budget, runs: live.runs }),
      };
  }
}

/** The service's time, as far as it is known: clocks of browsers may be wrong. */
let offset = 0;
function now(told) {
  if (told) offset = Math.max(offset, Date.parse(told) - Date.now());
  return new Date(Date.now() + offset).toISOString();
}

async function load({ isNew = false } = {}) {
  const page = pageOf(new URL(location.href));
  const turn = ++asking;
  chrome(page);
  try {
    const data = await page.load();
    if (turn !== asking) return;
    drawn = { page, data };
    draw();
  } catch (problem) {
    if (turn !== asking) return;
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) return signIn();
    if (problem.status === 0) return lost();
    drawn = null;
    show(main, h("section.narrow", h("h1", "This cannot be shown"), h("p.lead", problem.message), h("p.quiet", problem.hint), h("p", h("a", { href: "/" }, "Overview"))));
  }
  if (isNew) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

function draw() {
  if (drawn) show(main, drawn.page.draw(drawn.data));
}

/** The bar, the title and the foot. */
function chrome(page) {
  document.title = page ? `${page.title} \u2013 mysql-smartsuite-sync` : "mysql-smartsuite-sync";
  show(document.getElementById("nav"), session?.role ? h("ul", PAGES.map(([href, words]) => h("li", h("a", { href, "aria-current": page?.nav === href ? "page" : null }, words)))) : null);
  show(document.getElementById("who"),
    session?.role ? h("span.link", { class: isLost ? "lost" : "live" }, h("i.dot", { "aria-hidden": "true" }), isLost ? "no answer" : "live") : null,
    session?.role === "viewer" ? h("span.pill.calm", "read-only") : null,
    session?.can_sign_out ? h("button.quiet", { "data-act": "sign-out" }, "Sign out") : null);
  show(document.getElementById("foot"), session?.version ? h("p.small.quiet", `mysql-smartsuite-sync ${session.version} \u00b7 `, h("a", { href: "/api/v1/openapi.json" }, "API"), " \u00b7 ", h("a", { href: "/metrics" }, "metrics")) : null);
}

function signIn(problem) {
  stop?.();
  stop = null;
  drawn = null;
  session = { ...session, role: null };
  chrome(null);
  show(main, signInPage(problem));
  document.getElementById("token")?.focus();
}

function lost() {
  isLost = true;
  chrome(pageOf(new URL(location.href)));
}

function seen(view) {
  const isBack = isLost;
  isLost = false;
  const isChanged = live.version !== null && live.version !== view.version;
  live = view;
  if (isBack) begin();
  else if (isChanged) load();
  else draw();
}

/** Asks who is signed in, then shows the page. */
async function begin() {
  try {
    session = await api.session();
  } catch (problem) {
    if (problem.status === 0) {
      setTimeout(begin, 2000);
      return lost();
    }
    show(main, h("section.narrow", h("h1", "This cannot be shown"), h("p.lead", problem.message), h("p.quiet", problem.hint)));
    return;
  }
  if (!session.role) return signIn();
  stop ??= follow(seen, async () => {
    lost();
    // The service may have another token by now.
    const found = await api.session().catch(() => null);
    if (found && !found.role) signIn();
  });
  await load({ isNew: true });
}

function go(href) {
  history.pushState(null, "", href);
  load({ isNew: true });
}

/** Does something, says what came of it, and shows the page anew. */
async function act(work, words) {
  try {
    const done = await work();
    say(done.status === "later" ? "It is done as soon as the run under way has ended." : typeof words === "function" ? words(done) : words);
    await load();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) return signIn(problem);
    sayProblem(problem);
  }
}

const rowsOf = ({ sync, code, row }) => (sync || code || row ? { sync, code, key: row } : { all: true });
const rowsWords = ({ row, count }) => (row ? "the row" : count ? counted(count, "row") : "every row");

const ACTIONS = {
  run: ({ sync }) => act(() => api.run(sync, false), `${sync} runs now`),
  pause: ({ sync }) => act(() => api.pause(sync), `${sync} is paused`),
  resume: ({ sync }) => act(() => api.resume(sync), `${sync} runs again`),
  "read-again": ({ sync, row }) => act(() => api.resync(sync, [row]), "The row is read again"),
  "run-again": async ({ sync }) => {
    const yes = await confirm({ title: `Let ${sync} go again?`, text: ["It was stopped because too much was refused. Mend what it says first, or it stops again.", "Refused rows are tried, too."], yes: "Let it go" });
    if (yes) await act(() => api.run(sync, true), `${sync} runs now`);
  },
  resync: async ({ sync }) => {
    const yes = await confirm({ title: `Read everything of ${sync} again?`, text: ["Every row is read and compared, whatever the position says. Rows that did not change cost no call.", "Use it when something changed that the cursor column does not show."], yes: "Read everything" });
    if (yes) await act(() => api.resync(sync, null), `${sync} reads everything`);
  },
  "retry-rows": (rows) => act(() => api.retryRows(rowsOf(rows)), (done) => `${counted(done.rows ?? 0, "row")} tried again now`),
  "drop-rows": async (rows) => {
    const yes = await confirm({ title: `Forget ${rowsWords(rows)}?`, text: ["Records stay as they are. A row is taken up again when it changes or when everything is read."], yes: "Forget", tone: "danger" });
    if (yes) await act(() => api.dropRows(rowsOf(rows)), (done) => `${counted(done.rows ?? 0, "row")} forgotten`);
  },
  "sign-out": async () => {
    await api.signOut().catch(() => null);
    signIn();
  },
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (button) {
    button.disabled = true;
    try {
      await ACTIONS[button.dataset.act]?.({ ...button.dataset });
    } finally {
      button.disabled = false;
    }
    return;
  }
  const link = event.target.closest("a[href^='/']");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || link.pathname.startsWith("/api/") || link.pathname === "/metrics") return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.submit) return;
  event.preventDefault();
  const given = Object.fromEntries(new FormData(form));
  if (form.dataset.submit === "record") {
    go(`/record?${new URLSearchParams({ sync: given.sync, key: given.key.trim(), live: given.live ?? "false" })}`);
    return;
  }
  try {
    session = await api.signIn(given.token.trim());
    await begin();
  } catch (problem) {
    signIn(problem);
  }
});

addEventListener("resize", draw);
addEventListener("popstate", () => load({ isNew: true }));
// Times in words grow old by themselves.
setInterval(draw, 10_000);
begin();
