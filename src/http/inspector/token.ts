import { equalBytes, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/crypto.ts";

/** Longest header in which a token is looked for, UTF-16 units. */
const maxHeaderLength = 1_024;

/** The token of a header `authorization: Bearer TOKEN`; the scheme's case does not matter. */
export function bearerOf(authorization: string | null | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization?.slice(0, maxHeaderLength) ?? "")?.[1];
}

/** Whether `given` is the token. Compares digests, so that the time taken tells nothing of it (`spec/actor-host.md` §16.2). */
export async function isToken(given: string | undefined, token: string): Promise<boolean> {
  const [one, other] = await Promise.all([sha256(utf8(given ?? "")), sha256(utf8(token))]);
  return equalBytes(one, other);
}
