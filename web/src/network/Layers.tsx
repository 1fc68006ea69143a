// Every layer of the model: its feature maps, its filters, and the selected cell.
import { computed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { narrow } from "../shell/narrow";
import { network } from "../texts/network";
import { brief } from "../bench/numbers";
import type { Description, Layer } from "../wasm/pkg/foveal";
import type { At } from "./calls";
import { Arithmetic } from "./Arithmetic";
import { mostOf } from "./colors";
import { Sheet } from "./Sheet";
import { fetchParameter, into, made, parameters, place, shapeOf, sight } from "./state";

/** Maps of a layer that are drawn. */
const MAPS = 64;
/** Cells of a flat layer in a row. */
const row = computed(() => (narrow.value ? 20 : 50));

/** Maps side by side, so that lines are full. */
const across = (maps: number): number => {
  if (narrow.value) return maps > 8 ? 6 : 4;
  return maps <= 8 ? 8 : maps % 12 === 0 ? 12 : maps % 16 === 0 ? 16 : maps % 10 === 0 ? 10 : 12;
};

const valueOf = (v: number): Float32Array => sight.value?.values[v] ?? new Float32Array();

/** Where a cell of a value lies on its sheets: which sheet, which row and column there. */
function flat([h, w]: At): boolean {
  return h === 1 && w === 1;
}

/** The cell one step on, or the same at the border. */
function moved(shape: At, at: At, key: string): At | null {
  const [h, w, c] = shape;
  const [i, j, k] = at;
  const clamp = (v: number, n: number) => Math.min(n - 1, Math.max(0, v));
  if (flat(shape)) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row.value, ArrowDown: row.value, PageUp: -row.value, PageDown: row.value, Home: -c, End: c }[key];
    return by === undefined ? null : [0, 0, clamp(k + by, c)];
  }
  switch (key) {
    case "ArrowLeft": return [i, clamp(j - 1, w), k];
    case "ArrowRight": return [i, clamp(j + 1, w), k];
    case "ArrowUp": return [clamp(i - 1, h), j, k];
    case "ArrowDown": return [clamp(i + 1, h), j, k];
    case "PageUp": return [i, j, clamp(k - 1, c)];
    case "PageDown": return [i, j, clamp(k + 1, c)];
    case "Home": return [0, 0, k];
    case "End": return [h - 1, w - 1, k];
    default: return null;
  }
}

/** A frame around cells of a sheet, in shares of it. */
function Frame(props: { kind: string; row: number; column: number; rows: number; columns: number; of: readonly [number, number] }) {
  const [h, w] = props.of;
  const share = (v: number, n: number) => `${(100 * v) / n}%`;
  return <span class={`mark-cell ${props.kind}`} style={{ top: share(props.row, h), left: share(props.column, w), height: share(props.rows, h), width: share(props.columns, w) }} />;
}

/** The part of each channel that the selected cell is made of; null for a channel that it does not use. */
const reach = computed(() => {
  const now = made.value;
  if (!now || now.kind === "input") return null;
  if (now.kind === "point") {
    const few = now.cell.from.length <= 4 ? now.cell.from : [];
    return few.map((s) => ({ value: s.value, channel: s.at[2], top: s.at[0], left: s.at[1], bottom: s.at[0], right: s.at[1] }));
  }
  const { places, from, operator } = now.cell;
  if (operator === "dense") return null;
  const rows = places.map((p) => p[0]);
  const columns = places.map((p) => p[1]);
  const box = { value: from, top: Math.min(...rows), left: Math.min(...columns), bottom: Math.max(...rows), right: Math.max(...columns) };
  return [...new Set(places.map((p) => p[2]))].map((channel) => ({ ...box, channel }));
});

function Map(props: { of: Description; v: number; channel: number; most: () => number }) {
  const { v, channel } = props;
  const [h, w, c] = shapeOf(props.of, v);
  const now = place.value;
  const here = now?.value === v && now.at[2] === channel ? now.at : null;
  const boxes = (reach.value ?? []).filter((r) => r.value === v && r.channel === channel);
  const pick = (e: MouseEvent) => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    const cell = (at: number, from: number, size: number, n: number) => Math.min(n - 1, Math.max(0, Math.floor(((at - from) / size) * n)));
    into({ value: v, at: [cell(e.clientY, box.top, box.height, h), cell(e.clientX, box.left, box.width, w), channel] });
  };
  return (
    <div class="map-box" data-map={channel} style={{ "--w": w, "--h": h }} onClick={pick}>
      <Sheet width={w} height={h} on={sight} most={props.most} ink={v === 0} read={(i, j) => valueOf(v)[(i * w + j) * c + channel] ?? 0} />
      {boxes.map((b) => (
        <Frame kind="reach" row={Math.max(0, b.top)} column={Math.max(0, b.left)} rows={Math.min(h - 1, b.bottom) - Math.max(0, b.top) + 1} columns={Math.min(w - 1, b.right) - Math.max(0, b.left) + 1} of={[h, w]} />
      ))}
      {here && <Frame kind="cell" row={here[0]} column={here[1]} rows={1} columns={1} of={[h, w]} />}
    </div>
  );
}

