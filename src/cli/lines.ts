import { ActrError } from "../errors.ts";

/** The lines of a text that comes in pieces, without their ends. @throws ActrError `invalid_argument` for bytes that are no UTF-8. */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let number = 1;
  for await (const piece of pieces) {
    const lines = (rest + decoded(decoder, number, piece)).split("\n");
    rest = lines.pop() ?? "";
    number += lines.length;
    yield* lines;
  }
  rest += decoded(decoder, number);
  if (rest !== "") yield rest;
}

/** The next part of a text, or its end; the text stands at line `number`. */
function decoded(decoder: TextDecoder, number: number, piece?: Uint8Array): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch (cause) {
    const message = `from line ${number} on this is no text in UTF-8; name a file of lines`;
    throw new ActrError("invalid_argument", message, { cause });
  }
}

/** Lines as texts of up to `count` lines, each ended. */
export async function* linePages(
  lines: AsyncIterable<string>,
  count: number,
): AsyncGenerator<string, void, undefined> {
  let page: string[] = [];
  for await (const line of lines) {
    page.push(line);
    if (page.length < count) continue;
    yield `${page.join("\n")}\n`;
    page = [];
  }
  if (page.length > 0) yield `${page.join("\n")}\n`;
}
