import type { NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { GuestWorkload } from "../guest/workload/guest_workload.ts";
import type { Registration } from "../identity/ais_client.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { serviceSpec } from "../protocol/fingerprint/service_spec.ts";
import type { ActrType } from "../protocol/ids.ts";

/** Makes what a node tells of its services. @param publishedAt Unix seconds. @throws ActrError `invalid_argument` where they cannot be described. */
export type Announcement = (publishedAt: number) => Promise<Registration["serviceSpec"]>;

/** What a definition has a node tell; undefined where that is nothing. */
export function announcementOf(
  { services = [], spec = {} }: NodeDefinition,
  type: ActrType,
  guest?: Pick<GuestWorkload, "describe">,
): Announcement | undefined {
  if (spec === false) return undefined;
  if (guest !== undefined) return (publishedAt) => guest.describe(spec, publishedAt);
  if (services.length === 0) return undefined;
  const head = { name: type.name, ...spec };
  const descriptors = services.map(({ descriptor }) => descriptor);
  return (publishedAt) => serviceSpec(descriptors, { ...head, publishedAt });
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
    const spec = await announcement(publishedAt);
    return spec === undefined ? registration : { ...registration, serviceSpec: spec };
  } catch (error) {
    log.info("identity.description.left_out", { reason: ActrError.from(error).message });
    return registration;
  }
}
