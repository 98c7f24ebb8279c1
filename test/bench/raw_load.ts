import { LoadMeter, type LoadPlan, type LoadResult } from "./load.ts";

/** One open connection to something that echoes, in order. */
export interface RawEcho {
  send(body: Uint8Array): void;
  /** Has each answer told until the result is called. */
  answers(answered: () => void): () => void;
}

/** A closed loop without promises. Echoes come back in order, so the oldest start belongs to the next answer. */
export function rawEchoes(
  { send, answers }: RawEcho,
  { inFlight, bytes, ms }: LoadPlan,
): Promise<LoadResult> {
  const body = new Uint8Array(bytes).fill(0x78);
  const starts = new Float64Array(inFlight);
  const meter = new LoadMeter(ms);
  let oldest = 0;
  let open = inFlight;
  return new Promise((resolve) => {
    const stop = answers(() => {
      const now = performance.now();
      if (meter.add(starts[oldest] ?? now, now)) {
        starts[oldest] = now;
        send(body);
      } else open -= 1;
      oldest = (oldest + 1) % inFlight;
      if (open > 0) return;
      stop();
      resolve(meter.result());
    });
    for (let index = 0; index < inFlight; index += 1) {
      starts[index] = performance.now();
      send(body);
    }
  });
}
