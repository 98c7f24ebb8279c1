/** Most bytes of UTF-8 that a WebSocket close frame carries beside its code. */
const longestReason = 123;

/** `reason` cut at a character so that it fits a close frame. */
export function closeReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(longestReason));
  return reason.slice(0, read);
}
