/** Stack that the node's own code may need, in values of 8 bytes: 64 KiB. */
const spare: readonly number[] = new Array<number>(8_192).fill(0);

function nothing(): void {}

/**
 * Refuses to go on where the guest has left so little stack that the node's code might not come to its end: an overflow
 * in the middle of it, which a guest could bring about at every place, would leave the node's own records half written.
 * Recursion would be no measure, since engines put frames together.
 * @throws what the engine has for a full stack.
 */
export function requireStack(): void {
  Reflect.apply(nothing, undefined, spare);
}
