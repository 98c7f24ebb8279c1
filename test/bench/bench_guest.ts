import { readFile } from "node:fs/promises";
import { inlineGuests } from "../../adapters/guest/inline_guests.ts";
import { workerGuests } from "../../adapters/guest/worker_guests.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { GuestQuota } from "../../src/guest/life/quota.ts";
import { packPackage } from "../../src/guest/package/pack.ts";
import { verifyPackage } from "../../src/guest/package/verify.ts";
import { type GuestRuntime, guestRuntime } from "../../src/guest/workload/guest_runtime.ts";
import type { GuestDefinition, GuestIsolation } from "../../src/guest.ts";
import { defineNode, type NodeDefinition } from "../../src/mod.ts";
import type { GuestKind } from "../../src/ports/guest_host.ts";
import { utf8 } from "../../src/protocol/bytes.ts";
import { importSigningKey } from "../../src/protocol/signing_key.ts";
import { echoRoute } from "./bench_service.ts";

/** How the echo of a benchmark is isolated. */
export interface BenchGuest {
  readonly kind: GuestKind;
  readonly isolation: GuestIsolation;
}

const script = "defineWorkload({ dispatch: (envelope) => envelope.payload });";
/** From the root, where workers run: bundled ones lie elsewhere. */
const component = "test/fixtures/guests/echo.wasm";

/** A node whose workload is a guest that answers with what it is sent; requests with different numbers in field 2 may be in it at once. */
export async function guestNode({ kind, isolation }: BenchGuest): Promise<NodeDefinition> {
  const methods = {
    [echoRoute]: { conflictKey: { field: { number: 2, kind: "uint32" } } },
  } as const;
  const guest: GuestDefinition = {
    package: await packaged(kind),
    isolation,
    methods,
    registersAs: "linked",
  };
  return defineNode({ guest });
}

/** Runs guests of either isolation. */
export function benchGuests(): GuestRuntime {
  const clock = systemClock();
  return guestRuntime({
    quota: new GuestQuota(),
    host: (isolation) => (isolation === "worker" ? workerGuests(clock) : inlineGuests(clock)),
  });
}

async function packaged(kind: GuestKind): Promise<GuestDefinition["package"]> {
  const key = await importSigningKey(systemRandom().bytes(32));
  const type = { manufacturer: "bench", name: "Echo", version: "1.0.0" };
  const parts =
    kind === "wasm"
      ? { type, target: "wasm32-wasip2", binary: new Uint8Array(await readFile(component)) }
      : { type, target: "roost-script", binary: utf8(script) };
  return await verifyPackage(await packPackage(parts, key), key.publicKey);
}
