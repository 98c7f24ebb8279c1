import type { KillTime } from "./kill_switch.ts";

/** What a node with actors is started with. */
export interface HostNodeOptions {
  readonly driver: string;
  readonly location: string;
  readonly port: number;
  readonly time: KillTime;
  /** How often the point of its end is passed before, once it is ready. */
  readonly passing: number;
  readonly leaseMs: number;
}

/** What such a node says: its store is open; it serves. */
export interface HostLine {
  readonly opened?: object;
  readonly ready?: object;
}

/** What an actor has done for one entry: how often, and how much it had done in all by then. */
export interface Noted {
  readonly times: number;
  readonly position: number;
}

/** What an actor has counted: entries, and messages and schedules that were handed out again. */
export interface Totals {
  readonly count: number;
  readonly again: number;
}

/** Keys of the actors. */
export const actorKeys: readonly string[] = ["a", "b", "c", "d"];
