import type { Context } from "../context.ts";

/** One method that this node serves, blind to message types. */
export interface Route {
  /** `package.Service.Method`. */
  readonly key: string;
  /** Whether a call is put on disk before it counts as accepted. */
  readonly durable: boolean;
  /** Decodes, handles and encodes. Plain values stay plain, so that a synchronous handler costs no promise. */
  handle(payload: Uint8Array, context: Context): Uint8Array | Promise<Uint8Array>;
}

/** The node's methods by route key. */
export type RouteTable = ReadonlyMap<string, Route>;
