import { ActrError } from "../../errors.ts";
import { concatBytes } from "../../protocol/bytes.ts";

/** A request's body. @throws ActrError `message.incoming_too_long` as soon as it has more than `maxBytes`. */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > maxBytes) throw tooLong(announced, maxBytes);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request.body ?? []) {
    length += part.length;
    if (length > maxBytes) throw tooLong(length, maxBytes);
    parts.push(part);
  }
  return concatBytes(parts);
}

function tooLong(length: number, maxBytes: number): ActrError {
  const message = `the message has ${length} bytes or more; ${maxBytes} are allowed`;
  return new ActrError("message.incoming_too_long", message);
}
