// What the network's worker does when asked.
import type { Cam, Looked, Made, Opened } from "../wasm/pkg/foveal";

export type At = readonly [number, number, number];

/** What a model made of a picture: the fitted picture, and the input and every layer's output. */
export interface Sight {
  readonly looked: Looked;
  readonly raw: Float32Array;
  readonly values: readonly Float32Array[];
}

export interface Calls {
  open(bytes: Uint8Array, name: string): Opened;
  lookAt(pixels: Uint8Array, height: number, width: number, channels: number): Sight;
  lookInto(bytes: Uint8Array, name: string): Sight;
  parameter(index: number): Float32Array;
  cell(value: number, at: At): Made | null;
  gradCam(of: number | null, value: number | null): Cam | null;
}

export type Call = keyof Calls;

interface Waiting {
  done: (answer: never) => void;
  failed: (error: Error) => void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let last = 0;

function start(): Worker {
  const started = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  started.addEventListener("message", ({ data }: MessageEvent<{ id: number; answer?: never; error?: string }>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error === undefined) asked?.done(data.answer as never);
    else asked?.failed(new Error(data.error));
  });
  // The module stopped: open questions fail, and the next question starts a new worker.
  started.addEventListener("error", (event) => {
    for (const asked of waiting.values()) asked.failed(new Error(event.message));
    waiting.clear();
    worker = undefined;
  });
  return started;
}

/** Asks the worker. */
export function ask<K extends Call>(call: K, ...args: Parameters<Calls[K]>): Promise<ReturnType<Calls[K]>> {
  worker ??= start();
  const id = ++last;
  worker.postMessage({ id, call, args });
  return new Promise((done, failed) => waiting.set(id, { done, failed } as Waiting));
}
