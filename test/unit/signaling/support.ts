import assert from "node:assert/strict";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { RecordingTracer } from "../../../adapters/memory/recording_tracer.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { type IdentitySnapshot, SessionState } from "../../../src/identity/session_state.ts";
import type {
  ConnectOptions,
  Socket,
  SocketHandler,
  Sockets,
  SocketsCapabilities,
} from "../../../src/ports/sockets.ts";
import { toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import type {
  ActrToSignaling,
  MessageInit,
  SignalingEnvelope,
  SignalingToActrSchema,
} from "../../../src/protocol/schema.ts";
import { decodeSignaling, encodeSignaling } from "../../../src/protocol/signaling.ts";
import { SignalingClient, type SignalingOptions } from "../../../src/signaling/signaling_client.ts";
import type { SignalingListener } from "../../../src/signaling/signaling_listeners.ts";
import { type Deferred, deferred, issued, RecordingLogger } from "../identity/support.ts";

/** The server's end of one connection, played by the test. */
export class FakeSocket implements Socket {
  bufferedAmount = 0;
  readonly protocol = "";
  readonly sent: SignalingEnvelope[] = [];
  pings = 0;
  ended: string | undefined;
  /** Whether pings are answered. */
  answersPings = true;
  /** Whether the closing handshake is answered. */
  answersClose = true;
  /** Whether the runtime can ping. */
  canPing = true;
  #handler: SocketHandler | undefined;

  send(data: Uint8Array): void {
    if (this.ended === undefined) this.sent.push(decodeSignaling(data));
  }

  sendText(): void {}

  ping(): boolean {
    this.pings++;
    if (this.answersPings) this.#handler?.pong?.();
    return this.canPing;
  }

  pause(): boolean {
    return false;
  }

  resume(): void {}

  close(code: number, reason: string): void {
    if (this.answersClose) this.drop(code, reason);
  }

  terminate(): void {
    this.drop(1006, "terminated");
  }

  handle(handler: SocketHandler): void {
    this.#handler = handler;
  }

  /** The connection ends. */
  drop(code: number, reason = ""): void {
    if (this.ended !== undefined) return;
    this.ended = `${code} ${reason}`;
    this.#handler?.closed({ code, reason });
  }

  /** The server sends bytes. */
  receive(data: Uint8Array): void {
    this.#handler?.message(data);
  }

  /** The server sends an envelope of its own accord. */
  push(payload: Payload): void {
    this.receive(
      encodeSignaling({
        envelopeId: "push",
        flow: { case: "serverToActr", value: { target: someone, payload } },
      }),
    );
  }

  /** Requests that the client sent, oldest first. */
  get requests(): ActrToSignaling["payload"][] {
    return this.sent.map(({ flow }) => {
      assert.ok(flow.case === "actrToServer");
      return flow.value.payload;
    });
  }

  /** Answers the newest request. */
  answer(payload: Payload): void {
    const request = this.sent.at(-1);
    assert.ok(request !== undefined);
    this.answerTo(request.envelopeId, payload);
  }

  /** Answers the request with this envelope id. */
  answerTo(replyFor: string, payload: Payload): void {
    const flow = { case: "serverToActr", value: { target: someone, payload } } as const;
    this.receive(encodeSignaling({ envelopeId: "answer", replyFor, flow }));
  }
}

/** What the server puts into an envelope. */
export type Payload = NonNullable<MessageInit<typeof SignalingToActrSchema>["payload"]>;

const someone = toActrIdMessage(issued(1n, 0).id);

/** An attempt to connect that waits for the test. */
export interface Attempt {
  readonly url: URL;
  readonly options: ConnectOptions;
  readonly outcome: Deferred<Socket>;
}

/** A started client whose server the test plays. */
export function setUp(
  options: Partial<SignalingOptions> = {},
  capabilities: Partial<SocketsCapabilities> = {},
) {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const tracer = new RecordingTracer(new SeededRandom(4));
  const session = new SessionState({ log }, issued(1n, clock.now()));
  const attempts: Attempt[] = [];
  const sockets: Sockets = {
    name: "fake",
    capabilities: { status: true, drops: true, pauses: false, headers: true, ...capabilities },
    connect(url, connectOptions) {
      const outcome = deferred<Socket>();
      connectOptions.signal.addEventListener("abort", () =>
        outcome.reject(connectOptions.signal.reason),
      );
      attempts.push({ url: new URL(url), options: connectOptions, outcome });
      return outcome.promise;
    },
  };
  const credentials = {
    warnings: 0,
    refusals: [] as IdentitySnapshot[],
    warned: () => void credentials.warnings++,
    refused: (identity: IdentitySnapshot) => void credentials.refusals.push(identity),
  };
  const client = new SignalingClient(
    { sockets, clock, random: new SeededRandom(3), log, session, credentials, tracer },
    { url: "ws://signaling.example/signaling/ws", ...options },
  );
  const events: string[] = [];
  client.listen(recorder(events));
  /** Lets the newest attempt succeed. */
  const accept = async (): Promise<FakeSocket> => {
    const socket = new FakeSocket();
    attempts.at(-1)?.outcome.resolve(socket);
    await clock.settle();
    return socket;
  };
  /** Lets the newest attempt fail. */
  const refuse = async (error: unknown): Promise<void> => {
    attempts.at(-1)?.outcome.reject(error);
    await clock.settle();
  };
  return { clock, log, tracer, session, attempts, credentials, client, events, accept, refuse };
}

function recorder(events: string[]): SignalingListener {
  return {
    connecting: (attempt) => events.push(`connecting ${attempt}`),
    connected: () => events.push("connected"),
    disconnected: (reason) => events.push(`disconnected ${reason}`),
    actrUp: (id) => events.push(`up ${id.serial}`),
  };
}

/** A client that is connected. */
export async function connected(options: Partial<SignalingOptions> = {}) {
  const parts = setUp(options);
  const connecting = parts.client.connect({ signal: new AbortController().signal });
  const socket = await parts.accept();
  await connecting;
  return { ...parts, socket };
}
