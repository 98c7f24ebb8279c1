import { toActrTypeMessage } from "../../protocol/id_messages.ts";
import type {
  DiscoveryRequest,
  DiscoveryResponse_TypeEntrySchema,
  GetServiceSpecRequest,
  MessageInit,
  RouteCandidatesRequest,
} from "../../protocol/schema.ts";
import type { Hub } from "../hub.ts";
import { has, type Payload, typeText } from "../messages.ts";
import type { Reachable } from "../reachable.ts";
import type { SignalingSocket } from "../signaling_socket.ts";
import { positionOf } from "./discovery.ts";

type TypeEntry = MessageInit<typeof DiscoveryResponse_TypeEntrySchema>;

/** Nodes of one type with their addresses, in the same order; none is a success too (`spec/protocol.md` §8.1). */
export function routeCandidates(
  hub: Hub,
  from: SignalingSocket,
  request: RouteCandidatesRequest,
): Payload {
  const now = hub.clock.monotonic();
  from.position = positionOf(request.clientLocation) ?? from.position;
  const found = hub.discovery.candidates(from, typeText(request.targetType), request, now);
  const candidates = found.map((each) => each.wireId);
  const wsAddressMap = found.map(({ profile }, at) => ({
    candidateId: candidates[at],
    ...(profile.wsAddress !== undefined && { wsAddress: profile.wsAddress }),
  }));
  const value = { candidates, wsAddressMap };
  return { case: "routeCandidatesResponse", value: { result: { case: "success", value } } };
}

/** The types that are present (`spec/protocol.md` §8.2). */
export function discovery(hub: Hub, from: SignalingSocket, request: DiscoveryRequest): Payload {
  const types = hub.discovery.types(from, request, hub.clock.monotonic());
  const value = { entries: types.map(typeEntry) };
  return { case: "discoveryResponse", value: { result: { case: "success", value } } };
}

/** What the list of types says of a type; an unknown fingerprint is empty. */
function typeEntry({ id, profile: { spec } }: Reachable): TypeEntry {
  const { manufacturer, name } = id.type;
  return {
    actrType: toActrTypeMessage(id.type),
    name: `${manufacturer}:${name}`,
    serviceFingerprint: spec?.fingerprint ?? "",
    tags: spec?.tags ?? [],
    ...(spec && has(spec, "description") && { description: spec.description }),
    ...(spec && has(spec, "publishedAt") && { publishedAt: spec.publishedAt }),
  };
}

/** The description with a name (`spec/protocol.md` §8.3). */
export function serviceSpec(
  hub: Hub,
  from: SignalingSocket,
  request: GetServiceSpecRequest,
): Payload {
  const spec = hub.discovery.spec(from, request, hub.clock.monotonic());
  if (spec !== undefined) {
    return { case: "getServiceSpecResponse", value: { result: { case: "success", value: spec } } };
  }
  const error = { code: 404, message: `Service specification not found for name=${request.name}` };
  return { case: "getServiceSpecResponse", value: { result: { case: "error", value: error } } };
}
