import type { KillTime } from "./kill_switch.ts";

/** What a ledger is started with. */
export interface LedgerNodeOptions {
  readonly driver: string;
  readonly location: string;
  readonly port: number;
  /** Base address of the identity service. */
  readonly identity: string;
  readonly time: KillTime;
  /** How often the point of its end is passed before, once it is ready. */
  readonly passing: number;
  readonly leaseMs: number;
}

/** What a ledger says. */
export interface LedgerLine {
  /** Its store is open, with so many claimed messages of the process before. */
  readonly opened?: { readonly recovered: number };
  readonly ready?: { readonly id: string };
}

/** Begins the ids of requests, so that their answers are told from everything else that is sent. */
export const requestPrefix = "ledger-request-";
