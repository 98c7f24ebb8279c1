/**
 * The symbols of `using`, which some browsers do not have yet; classes need them when they are made, so this comes first.
 * @module
 */
for (const name of ["dispose", "asyncDispose"] as const) {
  if (Symbol[name] === undefined) {
    Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
  }
}
