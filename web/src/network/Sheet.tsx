// Numbers as a picture, a pixel each; drawn anew when they or the theme change.
import { useSignalEffect, type ReadonlySignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { palette, signed, inked } from "./colors";

interface Props {
  readonly width: number;
  readonly height: number;
  /** The numbers, row by row; read anew at each change. */
  readonly read: (row: number, column: number) => number;
  /** The sheet is drawn again whenever this changes. */
  readonly on: ReadonlySignal<unknown>;
  /** The number that is full colour. */
  readonly most: () => number;
  /** Ink on paper for pictures, else colours around 0. */
  readonly ink?: boolean;
  readonly className?: string;
}

export function Sheet(props: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(props);
  latest.current = props;
  useSignalEffect(() => {
    void props.on.value;
    const colors = palette.value;
    const pen = canvas.current?.getContext("2d");
    const { width, height, read, most, ink } = latest.current;
    if (!pen || width * height === 0) return;
    const image = pen.createImageData(width, height);
    const full = most();
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const v = read(i, j);
        const at = 4 * (i * width + j);
        if (Number.isNaN(v)) continue;
        if (ink) inked(image.data, at, full > 0 ? v / full : 0, colors);
        else signed(image.data, at, v, full, colors);
      }
    }
    pen.putImageData(image, 0, 0);
  });
  return <canvas ref={canvas} class={props.className ?? "sheet"} width={props.width} height={props.height} />;
}
