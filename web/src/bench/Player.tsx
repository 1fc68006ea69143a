// From cell to cell: back, play, on.
import { useSignal, useSignalEffect } from "@preact/signals";
import { reduced } from "../shell/theme";
import { bench } from "../texts/bench";
import { answer, at, look, type At } from "./state";

const PACE = { slow: 1400, normal: 700, fast: 220 } as const;
type Pace = keyof typeof PACE;

/** The cell `by` steps on in reading order; map after map. */
function moved(by: number): At | null {
  const shape = answer.peek()?.shape;
  if (!shape) return null;
  const [h, w, c] = shape;
  const [i, j, k] = at.peek();
  const place = (k * h + i) * w + j + by;
  if (place < 0 || place >= h * w * c) return null;
  return [Math.floor(place / w) % h, place % w, Math.floor(place / (h * w))];
}

function step(by: number): boolean {
  const to = moved(by);
  if (to) look(to);
  return to !== null;
}

const Icon = ({ d }: { d: string }) => (
  <svg viewBox="0 0 16 16" aria-hidden="true">
    <path d={d} />
  </svg>
);

export function Player() {
  const playing = useSignal(false);
  const pace = useSignal<Pace>("normal");
  useSignalEffect(() => {
    if (!playing.value) return;
    // People who asked for less motion get single slow steps.
    const wait = reduced.value ? Math.max(PACE[pace.value], PACE.slow) : PACE[pace.value];
    const timer = setInterval(() => {
      if (!step(1)) playing.value = false;
    }, wait);
    return () => clearInterval(timer);
  });
  const play = () => {
    if (!playing.value && !moved(1)) look([0, 0, 0]);
    playing.value = !playing.value;
  };
  // Reading it here makes the buttons follow the cell.
  void at.value;
  return (
    <div class="player" role="group" aria-label={bench.value.player} data-playing={playing.value ? "" : undefined}>
      <button type="button" class="button" data-step="-1" aria-disabled={!moved(-1)} aria-label={bench.value.back} title={bench.value.back} onClick={() => step(-1)}>
        <Icon d="M11 3v10L4 8z" />
      </button>
      <button type="button" class="button main" data-play onClick={play}>
        <Icon d={playing.value ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4 2.5v11L13 8z"} />
        {playing.value ? bench.value.pause : bench.value.play}
      </button>
      <button type="button" class="button" data-step="1" aria-disabled={!moved(1)} aria-label={bench.value.on} title={bench.value.on} onClick={() => step(1)}>
        <Icon d="M5 3v10l7-5z" />
      </button>
      <label class="pace">
        <span class="unseen">{bench.value.pace}</span>
        <select value={pace.value} onChange={(e) => (pace.value = e.currentTarget.value as Pace)}>
          {(Object.keys(PACE) as Pace[]).map((p) => (
            <option key={p} value={p}>
              {bench.value.paces[p]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
