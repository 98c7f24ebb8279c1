/** The node refuses the token. */
export class Refused extends Error {}

const key = "roost.inspect.token";

/** The node, as who has its token sees it. */
export class Api {
  /** Kept for this tab alone. */
  get token(): string | undefined {
    return sessionStorage.getItem(key) ?? undefined;
  }

  set token(token: string | undefined) {
    if (token === undefined) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, token);
  }

  /** What the node answers. @throws Refused; Error with what the node says. */
  async ask<Answer>(path: string, init: { method?: string; body?: unknown } = {}): Promise<Answer> {
    const { method = "GET", body } = init;
    const response = await fetch(`/inspect${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token ?? ""}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status === 401) throw new Refused("The node refuses this token.");
    const answer = await response.json();
    if (response.ok) return answer;
    throw new Error(answer?.error?.message ?? `status ${response.status}`);
  }

  /** A WebSocket that shows an actor. */
  connect(actorId: string): WebSocket {
    const url = new URL(`/inspect/actors/${encodeURIComponent(actorId)}/connect`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    // Subprotocols have fewer characters than tokens may have.
    const token = encodeURIComponent(this.token ?? "").replace(
      /[()]/g,
      (char) => `%${char.charCodeAt(0).toString(16)}`,
    );
    return new WebSocket(url, ["rivet", "rivet_encoding.json", `rivet_inspector_token.${token}`]);
  }
}
