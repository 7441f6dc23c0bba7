// Signing in by a token.

import { h, rich } from "./dom.js";

export function signInPage(problem) {
  return h("section.narrow",
    h("h1", "Sign in"),
    h("p.lead", "These pages show rows and start syncs, so they ask for a token: the operators', or the viewers' to look only."),
    h("form.card.stack", { "data-submit": "sign-in", "data-key": "sign-in" },
      h("label", { for: "token" }, "Token"),
      h("input", { id: "token", name: "token", type: "password", required: true, autocomplete: "current-password", "aria-describedby": problem ? "token-problem" : null, "aria-invalid": problem ? "true" : null }),
      problem ? h("p.problem", { id: "token-problem", role: "alert" }, `${problem.message}. `, h("span.quiet", rich(problem.hint))) : null,
      h("button.main", { type: "submit" }, "Sign in")),
    h("p.quiet", "It is the value of SYNC_OPERATOR_TOKEN or SYNC_VIEWER_TOKEN where the service runs."));
}
