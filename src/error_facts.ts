/** What may be done about an error: `transient` may be retried, `client` is the caller's fault, `corrupt` goes to the dead letters, `internal` is ours. */
export type ErrorKind = "transient" | "client" | "corrupt" | "internal";

/** What a code means wherever an error goes. */
export interface ErrorFacts {
  readonly kind: ErrorKind;
  /** RpcEnvelope error code (`spec/protocol.md` §11.1); local codes travel as their nearest relative. */
  readonly wire: number;
  /** Begins the display text, as other Actr peers show and send it. */
  readonly prefix: string;
}
