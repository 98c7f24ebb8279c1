/** A point on the globe, degrees. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** What is known of one candidate; absent means unknown. */
export interface Candidate {
  /** ServiceAvailabilityState, 0 (full) to 3 (unavailable). */
  readonly availability?: number | undefined;
  /** ServiceDependencyState, 0 (healthy) to 2 (broken). */
  readonly dependency?: number | undefined;
  readonly powerReserve?: number | undefined;
  /** Share of the mailbox in use, 0 to 1. */
  readonly backlog?: number | undefined;
  /** Fingerprint of the service that it offers. */
  readonly fingerprint?: string | undefined;
  readonly position?: Position | undefined;
  /** Texts of the ActrIds that it wants to go on serving. */
  readonly stickyClients?: ReadonlySet<string> | undefined;
}

/** Who asks, as far as ranking cares. */
export interface Asker {
  /** Text of its ActrId. */
  readonly id: string;
  readonly fingerprint: string;
  readonly position?: Position | undefined;
}