function Flat(props: { of: Description; v: number; most: () => number }) {
  const { v } = props;
  const c = shapeOf(props.of, v)[2];
  const columns = Math.min(row.value, c);
  const rows = Math.ceil(c / columns);
  const now = place.value?.value === v ? place.value.at[2] : null;
  const marks = (reach.value ?? []).filter((r) => r.value === v);
  const pick = (e: MouseEvent) => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    const i = Math.min(rows - 1, Math.max(0, Math.floor(((e.clientY - box.top) / box.height) * rows)));
    const j = Math.min(columns - 1, Math.max(0, Math.floor(((e.clientX - box.left) / box.width) * columns)));
    if (i * columns + j < c) into({ value: v, at: [0, 0, i * columns + j] });
  };
  const frame = (k: number, kind: string) => <Frame kind={kind} row={Math.floor(k / columns)} column={k % columns} rows={1} columns={1} of={[rows, columns]} />;
  return (
    <>
      <div class="map-box flat" data-few={c <= 20 ? "" : undefined} style={{ "--w": columns, "--h": rows }} onClick={pick}>
        <Sheet key={columns} width={columns} height={rows} on={sight} most={props.most} read={(i, j) => (i * columns + j < c ? (valueOf(v)[i * columns + j] ?? 0) : Number.NaN)} />
        {marks.map((m) => frame(m.channel, "reach"))}
        {now !== null && frame(now, "cell")}
      </div>
      {c <= 20 && c === props.of.classes.length && props.of.classes.every((name) => name.length < 4) && (
        <div class="flat-names" aria-hidden="true" translate={false} style={{ "--w": c }}>
          {props.of.classes.map((name) => (
            <span key={name}>{name}</span>
          ))}
        </div>
      )}
    </>
  );
}

/** The filters of a convolution: those of the selected map, or all where they have one channel. */
function Filters({ layer, v }: { layer: Layer; v: number }) {
  const filter = layer.parameters.find((p) => p.name.endsWith(".filter"));
  const index = filter?.index ?? -1;
  useEffect(() => {
    if (index >= 0) fetchParameter(index);
  }, [index]);
  if (!filter) return null;
  const [kh = 1, kw = 1, depth = 1, count = 1] = filter.shape;
  const numbers = parameters.value.get(index) ?? new Float32Array();
  const most = mostOf(numbers);
  const chosen = place.value?.value === v ? place.value.at[2] : 0;
  const drawn = depth === 1 ? Array.from({ length: Math.min(count, MAPS) }, (_, o) => [0, o] as const) : Array.from({ length: Math.min(depth, MAPS) }, (_, i) => [i, chosen] as const);
  return (
    <div class="filters-row" data-filters>
      <h4>{depth === 1 ? network.value.filters(count, kh, kw) : network.value.filterOf(chosen, depth, kh, kw)}</h4>
      <div class="kernels">
        {drawn.map(([i, o]) => (
          <span key={`${i}-${o}`} class="kernel" data-lit={depth === 1 && place.value?.value === v && o === chosen ? "" : undefined}>
            <Sheet width={kw} height={kh} on={parameters} most={() => most} read={(a, b) => numbers[((a * kw + b) * depth + i) * count + o] ?? 0} />
          </span>
        ))}
      </div>
    </div>
  );
}

function facts(layer: Layer | undefined): string {
  const window = layer?.window;
  if (!window) return "";
  const step = window.strides[0] === window.strides[1] ? String(window.strides[0]) : window.strides.join("×");
  const spread = window.dilations.some((d) => d !== 1) ? ` · ${network.value.dilations} ${window.dilations.join("×")}` : "";
  return `${window.kernel.join("×")} · ${network.value.strides} ${step}${spread} · ${window.padding}`;
}

export function LayerRow({ of, v }: { of: Description; v: number }) {
  const layer = v === 0 ? undefined : of.layers[v - 1];
  const shape = shapeOf(of, v);
  const [h, w, c] = shape;
  const most = useMemo(() => computed(() => mostOf(valueOf(v))), [v, of]);
  const name = layer?.name ?? "input";
  const here = place.value?.value === v;
  const at: At = here ? place.value!.at : [Math.floor(h / 2), Math.floor(w / 2), 0];
  const onKey = (e: KeyboardEvent) => {
    const to = e.key === "Enter" || e.key === " " ? at : e.key === "Escape" && here ? null : moved(shape, at, e.key);
    if (to === null && e.key !== "Escape") return;
    e.preventDefault();
    into(to ? { value: v, at: here || e.key === "Enter" || e.key === " " ? to : at } : null);
  };
  const drawn = Math.min(c, MAPS);
  return (
    <section class="layer" data-layer={name} data-kind={layer?.kind ?? "input"}>
      <header>
        <h3 translate={false}>{name}</h3>
        <span class="soft shape" translate={false}>
          {h}×{w}×{c}
        </span>
        <span class="soft">{facts(layer)}</span>
        <span class="soft about">{network.value.kinds[(layer?.kind ?? "input") as keyof typeof network.value.kinds] ?? ""}</span>
      </header>
      {layer?.kind === "conv2d" && <Filters layer={layer} v={v} />}
      <div
        class="sheets"
        style={{ "--across": across(c) }}
        role="application"
        tabIndex={0}
        aria-label={flat(shape) ? network.value.flatLabel(name, c) : network.value.mapsLabel(name, c, h, w)}
        onKeyDown={onKey}
      >
        {flat(shape) ? <Flat of={of} v={v} most={() => most.value} /> : Array.from({ length: drawn }, (_, k) => <Map key={k} of={of} v={v} channel={k} most={() => most.value} />)}
      </div>
      {drawn < c && !flat(shape) && <p class="soft small">{network.value.firstMaps(drawn, c)}</p>}
      {here && <Arithmetic of={of} onMove={(key) => into({ value: v, at: moved(shape, at, key) ?? at })} />}
      {here && (
        <p class="unseen" aria-live="polite" translate={false}>
          {`${name} [${at.join(", ")}] = ${brief(valueOf(v)[(at[0] * w + at[1]) * c + at[2]] ?? 0)}`}
        </p>
      )}
    </section>
  );
}
