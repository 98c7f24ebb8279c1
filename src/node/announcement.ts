import type { NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { Registration } from "../identity/ais_client.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { type SpecHead, serviceSpec } from "../protocol/fingerprint/service_spec.ts";
import type { ActrType } from "../protocol/ids.ts";
import type { ServiceDescriptor } from "../protocol/schema.ts";

/** What a node is to tell of its services. */
export interface Announcement {
  readonly services: readonly ServiceDescriptor[];
  readonly head: Omit<SpecHead, "publishedAt">;
}

/** What a definition has a node tell; undefined where that is nothing. */
export function announcementOf(
  { services = [], spec = {} }: NodeDefinition,
  type: ActrType,
): Announcement | undefined {
  if (spec === false || services.length === 0) return undefined;
  const head = { name: type.name, ...spec };
  return { services: services.map(({ descriptor }) => descriptor), head };
}

/** The registration with the description of the node's services. One that cannot be described is left out, which discovery goes without. */
export async function announced(
  registration: Registration,
  announcement: Announcement | undefined,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<Registration> {
  if (announcement === undefined) return registration;
  const publishedAt = Math.floor(clock.now() / 1_000);
  try {
    const spec = await serviceSpec(announcement.services, { ...announcement.head, publishedAt });
    return spec === undefined ? registration : { ...registration, serviceSpec: spec };
  } catch (error) {
    log.info("identity.description.left_out", { reason: ActrError.from(error).message });
    return registration;
  }
}
