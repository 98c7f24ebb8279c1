import { ActrError } from "./errors.ts";
import type { Clock } from "./ports/clock.ts";
import { concatBytes } from "./protocol/bytes.ts";

/** How long a body may take to come, milliseconds: who sends it drop by drop must not keep a request open, or an actor awake. */
const bodyMs = 60_000;

/** Bounds of a body. */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly clock: Clock;
}

/**
 * The body of a request, or of an answer.
 * @throws ActrError `message.incoming_too_long` as soon as it has more than `maxBytes`, of which no more is read; `timed_out`
 * when it has not come whole within a minute.
 */
export async function readBody(
  message: Pick<Request, "headers" | "body">,
  { maxBytes, clock }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(message.headers.get("content-length") ?? 0);
  if (announced > maxBytes) throw tooLong(announced, maxBytes);
  if (message.body === null) return new Uint8Array();
  const reader = message.body.getReader();
  let late: ActrError | undefined;
  const limit = clock.timer(clock.now() + bodyMs, () => {
    late = new ActrError("timed_out", `the body has not come within ${bodyMs} ms`);
    reader.cancel(late).catch(() => {});
  });
  try {
    const body = await readParts(reader, maxBytes);
    if (late !== undefined) throw late;
    return body;
  } finally {
    limit.cancel();
  }
}

async function readParts(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.length;
    if (length > maxBytes) {
      const refusal = tooLong(length, maxBytes);
      reader.cancel(refusal).catch(() => {});
      throw refusal;
    }
    parts.push(read.value);
  }
  return concatBytes(parts);
}

function tooLong(length: number, maxBytes: number): ActrError {
  const message = `the message has ${length} bytes or more; ${maxBytes} are allowed`;
  return new ActrError("message.incoming_too_long", message);
}
