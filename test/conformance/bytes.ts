/** Whether both hold the same bytes; large ones would take a deep comparison seconds. */
export function sameBytes(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && one.every((byte, at) => byte === other[at]);
}
