import { type ActrId, type Credential, readId, writeCredential, writeId } from "./identity.ts";
import { type Fields, Writer } from "./protobuf.ts";

/** Types of a session description (`spec/transport.md` §6.1). */
export const descriptionTypes = { offer: 0, answer: 1, renegotiation: 2, restart: 3 } as const;

/** What peers relay to each other, and the server's word on who offers; absent fields stay absent. */
export type Signal =
  | {
      readonly kind: "candidate";
      readonly candidate: string;
      readonly sdpMid?: string | undefined;
      readonly sdpMLineIndex?: number | undefined;
      readonly usernameFragment?: string | undefined;
    }
  | {
      readonly kind: "description";
      readonly type: number;
      readonly sdp: string;
      readonly exchangeId?: string | undefined;
    }
  | { readonly kind: "negotiation"; readonly from: ActrId; readonly to: ActrId }
  | { readonly kind: "assignment"; readonly isOfferer: boolean }
  | { readonly kind: "restart_request"; readonly reason?: string | undefined };

export type Description = Extract<Signal, { kind: "description" }>;
export type Candidate = Extract<Signal, { kind: "candidate" }>;

/** A relayed signal, with who sent it and whom it is for. */
export interface Relayed {
  readonly source: ActrId;
  readonly target: ActrId;
  readonly signal: Signal;
}

const tags = {
  candidate: 10,
  description: 11,
  negotiation: 12,
  assignment: 13,
  restart_request: 14,
} as const;

/** An `ActrRelay` (`spec/protocol.md` §2.6). */
export function writeRelay(source: ActrId, credential: Credential, target: ActrId, signal: Signal) {
  return new Writer()
    .message(1, writeId(source))
    .message(2, writeCredential(credential))
    .message(3, writeId(target))
    .message(tags[signal.kind], writeSignal(signal));
}

export function writeSignal(signal: Signal): Writer {
  const out = new Writer();
  switch (signal.kind) {
    case "candidate":
      out.text(1, signal.candidate);
      if (signal.sdpMid !== undefined) out.text(2, signal.sdpMid);
      if (signal.sdpMLineIndex !== undefined) out.varint(3, signal.sdpMLineIndex);
      return signal.usernameFragment === undefined ? out : out.text(4, signal.usernameFragment);
    case "description":
      out.varint(1, signal.type).text(2, signal.sdp);
      return signal.exchangeId === undefined ? out : out.text(3, signal.exchangeId);
    case "negotiation":
      out.message(1, writeId(signal.from)).message(2, writeId(signal.to));
      return out.varint(3, signal.from.realm);
    case "assignment":
      return out.varint(1, signal.isOfferer);
    case "restart_request":
      return signal.reason === undefined ? out : out.text(1, signal.reason);
  }
}

export function readRelay(relay: Fields): Relayed | undefined {
  const [source, target] = [relay.message(1), relay.message(3)];
  const signal = readSignal(relay);
  if (source === undefined || target === undefined || signal === undefined) return undefined;
  return { source: readId(source), target: readId(target), signal };
}

function readSignal(relay: Fields): Signal | undefined {
  const candidate = relay.message(tags.candidate);
  if (candidate !== undefined) return readCandidate(candidate);
  const description = relay.message(tags.description);
  if (description !== undefined) return readDescription(description);
  const assignment = relay.message(tags.assignment);
  if (assignment !== undefined)
    return { kind: "assignment", isOfferer: assignment.varint(1) === 1n };
  const request = relay.message(tags.restart_request);
  return request && { kind: "restart_request", reason: request.text(1) };
}

function readCandidate(fields: Fields): Candidate {
  return {
    kind: "candidate",
    candidate: fields.text(1) ?? "",
    sdpMid: fields.text(2),
    sdpMLineIndex: fields.number(3),
    usernameFragment: fields.text(4),
  };
}

function readDescription(fields: Fields): Description {
  const [type = 0, sdp = "", exchangeId] = [fields.number(1), fields.text(2), fields.text(3)];
  return { kind: "description", type, sdp, exchangeId };
}
