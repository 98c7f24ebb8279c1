import { Bell } from "./bell.ts";
import type { Mender, MenderParts } from "./mender.ts";

/** How long the side that answers waits for signaling, and then to be offered a restart, milliseconds (`spec/transport.md` §6.8). */
const askingMs = 5_000;

/** The side that answered: asks once, as soon as signaling lets it, and waits for the offer. */
export class RestartRequests implements Mender {
  readonly #parts: MenderParts;
  readonly #bell: Bell;
  #running: Promise<boolean> | undefined;
  #answered = false;

  constructor(parts: MenderParts) {
    this.#parts = parts;
    this.#bell = new Bell(parts.clock);
  }

  mend(): Promise<boolean> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  changed(): void {
    this.#bell.ring();
  }

  exchanged(): void {
    this.#answered = true;
    this.#bell.ring();
  }

  requested(): void {} // Only the side that offered restarts.

  end(): void {
    this.#bell.silence();
  }

  async #run(): Promise<boolean> {
    const { signaling, connected, act } = this.#parts;
    const wasConnected = connected();
    const healed = (): boolean => !wasConnected && connected();
    await this.#bell.until(() => signaling() || healed(), askingMs);
    if (healed()) return true;
    this.#answered = false;
    await act().catch(() => {}); // Signaling is down: the offerer may notice by itself.
    await this.#bell.until(() => this.#answered && connected(), askingMs);
    return connected();
  }
}
