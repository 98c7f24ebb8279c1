import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { defaultNodeOptions, type OutboundOptions } from "../../../src/options.ts";
import { Caller } from "../../../src/outbound/caller.ts";
import {
  decodeEnvelope,
  directions,
  encodeEnvelope,
  type RpcEnvelope,
  type WireError,
} from "../../../src/protocol/envelope.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { Deadlines } from "../../../src/session/deadlines.ts";
import { PendingCalls } from "../../../src/session/pending_calls.ts";
import { YieldBudget } from "../../../src/session/yield_budget.ts";
import type { FakeLink, Sessions } from "../session/support.ts";
import { sessions } from "../session/support.ts";

/** A caller over fake transports. */
export interface Calling extends Sessions {
  readonly caller: Caller;
  readonly pending: PendingCalls;
  readonly deadlines: Deadlines;
  /** Answers that nobody waited for. */
  orphans: number;
}

export function calling(options: Partial<OutboundOptions> = {}, base = sessions()): Calling {
  const all = { ...defaultNodeOptions.outbound, ...options };
  const pending = new PendingCalls(all.maxPending);
  const { clock, manager } = base;
  const deadlines = new Deadlines(clock);
  const yields = new YieldBudget(clock);
  const plumbing = { clock, sessions: manager, pending, deadlines, yields };
  const caller = new Caller({ plumbing, random: new SeededRandom(), tracer: undefined }, all);
  const world = Object.assign(base, { caller, pending, deadlines, orphans: 0 });
  world.onFrame = ({ body }, peer) => {
    if (!pending.settle(decodeEnvelope(body), peer.key)) world.orphans += 1;
  };
  world.onUnlinked = (link, { reason }) => pending.disconnected(link, reason);
  return world;
}

/** Timers that calls have left behind, apart from the one that all deadlines share. */
export function timersLeft({ deadlines, clock }: Calling): number {
  deadlines.close();
  return clock.pending;
}

/** The envelopes that were sent on a link. */
export function envelopes(link: FakeLink): RpcEnvelope[] {
  return link.sent.map(({ body }) => decodeEnvelope(body));
}

/** The peer answers `request` on `link`, with what is given. */
export function respond(
  link: FakeLink,
  request: RpcEnvelope | undefined,
  answer: { readonly payload?: Uint8Array; readonly error?: WireError },
): void {
  if (request === undefined) throw new Error("nothing was asked");
  const { routeKey, requestId } = request;
  const direction = directions.response;
  const envelope = { routeKey, requestId, direction, metadata: [], timeoutMs: 0, ...answer };
  link.receive({ lane: lanes.rpcReliable, body: encodeEnvelope(envelope) });
}

/** Every link of the transport answers each request with its own payload. */
export function echoing(world: Calling): void {
  const { onDial } = world.transport;
  world.transport.onDial = async (address, options) => {
    const link = await onDial(address, options);
    const send = link.send.bind(link);
    link.send = async (frame) => {
      await send(frame);
      const request = decodeEnvelope(frame.body);
      respond(link, request, { payload: request.payload ?? new Uint8Array() });
    };
    return link;
  };
}
