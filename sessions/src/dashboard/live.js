// Puts events on top of the table as they happen. Everything is text: nothing of an event becomes markup.
"use strict";
const live = document.getElementById("live");
const state = document.getElementById("live-state");
const count = document.getElementById("live-count");
const pause = document.getElementById("live-pause");
const rows = document.querySelector("#events tbody");
const MOST = 500;
let waiting = [];
let shown = 0;
let dropped = 0;
let isPaused = false;
let announce = 0;

const cell = (name, ...content) => {
  const cell = document.createElement(name);
  if (name === "th") cell.scope = "row";
  cell.append(...content);
  return cell;
};
const foreign = (text) => {
  const element = document.createElement("bdi");
  element.textContent = text;
  return element;
};
const link = (page, query, ...content) => {
  const element = document.createElement("a");
  element.href = `${live.dataset[page]}?${new URLSearchParams(query)}`;
  element.append(...content);
  return element;
};
const code = (text) => {
  const element = document.createElement("code");
  element.textContent = text;
  return element;
};
const party = (of) => (of ? [foreign(of.kind), ":", foreign(of.id ?? "")] : []);

const row = (event) => {
  const of = event.principal?.id === undefined ? undefined : event.principal;
  const handle = event.handle && code(event.handle);
  const session = handle && of ? link("session", { ...of, handle: event.handle }, handle) : handle;
  const time = document.createElement("time");
  time.dateTime = event.time;
  time.textContent = event.time.slice(0, 19).replace("T", " ");
  const more = [
    event.count,
    event.fault,
    event.request && `request ${event.request}`,
    event.peer && `from ${event.peer}`,
    event.detail,
  ];
  const row = document.createElement("tr");
  row.className = event.severity;
  row.dataset.id = event.id;
  row.append(
    cell("td", time),
    cell("th", event.event),
    cell("td", event.policy ?? ""),
    cell("td", session ?? ""),
    cell("td", of ? link("sessions", of, ...party(of)) : (event.principal?.kind ?? "")),
    cell("td", event.reason ?? ""),
    cell("td", ...party(event.by)),
    cell("td", more.filter((part) => part !== undefined).join(" ")),
  );
  return row;
};

const told = () => {
  announce = 0;
  const lost = dropped > 0 ? ` ${dropped} were dropped, because this page was too slow.` : "";
  const held = isPaused ? ` ${waiting.length} wait.` : "";
  count.textContent = `${shown} new since the page was opened.${held}${lost}`;
};
// Once a second at most, so that a screen reader can follow.
const tell = () => {
  announce ||= setTimeout(told, 1000);
};

const show = (event) => {
  rows.querySelector(".none")?.remove();
  rows.prepend(row(event));
  while (rows.children.length > MOST) rows.lastElementChild.remove();
  shown += 1;
};

const source = new EventSource(live.dataset.stream);
source.onopen = () => {
  state.textContent = "Connected: what happens is shown at once.";
  pause.hidden = false;
};
source.onerror = () => {
  state.textContent =
    source.readyState === EventSource.CLOSED
      ? "The stream has ended: load the page again."
      : "The connection is lost and made anew. What happens meanwhile is shown when the page is loaded again.";
};
source.onmessage = (message) => {
  const event = JSON.parse(message.data);
  if (event.event === "session_events_dropped") dropped += event.count ?? 1;
  const { event: kind, policy } = live.dataset;
  if ((kind && kind !== event.event) || (policy && policy !== event.policy)) return;
  if (isPaused) {
    waiting.push(event);
    if (waiting.length > MOST) {
      waiting.shift();
      dropped += 1;
    }
  } else {
    show(event);
  }
  tell();
};
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  if (!isPaused) {
    waiting.forEach(show);
    waiting = [];
  }
  tell();
});
