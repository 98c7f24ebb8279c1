import type { Clock } from "../../ports/clock.ts";
import type { DatagramOptions, DatagramSocket, Datagrams } from "../../ports/datagrams.ts";
import { TokenBucket } from "../../token_bucket.ts";
import { stunAnswer } from "./stun_answer.ts";

/** What a {@link openStunServer} needs. */
export interface StunComponents {
  readonly clock: Clock;
  readonly datagrams: Datagrams;
}

/** Answers in a second, and as many at once: senders of datagrams can lie about who they are, and an answer is longer than a question. */
const answersPerSecond = 5_000;

/** Tells whoever asks by UDP where the question came from: what WebRTC calls a STUN server. @throws ActrError as {@link Datagrams.open}. */
export async function openStunServer(
  { clock, datagrams }: StunComponents,
  options: DatagramOptions,
): Promise<DatagramSocket> {
  const answers = new TokenBucket(answersPerSecond, answersPerSecond, clock.monotonic());
  const socket: DatagramSocket = await datagrams.open(options, (data, from) => {
    const answer = stunAnswer(data, from);
    if (answer !== undefined && answers.take(clock.monotonic())) socket.send(answer, from);
  });
  return socket;
}
