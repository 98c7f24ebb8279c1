import { writeSync } from "node:fs";
import process from "node:process";

/** Where in its work a process ends itself, or has itself ended. */
export const killPoints = [
  "before commit",
  "inside commit",
  "after commit",
  "before reply",
  "before ack",
] as const;

/** One of {@link killPoints}. */
export type KillPoint = (typeof killPoints)[number];

/** Those that a store reaches without a node around it. */
export const storePoints: readonly KillPoint[] = ["before commit", "inside commit", "after commit"];

/** A point of death, or none: then the process is killed from outside at any time. */
export type KillTime = KillPoint | "any time";

/** Exit code of a process that lost its store: on a busy machine, a lease may run out. */
export const leaseLostExit = 3;

/** What a process says of its end. */
export interface LastWords {
  /** It is at the point, and gone the moment after. */
  readonly dying?: KillPoint;
  /** It is at the point and stays there, to be killed from outside. */
  readonly lingers?: KillPoint;
}

/** Ends its own process, as `kill -9` would, when it passes a point for the n-th time. */
export class KillSwitch {
  readonly #time: KillTime;
  #left: number;
  #armed = false;

  /** @param passing how often the point is passed before it is the end. */
  constructor(time: KillTime, passing: number) {
    this.#time = time;
    this.#left = passing;
  }

  /** From now on, passing the point counts. */
  arm(): void {
    this.#armed = true;
  }

  /** Whether this is the time to die; asked once each time that the point is passed. */
  isDue(point: KillPoint): boolean {
    return this.#armed && this.#time === point && this.#left-- <= 0;
  }

  /** Ends the process. */
  die(point: KillPoint): Promise<never> {
    say({ dying: point } satisfies LastWords);
    process.kill(process.pid, "SIGKILL");
    // The signal may take a moment; nothing more may happen in it.
    return new Promise(() => {});
  }

  /** Asks to be killed from outside while it is about to be busy. */
  linger(point: KillPoint): void {
    say({ lingers: point } satisfies LastWords);
  }
}

/** Prints a line at once, so that nothing said is lost with the process. */
export function say(line: object): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) rest = rest.subarray(writeSome(rest));
}

/** The pipe does not block: it is full while the reader is busy. */
function writeSome(bytes: Buffer): number {
  try {
    return writeSync(1, bytes);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}
