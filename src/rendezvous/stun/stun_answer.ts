import type { DatagramAddress } from "../../ports/datagrams.ts";
import { concatBytes, utf8 } from "../../protocol/bytes.ts";
import { addressBytes } from "./address_bytes.ts";
import {
  readStunMessage,
  type StunMessage,
  stunAttributes,
  stunTypes,
  writeStunMessage,
} from "./stun_message.ts";

/** Longest datagram that is read, bytes: what fits into one packet of most networks. */
const maxQuestionBytes = 1500;

/** Attributes up to here have to be understood (RFC 8489 §14). */
const lastRequired = 0x7fff;

/** Attributes of login, and of other uses of this port: who answers everybody need not look at them. */
const ignored: ReadonlySet<number> = new Set([
  0x0006, // USERNAME
  0x0008, // MESSAGE-INTEGRITY
  0x0014, // REALM
  0x0015, // NONCE
  0x001c, // MESSAGE-INTEGRITY-SHA256
  0x001d, // PASSWORD-ALGORITHM
  0x001e, // USERHASH
  0x0024, // PRIORITY
  0x0025, // USE-CANDIDATE
]);

/** What is sent back for a datagram: to whom asks, where its question came from (RFC 8489 §6.3). Nothing for what is no question. */
export function stunAnswer(datagram: Uint8Array, from: DatagramAddress): Uint8Array | undefined {
  if (datagram.length > maxQuestionBytes) return undefined;
  const message = readStunMessage(datagram);
  if (message?.type !== stunTypes.request) return undefined;
  const fingerprint = message.attributes.some(({ type }) => type === stunAttributes.fingerprint);
  const unknown = unknownTypes(message);
  if (unknown.length > 0) {
    return writeStunMessage(stunTypes.refusal, message.id, refusal(unknown), fingerprint);
  }
  const value = mapped(from, message.id);
  if (value === undefined) return undefined;
  const attributes = [{ type: stunAttributes.xorMappedAddress, value }];
  return writeStunMessage(stunTypes.answer, message.id, attributes, fingerprint);
}

function unknownTypes({ attributes }: StunMessage): number[] {
  const types = attributes.map(({ type }) => type);
  return types.filter((type) => type <= lastRequired && !ignored.has(type));
}

/** Error 420 names what is not understood (RFC 8489 §14.8, §14.13). */
function refusal(unknown: readonly number[]): { type: number; value: Uint8Array }[] {
  const code = concatBytes([Uint8Array.of(0, 0, 4, 20), utf8("Unknown Attribute")]);
  const types = Uint8Array.from(unknown.flatMap((type) => [type >>> 8, type & 0xff]));
  return [
    { type: stunAttributes.errorCode, value: code },
    { type: stunAttributes.unknownAttributes, value: types },
  ];
}

/** Family, port and address, the latter two mixed with cookie and transaction (RFC 8489 §14.2). */
function mapped({ address, port }: DatagramAddress, id: Uint8Array): Uint8Array | undefined {
  const bytes = addressBytes(address);
  if (bytes === undefined) return undefined;
  const family = bytes.length === 4 ? 1 : 2;
  const plain = [port >>> 8, port & 0xff];
  const mixedPort = plain.map((byte, index) => byte ^ (id[index] ?? 0));
  const mixedAddress = bytes.map((byte, index) => byte ^ (id[index] ?? 0));
  return Uint8Array.of(0, family, ...mixedPort, ...mixedAddress);
}
