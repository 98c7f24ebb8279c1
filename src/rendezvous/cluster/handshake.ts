import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { equalBytes, fromHex, toHex, utf8 } from "../../protocol/bytes.ts";
import { hmac } from "../../protocol/crypto.ts";

/** Header of the request by which one server dials another: `from.to.time.nonce.proof`. */
export const dialHeader = "x-roost-server";

/** How far the clocks of two servers may be apart, milliseconds. */
const maxSkewMs = 60_000;

/** One dialling, as both sides know it. */
export interface Dial {
  /** Numbers of the servers. */
  readonly from: number;
  readonly to: number;
  /** Unix milliseconds. */
  readonly time: number;
  /** Hexadecimal text of 16 bytes. */
  readonly nonce: string;
}

/** A dialling that nobody has made before. */
export function newDial(from: number, to: number, clock: Clock, random: Random): Dial {
  return { from, to, time: clock.now(), nonce: toHex(random.bytes(16)) };
}

/** What shows that one side knows the secret of the cluster; neither side's proof can be sent back as the other's. */
export function proofOf(
  side: "dial" | "accept",
  { from, to, time, nonce }: Dial,
  secret: Uint8Array,
): Promise<Uint8Array> {
  const text = `ROOST-RENDEZVOUS-1\n${side}\n${from}\n${to}\n${time}\n${nonce}`;
  return hmac("SHA-256", secret, utf8(text));
}

/** Value of {@link dialHeader}. */
export async function dialText(dial: Dial, secret: Uint8Array): Promise<string> {
  const { from, to, time, nonce } = dial;
  return [from, to, time, nonce, toHex(await proofOf("dial", dial, secret))].join(".");
}

/** The dialling that a header proves, if it is for server `to` and fresh. */
export async function readDial(
  header: string | undefined,
  to: number,
  secret: Uint8Array,
  clock: Clock,
): Promise<Dial | undefined> {
  const fields = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.([0-9a-f]{32})\.([0-9a-f]{64})$/.exec(
    header ?? "",
  );
  if (fields === null) return undefined;
  const [, from, named, time, nonce = "", proof = ""] = fields;
  const dial = { from: Number(from), to: Number(named), time: Number(time), nonce };
  const proven = equalBytes(
    fromHex(proof) ?? new Uint8Array(),
    await proofOf("dial", dial, secret),
  );
  const fresh = Math.abs(clock.now() - dial.time) <= maxSkewMs;
  return proven && fresh && dial.to === to ? dial : undefined;
}
