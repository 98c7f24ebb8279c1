/** The baseline's client: bare `ws`, one connection, callbacks only. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { closedLoop, LoadMeter, type LoadPlan, type LoadResult } from "../load.ts";
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

/** Echoes come back in order, so the oldest start belongs to the next answer. */
function echo({ inFlight, bytes, ms }: LoadPlan): Promise<LoadResult> {
  const body = new Uint8Array(bytes).fill(0x78);
  const starts = new Float64Array(inFlight);
  const meter = new LoadMeter(ms);
  let oldest = 0;
  let open = inFlight;
  return new Promise((resolve) => {
    const answered = (): void => {
      const now = performance.now();
      if (meter.add(starts[oldest] ?? now, now)) {
        starts[oldest] = now;
        socket.send(body);
      } else open -= 1;
      oldest = (oldest + 1) % inFlight;
      if (open > 0) return;
      socket.off("message", answered);
      resolve(meter.result());
    };
    socket.on("message", answered);
    for (let index = 0; index < inFlight; index += 1) {
      starts[index] = performance.now();
      socket.send(body);
    }
  });
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
