import type { GuestEntry, Invocation } from "../../ports/guest_host.ts";
import type { ActrId } from "../../protocol/ids.ts";

/**
 * A dispatch, as it is sent: a list costs a quarter of what objects with names do to cross. The node's own id, which is
 * the same each time, is told beforehand; a caller's is spread at the end, where there is one.
 */
export type PackedDispatch = readonly [
  instance: number,
  id: number,
  token: bigint,
  requestId: string,
  routeKey: string,
  payload: Uint8Array,
  ...caller: readonly [] | readonly [number, bigint, string, string, string],
];

/** A dispatch's answer, and the guest's memory then. */
export type PackedAnswer = readonly [
  instance: number,
  id: number,
  payload: Uint8Array,
  memoryBytes: number,
];

/** Whether a message is packed. */
export function isPacked<Message>(
  message: Message,
): message is Extract<Message, PackedDispatch | PackedAnswer> {
  return Array.isArray(message);
}

/** A caller's id, spread. */
export function packCaller(
  id: ActrId | undefined,
): readonly [] | readonly [number, bigint, string, string, string] {
  if (id === undefined) return [];
  const { manufacturer, name, version } = id.type;
  return [id.realm, id.serial, manufacturer, name, version];
}

/** What was packed. */
export function unpackDispatch(
  [, , token, requestId, routeKey, payload, ...caller]: PackedDispatch,
  selfId: ActrId,
): { readonly entry: GuestEntry; readonly invocation: Invocation } {
  const entry = { name: "dispatch", envelope: { requestId, routeKey, payload } } as const;
  const own = { token, selfId, requestId };
  if (caller.length === 0) return { entry, invocation: own };
  const [realm, serial, manufacturer, name, version] = caller;
  const callerId = { realm, serial, type: { manufacturer, name, version } };
  return { entry, invocation: { ...own, callerId } };
}
