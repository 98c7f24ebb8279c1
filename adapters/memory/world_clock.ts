import { FakeClock } from "./fake_clock.ts";

/** How often {@link WorldClock.through} lets everything else go on before it lets a second pass. */
const patience = 10;

/** After so many turns of waiting it also gives up the processor: other threads may need it. */
const ownTurns = 3;

/** Turns that work outside the fake time, such as a signature check, is given before time goes on without it: ten seconds and more. */
const busyTurns = 10_000;

/** Fake time that {@link WorldClock.through} lets pass before it gives up, milliseconds. */
const longestMs = 600_000;

/** A fake clock that knows of work which takes real turns but no time: it does not go on while such work runs. */
export class WorldClock extends FakeClock {
  readonly #busy = new Set<Promise<unknown>>();

  /** Holds time back until `work` is done. */
  during<T>(work: Promise<T>): Promise<T> {
    const end = (): void => void this.#busy.delete(work);
    this.#busy.add(work);
    work.then(end, end);
    return work;
  }

  /** As {@link FakeClock.settle}, and until the work that holds time back is done. */
  override async settle(): Promise<void> {
    await super.settle();
    for (let turn = 0; this.#busy.size > 0 && turn < busyTurns; turn++) {
      if (turn >= ownTurns) await yieldProcessor();
      await super.settle();
    }
  }

  /** Lets time pass, second by second, until `work` is done. @throws what `work` throws; Error after ten minutes. */
  async through<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    for (let passed = 0; passed < longestMs; passed += 1_000) {
      for (let again = 0; !done && again < patience; again++) {
        await this.settle();
        if (again >= ownTurns) await yieldProcessor();
      }
      if (done) break;
      await this.advance(1_000);
    }
    if (!done) throw new Error(`not done after ${longestMs} ms of fake time`);
    return await work;
  }
}

function yieldProcessor(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
