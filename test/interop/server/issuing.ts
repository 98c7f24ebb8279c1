import {
  type ActrId,
  type Credential,
  idText,
  readId,
  writeCredential,
  writeId,
} from "../peer/identity.ts";
import { Fields, Writer } from "../peer/protobuf.ts";

/** Public key of the vectors (`spec/protocol.md` §16). */
const signingKey = Buffer.from(
  "197f6b23e16c8532c6abc838facd5ea789be0c76b2920334039bfa8b3d368d61",
  "hex",
);

/** What an identity service issues; what is left out is not in the answer. */
export interface Issue {
  readonly id: ActrId;
  readonly credential: Credential;
  readonly turn?: boolean;
  /** Unix seconds. */
  readonly expiresAt?: number;
  readonly heartbeatSecs: number;
  readonly token?: Uint8Array;
  /** Unix seconds. */
  readonly tokenExpiresAt?: number;
}

/** Counts credentials, so that each is told from the others. */
let issued = 0;

/** A credential for `id`; its signature is a number. */
export function credentialFor(id: ActrId, expiresAt: number): Credential {
  const claims = new Writer().varint(1, id.realm).text(2, idText(id)).varint(3, expiresAt).done();
  const signature = Buffer.alloc(64);
  signature.writeUInt32BE(++issued);
  return { keyId: 1, claims, signature };
}

/** What a real server issues: everything, for an hour. */
export function issueFor(id: ActrId): Issue & { readonly token: Uint8Array } {
  const now = Math.floor(Date.now() / 1_000);
  return {
    id,
    credential: credentialFor(id, now + 3_600),
    turn: true,
    expiresAt: now + 3_600,
    heartbeatSecs: 30,
    token: new Uint8Array(32).fill(++issued),
    tokenExpiresAt: now + 86_400,
  };
}

/** A RegisterResponse, or a RenewCredentialResponse, which is written the same. @param more further fields of RegisterOk. */
export function writeIssue(issue: Issue, more: (ok: Writer) => Writer = (ok) => ok): Uint8Array {
  const { id, credential, turn, expiresAt, heartbeatSecs, token, tokenExpiresAt } = issue;
  const ok = new Writer().message(1, writeId(id)).message(2, writeCredential(credential));
  if (turn === true) {
    const login = new Writer()
      .text(1, `1:${idText(id)}`)
      .text(2, "p")
      .varint(3, expiresAt ?? 0);
    ok.message(3, login);
  }
  if (expiresAt !== undefined) ok.message(4, time(expiresAt));
  ok.varint(5, heartbeatSecs).bytes(6, signingKey).varint(7, 1);
  if (token !== undefined) ok.bytes(12, token);
  if (tokenExpiresAt !== undefined) ok.message(13, time(tokenExpiresAt));
  return new Writer().message(1, more(ok)).done();
}

/** The same with an error in place of an identity. */
export function writeRefusal(code: number, message: string): Uint8Array {
  return new Writer().message(2, new Writer().varint(1, code).text(2, message)).done();
}

/** The id that a registration gets. */
export function idFor(body: Uint8Array, serial: bigint): ActrId {
  const request = new Fields(body);
  const type = request.bytes(1) ?? new Uint8Array(0);
  const realm = request.bytes(2) ?? new Uint8Array(0);
  return readId(new Fields(new Writer().bytes(1, realm).varint(2, serial).bytes(3, type).done()));
}

/** Whose credential a RenewCredentialRequest, or a ReissueRequest, is about. */
export function renewedId(body: Uint8Array): ActrId {
  return readId(new Fields(body).message(1) ?? new Fields(new Uint8Array(0)));
}

function time(seconds: number): Writer {
  return new Writer().varint(1, seconds).varint(2, 0);
}
