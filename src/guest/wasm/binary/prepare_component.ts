import type { GuestLimits } from "../../../ports/guest_host.ts";
import { guestFault } from "../../fault.ts";
import type { PreparedComponent } from "./prepared_component.ts";

/** The limits that concern the bytes of a component. */
export type BinaryLimits = Pick<
  GuestLimits,
  "fuel" | "memoryBytes" | "tableElements" | "codeBytes"
>;

/** Most points that a guest may be given for one entry: they are counted in an i32. */
export const maxFuel = 0x7fff_ffff;

/**
 * Checks a component of the V2 world and makes its main core module safe to instantiate (`spec/guest.md` §16–§18).
 * @throws ActrError with fault `load_failed` (not a component, another world, a form that is not supported) or
 * `resource_limit` (too long, or more memory or table elements at the start than the limits allow).
 * @throws RangeError when `limits.fuel` is not a whole number between 1 and {@link maxFuel}.
 */
export function prepareComponent(bytes: Uint8Array, limits: BinaryLimits): PreparedComponent {
  if (!Number.isInteger(limits.fuel) || limits.fuel < 1 || limits.fuel > maxFuel) {
    throw new RangeError(`fuel is ${limits.fuel}: give a whole number from 1 to ${maxFuel}`);
  }
  if (bytes.length > limits.codeBytes) {
    throw guestFault(
      "resource_limit",
      `the component has ${bytes.length} bytes, the limit is ${limits.codeBytes}: build it without debug information, or raise the limit`,
    );
  }
  throw guestFault("load_failed", "components are not read yet");
}
