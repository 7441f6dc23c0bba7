// Questions before what cannot be taken back, and short messages about what was done.

import { h, rich } from "./dom.js";

/** Asks. Resolves to whether the answer was yes. */
export function confirm({ title, text, yes, tone }) {
  const dialog = h("dialog.ask", { "aria-labelledby": "ask-title" },
    h("h2", { id: "ask-title" }, title),
    text.map((words) => h("p", words)),
    h("form.row", { method: "dialog" },
      h("button", { value: "no" }, "Cancel"),
      h(`button.${tone ?? "main"}`, { value: "yes", autofocus: true }, yes)));
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
  });
}

/** Says something for a while. */
export function say(text, tone = "good", hint = "") {
  const toast = h(`div.toast.${tone}`, h("p", rich(text)), hint ? h("p.quiet", rich(hint)) : null);
  document.getElementById("toasts").append(toast);
  setTimeout(() => toast.remove(), tone === "bad" ? 12_000 : 5_000);
}

export function sayProblem(problem) {
  say(problem.message, "bad", problem.hint);
}
