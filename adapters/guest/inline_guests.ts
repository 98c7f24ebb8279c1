import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type GuestHostLoaders, inlineGuestHost } from "../../src/guest/inline_host.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { GuestHost } from "../../src/ports/guest_host.ts";
import { systemRandom } from "../system_random.ts";

/** Runs guests in this thread; what each kind needs is loaded with the first of it. */
export function inlineGuests(clock: Clock): GuestHost {
  const loaders: GuestHostLoaders = {
    async wasm() {
      const { wasmGuestHost } = await import("../../src/guest/wasm/wasm_host.ts");
      return wasmGuestHost({ clock, random: systemRandom() });
    },
    async script() {
      const { scriptGuestHost } = await import("../../src/guest/script/script_host.ts");
      return scriptGuestHost({ clock, quickJs });
    },
  };
  return inlineGuestHost(loaders);
}

/** QuickJS's WebAssembly file, wherever the package is installed. */
function quickJs(): Promise<Uint8Array> {
  const { resolve } = createRequire(import.meta.url);
  return readFile(resolve("@jitl/quickjs-wasmfile-release-sync/wasm"));
}
