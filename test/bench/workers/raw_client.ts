/** The baseline's client: bare `ws`, one connection, callbacks only. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { closedLoop, type LoadPlan, type LoadResult } from "../load.ts";
import { rawEchoes } from "../raw_load.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

interface Question extends LoadPlan {
  readonly kind?: "stream";
}

/** Where our links stop, too. */
const highWaterBytes = 1024 * 1024;
const sent = Promise.resolve();

const { port } = workerSetup<{ readonly port: number }>();
const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
await new Promise((resolve) => socket.once("open", resolve));

function echo(plan: LoadPlan): Promise<LoadResult> {
  const answers = (answered: () => void): (() => void) => {
    socket.on("message", answered);
    return () => void socket.off("message", answered);
  };
  return rawEchoes({ send: (body) => socket.send(body), answers }, plan);
}

/** Sends without answers, one after the other while the socket holds little; an echo behind the last one tells that all came. */
function stream(plan: LoadPlan): Promise<LoadResult> {
  const body = new Uint8Array(plan.bytes);
  const send = (): Promise<void> => {
    if (socket.bufferedAmount <= highWaterBytes) {
      socket.send(body);
      return sent;
    }
    return new Promise((resolve) => socket.send(body, () => resolve()));
  };
  const last = async (): Promise<void> => {
    socket.send(Uint8Array.of(1));
    await once(socket, "message");
  };
  return closedLoop(send, { ...plan, inFlight: 1 }, last);
}

function ask(plan: Question): Promise<LoadResult> {
  return plan.kind === "stream" ? stream(plan) : echo(plan);
}

await workerLoop({ ready: null, ask, close: async () => socket.terminate() });
