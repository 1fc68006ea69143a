// The module of foveal-wasm, loaded once. `make page` writes wasm/pkg.
import init from "./pkg/foveal";

let loading: Promise<unknown> | undefined;

/** Resolves when the functions of `wasm/pkg/foveal` may be called. */
export function load(): Promise<unknown> {
  loading ??= init();
  return loading;
}
