import { ControlChunk } from "./control_chunk.ts";

/** A question whether the peer is there, or the answer, which repeats its number. */
export interface Beat {
  readonly kind: "ask" | "answer";
  /** Tells questions apart, 0 to 255. */
  readonly number: number;
}

const chunk = new ControlChunk("roost.beat", 2);
const kinds: readonly Beat["kind"][] = ["ask", "answer"];

/** A beat as chunk: two bytes of payload, 0 for a question or 1 for an answer, and its number. */
export function beatChunk({ kind, number }: Beat): Uint8Array {
  return chunk.write(Uint8Array.of(kinds.indexOf(kind), number));
}

/** The beat in a body; undefined for a body that is no {@link beatChunk}. */
export function readBeatChunk(body: Uint8Array): Beat | undefined {
  const payload = chunk.read(body);
  if (payload === undefined) return undefined;
  const [first = 0, number = 0] = payload;
  const kind = kinds[first];
  return kind === undefined ? undefined : { kind, number };
}
