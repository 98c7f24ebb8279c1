import type { AwaitOptions } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { QueueResult, QueueSend } from "../../protocol/actors/messages.ts";
import { withinLimit } from "../../time_limit.ts";
import { withResolvers } from "../../with_resolvers.ts";
import { checkedBy } from "../check.ts";
import type { Instance } from "../instance.ts";
import { asRefusal } from "../turns/action_turn.ts";
import { callback } from "../turns/callback.ts";
import type { QueueLane } from "./queue_lane.ts";
import { aborted } from "./receiver.ts";

/** A message that is let in, and checked. */
interface Admitted {
  readonly lane: QueueLane;
  readonly body: unknown;
}

/**
 * Puts a message into a queue for a client; resolves when it is on disk, or completed, if the client waits for that.
 * @throws ActrError `queue.*`, `auth.forbidden`, `actor.callback_timed_out`; why the actor lets no work in; `actor.restarting`
 * when it could not be written; `actor.aborted` for one that waits when the node stops, or the actor ends; `timed_out` when the store takes nothing for the time of an action: then it may be later.
 */
export async function sendForClient(
  instance: Instance,
  name: string,
  { body, ...options }: QueueSend,
): Promise<QueueResult> {
  requireOpen(instance);
  const admitting = admit(instance, name, body);
  instance.work.track("http", admitting);
  const admitted = await admitting;
  // It may have stopped meanwhile.
  requireOpen(instance);
  return await putIn(instance, admitted, options).catch((error: unknown) => {
    throw asRefusal(ActrError.from(error));
  });
}

/** Asks the definition whether a client may send this. */
async function admit(instance: Instance, name: string, body: unknown): Promise<Admitted> {
  const { context, components, kind, queues, stopping } = instance;
  const lane = queues.lane(name);
  const { canPublish, message } = lane.definition;
  const limit = { name: "canPublish", ms: kind.options.hookTimeoutMs, signal: stopping };
  return await callback(components.clock, limit, async () => {
    if ((await canPublish?.(context, undefined)) === false) {
      throw new ActrError("auth.forbidden", `queue ${name} is not for this client`);
    }
    return { lane, body: await checkedBy(message, body, "queue.invalid_payload") };
  });
}

function requireOpen({ refusal }: Instance): void {
  if (refusal !== undefined) throw refusal;
}

/** A wait goes on while the actor sleeps. */
async function putIn(
  instance: Instance,
  { lane, body }: Admitted,
  { wait, timeoutMs }: Omit<QueueSend, "body">,
): Promise<QueueResult> {
  const seq = instance.queues.put(lane, body);
  if (wait) return await completion(instance, seq, timeoutMs, []);
  const { components, context, kind } = instance;
  const limit = { what: "saving the message", ms: kind.options.actionTimeoutMs };
  // A stop does not end the wait: it saves the message.
  const { signal } = new AbortController();
  await withinLimit(components.clock, { ...limit, signal }, () => context.saveState());
  return { status: "completed" };
}

/** Puts in a message of the actor's own code, and waits for its completion. @throws ActrError `queue.*`, `actor.aborted`. */
export async function sendAndWait(
  instance: Instance,
  name: string,
  body: unknown,
  { delayMs, timeoutMs, signal }: AwaitOptions,
  scope: AbortSignal,
): Promise<QueueResult> {
  const { queues } = instance;
  const lane = queues.lane(name);
  const checked = await checkedBy(lane.definition.message, body, "queue.invalid_payload");
  const signals = signal === undefined ? [scope] : [scope, signal];
  if (signals.some((each) => each.aborted)) throw aborted();
  return await completion(instance, queues.put(lane, checked, delayMs), timeoutMs, signals);
}

async function completion(
  { id, components, kind, saving }: Instance,
  seq: number,
  timeoutMs: number | undefined,
  signals: readonly AbortSignal[],
): Promise<QueueResult> {
  const { clock, completions } = components;
  const { actionTimeoutMs } = kind.options;
  const { promise, resolve } = withResolvers<QueueResult | ActrError>();
  const forget = completions.wait(id, seq, {
    complete: (response) => resolve({ status: "completed", response }),
    fail: resolve,
  });
  saving.put({ emit() {}, drop: resolve });
  saving.save();
  const ms = Math.min(timeoutMs ?? actionTimeoutMs, actionTimeoutMs);
  const timer = clock.timer(clock.now() + ms, () => resolve({ status: "timedOut" }));
  const abort = (): void => resolve(aborted());
  for (const signal of signals) signal.addEventListener("abort", abort);
  try {
    const outcome = await promise;
    if (ActrError.is(outcome)) throw outcome;
    return outcome;
  } finally {
    for (const signal of signals) signal.removeEventListener("abort", abort);
    timer.cancel();
    forget();
  }
}
