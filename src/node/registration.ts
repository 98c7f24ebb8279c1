import type { AclRule, NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { GuestDefinition } from "../guest.ts";
import type { Registration } from "../identity/ais_client.ts";
import { resolveRules } from "../inbound/acl.ts";
import type { ResolvedRule } from "../protocol/acl.ts";
import { aclMessage } from "../protocol/acl_message.ts";
import { type ActrType, formatActrType, parseActrType } from "../protocol/ids.ts";
import type { NodeSettings } from "./node_components.ts";

/** What a node is when it does not say (`spec/protocol.md` §12.1). */
const defaultType = "local:Client:0.0.0";

/** What a node registers as. @throws ActrError `config` for a type or rule that is malformed. */
export function registrationOf(definition: NodeDefinition, settings: NodeSettings): Registration {
  const { realm, realmSecret, wsAddress } = settings;
  const { guest } = definition;
  const rules = visibility(definition);
  return {
    type: guest === undefined ? nodeType(definition.type ?? defaultType) : guestType(definition),
    realm,
    ...(guest === undefined ? {} : packageRegistration(guest)),
    ...(realmSecret === undefined ? {} : { realmSecret }),
    ...(wsAddress === undefined ? {} : { wsAddress }),
    ...(rules === undefined
      ? {}
      : { acl: aclMessage(forServers(resolveRules(rules, realm), realm)) }),
  };
}

/**
 * Who may find the node and send it signals: whom it allows, whom a service or method of it allows beside, and what it
 * depends on, since a real actrix passes on answers by the rules of who called. Undefined where it leaves that to the server.
 */
function visibility(definition: NodeDefinition): AclRule[] | undefined {
  const { services = [], guest, actors = {}, acl, dependencies = [] } = definition;
  const answering = dependencies.map(({ type }): AclRule => ({ permission: "allow", type }));
  const serves = services.length > 0 || guest !== undefined || Object.keys(actors).length > 0;
  if (acl === undefined) return !serves && answering.length > 0 ? answering : undefined;
  const narrower = [
    ...services.flatMap((service) => [service, ...Object.values(service.methods ?? {})]),
    ...Object.values(guest?.methods ?? {}),
  ];
  const rules = narrower.flatMap((each): readonly AclRule[] => each?.acl ?? []);
  return [...acl, ...rules.filter(({ permission }) => permission === "allow"), ...answering];
}

/** Rules that mean the same to a real actrix: there the last that matches wins, and one for any realm never does (`spec/protocol.md` §9, §18). */
function forServers(rules: readonly ResolvedRule[], ownRealm: number): ResolvedRule[] {
  const stated = rules.flatMap((rule) =>
    rule.realm === undefined ? [rule, { ...rule, realm: ownRealm }] : [rule],
  );
  const of = (permission: ResolvedRule["permission"]): ResolvedRule[] =>
    stated.filter((rule) => rule.permission === permission);
  return [...of("allow"), ...of("deny")];
}

/** What a guest registers with, unless as any other node. */
export function packageRegistration({
  package: its,
  proof,
  registersAs = "package",
}: Pick<GuestDefinition, "package" | "proof" | "registersAs">): Pick<Registration, "package"> {
  if (registersAs === "linked") return {};
  const { manifestBytes: manifest, signature, manifest: said } = its;
  const { target } = said.binary;
  // A key has become a prover before: `withProver`.
  const prover = typeof proof === "function" ? proof : undefined;
  return { package: { manifest, signature, target, ...(prover && { proof: prover }) } };
}

/** A guest's node is what its package is. @throws ActrError `config` for a definition that says otherwise. */
function guestType({ type: said, guest }: NodeDefinition): ActrType {
  const { manufacturer = "", name = "", version = "" } = guest?.package.manifest ?? {};
  const text = formatActrType({ manufacturer, name, version });
  if (said !== undefined && said !== text) {
    const mend = "leave type out, or run another package";
    throw new ActrError("config", `type is ${said}, but the guest's package is ${text}; ${mend}`);
  }
  return nodeType(text);
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
