// The page of the showcase: every button is one request, and the list at the end shows what came back.

const at = (id) => document.getElementById(id);
const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text, ...more });

let socket = null;

function log(text) {
  at("log").prepend(element("li", text));
}

async function ask(method, path, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(path, { method, headers, body: JSON.stringify(body), cache: "no-store" });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : null;
  const said = response.ok ? "" : ` ${answer?.code ?? answer?.title ?? ""}`;
  log(`${method} ${path} → ${response.status}${said}`);
  return { ok: response.ok, answer };
}

async function look() {
  const visitor = (await ask("GET", "/")).answer;
  at("who").textContent = visitor.authenticated ? `You are ${visitor.user_id}.` : "You are not logged in.";
  const { cart } = (await ask("GET", "/cart")).answer;
  at("items").replaceChildren(...Object.entries(cart).map(([item, count]) => element("li", `${count} × ${item}`)));
  await devices(visitor.authenticated);
}

async function devices(known) {
  const listed = known ? await ask("GET", "/sessions") : { ok: false };
  at("sessions").replaceChildren(...(listed.ok ? listed.answer.map(device) : []));
}

function device(session) {
  const row = document.createElement("tr");
  const agent = session.user_agent ?? "unknown";
  row.append(element("th", agent + (session.current ? " (this one)" : ""), { scope: "row" }));
  const when = (text) => new Date(text).toLocaleTimeString();
  row.append(element("td", session.policy));
  row.append(element("td", when(session.created_at)), element("td", when(session.last_seen_at)));
  const end = element("button", "Log out", { type: "button" });
  end.setAttribute("aria-label", `Log out ${agent}, since ${when(session.created_at)}`);
  end.addEventListener("click", () => run(() => ask("DELETE", `/sessions/${session.handle}`)));
  const cell = document.createElement("td");
  cell.append(end);
  row.append(cell);
  return row;
}

function connect() {
  if (socket && socket.readyState <= WebSocket.OPEN) return;
  socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
  const state = (text) => { at("socket-state").textContent = text; };
  state("Opening…");
  socket.addEventListener("open", () => state("The socket is open."));
  socket.addEventListener("message", (event) => log(`socket → ${event.data}`));
  socket.addEventListener("close", (event) => {
    state(event.code === 1006 ? "The socket was refused or cut." : `The socket was closed: ${event.code} ${event.reason}`);
    run(() => {});
  });
}

function send(frame) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(frame);
  else log("socket: open it first");
}

async function run(step) {
  try {
    await step();
    await look();
  } catch (error) {
    log(`no answer: ${error.message}`);
  }
}

function on(id, event, step) {
  at(id).addEventListener(event, (fired) => {
    fired.preventDefault();
    run(() => step(fired.target));
  });
}

const value = (form, name) => form.elements[name].value;
on("login", "submit", (form) => ask("POST", "/login", {
  email: value(form, "email"), password: value(form, "password"), remember: form.elements.remember.checked,
}));
on("reauth", "submit", (form) => ask("POST", "/reauth", { password: value(form, "password") }));
on("logout", "click", () => ask("POST", "/logout"));
on("rotate", "click", () => ask("POST", "/rotate"));
on("delete", "click", () => ask("POST", "/account/delete"));
on("add", "submit", (form) => ask("POST", "/cart/add", {
  item_id: value(form, "product"), quantity: Number(value(form, "quantity")),
}));
on("visit", "click", async () => {
  const { ok, answer } = await ask("POST", "/visits");
  at("visits").textContent = ok ? `${answer.visits} so far` : "";
});
on("refresh", "click", () => {});
on("others", "click", () => ask("POST", "/sessions/revoke-others"));
on("everywhere", "click", () => ask("POST", "/sessions/revoke-all"));
at("open").addEventListener("click", connect);
for (const button of document.querySelectorAll(".frame")) {
  button.addEventListener("click", () => send(button.dataset.frame));
}
run(() => {});
