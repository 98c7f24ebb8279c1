import { bareCodec } from "./bare_codec.ts";
import type { ActorCodec } from "./messages.ts";
import { cborCodec, jsonCodec } from "./tree_codec.ts";

/** Every encoding by its name. */
const codecs: ReadonlyMap<string, ActorCodec> = new Map(
  [jsonCodec, cborCodec, bareCodec].map((codec) => [codec.encoding, codec]),
);

/** The encoding of a name; undefined when there is none. */
export function codecOf(encoding: string): ActorCodec | undefined {
  return codecs.get(encoding);
}
