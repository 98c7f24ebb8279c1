/**
 * How a client of ours goes on with a connection whose socket it lost, within the protocol that every client of actors
 * speaks: a subprotocol, two events and an action whose names no actor uses. Who does not offer the subprotocol is
 * served as ever. Messages of either side count from 1 on each connection: to the client those after `$resume`, to the
 * server all but `$ack`.
 *
 * - `roost_resume`: the connection may be resumed. After Init comes the event `$resume [secret]`, hexadecimal.
 * - `roost_resume.CONNECTION.SECRET.RECEIVED`: goes on with it, the client having received so many messages. In place of
 *   Init comes the event `$resumed [received]`, with how many the server has, and then what the client has missed; the
 *   client sends again what the server has not. Where it cannot be resumed any more, Init opens another connection.
 * - `$ack [received]`: the client has so many messages; they are not kept for it any longer.
 */
export const resumeOffer = "roost_resume";

/** Event that tells the secret of a new connection. */
export const resumeEvent = "$resume";

/** Event that opens a connection which goes on. */
export const resumedEvent = "$resumed";

/** Action that tells how many messages have been received. */
export const ackAction = "$ack";

/** Bytes of a secret. */
export const secretBytes = 32;
