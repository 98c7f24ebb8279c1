import type { AclRule, NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { Registration } from "../identity/ais_client.ts";
import { resolveRules } from "../inbound/acl.ts";
import { aclMessage } from "../protocol/acl_message.ts";
import { type ActrType, parseActrType } from "../protocol/ids.ts";
import type { NodeSettings } from "./node_components.ts";

/** What a node is when it does not say (`spec/protocol.md` §12.1). */
const defaultType = "local:Client:0.0.0";

/** What a node registers as. @throws ActrError `config` for a type or rule that is malformed. */
export function registrationOf(definition: NodeDefinition, settings: NodeSettings): Registration {
  const { realm, realmSecret, wsAddress } = settings;
  return {
    type: nodeType(definition.type ?? defaultType),
    realm,
    ...(realmSecret === undefined ? {} : { realmSecret }),
    ...(wsAddress === undefined ? {} : { wsAddress }),
    ...(definition.acl === undefined
      ? {}
      : { acl: aclMessage(resolveRules(discoveryRules(definition, definition.acl), realm)) }),
  };
}

/** Who may find the node: whom it allows, and whom a service or method of it allows beside. */
function discoveryRules({ services = [] }: NodeDefinition, own: readonly AclRule[]): AclRule[] {
  const narrower = services.flatMap((service) => [
    service,
    ...Object.values(service.methods ?? {}),
  ]);
  const rules = narrower.flatMap((each): readonly AclRule[] => each?.acl ?? []);
  return [...own, ...rules.filter(({ permission }) => permission === "allow")];
}

function nodeType(text: string): ActrType {
  try {
    return parseActrType(text);
  } catch (cause) {
    throw new ActrError("config", `type ${text} is no actr type; write manufacturer:name:version`, {
      cause,
    });
  }
}
