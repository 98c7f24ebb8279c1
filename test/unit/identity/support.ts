import type { IssuedIdentity } from "../../../src/identity/issued_identity.ts";
import type { LogAttributes, Logger, LogLevel } from "../../../src/ports/logger.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";

/** One event that a {@link RecordingLogger} kept. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly event: string;
  readonly attributes: LogAttributes;
}

/** A log that keeps what it is told. */
export class RecordingLogger implements Logger {
  readonly records: LogRecord[];
  readonly #attributes: LogAttributes;

  constructor(records: LogRecord[] = [], attributes: LogAttributes = {}) {
    this.records = records;
    this.#attributes = attributes;
  }

  enabled(): boolean {
    return true;
  }

  trace(event: string, attributes?: LogAttributes): void {
    this.#keep("trace", event, attributes);
  }

  debug(event: string, attributes?: LogAttributes): void {
    this.#keep("debug", event, attributes);
  }

  info(event: string, attributes?: LogAttributes): void {
    this.#keep("info", event, attributes);
  }

  warn(event: string, attributes?: LogAttributes): void {
    this.#keep("warn", event, attributes);
  }

  error(event: string, attributes?: LogAttributes): void {
    this.#keep("error", event, attributes);
  }

  with(attributes: LogAttributes): Logger {
    return new RecordingLogger(this.records, { ...this.#attributes, ...attributes });
  }

  /** Levels of the records of one event, in order. */
  levels(event: string): LogLevel[] {
    return this.records.filter((record) => record.event === event).map(({ level }) => level);
  }

  #keep(level: LogLevel, event: string, attributes: LogAttributes = {}): void {
    this.records.push({ level, event, attributes: { ...this.#attributes, ...attributes } });
  }
}

/** A promise with its handles. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** A promise that a test settles. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** A signal that nobody aborts. */
export const never: AbortSignal = new AbortController().signal;

/** An identity with serial `serial` whose credential and token live for `lifeMs` from `nowMs` on. */
export function issued(
  serial: bigint,
  nowMs: number,
  options: { readonly lifeMs?: number; readonly tokenLifeMs?: number } = {},
): IssuedIdentity & { readonly renewalToken: Uint8Array<ArrayBuffer> } {
  const type = { manufacturer: "acme", name: "Echo", version: "1.0.0" };
  const id = { realm: 1001, serial, type };
  const { lifeMs = 3_600_000, tokenLifeMs = 86_400_000 } = options;
  return {
    id,
    idText: formatActrId(id),
    credential: {
      keyId: 1,
      claims: new Uint8Array([1]),
      signature: new Uint8Array(64),
    },
    credentialExpiresAtMs: nowMs + lifeMs,
    renewalToken: new Uint8Array(32).fill(5),
    renewalTokenExpiresAtMs: nowMs + tokenLifeMs,
    heartbeatIntervalMs: 30_000,
    signingKey: { id: 1, publicKey: new Uint8Array(32).fill(9) },
  };
}
