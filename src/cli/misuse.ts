/** A command line or setting that cannot be meant; the message names the value and the mend. Ends the command with 2. */
export class Misuse extends Error {
  override readonly name = "Misuse";
}
