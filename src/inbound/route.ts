import type { Context } from "../context.ts";
import type { ResolvedRule } from "../protocol/acl.ts";
import type { Reply } from "../reply.ts";
import type { KeyOf } from "./conflict_key.ts";
import type { InboundMessage } from "./message.ts";

/** An encoded answer, or none yet. */
export type Handled = Uint8Array | undefined;

/** What a route is given of a request beside payload and context. */
export interface Request {
  readonly message: Pick<InboundMessage, "envelope" | "link" | "answered" | "arrivedAt" | "row">;
  /** Tells the node of what fails after the answer. */
  report(thrown: unknown): void;
}

/** One method that this node serves, blind to message types. */
export interface Route {
  /** `package.Service.Method`. */
  readonly key: string;
  /** Whether a call is put on disk before it counts as accepted. */
  readonly durable: boolean;
  /** Who may call, where that is not as for the node's other routes. */
  readonly rules?: readonly ResolvedRule[];
  /** The key of a call, which waits for others of the same key; without one, every call runs alone. */
  readonly keyOf?: KeyOf;
  /** Whether a call runs in the middle of the handler that waits for it. */
  readonly reentrant?: boolean;
  /** Whether a call waits for no handler, and holds none up: it begins as it arrives. Its handler has to end at once. */
  readonly direct?: boolean;
  /** Whether the handler takes the reply: it answers when it likes, and what it returns means nothing. */
  readonly explicit?: boolean;
  /** Decodes, handles and encodes; the handler of an explicit route gives nothing. Plain values stay plain, so that a synchronous handler costs no promise. */
  handle(
    payload: Uint8Array,
    context: Context,
    reply: Reply<Uint8Array>,
    request: Request,
  ): Handled | Promise<Handled>;
}

/** The node's methods by route key, and how many there are at least. */
export type RouteTable = Pick<ReadonlyMap<string, Route>, "get" | "size">;
