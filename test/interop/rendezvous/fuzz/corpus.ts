import { type ActrId, typeOf, writeId, writeType } from "../../peer/identity.ts";
import { Writer } from "../../peer/protobuf.ts";
import { type Signal, writeSignal } from "../../peer/signals.ts";
import { idlePing } from "../connection.ts";
import {
  flows,
  relays,
  requests,
  type Sender,
  writeEnvelope,
  writeRelay,
  writeRequest,
} from "../envelope.ts";
import { candidatesOf } from "../joining.ts";

const signals: readonly Signal[] = [
  { kind: "description", type: 0, sdp: "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n", exchangeId: "x-1" },
  { kind: "description", type: 1, sdp: "v=0\r\n", exchangeId: "x-1" },
  {
    kind: "candidate",
    candidate: "candidate:1 1 udp 2130706431 192.168.1.5 50123 typ host",
    sdpMLineIndex: 0,
    usernameFragment: "AbCdEfGh",
  },
  { kind: "restart_request", reason: "network_recovered" },
  { kind: "assignment", isOfferer: true },
];
const fields = {
  candidate: relays.candidate,
  description: relays.description,
  negotiation: relays.negotiation,
  assignment: relays.assignment,
  restart_request: relays.restartRequest,
} as const;

/** Every message that a node sends, as `sender` sends it: to the server about nodes of `type`, and to `targets`. */
export function realMessages(
  sender: Sender,
  type: string,
  targets: readonly ActrId[],
): Uint8Array[] {
  const wanted = new Writer().message(1, writeType(typeOf(type)));
  const asked: readonly [number, Writer][] = [
    [requests.ping, idlePing().text(4, "client-1")],
    [requests.discovery, new Writer().text(1, typeOf(type).manufacturer).varint(2, 64)],
    [requests.candidates, candidatesOf(type, 4)],
    [requests.candidates, choosy(type)],
    [requests.serviceSpec, new Writer().text(1, "Service")],
    [requests.signingKey, new Writer().varint(1, 1)],
    [requests.subscribe, wanted],
    [requests.unsubscribe, wanted],
    [requests.unregister, new Writer().message(1, writeId(sender.id)).text(2, "Graceful shutdown")],
    [30, new Writer().varint(1, 500).text(2, "a complaint")],
  ];
  const toServer = asked.map(([field, body]) => writeRequest(sender, field, body));
  const relayed = targets.flatMap((target) => [
    ...signals.map((signal) =>
      writeRelay(sender, target, fields[signal.kind], writeSignal(signal)),
    ),
    writeRelay(sender, target, relays.negotiation, negotiation(sender.id, target)),
  ]);
  return [
    ...toServer.map((request) => writeEnvelope("env-1", flows.toServer, request)),
    ...relayed.map((relay) =>
      writeEnvelope("8b7c3a52-5f0e-4d11-9f3c-6d3a5e0b0001", flows.relay, relay),
    ),
    writeEnvelope("env-2", 10, new Writer().message(1, wanted)),
    writeEnvelope("env-3", flows.toActr, new Writer().message(1, writeId(sender.id))),
    writeEnvelope("env-4", flows.error, new Writer().varint(1, 429).text(2, "too many")),
  ].map((envelope) => envelope.done());
}

/** A question for candidates with every criterion. */
function choosy(type: string): Writer {
  const criteria = new Writer().varint(1, 3).varint(3, 1).varint(4, 2);
  for (const factor of [0, 1, 2, 3, 4]) criteria.varint(2, factor);
  return new Writer()
    .message(1, writeType(typeOf(type)))
    .message(2, criteria)
    .message(3, new Writer().text(1, "eu"))
    .text(4, "service_semantic:00");
}

function negotiation(from: ActrId, to: ActrId): Writer {
  return new Writer().message(1, writeId(from)).message(2, writeId(to)).varint(3, from.realm);
}
