// Loss and accuracy over the steps.
import { train } from "../texts/train";
import type { Point } from "./messages";
import { judgements, perEpoch, steps, total } from "./state";

const W = 560;
const H = 200;
const LEFT = 68;
const RIGHT = 10;
const TOP = 12;
const BOTTOM = 26;

interface Props {
  readonly title: string;
  readonly name: string;
  readonly of: (p: Point) => number;
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  readonly text: (v: number) => string;
  readonly scale?: "log";
}

/** Running means, so that a line is seen through the noise of single steps. */
function smooth(values: readonly number[]): number[] {
  let mean = values[0] ?? 0;
  return values.map((v) => (mean += (v - mean) * 0.08));
}

function Chart(props: Props) {
  const { of, low, high } = props;
  const last = Math.max(1, total.value);
  const bend = (v: number) => (props.scale === "log" ? Math.log(Math.max(v, low)) : v);
  const x = (step: number) => LEFT + ((W - LEFT - RIGHT) * step) / last;
  const y = (v: number) => TOP + (H - TOP - BOTTOM) * (1 - (bend(Math.min(high, Math.max(low, v))) - bend(low)) / (bend(high) - bend(low)));
  const points = steps.value;
  const means = smooth(points.map(of));
  const path = (at: readonly (readonly [number, number])[]) => at.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
  const held = judgements.value;
  const now = held[held.length - 1];
  const label = now ? train.value.chart(props.title, props.text(of(now)), now.step) : train.value.noChart(props.title);
  const marks = Array.from({ length: Math.max(0, Math.floor(last / perEpoch.value)) }, (_, i) => (i + 1) * perEpoch.value);
  return (
    <figure class="chart" data-chart={props.name}>
      <figcaption>
        <h3>{props.title}</h3>
        {now && <span class="soft" translate={false}>{props.text(of(now))}</span>}
      </figcaption>
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={label}>
        {props.ticks.map((t) => (
          <g key={t}>
            <line class="rule" x1={LEFT} x2={W - RIGHT} y1={y(t)} y2={y(t)} />
            <text x={LEFT - 6} y={y(t) + 4} text-anchor="end">
              {props.text(t)}
            </text>
          </g>
        ))}
        {marks.map((m, i) => (
          <g key={m}>
            <line class="rule epoch" x1={x(m)} x2={x(m)} y1={TOP} y2={H - BOTTOM} />
            <text x={x(m) - 4} y={H - 8} text-anchor="end">
              {train.value.epochMark(i + 1)}
            </text>
          </g>
        ))}
        <path class="curve steps" d={path(points.map((p, i) => [x(p.step), y(means[i]!)] as const))} />
        <path class="curve held" d={path(held.map((p) => [x(p.step), y(of(p))] as const))} />
        {now && <circle class="dot" cx={x(now.step)} cy={y(of(now))} r="3.5" />}
      </svg>
    </figure>
  );
}

export function Curves() {
  const text = train.value;
  return (
    <section class="card" aria-label={text.curves}>
      <header class="curves-head">
        <h2>{text.curves}</h2>
        <p class="key">
          <span>
            <span class="swatch steps" aria-hidden="true" /> {text.onSteps}
          </span>
          <span>
            <span class="swatch held" aria-hidden="true" /> {text.onHeld}
          </span>
        </p>
      </header>
      <div class="charts">
        <Chart title={text.loss} name="loss" of={(p) => p.loss} low={0.02} high={3} scale="log" ticks={[0.03, 0.1, 0.3, 1, 3]} text={(v) => String(Number(v.toPrecision(3)))} />
        <Chart title={text.accuracy} name="accuracy" of={(p) => p.accuracy} low={0.8} high={1} ticks={[0.8, 0.85, 0.9, 0.95, 1]} text={(v) => `${Number((100 * v).toFixed(1))} %`} />
      </div>
    </section>
  );
}
