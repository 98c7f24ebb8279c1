import { randomUUID } from "node:crypto";
import { Inbox, patienceMs } from "./inbox.ts";
import {
  type Chunk,
  directions,
  type Envelope,
  readChunk,
  readEnvelope,
  writeEnvelope,
} from "./rpc.ts";
import { within } from "./rtc_lane.ts";
import { lanes, type Wire } from "./wire.ts";

/** An envelope, and the way that it came. */
export interface Arrival {
  readonly envelope: Envelope;
  readonly lane: number;
  readonly wire: Wire;
}

/** How a request is sent. */
export interface CallSettings {
  readonly lane?: number;
  readonly timeoutMs?: number;
  readonly requestId?: string;
}

/** Requests and their answers: an answer is taken from any wire and lane, by its request id alone (`spec/transport.md` §5.5, §7.2). */
export class Calls {
  /** Requests and tells that came. */
  readonly requests = new Inbox<Arrival>();
  /** Answers that nobody waits for. */
  readonly orphans = new Inbox<Arrival>();
  readonly chunks = new Inbox<{ readonly lane: number; readonly chunk: Chunk }>();
  /** Answers a request; the default echoes its payload the way the real client answers. */
  handler: (arrival: Arrival) => void = (arrival) => this.reply(arrival);
  /** Where answers to a wire's peer leave: on the socket that the peer dialled, if there is one, and the reliable lane. */
  replyWire: (arrival: Arrival) => Wire = ({ wire }) => wire;
  readonly #pending = new Map<string, (arrival: Arrival) => void>();

  /** Takes a body that came. */
  take(wire: Wire, lane: number, body: Uint8Array): void {
    if (lane === lanes.streamReliable || lane === lanes.streamLatencyFirst)
      return this.chunks.push({ lane, chunk: readChunk(body) });
    const arrival = { envelope: readEnvelope(body), lane, wire };
    const { direction, requestId = "" } = arrival.envelope;
    if (direction === directions.response) {
      const settle = this.#pending.get(requestId);
      this.#pending.delete(requestId);
      return settle === undefined ? this.orphans.push(arrival) : settle(arrival);
    }
    this.requests.push(arrival);
    if (direction === directions.request) this.handler(arrival);
  }

  /** Sends a request. One that times out closes the wire that it left on, as the real client does. */
  async call(
    wire: Wire,
    routeKey: string,
    payload: Uint8Array,
    settings: CallSettings = {},
  ): Promise<Arrival> {
    const { lane = lanes.rpcReliable, timeoutMs = patienceMs } = settings;
    const requestId = settings.requestId ?? randomUUID();
    const answered = this.expect(requestId, timeoutMs);
    answered.catch(() => {}); // Told below.
    const direction = directions.request;
    await wire.send(lane, writeEnvelope({ routeKey, payload, direction, requestId, timeoutMs }));
    try {
      return await answered;
    } catch (error) {
      wire.close();
      throw error;
    }
  }

  /** Resolves with the answer to a request that is sent otherwise. */
  async expect(requestId: string, limitMs: number = patienceMs): Promise<Arrival> {
    const answered = new Promise<Arrival>((resolve) => {
      this.#pending.set(requestId, resolve);
    });
    try {
      return await within(answered, limitMs, `an answer to ${requestId}`);
    } finally {
      this.#pending.delete(requestId);
    }
  }

  async tell(wire: Wire, routeKey: string, payload: Uint8Array, requestId: string): Promise<void> {
    const direction = directions.tell;
    const envelope = { routeKey, payload, direction, requestId, timeoutMs: 0 };
    await wire.send(lanes.rpcReliable, writeEnvelope(envelope));
  }

  /** Answers a request with its own payload, or as `changes` has it. */
  reply(arrival: Arrival, changes: Partial<Envelope> = {}, lane: number = lanes.rpcReliable): void {
    const { routeKey, payload, requestId } = arrival.envelope;
    const direction = directions.response;
    const answer = { routeKey, payload, direction, requestId, timeoutMs: 0, ...changes };
    void this.replyWire(arrival).send(lane, writeEnvelope(answer));
  }
}
