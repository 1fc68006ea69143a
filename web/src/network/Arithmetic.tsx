// The arithmetic of the selected cell.
import { network } from "../texts/network";
import { brief, exact, sign } from "../bench/numbers";
import type { Description, Made, PointCell, WindowCell } from "../wasm/pkg/foveal";
import { into, made, nameOf, place } from "./state";
import { mostOf } from "./colors";

const tint = (v: number, most: number): string => `${Math.round(100 * (most > 0 && Number.isFinite(v) ? Math.min(1, Math.abs(v) / most) : 0))}%`;

/** Three decimals at most and no zero before the point, for the small cells of a window; the whole number is among the terms. */
function tiny(v: number): string {
  if (Math.abs(v) >= 0.9995 || !Number.isFinite(v)) return brief(Number(v.toPrecision(2)));
  return sign(String(Number(v.toFixed(3))).replace("0.", "."));
}

/** A window's numbers of one channel. */
function Patch(props: { cell: WindowCell; channel: number; numbers: readonly number[]; most: number; filter?: boolean }) {
  const { cell, channel, numbers } = props;
  const [h, w] = cell.window;
  const at = (i: number, j: number) => (i * w + j) * cell.depth + channel;
  return (
    <span class="patch" style={{ "--columns": w }}>
      {Array.from({ length: h * w }, (_, k) => {
        const t = at(Math.floor(k / w), k % w);
        const v = numbers[t] ?? 0;
        const outside = !props.filter && cell.padding[t];
        return (
          <span key={k} class={`number ${v < 0 ? "below" : "above"}`} style={{ "--t": tint(v, props.most) }} title={exact(v)} data-outside={outside ? "" : undefined} data-largest={!props.filter && cell.largest === t ? "" : undefined}>
            {outside && cell.operator !== "conv2d" ? "" : tiny(v)}
          </span>
        );
      })}
    </span>
  );
}

/** Channels that are shown side by side, the ones that weigh most first. */
const CHANNELS = 12;

function Channels({ cell }: { cell: WindowCell }) {
  const inputs = mostOf(cell.inputs);
  const filters = mostOf(cell.filters);
  const order = Array.from({ length: cell.depth }, (_, c) => c);
  if (cell.depth > CHANNELS) order.sort((a, b) => Math.abs(cell.sums[b] ?? 0) - Math.abs(cell.sums[a] ?? 0));
  const conv = cell.operator === "conv2d";
  return (
    <>
      <div class="channels" translate={false} style={{ "--wide": cell.window[1] }}>
        {order.slice(0, CHANNELS).map((c) => (
          <span class="channel" key={c}>
            {cell.depth > 1 && <span class="soft tag">{network.value.channel(cell.places[c]?.[2] ?? c)}</span>}
            <Patch cell={cell} channel={c} numbers={cell.inputs} most={inputs} />
            {conv && (
              <>
                <span class="join">×</span>
                <Patch cell={cell} channel={c} numbers={cell.filters} most={filters} filter />
                <span class="channel-sum">
                  <span class="join">=</span> <b>{sign(brief(cell.sums[c] ?? 0))}</b>
                </span>
              </>
            )}
          </span>
        ))}
      </div>
      {cell.depth > CHANNELS && <p class="soft small">{network.value.heaviest(CHANNELS, cell.depth)}</p>}
    </>
  );
}

/** Inputs of a dense layer that are shown, the ones that weigh most. */
const TERMS = 12;

function Heaviest({ cell }: { cell: WindowCell }) {
  const order = cell.products.map((_, i) => i).sort((a, b) => Math.abs(cell.products[b]!) - Math.abs(cell.products[a]!));
  return (
    <>
      <div class="term-list" translate={false}>
        {order.slice(0, TERMS).map((i) => (
          <span class="term-box" key={i}>
            <span class="soft tag">[{cell.places[i]?.[2]}]</span> {brief(cell.inputs[i]!)} · {brief(cell.filters[i]!)} = <b>{brief(cell.products[i]!)}</b>
          </span>
        ))}
      </div>
      {cell.products.length > TERMS && <p class="soft small">{network.value.heaviestTerms(TERMS, cell.products.length)}</p>}
    </>
  );
}

/** Every term, as decimals that add up to the total exactly. */
function Every({ cell }: { cell: WindowCell }) {
  const text = cell.text;
  if (!text) return null;
  return (
    <details class="every">
      <summary>{network.value.everyTerm(cell.products.length)}</summary>
      <div class="term-list long" tabIndex={0} role="group" aria-label={network.value.everyTerm(cell.products.length)} translate={false}>
        {text.terms.map((t, i) => (
          <span class="term-box" key={i} data-term={t}>
            {cell.padding[i] ? <span class="soft">{network.value.padding}</span> : `${sign(exact(cell.inputs[i]!))} · ${sign(exact(cell.filters[i]!))}`} = <b>{sign(t)}</b>
          </span>
        ))}
        {text.bias !== undefined && (
          <span class="term-box" data-term={text.bias}>
            {network.value.bias} <b>{sign(text.bias)}</b>
          </span>
        )}
        <span class="term-box" data-total={text.total}>
          = <b>{sign(text.total)}</b>
        </span>
      </div>
    </details>
  );
}

