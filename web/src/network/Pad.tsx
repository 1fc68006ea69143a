// The drawing pad: pointer, touch and keys. White ink on black, as MNIST has it; the light theme shows it inverted.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { network } from "../texts/network";
import { SIDE } from "./digits";
import { picture, samples, show } from "./state";

const SIZE = 280;
const PEN = 22;
const STEP = SIZE / SIDE;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The pad's pixels as grey bytes. */
function grey(pen: CanvasRenderingContext2D): Uint8Array {
  const { data } = pen.getImageData(0, 0, SIZE, SIZE);
  return Uint8Array.from({ length: SIZE * SIZE }, (_, i) => data[4 * i]!);
}

function blank(pen: CanvasRenderingContext2D): void {
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, SIZE, SIZE);
}

function line(pen: CanvasRenderingContext2D, from: Point, to: Point): void {
  pen.strokeStyle = "#fff";
  pen.lineWidth = PEN;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(from.x, from.y);
  pen.lineTo(to.x, to.y);
  pen.stroke();
}

/** A test digit, in large pixels. */
function sample(pen: CanvasRenderingContext2D, pixels: Uint8Array): void {
  const small = new ImageData(SIDE, SIDE);
  pixels.forEach((v, i) => small.data.set([v, v, v, 255], 4 * i));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  canvas.getContext("2d")?.putImageData(small, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(canvas, 0, 0, SIZE, SIZE);
}

async function file(pen: CanvasRenderingContext2D, bytes: Uint8Array): Promise<void> {
  try {
    const image = await createImageBitmap(new Blob([bytes as BlobPart]));
    const scale = Math.min(SIZE / image.width, SIZE / image.height);
    const [w, h] = [image.width * scale, image.height * scale];
    pen.imageSmoothingEnabled = true;
    pen.drawImage(image, (SIZE - w) / 2, (SIZE - h) / 2, w, h);
  } catch {
    // foveal reads this format and the browser does not: the picture only appears as the network sees it.
  }
}

function download(canvas: HTMLCanvasElement): void {
  canvas.toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "digit.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

export function Pad() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const cursor = useSignal<Point>({ x: SIZE / 2, y: SIZE / 2 });
  const down = useSignal(false);
  const keyed = useSignal(false);
  const last = useRef<Point | null>(null);
  const own = useRef(false);
  const context = () => canvas.current?.getContext("2d", { willReadFrequently: true }) ?? null;

  // What is picked or dropped is drawn on the pad; the first stroke on it begins anew.
  useSignalEffect(() => {
    const now = picture.value;
    const all = samples.value;
    const pen = context();
    if (!pen || !now || now.kind === "drawing") return;
    own.current = false;
    blank(pen);
    if (now.kind === "digit" && all) sample(pen, all.pixels.subarray(now.index * SIDE * SIDE, (now.index + 1) * SIDE * SIDE));
    if (now.kind === "file") void file(pen, now.bytes);
  });

  const stroke = (from: Point, to: Point) => {
    const pen = context();
    if (!pen) return;
    if (!own.current) blank(pen);
    own.current = true;
    line(pen, from, to);
    show({ kind: "drawing", pixels: grey(pen), height: SIZE, width: SIZE });
  };
  const clear = () => {
    const pen = context();
    if (!pen) return;
    blank(pen);
    own.current = true;
    down.value = false;
    show({ kind: "drawing", pixels: grey(pen), height: SIZE, width: SIZE });
  };
  const where = (e: PointerEvent): Point => {
    const box = canvas.current!.getBoundingClientRect();
    return { x: ((e.clientX - box.left) / box.width) * SIZE, y: ((e.clientY - box.top) / box.height) * SIZE };
  };
  const onKey = (e: KeyboardEvent) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (by) {
      const keep = (v: number) => Math.min(SIZE - STEP / 2, Math.max(STEP / 2, v));
      const from = cursor.value;
      const to = { x: keep(from.x + by[0]! * STEP), y: keep(from.y + by[1]! * STEP) };
      cursor.value = to;
      if (down.value) stroke(from, to);
    } else if (e.key === " " || e.key === "Enter") {
      down.value = !down.value;
      if (down.value) stroke(cursor.value, cursor.value);
    } else if (e.key === "Delete" || e.key === "Backspace") {
      clear();
    } else return;
    keyed.value = true;
    e.preventDefault();
  };
  return (
    <div class="pad">
      <div
        class="pad-board"
        role="application"
        tabIndex={0}
        aria-label={network.value.pad}
        aria-describedby="pad-keys"
        data-pad
        onKeyDown={onKey}
        onBlur={() => ((keyed.value = false), (down.value = false))}
        onPointerDown={(e) => {
          keyed.value = false;
          e.currentTarget.setPointerCapture(e.pointerId);
          last.current = where(e);
          stroke(last.current, last.current);
        }}
        onPointerMove={(e) => {
          if (!last.current) return;
          const to = where(e);
          stroke(last.current, to);
          last.current = to;
        }}
        onPointerUp={() => (last.current = null)}
        onPointerCancel={() => (last.current = null)}
      >
        <canvas ref={canvas} width={SIZE} height={SIZE} />
        {keyed.value && <span class="pad-cursor" data-down={down.value ? "" : undefined} style={{ left: `${(100 * cursor.value.x) / SIZE}%`, top: `${(100 * cursor.value.y) / SIZE}%` }} />}
      </div>
      <p class="unseen" aria-live="polite">
        {keyed.value ? network.value.pen(down.value, Math.floor(cursor.value.y / STEP), Math.floor(cursor.value.x / STEP)) : ""}
      </p>
      <p id="pad-keys" class="soft small">
        {network.value.padKeys}
      </p>
      <div class="options">
        <button type="button" class="chip" data-clear onClick={clear}>
          {network.value.clear}
        </button>
        <button type="button" class="chip" data-save onClick={() => canvas.current && download(canvas.current)}>
          {network.value.savePicture}
        </button>
      </div>
    </div>
  );
}
