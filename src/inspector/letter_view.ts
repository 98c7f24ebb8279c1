import type { DeadLetter } from "../ports/store.ts";
import { toBase64 } from "../protocol/bytes.ts";
import { decodeEnvelope } from "../protocol/envelope.ts";
import { decodeActrId, formatActrId } from "../protocol/ids.ts";
import type { LetterDetails, LetterView } from "./inspector.ts";

/** A letter as a list shows it. */
export function letterView(letter: DeadLetter): LetterView {
  const { id, category, reason, requestId, traceId, messageId, createdAt } = letter;
  const { redriveAttempts, lastRedriveAt } = letter;
  return {
    id,
    category,
    reason,
    from: idText(letter.from),
    routeKey: routeOf(letter.rawBytes),
    requestId,
    traceId,
    messageId,
    createdAt,
    redriveAttempts,
    lastRedriveAt,
    bytes: letter.rawBytes.length,
  };
}

/** A letter with everything. */
export function letterDetails(letter: DeadLetter): LetterDetails {
  return {
    ...letterView(letter),
    to: idText(letter.to),
    context: contextOf(letter.context),
    rawBytes: toBase64(letter.rawBytes),
  };
}

function idText(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  try {
    return formatActrId(decodeActrId(bytes));
  } catch {
    return null;
  }
}

function routeOf(rawBytes: Uint8Array): string | null {
  try {
    return decodeEnvelope(rawBytes).routeKey;
  } catch {
    return null;
  }
}

function contextOf(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return text;
  }
}
