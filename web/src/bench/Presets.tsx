import { useEffect, useRef } from "preact/hooks";
import { narrow } from "../shell/narrow";
import { bench } from "../texts/bench";
import { choose, preset, presets } from "./state";

type Key = keyof typeof bench.value.presets;

function List({ label, lecture }: { label: string; lecture: boolean }) {
  const row = useRef<HTMLDivElement>(null);
  // On a narrow screen the row scrolls; what is chosen is in sight.
  useEffect(() => {
    const [box, chosen] = [row.current, row.current?.querySelector<HTMLElement>("[aria-pressed=true]")];
    if (!box || !chosen) return;
    const [from, to] = [chosen.offsetLeft - box.offsetLeft, chosen.offsetLeft - box.offsetLeft + chosen.offsetWidth];
    if (from < box.scrollLeft || to > box.scrollLeft + box.clientWidth - 40) box.scrollLeft = from - 24;
  }, [preset.value, narrow.value]);
  return (
    <div class="preset-list" role="group" aria-label={label}>
      <span class="legend" aria-hidden="true">{label}</span>
      <div class="options" ref={row}>
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
