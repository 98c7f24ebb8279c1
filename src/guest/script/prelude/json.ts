/** `JSON.parse`, whatever the guest puts in its place. */
export const parse: typeof JSON.parse = JSON.parse;

/** `JSON.stringify`, whatever the guest puts in its place. */
export const stringify: typeof JSON.stringify = JSON.stringify;
