// What the selected cell is made of, term by term, and the steps from cell to cell.
import { bench } from "../texts/bench";
import type { Cell, CellTerm } from "../wasm/pkg/foveal";
import { sign } from "./numbers";
import { pointed } from "./pointed";
import { Player } from "./Player";
import { answer, cell, setting } from "./state";

/** A number as a factor or a summand: negative ones in brackets. */
const factor = (text: string): string => (text.startsWith("-") ? `(${sign(text)})` : text);

/** A product of 0 needs no decimals. */
const tidy = (text: string): string => (/^-?0\.0+$/.test(text) ? "0" : text);

function written(part: CellTerm, operator: string): string {
  if (operator === "conv2d") return `${factor(part.input)}·${factor(part.filter ?? "0")}`;
  return operator === "max_pool" ? sign(part.input) : factor(part.input);
}

function Term({ part, index, operator }: { part: CellTerm; index: number; operator: string }) {
  const conv = operator === "conv2d";
  const text = written(part, operator);
  return (
    <span
      class="term"
      data-term={index}
      data-product={part.product ?? part.input}
      data-outside={part.padding ? "" : undefined}
      data-largest={part.largest ? "" : undefined}
      title={part.padding ? bench.value.padding : undefined}
      onPointerEnter={() => (pointed.value = index)}
      onPointerLeave={() => (pointed.value = null)}
    >
      <span class="factors">{text}</span>
      {conv && <span class="product">{sign(tidy(part.product ?? ""))}</span>}
    </span>
  );
}

/** The terms, a row of the window to a line. */
function Terms({ now }: { now: Cell }) {
  const operator = setting.value.operator;
  const depth = operator === "conv2d" ? setting.value.input[2] : 1;
  const width = setting.value.kernel[1] * depth;
  // A mean leaves padding out altogether.
  const kept = now.parts.map((part, index) => ({ part, index })).filter(({ part }) => operator !== "avg_pool" || !part.padding);
  const last = kept[kept.length - 1]?.index;
  // A few terms stand in one line, as one would write them.
  const lines: (typeof kept)[] = kept.length <= 6 ? [kept] : [];
  if (lines.length === 0) for (const k of kept) (lines[Math.floor(k.index / width)] ??= []).push(k);
  const join = operator === "max_pool" ? "," : " +";
  // Below one another, terms are as wide as the longest.
  const long = lines.length > 1 ? Math.max(...kept.map(({ part }) => written(part, operator).length)) : 0;
  return (
    <span class="terms" data-one={lines.length === 1 ? "" : undefined} style={{ "--long": long }}>
      {lines.map((line, i) => (
        <span class="terms-line" key={i}>
          {line.map(({ part, index }) => (
            <span class="with-sign" key={index}>
              <Term part={part} index={index} operator={operator} />
              {index !== last && <span class="join">{join}</span>}
            </span>
          ))}
        </span>
      ))}
    </span>
  );
}

function Equation({ now }: { now: Cell }) {
  const operator = setting.value.operator;
  const exact = now.whole && (operator !== "conv2d" || now.total === now.value);
  const value = sign(now.value);
  const padding = now.parts.filter((p) => p.padding).length;
  return (
    <>
      <div class="equation" translate={false} data-long={now.parts.length > 12 ? "" : undefined} tabIndex={now.parts.length > 30 ? 0 : undefined} role="group" aria-label={bench.value.arithmetic}>
        {operator === "max_pool" && <span class="word">max(</span>}
        {operator === "avg_pool" && <span class="word">(</span>}
        <Terms now={now} />
        {operator === "max_pool" && <span class="word">)</span>}
        {operator === "avg_pool" && <span class="word">) / {now.inside}</span>}
        <span class="result">
          <span class="join">{exact || operator === "max_pool" ? "=" : "≈"}</span> <b data-total={now.total ?? now.value}>{value}</b>
        </span>
      </div>
      {now.total !== undefined && now.total !== now.value && operator === "conv2d" && <p class="soft small">{bench.value.sum(sign(now.total))}</p>}
      {padding > 0 && (
        <p class="soft small">
          <span class="hatch" aria-hidden="true" /> {operator === "conv2d" ? bench.value.paddingZero(padding) : operator === "max_pool" ? bench.value.paddingInfinite(padding) : bench.value.paddingLeft(padding)}
        </p>
      )}
    </>
  );
}

/** What a screen reader says at a cell. */
function said(now: Cell): string {
  const [row, column, channel] = now.at;
  const operator = setting.value.operator;
  const inside = now.parts.filter((p) => operator !== "avg_pool" || !p.padding);
  const words = inside.slice(0, 16).map((p) => (operator === "conv2d" ? `${factor(p.input)}·${factor(p.filter ?? "")}` : sign(p.input)));
  const more = inside.length > 16 ? " …" : "";
  const body = operator === "max_pool" ? `max(${words.join(", ")}${more})` : operator === "avg_pool" ? `(${words.join(" + ")}${more}) / ${now.inside}` : words.join(" + ") + more;
  return `${bench.value.outputCell(row, column, channel)}: ${body} = ${sign(now.value)}`;
}

export function Arithmetic() {
  const now = cell.value;
  if (!now || !answer.value) return null;
  const [row, column, channel] = now.at;
  const several = answer.value.shape[2] > 1;
  return (
    <section class="arithmetic card" aria-label={bench.value.arithmetic}>
      <header>
        <h2>
          {bench.value.outputWord} <span translate={false} class="place" data-place>{`[${several ? [row, column, channel].join(", ") : `${row}, ${column}`}]`}</span>
        </h2>
        <Player />
      </header>
      <Equation now={now} />
      <p class="unseen" aria-live="polite" translate={false}>
        {said(now)}
      </p>
    </section>
  );
}
