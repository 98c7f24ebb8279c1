/** Lines that browsers' stacks write and the real client's does not (`spec/real-client.md`, WebRTC). */
const unknownToRust =
  /^a=(max-message-size|ice-options|extmap-allow-mixed|msid-semantic|candidate|end-of-candidates).*\r?\n/gm;

/** A description as the real client would say it: without candidates, message size and ICE options. */
export function sparse(sdp: string): string {
  return sdp.replace(unknownToRust, "");
}

/** The ICE username fragment of a description with one media section. */
export function ufragIn(sdp: string): string {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? "";
}

/** A gathered candidate as the real client sends it, when it is one that it would send: a UDP address of IPv4. */
export function localCandidate(
  line: string,
): { readonly text: string; readonly fragment: string | undefined } | undefined {
  const [text] = /^candidate:\S+ 1 udp \d+ [\d.]+ \d+ typ host/i.exec(line) ?? [];
  if (text === undefined) return undefined;
  return { text, fragment: / ufrag (\S+)/.exec(line)?.[1] };
}
