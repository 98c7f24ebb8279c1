/** The baseline of durable actions: counters in one SQLite file, behind a bare `ws` server, with a group commit by hand. */
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { LoadMeter, type LoadPlan, type LoadResult } from "../load.ts";
import { openRawSqlite } from "../raw_sqlite.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const { file, rows = 1 } = workerSetup<{
  readonly file: string;
  /** Of one bare commit. */
  readonly rows?: number;
}>();
const { database, binding } = await openRawSqlite(file);
database.exec("CREATE TABLE counter (id INTEGER PRIMARY KEY, state BLOB NOT NULL)");
const begin = database.prepare("BEGIN IMMEDIATE");
const commit = database.prepare("COMMIT");
const put = database.prepare("INSERT OR REPLACE INTO counter VALUES (?, ?)");

let waiting: { readonly id: number; readonly socket: WebSocket }[] = [];
const counts: number[] = [];

function write(id: number): number {
  const count = (counts[id] ?? 0) + 1;
  counts[id] = count;
  put.run(id, new Uint8Array(16).fill(count));
  return count;
}

/** All that came in one turn of the event loop is one transaction; its answers leave after it. */
function turn(): void {
  const batch = waiting;
  waiting = [];
  begin.run();
  const answers = batch.map(({ id, socket }) => ({ socket, count: write(id) }));
  commit.run();
  for (const { socket, count } of answers) socket.send(`{"output":${count}}`);
}

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
let connections = 0;
server.on("connection", (socket) => {
  const id = connections++;
  socket.on("message", () => {
    if (waiting.length === 0) setImmediate(turn);
    waiting.push({ id, socket });
  });
});
await new Promise((resolve) => server.once("listening", resolve));

interface Question extends LoadPlan {
  /** Sets so many timers of the runtime, each with a commit of its own when it fires; how late each was. */
  readonly alarms?: { readonly count: number; readonly inMs: number; readonly spreadMs: number };
}

function ring({ count, inMs, spreadMs }: NonNullable<Question["alarms"]>): Promise<number[]> {
  const from = Date.now() + inMs;
  const late: number[] = [];
  return new Promise((resolve) => {
    const fire = (due: number): void => {
      late.push(Date.now() - due);
      begin.run();
      write(0);
      commit.run();
      if (late.length === count) resolve(late);
    };
    for (let n = 0; n < count; n += 1) {
      const due = Math.round(from + (spreadMs * n) / count);
      setTimeout(fire, due - Date.now(), due);
    }
  });
}

/** Bare commits of so many rows, one after the other. */
function commits({ ms }: LoadPlan): LoadResult {
  const meter = new LoadMeter(ms);
  for (let began = performance.now(), more = true; more; ) {
    begin.run();
    for (let row = 0; row < rows; row += 1) write(rows === 1 ? 0 : counts.length);
    commit.run();
    const now = performance.now();
    more = meter.add(began, now);
    began = now;
  }
  return meter.result();
}

async function ask(question: Question): Promise<unknown> {
  return question.alarms === undefined ? commits(question) : await ring(question.alarms);
}

const { port } = server.address() as AddressInfo;
await workerLoop({ ready: { port, binding }, ask, close: async () => server.close() });
