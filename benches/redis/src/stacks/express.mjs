// express-session with connect-redis, as their documentation has it. Arguments: the port of the Redis server.
import express from "express";
import session from "express-session";
import { RedisStore } from "connect-redis";
import { createClient } from "redis";

const client = createClient({ url: `redis://127.0.0.1:${process.argv[2]}` });
await client.connect();
const app = express();
app.disable("x-powered-by");
let users = 0;

app.get("/cpu", (_, answer) => {
  const { user, system } = process.cpuUsage();
  answer.send(String((user + system) * 1000));
});
app.use(session({
  store: new RedisStore({ client, ttl: 604800 }),
  secret: "a secret of the benches",
  resave: false,
  saveUninitialized: false,
}));
const ok = (answer) => answer.set({ vary: "cookie", "cache-control": "no-store" }).send("ok");
app.get("/read", (request, answer) => {
  if (request.session.user_id === undefined || request.session.n === undefined) return answer.sendStatus(401);
  ok(answer);
});
app.post("/set", (request, answer) => {
  if (request.session.n === undefined) return answer.sendStatus(401);
  request.session.n += 1;
  ok(answer);
});
app.post("/login", (request, answer, next) => {
  request.session.regenerate((error) => {
    if (error) return next(error);
    Object.assign(request.session, { user_id: `u${users++}`, theme: "dark", lang: "en", tz: "Europe/London", n: 0 });
    ok(answer);
  });
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
