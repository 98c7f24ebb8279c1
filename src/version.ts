/** Version of Roost; the same as in both manifests. */
export const version = "0.1.0";
