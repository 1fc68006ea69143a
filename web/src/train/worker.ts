// Trains in a worker, in slices so short that a pause takes effect at once.
import { load } from "../wasm/load";
import { Training } from "../wasm/pkg/foveal";
import { digits, joined, type Digits } from "../network/digits";
import { DRAWN, type Ask, type Point, type Say } from "./messages";

/** The length of a slice in milliseconds; messages are read after it. */
const SLICE = 15;
/** Milliseconds between two reports of progress. */
const REPORT = 120;
/** Milliseconds between two judgements: at least so many, and so many times what one takes. */
const JUDGE = 500;
const SHARE = 8;

const say = (what: Say): void => postMessage(what);
const ready = load();

let training: Training | undefined;
let base = "";
const parts: Digits[] = [];
let running = false;
let finished = false;
let seconds = 0;
let seen = 0;
let points: Point[] = [];
let reported = 0;
let next = 0;
let last = { done: 0, epoch: 1, lr: 0 };

const filters = (): Float32Array[] => DRAWN.map((name) => training?.parameter(name) ?? new Float32Array());

function report(): void {
  say({ say: "progress", points, done: last.done, epoch: last.epoch, lr: last.lr, digits: seen, seconds, filters: filters() });
  points = [];
  reported = performance.now();
}

function judge(): void {
  if (!training) return;
  const start = performance.now();
  say({ say: "scores", done: last.done, scores: training.validate() });
  const end = performance.now();
  next = end + Math.max(JUDGE, SHARE * (end - start));
}

function stop(): void {
  running = false;
  report();
  say({ say: "running", running });
  judge();
}

/** One step; false at the end. */
function step(): boolean {
  if (!training || finished) return false;
  const start = performance.now();
  const progress = training.step();
  seconds += (performance.now() - start) / 1000;
  if (progress.kind === "step") {
    seen += progress.digits;
    last = { done: progress.done, epoch: progress.epoch, lr: progress.lr };
    points.push({ step: progress.done, loss: progress.loss, accuracy: progress.accuracy });
    return true;
  }
  if (progress.kind === "diverged") {
    last.done = progress.done;
    say({ say: "diverged" });
  } else {
    finished = true;
    say({ say: "finished" });
  }
  return false;
}

// Between two slices the worker sends itself a message, so that messages of the page get their turn; a timer would
// wait four milliseconds.
const turn = new MessageChannel();
turn.port1.onmessage = () => {
  if (!running) return;
  const until = performance.now() + SLICE;
  try {
    do {
      if (!step()) return stop();
    } while (performance.now() < until);
    if (performance.now() - reported > REPORT) report();
    if (performance.now() > next) judge();
  } catch (error) {
    running = false;
    say({ say: "broken", text: String(error) });
    return;
  }
  turn.port2.postMessage(0);
};

async function begin(asked: Extract<Ask, { ask: "begin" }>): Promise<void> {
  base = asked.base;
  running = false;
  await ready;
  let before = 0;
  for (let i = 0; i < asked.parts; i++) {
    if (parts[i]) continue;
    let own = 0;
    parts[i] = await digits(new URL(`digits/train-${i}.bin`, base).href, (bytes) => {
      own = bytes;
      say({ say: "loading", bytes: before + own, parts: asked.parts });
    });
    before += own;
  }
  const all = joined(parts.slice(0, asked.parts));
  training?.free();
  training = new Training(all.pixels, all.labels, asked.plan);
  [finished, seconds, seen, points] = [false, 0, 0, []];
  last = { done: 0, epoch: 1, lr: asked.plan.lr };
  say({ say: "begun", total: training.total(), perEpoch: training.perEpoch(), filters: filters() });
  judge();
}

let test: Digits | undefined;

async function answer(asked: Ask): Promise<void> {
  if (asked.ask === "begin") return begin(asked);
  if (!training) return;
  switch (asked.ask) {
    case "run":
      if (running || finished) return;
      running = true;
      say({ say: "running", running });
      reported = performance.now();
      turn.port2.postMessage(0);
      return;
    case "pause":
      if (running) stop();
      return;
    case "step":
      if (running) return;
      step();
      report();
      judge();
      return;
    case "rate":
      training.setRate(asked.lr);
      return;
    case "judge": {
      test ??= await digits(new URL("digits/test.bin", base).href);
      say({ say: "judged", scores: training.judge(test.pixels, test.labels) });
      return;
    }
    case "file":
      say({ say: "file", format: asked.format, bytes: asked.format === "onnx" ? training.onnx() : training.safetensors() });
  }
}

addEventListener("message", ({ data }: MessageEvent<Ask>) => {
  answer(data).catch((error: unknown) => {
    running = false;
    say({ say: "broken", text: String(error) });
  });
});
