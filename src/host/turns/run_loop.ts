import type { Timer } from "../../ports/clock.ts";
import type { Instance } from "../instance.ts";
import { RunContext } from "./run_context.ts";

/** Pauses before `run` begins again after it failed, milliseconds; they double. */
const firstPauseMs = 100;
const longestPauseMs = 30_000;
/** Having gone on for so long, it begins with the first pause again. */
const healthyMs = 60_000;

/** The background handler of an actor: begun when it wakes, and again, later and later, whenever it fails. */
export class RunLoop {
  readonly #instance: Instance;
  #pauseMs = firstPauseMs;
  #timer: Timer | undefined;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  start(): void {
    const { kind, work, components, stopping, saving } = this.#instance;
    const { run } = kind.definition;
    if (typeof run !== "function" || stopping.aborted) return;
    const { clock } = components;
    const beganAt = clock.monotonic();
    work.begin("run");
    const context = new RunContext(this.#instance);
    const running = (async () => await saving.within(() => run(context)))();
    saving.watch();
    running.then(
      () => {
        context.end();
        saving.save();
        work.end("run");
      },
      (error: unknown) => {
        context.end();
        saving.save();
        work.end("run");
        if (!stopping.aborted) this.#again(error, clock.monotonic() - beganAt);
      },
    );
  }

  close(): void {
    this.#timer?.cancel();
  }

  #again(error: unknown, wentOnMs: number): void {
    const { clock } = this.#instance.components;
    if (wentOnMs >= healthyMs) this.#pauseMs = firstPauseMs;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    this.#instance.report(error, "run");
    this.#timer = clock.timer(clock.now() + pauseMs, () => this.start());
  }
}
