/** What takes tracks: the player, and every page of it. */
export const type = "acme:Player:1.0.0";

/** The tracks that it takes. */
export const tracks = [
  { id: "voice", codec: "opus" },
  { id: "camera", codec: "VP8" },
] as const;
