/** What the node's process tells the one that watches: the app is loaded; the node serves. */
export type FromNode = "loaded" | "ready";

/** What it is told: serve; stop gracefully. */
export type ToNode = "serve" | "stop";
