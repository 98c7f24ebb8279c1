import assert from "node:assert/strict";
import { ActrError, type ErrorCode } from "../../../src/errors.ts";
import type { Channel } from "../../../src/ports/peer_connections.ts";
import { fromHex } from "../../../src/protocol/bytes.ts";
import { maxChannelMessageBytes } from "../../../src/protocol/fragment.ts";
import { Outgoing } from "../../../transports/webrtc/outgoing.ts";

/** Bytes of hexadecimal text that may be spaced. */
export function hex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(text.replaceAll(" ", ""));
  assert.ok(bytes !== undefined, `not hexadecimal: ${text}`);
  return bytes;
}

/** The ActrError that `run` throws, which must have this code. */
export function refusal(code: ErrorCode, run: () => unknown): ActrError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ActrError, `expected an ActrError, got ${String(error)}`);
    assert.equal(error.code, code);
    return error;
  }
  assert.fail(`expected ${code}`);
}

/** The messages in which a body leaves by a channel that takes all of them. */
export function fragmentsOf(
  body: Uint8Array,
  messageId: number,
  maxMessageBytes: number = maxChannelMessageBytes,
): Uint8Array[] {
  const sent: Uint8Array[] = [];
  const channel: Channel = {
    ...({ label: "test", state: "open", bufferedAmount: 0, maxMessageBytes } as const),
    send: (message) => void sent.push(message.slice()),
    handle() {},
  };
  assert.equal(new Outgoing(body).leaveBy(channel, maxMessageBytes, messageId), true);
  return sent;
}
