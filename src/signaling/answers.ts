import { ActrError } from "../errors.ts";
import { fromActrIdMessage, fromActrTypeMessage } from "../protocol/id_messages.ts";
import { type ActrId, type ActrType, peerKey } from "../protocol/ids.ts";
import {
  type DiscoveryResponse_DiscoveryOk,
  type GetSigningKeyResponse,
  isFieldSet,
  type Pong,
  type RouteCandidatesResponse_RouteCandidatesOk,
  type ServiceSpec,
  ServiceSpecSchema,
} from "../protocol/schema.ts";

/** One node that serves a type. */
export interface Candidate {
  readonly id: ActrId;
  /** Where it can be reached directly, `ws://…` or `wss://…`. */
  readonly wsAddress?: string;
}

/** One type that some node serves. */
export interface DiscoveredType {
  readonly type: ActrType;
  readonly name: string;
  readonly fingerprint: string;
  readonly tags: readonly string[];
}

/** What a node announces of its services (`spec/protocol.md` §10.1). All of it is a stranger's word. */
export interface ServiceDescription {
  /** What it is asked for by. */
  readonly name: string;
  readonly description?: string;
  /** `service_semantic:` and 64 hexadecimal digits. */
  readonly fingerprint: string;
  readonly files: readonly DescriptionFile[];
  /** Unix seconds. */
  readonly publishedAt?: number;
  readonly tags: readonly string[];
}

/** A `.proto` file of a description. */
export interface DescriptionFile {
  /** Without folders as a rule: `echo.proto`. */
  readonly name: string;
  readonly content: string;
  /** `semantic:` and 64 hexadecimal digits, or `error`. */
  readonly fingerprint: string;
}

/** What a heartbeat learns. */
export interface PingAnswer {
  /** Until the next heartbeat, milliseconds. */
  readonly suggestedIntervalMs?: number;
  /** Why the credential should be renewed soon. */
  readonly warning?: string;
}

const longestAddress = 2_048;

/** At most `limit` candidates, in the server's order, each with its address if that is usable. @throws ActrError `decode_failure`. */
export function readCandidates(
  answer: RouteCandidatesResponse_RouteCandidatesOk,
  limit: number,
): Candidate[] {
  const addresses = new Map<string, string>();
  for (const { candidateId, wsAddress } of answer.wsAddressMap) {
    if (isAddress(wsAddress)) addresses.set(peerKey(fromActrIdMessage(candidateId)), wsAddress);
  }
  return answer.candidates.slice(0, limit).map((candidate) => {
    const id = fromActrIdMessage(candidate);
    const wsAddress = addresses.get(peerKey(id));
    return wsAddress === undefined ? { id } : { id, wsAddress };
  });
}

/** Addresses come from other nodes, by way of the server: only what a socket could be opened to is passed on. */
function isAddress(text: string): boolean {
  return text.length <= longestAddress && /^wss?:\/\/./.test(text) && URL.canParse(text);
}

/** At most `limit` types, in the server's order. @throws ActrError `decode_failure`. */
export function readDiscovered(
  answer: DiscoveryResponse_DiscoveryOk,
  limit: number,
): DiscoveredType[] {
  return answer.entries.slice(0, limit).map(({ actrType, name, serviceFingerprint, tags }) => ({
    type: fromActrTypeMessage(actrType),
    name,
    fingerprint: serviceFingerprint,
    tags,
  }));
}

/** A description as it is announced. */
export function readDescription(spec: ServiceSpec): ServiceDescription {
  const { name, fingerprint, protobufs, tags } = spec;
  const has = (field: "description" | "publishedAt"): boolean =>
    isFieldSet(spec, ServiceSpecSchema.field[field]);
  return {
    name,
    ...(has("description") ? { description: spec.description } : {}),
    fingerprint,
    files: protobufs.map((file) => ({
      name: `${file.package}.proto`,
      content: file.content,
      fingerprint: file.fingerprint,
    })),
    ...(has("publishedAt") ? { publishedAt: Number(spec.publishedAt) } : {}),
    tags,
  };
}

/** An interval of 0 is no suggestion. */
export function readPong({ suggestIntervalSecs, credentialWarning }: Pong): PingAnswer {
  return {
    ...(suggestIntervalSecs === 0 ? {} : { suggestedIntervalMs: suggestIntervalSecs * 1_000 }),
    ...(credentialWarning === undefined ? {} : { warning: credentialWarning.message }),
  };
}

/** The key, if the answer is for `keyId`. @throws ActrError `decode_failure`. */
export function readSigningKey(
  answer: GetSigningKeyResponse,
  keyId: number,
): Uint8Array<ArrayBuffer> {
  if (answer.keyId !== keyId || answer.pubkey.length !== 32) {
    throw new ActrError(
      "decode_failure",
      `signaling answered signing key ${keyId} with ${answer.pubkey.length} bytes for key ${answer.keyId}`,
    );
  }
  return answer.pubkey.slice();
}
