import type { Mender, MenderParts } from "./mender.ts";

/** How long the side that answers waits for signaling, and then to be offered a restart, milliseconds (`spec/transport.md` §6.8). */
const askingMs = 5_000;

/** The side that answered: asks once, as soon as signaling lets it, and waits for the offer. */
export class RestartRequests implements Mender {
  readonly #parts: MenderParts;

  constructor(parts: MenderParts) {
    this.#parts = parts;
  }

  async run(): Promise<boolean> {
    const { bell, signaling, connected, completed, act } = this.#parts;
    const wasConnected = connected();
    const healed = (): boolean => !wasConnected && connected();
    await bell.until(() => signaling() || healed(), askingMs);
    if (healed()) return true;
    await act().catch(() => {}); // Signaling is down: the offerer may notice by itself.
    await bell.until(completed, askingMs);
    return connected();
  }
}
