/** Clients of actors, or of a bare server: `ws` connections that send frames made beforehand, callbacks only. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { LoadMeter, type LoadPlan, type LoadResult } from "../load.ts";
import { ageOf } from "../room.ts";
import { quantile } from "../statistics.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

/** Where clients connect. */
interface Setup {
  readonly port: number;
  /** Whether it is a bare server: the same frames, without the opening ones. */
  readonly raw?: boolean;
}

interface Question extends LoadPlan {
  /** Connections, each with its share of what is in flight. */
  readonly connections: number;
  /** Actors that the connections are spread over. */
  readonly actors: number;
  readonly name: string;
  readonly action?: string;
  /** Only opens the connections, for events. */
  readonly listen?: string;
  /** What was heard since the last question: a message and its age, of each connection. */
  readonly heard?: true;
  /** Runs the action once on each connection, one after the other. */
  readonly each?: true;
  /** Reads how far the actor's counter has come. */
  readonly count?: true;
}

const { port, raw = false } = workerSetup<Setup>();
let sockets: WebSocket[] = [];
let opened = "";
let heard = 0;
let ages: number[] = [];
/** One in so many connections looks at the time. */
const watchEvery = 25;

async function connect(name: string, key: number, listen: string | undefined): Promise<WebSocket> {
  const path = `gateway/${name}/connect?rvt-method=getOrCreate&rvt-key=${listen ? "all" : key}`;
  const url = `ws://127.0.0.1:${port}/${raw ? "" : path}`;
  const protocols = raw ? [] : ["rivet", "rivet_encoding.json"];
  const socket = new WebSocket(url, protocols, { perMessageDeflate: false });
  socket.on("error", () => {});
  await once(socket, raw ? "open" : "message");
  return socket;
}

/** Opens what is asked for, unless it is open. */
async function open({ name, connections, actors, listen }: Question): Promise<void> {
  const wanted = JSON.stringify([name, connections, actors, listen]);
  if (wanted === opened) return;
  for (const socket of sockets) socket.terminate();
  opened = wanted;
  sockets = [];
  for (let n = 0; n < connections; n += 1) sockets.push(await connect(name, n % actors, listen));
  if (listen !== undefined) for (const [n, socket] of sockets.entries()) hear(socket, n, listen);
}

function hear(socket: WebSocket, n: number, eventName: string): void {
  const watches = n % watchEvery === 0;
  socket.on("message", (data: Buffer) => {
    heard += 1;
    if (watches) ages.push(ageOf(data));
  });
  const val = { eventName, subscribe: true };
  if (!raw) socket.send(JSON.stringify({ body: { tag: "SubscriptionRequest", val } }));
}

function request(action: string): string {
  const val = { id: ["$BigInt", "1"], name: action, args: [1] };
  return JSON.stringify({ body: { tag: "ActionRequest", val } });
}

/** A closed loop over all connections; on each, answers come in the order of their requests. A connection that ends ends the loop. */
function load({ inFlight, ms, action = "" }: Question): Promise<LoadResult> {
  const meter = new LoadMeter(ms);
  const frame = request(action);
  const each = inFlight / sockets.length;
  let open = inFlight;
  return new Promise((resolve) => {
    const ends = sockets.map((socket) => {
      const starts = new Float64Array(each);
      let oldest = 0;
      const answered = (): void => {
        const now = performance.now();
        if (meter.add(starts[oldest] ?? now, now)) {
          starts[oldest] = now;
          socket.send(frame);
        } else open -= 1;
        oldest = (oldest + 1) % each;
        if (open === 0) end();
      };
      const end = (): void => {
        for (const forget of ends) forget();
        resolve(meter.result());
      };
      socket.on("message", answered);
      socket.on("close", end);
      for (let index = 0; index < each; index += 1) {
        starts[index] = performance.now();
        socket.send(frame);
      }
      return () => {
        socket.off("message", answered);
        socket.off("close", end);
      };
    });
  });
}

async function each({ action = "" }: Question): Promise<LoadResult> {
  const meter = new LoadMeter(0);
  const frame = request(action);
  for (const socket of sockets) {
    const began = performance.now();
    socket.send(frame);
    await once(socket, "message");
    meter.add(began, performance.now());
  }
  return meter.result();
}

function takeHeard(): { readonly heard: number; readonly p99: number } {
  const sorted = Float64Array.from(ages).sort();
  const taken = { heard, p99: quantile(sorted, 0.99) };
  heard = 0;
  ages = [];
  return taken;
}

async function count(): Promise<number> {
  const [socket] = sockets;
  if (socket === undefined) return 0;
  socket.send(request("count"));
  const [data] = (await once(socket, "message")) as [Buffer];
  return (JSON.parse(String(data)) as { body: { val: { output: number } } }).body.val.output;
}

async function ask(question: Question): Promise<unknown> {
  if (question.heard) return takeHeard();
  await open(question);
  if (question.count) return await count();
  if (question.each) return await each(question);
  if (question.listen !== undefined) return null;
  return await load(question);
}

await workerLoop({ ready: null, ask, close: async () => {} });
