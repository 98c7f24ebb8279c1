/** JSON's own functions, whatever the guest puts in their place. */
export const { parse, stringify } = JSON;
