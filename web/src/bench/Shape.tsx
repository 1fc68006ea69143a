// The output's height and width by the formula, or why there is none.
import { bench } from "../texts/bench";
import type { Line, Refusal, Setting } from "../wasm/pkg/foveal";
import { outcome, setting } from "./state";

/** What the filter covers, where dilation makes it more than its cells. */
function Reach({ line }: { line: Line }) {
  if (line.dilation === 1) return null;
  return (
    <p>
      {bench.value.covers}: <code translate={false}>{`(${line.kernel} − 1) · ${line.dilation} + 1 = ${line.reach}`}</code>
    </p>
  );
}

const floor = (l: Line, result: string) => `⌊(${l.input}${l.before + l.after > 0 ? ` + ${l.before} + ${l.after}` : ""} − ${l.reach}) / ${l.stride}⌋ + 1 = ${result}`;

function Side({ name, line, padding, border }: { name: string; line: Line; padding: Setting["padding"]; border: readonly [string, string] }) {
  const total = line.before + line.after;
  return (
    <div class="formula" data-side={name}>
      <h3>{name}</h3>
      <Reach line={line} />
      {padding === "SAME" ? (
        <>
          <p>
            <code translate={false}>
              {`⌈${line.input} / ${line.stride}⌉ = `}
              <b>{line.output}</b>
            </code>
          </p>
          <p>
            {bench.value.pad}: <code translate={false}>{`max((${line.output} − 1) · ${line.stride} + ${line.reach} − ${line.input}, 0) = ${total}`}</code>
          </p>
          <p data-pad={`${line.before},${line.after}`}>{bench.value.split(line.before, border[0], line.after, border[1])}</p>
        </>
      ) : (
        <p data-pad={`${line.before},${line.after}`}>
          <code translate={false}>
            {floor(line, "")}
            <b>{line.output}</b>
          </code>
        </p>
      )}
    </div>
  );
}

const sideName = (side: "height" | "width") => (side === "height" ? bench.value.height : bench.value.width);

export function Refused({ refusal }: { refusal: Refusal }) {
  const t = bench.value;
  const parts = () => {
    switch (refusal.why) {
      case "window": {
        const { line } = refusal;
        const room = line.input + line.before + line.after;
        return (
          <>
            <p>{t.tooLarge(sideName(refusal.side), line.reach, room)}</p>
            <Reach line={line} />
            <p>
              <code translate={false}>{floor(line, `⌊−${line.reach - room} / ${line.stride}⌋ + 1 < 1`)}</code>
            </p>
            <p>{t.tooLargeHelp}</p>
          </>
        );
      }
      case "padding":
        return <p>{t.tooMuchPadding(sideName(refusal.side), Math.max(refusal.line.before, refusal.line.after), refusal.line.kernel)}</p>;
      case "cells":
        return <p>{t.tooMany(refusal.cells, refusal.most)}</p>;
      default:
        return <p lang="en">{refusal.text}</p>;
    }
  };
  return (
    <div class="refused" role="alert" data-why={refusal.why}>
      <h3>{t.doesNotFit}</h3>
      {parts()}
    </div>
  );
}

export function Shape() {
  const result = outcome.value;
  const padding = setting.value.padding;
  const t = bench.value;
  return (
    <section class="sizes card" aria-label={t.sizes}>
      <h2>{t.sizes}</h2>
      {result.kind === "refused" ? (
        <Refused refusal={result.refusal} />
      ) : (
        <div class="formulas">
          <Side name={t.height} line={result.answer.rows} padding={padding} border={[t.atTop, t.atBottom]} />
          <Side name={t.width} line={result.answer.columns} padding={padding} border={[t.atLeft, t.atRight]} />
        </div>
      )}
    </section>
  );
}
