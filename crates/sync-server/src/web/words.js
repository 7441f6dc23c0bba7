// Numbers and times in words.

export const count = (number) => Number(number).toLocaleString("en-US");

export function counted(number, noun) {
  return `${count(number)} ${noun}${Number(number) === 1 ? "" : "s"}`;
}

/** `8 s`, `4 min`, `3 h`, `2 days`. */
export function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.round(whole / 60)} min`;
  if (whole < 48 * 3600) {
    const hours = Math.floor(whole / 3600);
    const minutes = Math.round((whole % 3600) / 60);
    return minutes > 0 && hours < 10 ? `${hours} h ${minutes} min` : `${hours} h`;
  }
  return `${Math.round(whole / 86400)} days`;
}

export function took(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "\u2013";
  if (milliseconds < 1000) return `${milliseconds} ms`;
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return length(milliseconds / 1000);
}

const seconds = (from, to) => (Date.parse(to) - Date.parse(from)) / 1000;

export function ago(at, now) {
  if (!at) return "never";
  const passed = seconds(at, now);
  return passed < 2 ? "now" : `${length(passed)} ago`;
}

export function until(at, now) {
  const left = seconds(now, at);
  return left <= 1 ? "now" : `in ${length(left)}`;
}

/** The moment in the reader's own zone. */
export function moment(at) {
  return new Date(at).toLocaleString("en-GB", { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function day(text) {
  return new Date(`${text}T12:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}

export const STANDINGS = {
  good: ["In step", "good"],
  running: ["Running", "busy"],
  new: ["New", "calm"],
  warning: ["Needs a look", "warn"],
  failed: ["Failed", "bad"],
  stopped: ["Stopped", "bad"],
  paused: ["Paused", "calm"],
  disabled: ["Disabled", "calm"],
};

export const RUN_TONES = { success: "good", partial: "warn", failed: "bad", interrupted: "calm", running: "busy" };

export const PHASES = {
  connecting: "connecting to the database",
  reading: "reading rows",
  looking_at_table: "looking at the table",
  looking_up: "looking up records",
  sending: "sending",
  paused: "waiting: SmartSuite asked for a pause",
};
