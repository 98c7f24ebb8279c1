import type { Ais } from "./ais.ts";

/** State of the identity service, with the fields of the original (`spec/protocol.md` §6.5). */
export async function aisHealth(ais: Ais): Promise<Record<string, unknown>> {
  const readable = await ais.registrations.readable();
  return {
    service: "ais",
    status: readable ? "healthy" : "degraded",
    database: readable ? "ok" : "failed",
    ks_service: "ok",
    key_cache: { status: "ok", key_id: ais.keys.current.keyId, expires_in: secondsToNextKey(ais) },
  };
}

/** Until another key signs. */
function secondsToNextKey({ keys, clock, options }: Ais): number {
  const now = clock.now();
  const signing = keys.list().findLast(({ signsFrom }) => signsFrom <= now);
  const next = keys.list().find(({ signsFrom }) => signsFrom > now);
  const at = next?.signsFrom ?? (signing?.signsFrom ?? now) + options.keyLifeMs;
  return Math.max(0, Math.ceil((at - now) / 1000));
}
