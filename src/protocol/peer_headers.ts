import { ActrError } from "../errors.ts";
import { fromBase64, fromHex, toBase64, toHex } from "./bytes.ts";
import { type Credential, decodeCredential, encodeCredential } from "./credential_codec.ts";
import { type ActrId, decodeActrId, encodeActrId } from "./ids.ts";

/** Who dials a direct WebSocket, as the upgrade's headers say it (`spec/transport.md` §5.2). Nothing in it is verified. */
export interface PeerHeaders {
  readonly source: ActrId;
  readonly credential: Credential;
}

/** Header with the dialer's encoded ActrId in hexadecimal. */
export const sourceIdHeader = "x-actr-source-id";

/** Header with the dialer's encoded AIdCredential in base64. A secret. */
export const credentialHeader = "x-actr-credential";

/** Header by which a Roost node says that it takes requests and streams on the socket that it opens; other Actr peers neither send nor read it. */
export const duplexHeader = "x-roost-duplex";

/** The headers to dial with. */
export function peerHeaders({ source, credential }: PeerHeaders): Record<string, string> {
  return {
    [sourceIdHeader]: toHex(encodeActrId(source)),
    [credentialHeader]: toBase64(encodeCredential(credential)),
  };
}

/** Something that gives texts by name: headers, or a query. */
export interface NamedTexts {
  get(name: string): string | null | undefined;
}

/** Where a dial says who it is: in its headers or, from a browser, which can send none, in the query under the same names. */
export function dialFacts({ headers, url }: Pick<Request, "headers" | "url">): NamedTexts {
  return headers.has(sourceIdHeader) ? headers : new URL(url).searchParams;
}

/** Who dials. @throws ActrError `permission_denied`, details `reason` "headers", when one is missing or malformed. */
export function parsePeerHeaders(headers: NamedTexts): PeerHeaders {
  return {
    source: readHeader(headers.get(sourceIdHeader), sourceIdHeader, fromHex, decodeActrId),
    credential: readHeader(
      headers.get(credentialHeader),
      credentialHeader,
      fromBase64,
      decodeCredential,
    ),
  };
}

function readHeader<T>(
  value: string | null | undefined,
  name: string,
  toBytes: (text: string) => Uint8Array | undefined,
  decode: (bytes: Uint8Array) => T,
): T {
  const bytes = toBytes(value ?? "");
  if (bytes === undefined || bytes.length === 0) {
    throw refused(`header ${name} is missing or malformed`);
  }
  try {
    return decode(bytes);
  } catch (cause) {
    throw refused(`header ${name} cannot be decoded`, cause);
  }
}

function refused(text: string, cause?: unknown): ActrError {
  const details = { reason: "headers" };
  return new ActrError("permission_denied", `peer refused: ${text}`, { details, cause });
}
