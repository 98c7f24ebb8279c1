import { Fields, Writer } from "./protobuf.ts";

export interface ActrType {
  readonly manufacturer: string;
  readonly name: string;
  readonly version: string;
}

export interface ActrId {
  readonly realm: number;
  readonly serial: bigint;
  readonly type: ActrType;
}

/** Claims that the identity service signed (`spec/protocol.md` §4.1). */
export interface Credential {
  readonly keyId: number;
  readonly claims: Uint8Array;
  readonly signature: Uint8Array;
}

/** `manufacturer:name:version` taken apart. */
export function typeOf(text: string): ActrType {
  const [manufacturer = "", name = "", version = ""] = text.split(":");
  return { manufacturer, name, version };
}

export function writeType({ manufacturer, name, version }: ActrType): Writer {
  return new Writer().text(1, manufacturer).text(2, name).text(3, version);
}

export function writeId({ realm, serial, type }: ActrId): Writer {
  return new Writer()
    .message(1, new Writer().varint(1, realm))
    .varint(2, serial)
    .message(3, writeType(type));
}

export function readId(id: Fields): ActrId {
  const type = id.message(3);
  return {
    realm: id.message(1)?.number(1) ?? 0,
    serial: id.varint(2) ?? 0n,
    type: {
      manufacturer: type?.text(1) ?? "",
      name: type?.text(2) ?? "",
      version: type?.text(3) ?? "",
    },
  };
}

/** Text form of an id, which also tells ids apart (`spec/transport.md` §1). */
export function idText({ realm, serial, type }: ActrId): string {
  return `${serial.toString(16)}@${realm}/${type.manufacturer}:${type.name}:${type.version}`;
}

export function writeCredential({ keyId, claims, signature }: Credential): Writer {
  return new Writer().varint(1, keyId).bytes(2, claims).bytes(3, signature);
}

export function readCredential(credential: Fields): Credential {
  return {
    keyId: credential.number(1) ?? 0,
    claims: credential.bytes(2) ?? new Uint8Array(0),
    signature: credential.bytes(3) ?? new Uint8Array(0),
  };
}

/** The claims of a credential: whose it is, and until when in Unix seconds. */
export function readClaims({ claims }: Credential): { actorId: string; expiresAt: number } {
  const fields = new Fields(claims);
  return { actorId: fields.text(2) ?? "", expiresAt: fields.number(3) ?? 0 };
}
