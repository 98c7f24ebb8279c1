import type { TestNode } from "@roost/edge/testing";
import type { Socket, SocketClosed } from "../../../../src/ports/sockets.ts";
import { BareReader, BareWriter } from "../../../../src/protocol/actors/bare.ts";
import { inspectToken } from "./support.ts";

/** One message of the encoding `json`. */
export interface JsonMessage {
  readonly tag: string;
  readonly val: Readonly<Record<string, unknown>>;
}

/** An inspector on a WebSocket, by hand. */
export class InspectorClient {
  readonly messages: JsonMessage[] = [];
  readonly frames: Uint8Array[] = [];
  readonly socket: Socket;
  end: SocketClosed | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.handle({
      message: (data) => this.frames.push(data),
      text: (text) => this.messages.push(JSON.parse(text).body),
      closed: (end) => {
        this.end = end;
      },
    });
  }

  static open(
    t: TestNode,
    id: string,
    encoding = "json",
    token = inspectToken,
  ): Promise<InspectorClient> {
    return InspectorClient.openAt(t, `/inspect/actors/${id}/connect`, encoding, token);
  }

  static async openAt(
    t: TestNode,
    path: string,
    encoding = "json",
    token = inspectToken,
  ): Promise<InspectorClient> {
    const socket = await t.world.network.sockets().connect(`ws://${t.host}${path}`, {
      protocols: ["rivet", `rivet_encoding.${encoding}`, `rivet_inspector_token.${token}`],
      maxMessageBytes: 4_000_000,
      signal: new AbortController().signal,
    });
    const client = new InspectorClient(socket);
    // The digests of tokens are made on another thread.
    for (let n = 0; n < 5_000 && !client.#isOpen && client.end === undefined; n++) {
      await t.clock.settle();
    }
    return client;
  }

  get #isOpen(): boolean {
    return this.frames.length > 0 || this.tagged("LifecycleUpdated").length > 0;
  }

  /** Messages with this tag. */
  tagged(tag: string): JsonMessage["val"][] {
    return this.messages.filter((each) => each.tag === tag).map(({ val }) => val);
  }

  send(tag: string, val: object): void {
    this.socket.sendText(JSON.stringify({ body: { tag, val } }));
  }

  /** Sends a frame of the encoding `bare`. */
  sendBare(version: number, tag: number, write: (writer: BareWriter) => unknown): void {
    const writer = new BareWriter().byte(version).byte(0).uint(BigInt(tag));
    write(writer);
    this.socket.send(writer.finish());
  }

  /** The last frame: its version, its tag, and the rest. */
  lastBare(): readonly [version: number, tag: bigint, rest: BareReader] {
    const reader = new BareReader(this.frames.at(-1) ?? new Uint8Array(0));
    const version = reader.byte() | (reader.byte() << 8);
    return [version, reader.uint(), reader];
  }
}
