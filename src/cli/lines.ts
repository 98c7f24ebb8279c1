/** The lines of a text that comes in pieces, without their ends. @throws TypeError for bytes that are no UTF-8. */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
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
