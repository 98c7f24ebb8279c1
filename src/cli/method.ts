import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Peer } from "../../adapters/serve/options.ts";
import { ActrError } from "../errors.ts";
import {
  describeRoute,
  encodeDescribeRequest,
  type JsonMethod,
  jsonMethod,
  serviceOfRoute,
} from "../protocol/descriptors.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { Misuse } from "./misuse.ts";
import { protoMethod } from "./proto_source.ts";

/** The method of a route as a file describes it: `.proto` source, or a binary FileDescriptorSet. */
export async function methodOfFile(
  file: string,
  routeKey: string,
  cwd: string,
): Promise<JsonMethod> {
  const path = resolve(cwd, file);
  if (path.endsWith(".proto")) return protoMethod(path, routeKey);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch {
    throw new Misuse(`--proto is ${file}, but that cannot be read`);
  }
  return jsonMethod(bytes, routeKey);
}

/** The method of a route as the peer itself describes it. @throws ActrError as a call; `unknown_route` when the peer tells no schemas. */
export async function methodOfPeer(
  peer: Peer,
  target: ActrId,
  routeKey: string,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<JsonMethod> {
  const request = encodeDescribeRequest(serviceOfRoute(routeKey));
  try {
    return jsonMethod(await peer.context.call(target, describeRoute, request, options), routeKey);
  } catch (error) {
    if (!ActrError.is(error) || error.code !== "unknown_route") throw error;
    throw new ActrError(
      "unknown_route",
      `${formatActrId(target)} does not tell its schema; pass --proto FILE`,
      { cause: error },
    );
  }
}
