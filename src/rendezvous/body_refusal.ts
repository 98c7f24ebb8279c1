import { ActrError } from "../errors.ts";

/** Statuses for bodies that are too long or too slow, by the codes of `readBody`. */
const statuses: Readonly<Record<string, 408 | 413>> = {
  "message.incoming_too_long": 413,
  timed_out: 408,
};

/** How a body is refused. */
export interface BodyRefusal {
  readonly status: 408 | 413;
  readonly message: string;
}

/** How a request is refused whose body could not be read; undefined for other errors. */
export function bodyRefusal(error: unknown): BodyRefusal | undefined {
  if (!ActrError.is(error)) return undefined;
  const status = statuses[error.code];
  return status && { status, message: error.message };
}
