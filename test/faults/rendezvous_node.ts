import { deadline, delay } from "#async";
import { nodeSockets } from "../../adapters/node/sockets.ts";
import type { Socket } from "../../src/ports/sockets.ts";
import { fromActrIdMessage, toActrIdMessage } from "../../src/protocol/id_messages.ts";
import { type ActrId, formatActrId } from "../../src/protocol/ids.ts";
import type { SignalingEnvelope } from "../../src/protocol/schema.ts";
import {
  decodeSignaling,
  encodeSignaling,
  type SignalingInit,
} from "../../src/protocol/signaling.ts";
import { signalingUrl } from "../../src/protocol/signaling_query.ts";
import { idOf, type Registered } from "../integration/rendezvous_client.ts";

type Flow = NonNullable<SignalingInit["flow"]>;

const connectMs = 10_000;
const answerMs = 10_000;
const pauseMs = 50;

/** A node that keeps one signaling connection through a balancer, under the one identity that it has. */
export class RendezvousNode {
  readonly id: ActrId;
  readonly registered: Registered;
  /** Connections that it has had. */
  connections = 0;
  readonly #base: string;
  readonly #onRelay: (token: string) => void;
  readonly #answers = new Map<string, (envelope: SignalingEnvelope | undefined) => void>();
  #socket: Socket | undefined;
  #asked = 0;

  constructor(base: string, registered: Registered, onRelay: (token: string) => void) {
    this.#base = base;
    this.registered = registered;
    this.id = idOf(registered);
    this.#onRelay = onRelay;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Connects, and again whenever the connection is lost, until `signal`; then somebody has to {@link drop} it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#connection(signal).catch(() => {});
      await delay(pauseMs);
    }
  }

  /** Drops the connection: the balancer chooses anew. */
  drop(): void {
    this.#socket?.terminate();
  }

  /** Texts of the other nodes of its type that it finds. @throws when it is not told. */
  async found(): Promise<string[]> {
    const payload = {
      case: "routeCandidatesRequest",
      value: {
        targetType: this.registered.actrId?.type,
        clientFingerprint: "",
        criteria: { candidateCount: 10_000 },
      },
    } as const;
    const { flow } = await this.#ask({ case: "actrToServer", value: { ...this.#signed, payload } });
    if (flow.case !== "serverToActr" || flow.value.payload.case !== "routeCandidatesResponse") {
      throw new Error("the answer is none");
    }
    const { result } = flow.value.payload.value;
    if (result.case !== "success") throw new Error("nothing may be found");
    return result.value.candidates.map((id) => formatActrId(fromActrIdMessage(id)));
  }

  /** Sends a relay that carries `token`; it may be lost. */
  relay(to: ActrId, token: string): void {
    const payload = { case: "iceRestartRequest", value: { reason: token } } as const;
    const value = { ...this.#signed, target: toActrIdMessage(to), payload };
    this.#send({ case: "actrRelay", value }, token);
  }

  get #signed(): Pick<Registered, "credential"> & { readonly source: Registered["actrId"] } {
    return { source: this.registered.actrId, credential: this.registered.credential };
  }

  /** One connection, until it is lost. */
  async #connection(ending: AbortSignal): Promise<void> {
    const { credential } = this.registered;
    if (credential === undefined) throw new TypeError("the registration has no credential");
    const url = signalingUrl(`${this.#base.replace("http", "ws")}/signaling/ws`, {
      id: this.id,
      credential,
    });
    const signal = AbortSignal.timeout(connectMs);
    const socket = await nodeSockets().connect(url, { maxMessageBytes: 1 << 22, signal });
    // It may have been let go while it connected.
    if (ending.aborted) return socket.terminate();
    this.#socket = socket;
    this.connections += 1;
    await new Promise<void>((closed) => {
      socket.handle({ message: (data) => this.#message(data), closed: () => closed() });
    });
    this.#socket = undefined;
    for (const settle of this.#answers.values()) settle(undefined);
  }

  #message(data: Uint8Array): void {
    const envelope = decodeSignaling(data);
    const { flow, replyFor } = envelope;
    if (flow.case === "actrRelay" && flow.value.payload.case === "iceRestartRequest") {
      this.#onRelay(flow.value.payload.value.reason);
    }
    this.#answers.get(replyFor)?.(envelope);
  }

  async #ask(flow: Flow): Promise<SignalingEnvelope> {
    if (!this.connected) throw new Error("not connected");
    const envelopeId = `env-${++this.#asked}`;
    const answered = new Promise<SignalingEnvelope | undefined>((resolve) => {
      this.#answers.set(envelopeId, resolve);
      this.#send(flow, envelopeId);
    });
    const answer = await deadline(answered, answerMs).finally(() => {
      this.#answers.delete(envelopeId);
    });
    if (answer === undefined) throw new Error("the connection was lost");
    return answer;
  }

  #send(flow: Flow, envelopeId: string): void {
    this.#socket?.send(encodeSignaling({ envelopeId, flow }));
  }
}
