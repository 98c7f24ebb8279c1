import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { wasmGuestHost } from "../../src/guest/wasm/wasm_host.ts";
import { guestHostConformance } from "../conformance/guest_host.ts";
import { guestComponent } from "../fixtures/guests/guest_component.ts";

guestHostConformance("components, inline", async () => ({
  host: wasmGuestHost({ clock: systemClock(), random: systemRandom() }),
  probe: { kind: "wasm", binary: await guestComponent("probe") },
  [Symbol.asyncDispose]: async () => {},
}));
