// Loss and accuracy over the steps.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { train } from "../texts/train";
import type { Point } from "./messages";
import { epochs, judgements, perEpoch, steps, total } from "./state";

const LEFT = 50;
const RIGHT = 8;
const TOP = 12;
const BOTTOM = 26;

/** A number's place on an axis, and numbers that are written there. */
interface Axis {
  readonly at: (v: number) => number;
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

const LOSS: Axis = { at: (v) => Math.log(Math.max(v, 0.02)), low: 0.02, high: 3, ticks: [0.03, 0.1, 0.3, 1, 3] };
// By what is missing to 100 %, each decade as high as the next: 0, 90 and 99 % are the same distance apart.
const ACCURACY: Axis = { at: (v) => -Math.log(Math.max(1 - v, 0.004)), low: 0, high: 0.996, ticks: [0, 0.5, 0.8, 0.9, 0.95, 0.99] };

interface Props {
  readonly title: string;
  readonly name: string;
  readonly of: (p: Point) => number;
  readonly axis: Axis;
  readonly text: (v: number) => string;
}

/** Running means, so that a line stands out from the noise of single steps. */
function smooth(values: readonly number[]): number[] {
  let mean = values[0] ?? 0;
  return values.map((v) => (mean += (v - mean) * 0.08));
}

/** Ends of the epochs; before training starts, those that are planned. */
function marks(): { last: number; ends: readonly number[] } {
  const begun = total.value > 0;
  const each = begun ? perEpoch.value : 1;
  const last = begun ? total.value : epochs.value;
  return { last, ends: Array.from({ length: Math.floor(last / each) }, (_, i) => (i + 1) * each) };
}

/** The width of an element in pixels, so that a drawing's letters are as large as the page's. */
function useWidth() {
  const box = useRef<HTMLElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => (width.value = Math.round(entry!.contentRect.width)));
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return { box, width: width.value };
}

function Lines({ props, width }: { props: Props; width: number }) {
  const { of, axis } = props;
  const height = Math.round(Math.min(240, Math.max(190, width * 0.42)));
  const { last, ends } = marks();
  const x = (step: number) => LEFT + ((width - LEFT - RIGHT) * step) / last;
  const [low, high] = [axis.at(axis.low), axis.at(axis.high)];
  const y = (v: number) => TOP + (height - TOP - BOTTOM) * (1 - (axis.at(Math.min(axis.high, Math.max(axis.low, v))) - low) / (high - low));
  const path = (at: readonly (readonly [number, number])[]) => at.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
  const means = smooth(steps.value.map(of));
  const held = judgements.value;
  const now = held[held.length - 1];
  // Where epochs are many, only some are named.
  const every = Math.ceil((ends.length * 62) / Math.max(1, width - LEFT));
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={now ? train.value.chart(props.title, props.text(of(now)), now.step) : train.value.noChart(props.title)}>
      {axis.ticks.map((t) => (
        <g key={t}>
          <line class="rule" x1={LEFT} x2={width - RIGHT} y1={y(t)} y2={y(t)} />
          <text x={LEFT - 7} y={y(t) + 4} text-anchor="end">
            {props.text(t)}
          </text>
        </g>
      ))}
      {ends.map((m, i) => (
        <g key={m}>
          <line class="rule epoch" x1={x(m)} x2={x(m)} y1={TOP} y2={height - BOTTOM} />
          {(ends.length - 1 - i) % every === 0 && (
            <text x={x(m)} y={height - 8} text-anchor="end">
              {train.value.epochMark(i + 1)}
            </text>
          )}
        </g>
      ))}
      <path class="curve steps" d={path(steps.value.map((p, i) => [x(p.step), y(means[i]!)] as const))} />
      <path class="curve held" d={path(held.map((p) => [x(p.step), y(of(p))] as const))} />
      {now && <circle class="dot" cx={x(now.step)} cy={y(of(now))} r="3.5" />}
    </svg>
  );
}

function Chart(props: Props) {
  const { box, width } = useWidth();
  const now = judgements.value[judgements.value.length - 1];
  return (
    <figure class="chart" data-chart={props.name} ref={box}>
      <figcaption>
        <h3>{props.title}</h3>
        {now && <span class="soft" translate={false}>{props.text(props.of(now))}</span>}
      </figcaption>
      {width > 0 && <Lines props={props} width={width} />}
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
        <Chart title={text.loss} name="loss" of={(p) => p.loss} axis={LOSS} text={(v) => String(Number(v.toPrecision(3)))} />
        <Chart title={text.accuracy} name="accuracy" of={(p) => p.accuracy} axis={ACCURACY} text={(v) => `${Number((100 * v).toFixed(1))}\u00a0%`} />
      </div>
      <p class="soft small">{text.aboutLoss}</p>
    </section>
  );
}
