// The server's clock, by the dates of its answers: the reader's own may be wrong.
import { facts } from "./page.js";

const UNITS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const ROUNDED_UP = 0.85; // as the server writes it: 52 seconds are a minute

// By how many milliseconds the server's clock is ahead of ours: between these two.
let least = -Infinity;
let most = Infinity;

// The present by the server's clock, in milliseconds since the epoch.
export function now() {
  return Date.now() + (most === Infinity ? 0 : (least + most) / 2);
}

// Sets the clock by the answer to a request sent at `sent`, by our own clock.
export function learn(answer, sent) {
  set(Date.parse(answer.headers.get("Date")), sent);
}

// How long ago a moment was, in words.
export function ago(moment) {
  const seconds = Math.max(1, Math.floor((now() - moment) / 1000));
  const [unit, size] = UNITS.find(([, size]) => seconds / size >= ROUNDED_UP);
  return new Intl.RelativeTimeFormat(locale()).format(-Math.max(1, Math.round(seconds / size)), unit);
}

// A moment on the clocks of the server's time zone: the time of day alone when it is today's.
export function clockTime(moment) {
  const zone = { timeZone: facts().timezone };
  const day = new Intl.DateTimeFormat("en-CA", zone);
  const of = day.format(moment) === day.format(now()) ? {} : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(locale(), { ...zone, ...of, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(moment);
}

export function start() {
  if (facts() && !isFromStore()) set(Date.parse(facts().now), Date.now() - performance.now() + loading().requestStart);
  setInterval(tick, 1000);
}

// Whether the page was loaded as the browser had kept it: then it shows a moment long past.
export function isFromStore() {
  return !loading()?.transferSize;
}

function loading() {
  return performance.getEntriesByType("navigation")[0];
}

// A date has whole seconds: it was true at some moment between sending and now. Every answer narrows
// the difference, and one that contradicts the others is right: a clock was set.
function set(date, sent) {
  if (Number.isNaN(date)) return;
  const [low, high] = [date - Date.now(), date + 1000 - sent];
  const agrees = Math.max(least, low) <= Math.min(most, high);
  least = agrees ? Math.max(least, low) : low;
  most = agrees ? Math.min(most, high) : high;
}

function tick() {
  if (!document.hidden) document.dispatchEvent(new Event("second"));
}

function locale() {
  return facts().language === "es" ? "es-CL" : "en";
}
