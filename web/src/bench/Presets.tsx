import { useEffect, useRef } from "preact/hooks";
import { narrow } from "../shell/narrow";
import { bench } from "../texts/bench";
import { choose, preset, presets } from "./state";

type Key = keyof typeof bench.value.presets;

/** On a narrow screen the row scrolls; what is chosen, or has the focus, is in sight. */
function inSight(row: HTMLElement | null, chip: EventTarget | null | undefined): void {
  if (!row || !(chip instanceof HTMLElement) || row.scrollWidth <= row.clientWidth) return;
  const [from, to] = [chip.offsetLeft - row.offsetLeft, chip.offsetLeft - row.offsetLeft + chip.offsetWidth];
  if (from < row.scrollLeft || to > row.scrollLeft + row.clientWidth - 40) row.scrollLeft = from - 24;
}

function List({ label, lecture }: { label: string; lecture: boolean }) {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => inSight(row.current, row.current?.querySelector("[aria-pressed=true]")), [preset.value, narrow.value]);
  return (
    <div class="preset-list" role="group" aria-label={label}>
      <span class="legend" aria-hidden="true">{label}</span>
      <div class="options" ref={row} onFocusIn={(e) => inSight(row.current, e.target)}>
        {presets
          .filter((p) => p.lecture === lecture)
          .map((p) => (
            <button type="button" key={p.key} class="chip" data-preset={p.key} aria-pressed={preset.value === p.key} onClick={() => choose(p.key)}>
              {bench.value.presets[p.key as Key].name}
            </button>
          ))}
      </div>
    </div>
  );
}

/** Settings to begin with, and what there is to see in the one that is chosen. */
export function Presets() {
  const key = preset.value as Key | null;
  return (
    <section class="presets" aria-label={bench.value.presetsWord}>
      <List label={bench.value.lecture} lecture={true} />
      <List label={bench.value.more} lecture={false} />
      <p class="about" data-about={key ?? ""}>
        {key ? bench.value.presets[key].about.replaceAll(" × ", "\u00a0×\u00a0") : bench.value.ownSetting}
      </p>
    </section>
  );
}
