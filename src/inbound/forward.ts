import type { CallOptions, Context } from "../context.ts";
import type { TargetFinder } from "../outbound/target_finder.ts";
import { isDurableSend } from "../protocol/durable.ts";
import { directions } from "../protocol/envelope.ts";
import { type ActrType, formatActrId, formatActrType } from "../protocol/ids.ts";
import type { MethodCodec } from "../protocol/service.ts";
import type { KeyOf } from "./conflict_key.ts";
import type { Request, Route } from "./route.ts";
import { answeringWithStream } from "./server_stream.ts";

/** The longest that a forwarded call is waited for, whatever its caller says, milliseconds. */
const maxTimeoutMs = 600_000;

const nothing = new Uint8Array(0);

/** Keys of which each is another: forwarded calls wait for none of each other. */
export function ownKeys(): KeyOf {
  let next = 0;
  return () => {
    next += 1;
    return `forward ${next}`;
  };
}

/**
 * Has a node of `type` answer; nothing is decoded on the way. The target is found by discovery, with the version
 * that `type` says (`spec/node.md` §18, D-52), and found anew once it cannot be reached.
 */
export function forwarding(
  finder: TargetFinder,
  type: ActrType,
  { routeKey, payloadType, streamType }: MethodCodec,
): Route["handle"] {
  const target = formatActrType(type);
  if (streamType !== undefined) {
    return answeringWithStream<Uint8Array>({
      lane: streamType,
      open: (payload, context) => {
        const { signal } = context;
        return finder.sender(context, target).stream(routeKey, payload, {
          signal,
          // How long silence is fine is for the first caller to say.
          idleTimeoutMs: Number.POSITIVE_INFINITY,
        });
      },
      encode: (item) => item,
    });
  }
  return async (payload, context, _reply, { message }) => {
    const sender = finder.sender(context, target);
    const options = { ...bounds(message, context), payloadType };
    const durable = isDurableSend(message.envelope.metadata);
    if (message.envelope.direction === directions.request && !durable) {
      return await sender.call(routeKey, payload, options);
    }
    await sender.tell(routeKey, payload, { ...options, durable });
    return nothing;
  };
}

/** The caller's own deadline; and a request id that is the same for every repeat, but not for another caller's request of that id. */
function bounds({ envelope }: Request["message"], { callerId, requestId }: Context): CallOptions {
  const timeoutMs = Math.min(envelope.timeoutMs, maxTimeoutMs);
  return {
    requestId: `${requestId} of ${formatActrId(callerId)}`,
    ...(timeoutMs > 0 ? { timeoutMs } : {}),
  };
}
