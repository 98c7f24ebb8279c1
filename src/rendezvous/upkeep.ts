import type { Timer } from "../ports/clock.ts";
import type { Ais } from "./ais/ais.ts";
import { nowSeconds } from "./ais/issue.ts";

/** Pause between two looks at keys and realms, milliseconds: other servers on the store may have changed them. */
const refreshIntervalMs = 60_000;
/** Pause between two clean-ups of what can no longer be used, milliseconds. */
const cleanUpIntervalMs = 3_600_000;

/** Keeps an identity service in step with its store: keys change in time, realms as others changed them, and nothing stays for ever. */
export class Upkeep implements AsyncDisposable {
  readonly #ais: Ais;
  readonly #loops: readonly Loop[];

  /** Begins at once. */
  constructor(ais: Ais) {
    this.#ais = ais;
    this.#loops = [
      new Loop(ais, "refresh", refreshIntervalMs, () => refresh(ais)),
      new Loop(ais, "clean_up", cleanUpIntervalMs, () => cleanUp(ais)),
    ];
  }

  /** Sees what other servers on the store have changed, before the next look. @throws ActrError `storage`. */
  refresh(): Promise<void> {
    return refresh(this.#ais);
  }

  /** Stops, and waits for what is under way. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}

/** Work that is done again and again, with a pause after each time; what it throws is logged. */
class Loop {
  readonly #ais: Ais;
  readonly #name: string;
  readonly #pauseMs: number;
  readonly #work: () => Promise<void>;
  #working: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(ais: Ais, name: string, pauseMs: number, work: () => Promise<void>) {
    this.#ais = ais;
    this.#name = name;
    this.#pauseMs = pauseMs;
    this.#work = work;
    this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#working;
  }

  #run(): void {
    this.#working = this.#once().then(() => this.#pause());
  }

  async #once(): Promise<void> {
    try {
      await this.#work();
    } catch (error) {
      this.#ais.log.warn(`rendezvous.ais.${this.#name}_failed`, { error });
    }
  }

  #pause(): void {
    if (this.#stopped) return;
    const { clock } = this.#ais;
    this.#timer = clock.timer(clock.now() + this.#pauseMs, () => this.#run());
  }
}

async function refresh({ keys, realms }: Ais): Promise<void> {
  await Promise.all([keys.maintain(), realms.refresh()]);
}

async function cleanUp(ais: Ais): Promise<void> {
  const { log, options, registrations, nonces } = ais;
  const seconds = Math.ceil(Math.max(options.credentialTtlMs, options.reissueMs) / 1000);
  const expired = await registrations.expire(nowSeconds(ais) - seconds);
  log.debug("rendezvous.ais.cleaned", { expired, nonces: await nonces.expire() });
}
