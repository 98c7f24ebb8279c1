import type { Logger } from "../../ports/logger.ts";
import { faultOf, type GuestFault } from "../fault.ts";
import type { LiveEntry } from "./live_entry.ts";

/** How often instances of one guest were ended, by what. */
export type FaultCounts = Readonly<Partial<Record<GuestFault, number>>>;

/** Logs and counts what ends the instances of one guest. */
export class FaultLog<Scope> {
  readonly #log: Logger;
  readonly #counts: Partial<Record<GuestFault, number>> = {};

  constructor(log: Logger) {
    this.#log = log;
  }

  /** All that were noted. */
  get counts(): FaultCounts {
    return { ...this.#counts };
  }

  /** `entry` has ended its instance. */
  note({ name, context }: LiveEntry<Scope>, error: unknown): void {
    const fault = faultOf(error) ?? "trapped";
    this.#counts[fault] = (this.#counts[fault] ?? 0) + 1;
    const { requestId } = context;
    this.#log.error("guest.fault", { fault, entry: name, request_id: requestId, error });
  }
}
