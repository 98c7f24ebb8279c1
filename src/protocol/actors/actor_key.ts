import type { ActorKey } from "../../actor.ts";

/** Longest key, serialised, and longest part of one, UTF-16 units (`spec/actor-client.md` §3.4). */
export const maxKeyLength = 1024;
const maxPartLength = 128;

/** One text for a key: parts joined by `/`, `\` and `/` inside them escaped by `\`, an empty part `\0`, the empty key `/`. */
export function formatActorKey(key: ActorKey): string {
  if (key.length === 0) return "/";
  return key.map((part) => (part === "" ? "\\0" : part.replace(/[\\/]/g, "\\$&"))).join("/");
}

/** The key of such a text. */
export function parseActorKey(text: string): string[] {
  if (text === "/") return [];
  const parts: string[] = [];
  let part = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === "/") {
      parts.push(part);
      part = "";
    } else if (char !== "\\") part += char;
    else {
      i += 1;
      part += text[i] === "0" ? "" : (text[i] ?? "");
    }
  }
  parts.push(part);
  return parts;
}

/** @throws RangeError for a key that is too long, or has a part that is. */
export function checkActorKey(key: ActorKey): void {
  for (const part of key) {
    if (part.length > maxPartLength) {
      throw new RangeError(
        `a part of an actor's key has ${part.length} characters; ${maxPartLength} are allowed`,
      );
    }
  }
  const { length } = formatActorKey(key);
  if (length > maxKeyLength) {
    throw new RangeError(`an actor's key has ${length} characters; ${maxKeyLength} are allowed`);
  }
}
