import type { GuestIsolation } from "../../src/guest.ts";
import type { GuestKind } from "../../src/ports/guest_host.ts";
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

async function guest(run: Run, kind: GuestKind, isolation: GuestIsolation): Promise<void> {
  const shapes = [1, 64].map((inFlight) => ({ inFlight, bytes, kind: "calls" }));
  const named = ({ inFlight }: { readonly inFlight: number }): string =>
    `${kind} ${isolation} ${inFlight}x1KB`;
  const wanted = shapes.filter((shape) => run.wants(named(shape)));
  if (wanted.length === 0) return;
  const { profile } = run.options;
  const script = "workers/memory.ts";
  // A worker is a second thread: it may have the second core.
  const core = isolation === "inline" ? { core: 1 } : {};
  const setup = { guest: { kind, isolation } };
  const isolated = await run.start({ script, ...core, setup, profileTo: profile });
  const linked = await run.start({ script, ...core });
  for (const shape of wanted) {
    await run.measure(
      "W12",
      named(shape),
      loadOf(run, isolated, shape),
      loadOf(run, linked, shape),
    );
  }
}
