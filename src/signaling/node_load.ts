import { ServiceAvailabilityState } from "../protocol/schema.ts";

/** How busy the node is. */
export interface NodeLoad {
  /** Share of the mailbox in use, 0 to 1. */
  readonly backlog: number;
  /** 1 (none left) to 5 (idle); absent when it is not known. */
  readonly powerReserve?: number;
}

/** The load as a heartbeat reports it. */
export interface ReportedLoad {
  readonly availability: ServiceAvailabilityState;
  readonly powerReserve: number;
  readonly mailboxBacklog: number;
}

/** Floors of power and ceilings of backlog, both exclusive, best state first (`spec/node.md` §15.1). */
const bounds = [
  [ServiceAvailabilityState.FULL, 4.2, 0.5],
  [ServiceAvailabilityState.DEGRADED, 3, 0.8],
  [ServiceAvailabilityState.OVERLOADED, 1.8, 0.95],
] as const;

/** Brings a load into range and grades it. What is unknown counts as idle, so that a node that cannot measure is not taken for a dead one. */
export function reportLoad(load: NodeLoad | undefined): ReportedLoad {
  const powerReserve = clamp(load?.powerReserve ?? 5, 1, 5);
  const mailboxBacklog = clamp(load?.backlog ?? 0, 0, 1);
  const grade = bounds.find(
    ([, power, backlog]) => powerReserve > power && mailboxBacklog < backlog,
  );
  return {
    availability: grade?.[0] ?? ServiceAvailabilityState.UNAVAILABLE,
    powerReserve,
    mailboxBacklog,
  };
}

function clamp(value: number, low: number, high: number): number {
  return Number.isNaN(value) ? low : Math.min(high, Math.max(low, value));
}
