// What the pages ask the service. Every answer is JSON; what is not done comes as an error with a code and a hint.

export class Problem extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.hint = error.hint;
  }
}

async function ask(method, path, body) {
  const options = { method, headers: { accept: "application/json" }, credentials: "same-origin" };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Problem(0, { code: "unreachable", message: "the service does not answer", hint: "it may be restarting; this page tries again by itself" });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Problem(response.status, answer.error ?? { code: "unknown", message: `the service answered ${response.status}`, hint: "" });
  }
  return answer;
}

const part = encodeURIComponent;

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given).toString();
  return text ? `?${text}` : "";
}

export const api = {
  session: () => ask("GET", "/api/v1/session"),
  signIn: (token) => ask("POST", "/api/v1/session", { token }),
  signOut: () => ask("DELETE", "/api/v1/session"),
  overview: () => ask("GET", "/api/v1/overview"),
  budget: () => ask("GET", "/api/v1/budget"),
  sync: (sync) => ask("GET", `/api/v1/syncs/${part(sync)}`),
  record: (sync, key, live) => ask("GET", `/api/v1/syncs/${part(sync)}/record${query({ key, live })}`),
  quarantine: (filter) => ask("GET", `/api/v1/quarantine${query(filter)}`),
  run: (sync, retry) => ask("POST", `/api/v1/syncs/${part(sync)}/run`, { retry }),
  pause: (sync) => ask("POST", `/api/v1/syncs/${part(sync)}/pause`, {}),
  resume: (sync) => ask("POST", `/api/v1/syncs/${part(sync)}/resume`, {}),
  resync: (sync, keys) => ask("POST", `/api/v1/syncs/${part(sync)}/resync`, keys ? { keys } : {}),
  retryRows: (rows) => ask("POST", "/api/v1/quarantine/retry", rows),
  dropRows: (rows) => ask("POST", "/api/v1/quarantine/drop", rows),
};

/** Follows what happens now. `seen` gets each view, `lost` is called when the service does not answer. */
export function follow(seen, lost) {
  let source = null;
  let again = null;
  const open = () => {
    source = new EventSource("/api/v1/live");
    source.onmessage = (event) => seen(JSON.parse(event.data));
    source.onerror = () => {
      lost();
      // A refusal ends the source for good; a broken connection does not, but one way for both is enough.
      source.close();
      again = setTimeout(open, 2000);
    };
  };
  open();
  return () => {
    clearTimeout(again);
    source.close();
  };
}
