// The fields of a setting.
import { shell } from "../texts/shell";
import { copy } from "../shell/copy";
import { useSignal } from "@preact/signals";
import { bench } from "../texts/bench";
import type { Operator, Pad, Pattern } from "../wasm/pkg/foveal";
import { Choice, Row, Sides } from "./fields";
import { change, fill, limits, link, reshape, setting, VIEW } from "./state";

const OPERATORS: readonly Operator[] = ["conv2d", "max_pool", "avg_pool"];
const PADS: readonly Pad[] = ["VALID", "SAME", "explicit"];
const INPUTS: readonly Pattern[] = ["input_count", "input_random", "input_zeros", "input_edge"];
const FILTERS: readonly Pattern[] = ["filter_ones", "filter_random", "filter_identity", "filter_upright", "filter_level"];

const name = (text: string) => <span translate={false}>{text}</span>;

/** A pair of whole numbers, down and across. */
function Pair(p: { label: string; note?: string; name: string; value: readonly [number, number]; max: number; onChange: (v: [number, number]) => void }) {
  const [h, w] = p.value;
  const field = (i: 0 | 1) => ({
    label: `${p.label}, ${i === 0 ? bench.value.height : bench.value.width}`,
    name: `${p.name}-${i === 0 ? "height" : "width"}`,
    value: p.value[i],
    min: 1,
    max: p.max,
    onChange: (v: number) => p.onChange(i === 0 ? [v, w] : [h, v]),
  });
  return <Row label={p.label} note={p.note} fields={[field(0), field(1)]} />;
}

function InputFields() {
  const t = bench.value;
  const { input } = setting.value;
  const most = [limits.extent, limits.extent, limits.channels];
  const names = [t.height, t.width, t.channels];
  const field = (i: number) => ({
    label: `${t.input}, ${names[i]}`,
    name: `input-${["height", "width", "channels"][i]}`,
    value: input[i]!,
    min: 1,
    max: most[i]!,
    onChange: (v: number) => reshape({ input: input.map((old, k) => (k === i ? v : old)) as typeof input }),
  });
  return <Row label={t.input} note={t.inputNote} fields={[field(0), field(1), field(2)]} />;
}

function FilterFields() {
  const t = bench.value;
  const { kernel, filters, operator } = setting.value;
  const conv = operator === "conv2d";
  return (
    <>
      <Pair label={conv ? t.filterSize : t.windowSize} note={t.pairNote} name="kernel" value={kernel} max={limits.kernel} onChange={(v) => reshape({ kernel: v })} />
      {conv && <Row label={t.filterCount} fields={[{ label: t.filterCount, name: "filters", value: filters, min: 1, max: limits.filters, onChange: (v) => reshape({ filters: v }) }]} />}
    </>
  );
}

function PaddingFields() {
  const t = bench.value;
  const { padding, explicit } = setting.value;
  const sides = [t.top, t.bottom, t.left, t.right];
  const options = PADS.map((p) => [p, p === "explicit" ? t.explicit : name(p)] as const);
  const field = (i: number) => ({
    side: sides[i]!,
    label: `${t.paddingWord}, ${sides[i]}`,
    name: `pad-${["top", "bottom", "left", "right"][i]}`,
    value: explicit[i]!,
    min: 0,
    max: limits.step,
    onChange: (v: number) => change({ explicit: explicit.map((old, k) => (k === i ? v : old)) as typeof explicit }),
  });
  return (
    <>
      <Choice label={t.paddingWord} name="padding" options={options} value={padding} onChange={(v) => change({ padding: v, explicit: v === "explicit" ? explicit : [0, 0, 0, 0] })} />
      {padding === "explicit" && <Sides label={t.paddingSides} fields={[0, 1, 2, 3].map(field)} />}
    </>
  );
}

function Fills(p: { label: string; patterns: readonly Pattern[] }) {
  return (
    <div class="field fills" role="group" aria-label={p.label}>
      <span class="legend" aria-hidden="true">{p.label}</span>
      <div class="options">
        {p.patterns.map((pattern) => (
          <button type="button" key={pattern} class="chip" data-fill={pattern} onClick={() => fill(pattern)}>
            {bench.value.patterns[pattern]}
          </button>
        ))}
      </div>
    </div>
  );
}

function Share() {
  const copied = useSignal(false);
  const take = async () => {
    copied.value = await copy(`${location.href.split("#")[0]}#${VIEW}/${link.value}`);
    setTimeout(() => (copied.value = false), 2000);
  };
  return (
    <button type="button" class="button" data-share onClick={() => void take()}>
      <span aria-live="polite">{copied.value ? shell.value.copied : bench.value.share}</span>
    </button>
  );
}

export function Controls() {
  const t = bench.value;
  const { operator, strides, dilations } = setting.value;
  const conv = operator === "conv2d";
  return (
    <section class="controls card" aria-label={t.settings}>
      <header>
        <h2>{t.settings}</h2>
        <Share />
      </header>
      <Choice label={t.operator} name="operator" options={OPERATORS.map((o) => [o, t.operators[o]] as const)} value={operator} onChange={(v) => change({ operator: v })} />
      <InputFields />
      <FilterFields />
      <Pair label={t.strides} note={t.pairNote} name="strides" value={strides} max={limits.step} onChange={(v) => change({ strides: v })} />
      {conv && <Pair label={t.dilations} note={t.pairNote} name="dilations" value={dilations} max={limits.step} onChange={(v) => change({ dilations: v })} />}
      <PaddingFields />
      <Fills label={t.fillInput} patterns={INPUTS} />
      {conv && <Fills label={t.fillFilters} patterns={FILTERS} />}
    </section>
  );
}
