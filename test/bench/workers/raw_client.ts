/** The baseline's client: bare `ws`, one connection, callbacks only. */
import { WebSocket } from "ws";
import { LoadMeter, type LoadPlan, type LoadResult } from "../load.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const { port } = workerSetup<{ readonly port: number }>();
const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
await new Promise((resolve) => socket.once("open", resolve));

/** Echoes come back in order, so the oldest start belongs to the next answer. */
function ask({ inFlight, bytes, ms }: LoadPlan): Promise<LoadResult> {
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

await workerLoop({ ready: null, ask, close: async () => socket.terminate() });
