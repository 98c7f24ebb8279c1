/** The answer to one request, to be given when it is there: the first one counts. */
export interface Reply<Response> {
  /** Whether nobody waits any more: it is answered, its deadline has passed, or the node stops. */
  readonly closed: boolean;
  /** Answers; false when the reply was closed. @throws ActrError `invalid_argument` for a message that cannot be encoded. */
  send(response: Response): boolean;
  /** Answers with an error, as if the handler had thrown it; false when the reply was closed. */
  fail(error: unknown): boolean;
}
