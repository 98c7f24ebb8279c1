import type { GuestIsolation } from "../../src/guest.ts";
import type { GuestKind } from "../../src/ports/guest_host.ts";
import type { BenchGuest } from "./bench_guest.ts";
import type { Run } from "./run.ts";
import { loadOf } from "./w8.ts";

const kinds: readonly GuestKind[] = ["wasm", "script"];
const isolations: readonly GuestIsolation[] = ["inline", "worker"];
const bytes = 1024;

/** Calls that a guest echoes, beside the same calls that a service in the node echoes; both over the memory transport. */
export async function w12(run: Run): Promise<void> {
  for (const kind of kinds) {
    for (const isolation of isolations) await guest(run, kind, isolation);
  }
}

/** One core for both threads of a worker measures what a hop costs; two cores add what it costs to wake the other one. */
async function guest(run: Run, kind: GuestKind, isolation: GuestIsolation): Promise<void> {
  await measured(run, { kind, isolation }, { core: 1 }, "");
  if (isolation === "worker") await measured(run, { kind, isolation }, {}, ", two cores");
}

async function measured(
  run: Run,
  guest: BenchGuest,
  place: { readonly core?: number },
  suffix: string,
): Promise<void> {
  const shapes = [1, 64].map((inFlight) => ({ inFlight, bytes, kind: "calls" }));
  const named = ({ inFlight }: { readonly inFlight: number }): string =>
    `${guest.kind} ${guest.isolation} ${inFlight}x1KB${suffix}`;
  const wanted = shapes.filter((shape) => run.wants(named(shape)));
  if (wanted.length === 0) return;
  const { profile } = run.options;
  const script = "workers/memory.ts";
  const isolated = await run.start({ script, ...place, setup: { guest }, profileTo: profile });
  const linked = await run.start({ script, ...place });
  for (const shape of wanted) {
    await run.measure(
      "W12",
      named(shape),
      loadOf(run, isolated, shape),
      loadOf(run, linked, shape),
    );
  }
}