function WindowMade({ cell }: { cell: WindowCell }) {
  const sum = cell.operator === "conv2d" || cell.operator === "dense";
  const inside = cell.padding.filter((p) => !p).length;
  const few = cell.sums.length <= 8 && cell.operator === "conv2d";
  const bias = cell.bias;
  // The sums of few channels stand there with three digits.
  const value = cell.text?.value ?? exact(cell.value);
  return (
    <>
      {cell.operator === "dense" ? <Heaviest cell={cell} /> : <Channels cell={cell} />}
      <p class="equation-line" translate={false} data-value={cell.value}>
        {cell.operator === "max_pool" && `max(${network.value.numbers(inside)}) = `}
        {(cell.operator === "avg_pool" || cell.operator === "global_avg_pool") && `${network.value.sumOf(inside)} / ${inside} = `}
        {sum && (few ? cell.sums.map((s, i) => (i > 0 ? (s < 0 ? ` − ${brief(-s)}` : ` + ${brief(s)}`) : brief(s))).join("") : network.value.sumOf(cell.products.length))}
        {sum && bias !== undefined && <span> {bias < 0 ? "−" : "+"} {brief(Math.abs(bias))} <span class="soft">({network.value.bias})</span></span>}
        {sum && (few ? " ≈ " : " = ")}
        <b>{sign(value)}</b>
        {cell.after && (
          <span>
            {" "}
            → {cell.after.kind} → <b>{sign(cell.after.value === cell.value ? value : exact(cell.after.value))}</b>
          </span>
        )}
      </p>
      {sum && <Every cell={cell} />}
    </>
  );
}

/** The formula of a layer that works number by number, with its numbers in it. */
function formula(cell: PointCell): string {
  const x = brief(cell.from[0]?.number ?? 0);
  const own = (name: string) => brief(cell.numbers[cell.names.indexOf(name)] ?? 0);
  switch (cell.operator) {
    case "relu": return `max(${x}, 0)`;
    case "leaky_relu": return (cell.from[0]?.number ?? 0) > 0 ? x : `${own("alpha")} · ${x}`;
    case "sigmoid": return `1 / (1 + exp(−(${x})))`;
    case "clip": return `min(max(${x}, ${own("min")}), ${own("max")})`;
    case "tanh": return `tanh(${x})`;
    case "gelu": return `${x} · Φ(${x})`;
    case "batch_norm": return `${own("gamma")} · (${x} − ${own("mean")}) / √(${own("variance")} + ${own("epsilon")}) + ${own("beta")}`;
    case "softmax": return `exp(${brief(cell.from[cell.at[2]]?.number ?? 0)} − ${own("largest")}) / ${own("total")}`;
    case "add": return cell.from.map((s) => brief(s.number)).join(" + ");
    default: return x;
  }
}

function PointMade({ cell, of }: { cell: PointCell; of: Description }) {
  const text = network.value;
  const moves = ["flatten", "concat", "dropout"].includes(cell.operator);
  const source = cell.from[0];
  return (
    <>
      <p class="equation-line" translate={false} data-value={cell.value}>
        {formula(cell)} = <b>{sign(exact(cell.value))}</b>
      </p>
      {moves && source && (
        <p class="soft small">
          {text.moved} <span translate={false}>{`${nameOf(of, source.value)} [${source.at.join(", ")}]`}</span>
        </p>
      )}
      {!moves && cell.from.length === 1 && source && (
        <p class="soft small">
          {text.comesFrom} <span translate={false}>{`${nameOf(of, source.value)} [${source.at.join(", ")}]`}</span>
        </p>
      )}
    </>
  );
}

function Body({ now, of }: { now: Made; of: Description }) {
  if (now.kind === "window") return <WindowMade cell={now.cell} />;
  if (now.kind === "point") return <PointMade cell={now.cell} of={of} />;
  const shift = now.shift === 0 ? "" : now.shift < 0 ? ` − ${brief(-now.shift)}` : ` + ${brief(now.shift)}`;
  return (
    <p class="equation-line" translate={false} data-value={now.value}>
      {brief(now.raw)} × {brief(now.scale)}
      {shift} = <b>{sign(exact(now.value))}</b> <span class="soft">({network.value.pixel})</span>
    </p>
  );
}

/** Buttons from cell to cell, for devices without a keyboard. */
const STEPS = [
  ["left", "ArrowLeft", "M11 3v10L4 8z"],
  ["up", "ArrowUp", "M3 11h10L8 4z"],
  ["down", "ArrowDown", "M3 5h10l-5 7z"],
  ["right", "ArrowRight", "M5 3v10l7-5z"],
] as const;

function Steps({ onMove }: { onMove: (key: string) => void }) {
  return (
    <div class="steps" role="group" aria-label={network.value.steps}>
      {STEPS.map(([to, key, d]) => (
        <button type="button" key={to} class="chip" data-move={to} aria-label={network.value.step[to]} title={network.value.step[to]} onClick={() => onMove(key)}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={d} />
          </svg>
        </button>
      ))}
    </div>
  );
}

export function Arithmetic({ of, onMove }: { of: Description; onMove: (key: string) => void }) {
  const now = made.value;
  const at = place.value;
  if (!at) return null;
  return (
    <section class="made" aria-label={network.value.arithmetic} data-made={now?.kind}>
      <header>
        <h4>
          <span translate={false}>{`${nameOf(of, at.value)} [${at.at.join(", ")}]`}</span>
        </h4>
        <Steps onMove={onMove} />
        <button type="button" class="chip" onClick={() => into(null)}>
          {network.value.close}
        </button>
      </header>
      {now && <Body now={now} of={of} />}
    </section>
  );
}
