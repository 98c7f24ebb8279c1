import { utf8Length } from "../src/protocol/utf8.ts";

/** What a message counts against `maxMessageBytes`: text as its UTF-8. */
export function messageBytes(data: string | ArrayBuffer | Uint8Array): number {
  return typeof data === "string" ? utf8Length(data) : data.byteLength;
}
