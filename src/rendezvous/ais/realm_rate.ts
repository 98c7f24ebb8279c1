import type { Ais } from "./ais.ts";
import type { Outcome } from "./ais_answer.ts";

/** Why a realm gets no more identities right now, if so. To be asked last, so that strangers use up nothing of it. */
export function realmRefusal(ais: Ais, realm: number): Outcome | undefined {
  const retryAfterSeconds = ais.realmRate.take(String(realm));
  if (retryAfterSeconds === undefined) return undefined;
  const message = `Too many requests of realm ${realm}. Wait for ${retryAfterSeconds}s`;
  return { refusal: { code: 429, message }, retryAfterSeconds };
}
