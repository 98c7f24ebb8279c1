import { createPublicKey, verify } from "node:crypto";
import {
  type ActrId,
  idText,
  readClaims,
  readCredential,
  readId,
  writeCredential,
  writeId,
} from "./identity.ts";
import { Fields } from "./protobuf.ts";
import type { Registered } from "./registration.ts";
import { directions, readEnvelope } from "./rpc.ts";
import type { WebSocketEnd } from "./websocket.ts";
import { dial } from "./websocket_handshake.ts";
import { lanes, type Wire, type WireEvents } from "./wire.ts";

const headerBytes = 5;

/** One body as a WebSocket message: payload type u8, length u32 big-endian, body (`spec/transport.md` §4). */
export function frame(lane: number, body: Uint8Array): Uint8Array {
  const message = Buffer.alloc(headerBytes + body.length);
  message[0] = lane;
  message.writeUInt32BE(body.length, 1);
  message.set(body, headerBytes);
  return message;
}

/** A direct WebSocket to or from one peer. */
export class DirectWire implements Wire {
  readonly kind = "websocket";
  readonly peer: ActrId;
  readonly socket: WebSocketEnd;
  #isOpen = true;

  /** @param dialled whether this side opened it: then only answers may come (`spec/transport.md` §5.4). */
  constructor(socket: WebSocketEnd, peer: ActrId, dialled: boolean, events: WireEvents) {
    this.socket = socket;
    this.peer = peer;
    void socket.closed.then(() => {
      this.#isOpen = false;
    });
    socket.onMessage = (message) => {
      const [lane = -1] = message;
      const body = message.subarray(headerBytes);
      const length = Buffer.from(message).readUInt32BE(1);
      if (length !== body.length)
        events.complain(`a frame of ${body.length}, said ${length} bytes`);
      if (dialled && !isAnswer(lane, body)) events.complain(`lane ${lane} on a socket dialled`);
      events.body(this, lane, body);
    };
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async send(lane: number, body: Uint8Array): Promise<void> {
    this.socket.send(frame(lane, body));
  }

  /** With a close frame that has no code. */
  close(): void {
    this.#isOpen = false;
    this.socket.close();
  }
}

/** Who dials, as its headers say it (`spec/transport.md` §5.2). */
export function dialHeaders({
  id,
  credential,
}: Pick<Registered, "id" | "credential">): [string, string][] {
  const encoded = Buffer.from(writeCredential(credential).done());
  return [
    ["x-actr-credential", encoded.toString("base64")],
    ["x-actr-source-id", Buffer.from(writeId(id).done()).toString("hex")],
  ];
}

/** Dials a peer's direct WebSocket. @throws UpgradeRefused. */
export async function dialDirect(
  url: string,
  self: Registered,
  peer: ActrId,
  events: WireEvents,
): Promise<DirectWire> {
  return new DirectWire(await dial(url, dialHeaders(self)), peer, true, events);
}

/** Who dialled, when the headers prove it: signature, expiry and id (`spec/transport.md` §5.3); otherwise why not. */
export function verifyDialler(
  headers: ReadonlyMap<string, string>,
  { id: keyId, bytes }: Registered["signingKey"],
): ActrId | string {
  const source = headers.get("x-actr-source-id") ?? "";
  const given = headers.get("x-actr-credential") ?? "";
  if (!/^([0-9a-f]{2})+$/.test(source)) return `source id ${source}`;
  if (Buffer.from(given, "base64").toString("base64") !== given) return `credential ${given}`;
  const id = readId(new Fields(Buffer.from(source, "hex")));
  const credential = readCredential(new Fields(Buffer.from(given, "base64")));
  if (credential.keyId !== keyId) return `unknown key ${credential.keyId}`;
  if (!verify(null, credential.claims, publicKey(bytes), credential.signature)) return "signature";
  const { actorId, expiresAt } = readClaims(credential);
  if (expiresAt * 1_000 <= Date.now()) return `expired at ${expiresAt}`;
  return actorId === idText(id) ? id : `claims of ${actorId}, source ${idText(id)}`;
}

function publicKey(raw: Uint8Array): ReturnType<typeof createPublicKey> {
  const prefix = Buffer.from("302a300506032b6570032100", "hex");
  return createPublicKey({ key: Buffer.concat([prefix, raw]), format: "der", type: "spki" });
}

function isAnswer(lane: number, body: Uint8Array): boolean {
  return lane === lanes.rpcReliable && readEnvelope(body).direction === directions.response;
}
