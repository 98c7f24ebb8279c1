import { once } from "node:events";
import { Agent, request } from "node:http";
import { WebSocket } from "ws";
import { type Credential, typeOf } from "../interop/peer/identity.ts";
import type { Writer } from "../interop/peer/protobuf.ts";
import { readRegisterResponse, registerRequest } from "../interop/peer/registration.ts";
import { signalingUrl } from "../interop/peer/signaling.ts";
import { writeSignal } from "../interop/peer/signals.ts";
import { idlePing } from "../interop/rendezvous/connection.ts";
import {
  flows,
  relays,
  requests,
  type Sender,
  writeEnvelope,
  writeRelay,
  writeRequest,
} from "../interop/rendezvous/envelope.ts";
import { candidatesOf, realm } from "../interop/rendezvous/joining.ts";

/** What a node sends in a load, made beforehand. */
export type Frames = Readonly<Record<"ping" | "discover" | "relay", Uint8Array>>;

/** A node with its signaling connection. */
export interface SignalingNode {
  readonly sender: Sender;
  readonly socket: WebSocket;
}

const type = "bench:node:1.0.0";
/** Nodes from one address, before they take the next one of the loopback network: a server counts them by address. */
const nodesPerAddress = 500;
/** Connections that are kept end before the server ends them, which would take a request along. */
const agent = new Agent({ keepAlive: true, timeout: 2_000 });

/** Registers as the real client does, over a connection that is kept. */
export async function registerOnce(port: number): Promise<Sender> {
  const body = registerRequest({ type, realm });
  const headers = {
    "content-type": "application/x-protobuf",
    accept: "application/x-protobuf",
    "content-length": body.length,
  };
  const asked = request({ agent, headers, port, method: "POST", path: "/ais/register" });
  asked.end(body);
  const [response] = await once(asked, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return readRegisterResponse(Buffer.concat(chunks));
}

/** Opens node number `at` at a rendezvous. */
export async function openNode(port: number, at: number): Promise<SignalingNode> {
  const sender = await registerOnce(port);
  const url = signalingUrl(`ws://127.0.0.1:${port}/signaling/ws`, sender, false);
  return { sender, socket: await openSocket(url, at) };
}

/** Opens a connection to a bare server that looks like one of a node. */
export async function openBare(port: number, at: number): Promise<SignalingNode> {
  const credential: Credential = {
    keyId: 1,
    claims: new Uint8Array(50),
    signature: new Uint8Array(64),
  };
  const sender = { id: { realm, serial: BigInt(at + 1) << 40n, type: typeOf(type) }, credential };
  return { sender, socket: await openSocket(`ws://127.0.0.1:${port}/`, at) };
}

async function openSocket(url: string, at: number): Promise<WebSocket> {
  const localAddress = `127.0.0.${2 + Math.floor(at / nodesPerAddress)}`;
  const socket = new WebSocket(url, { localAddress, perMessageDeflate: false });
  await once(socket, "open");
  return socket;
}

/** What a node sends: to the server, and to its `partner`. */
export function framesOf({ sender }: SignalingNode, partner: SignalingNode): Frames {
  const candidate = writeSignal({
    kind: "candidate",
    candidate: "candidate:1 1 udp 2130706431 192.168.1.5 50123 typ host",
    sdpMLineIndex: 0,
    usernameFragment: "AbCdEfGhIjKlMnOp",
  });
  const asks = (field: number, body: Writer): Uint8Array =>
    writeEnvelope("env-1", flows.toServer, writeRequest(sender, field, body)).done();
  const relay = writeRelay(sender, partner.sender.id, relays.candidate, candidate);
  return {
    ping: asks(requests.ping, idlePing()),
    discover: asks(requests.candidates, candidatesOf(type)),
    relay: writeEnvelope("8b7c3a52-5f0e-4d11-9f3c-6d3a5e0b0001", flows.relay, relay).done(),
  };
}
