// Input, filters and output side by side, with the window of the selected cell.
import { bench } from "../texts/bench";
import type { Answer, Cell, Operator, Setting } from "../wasm/pkg/foveal";
import { Grid } from "./Grid";
import { decimals, fitted, largest } from "./numbers";
import { answer, at, cell, look, put, setting } from "./state";
import { pointed } from "./pointed";

type Border = readonly [number, number, number, number];

function border(a: Answer | null): Border {
  return a ? [a.rows.before, a.rows.after, a.columns.before, a.columns.after] : [0, 0, 0, 0];
}

/** One channel of numbers that stand by row, column, channel. */
const channel = (values: readonly number[], of: number, c: number): number[] => values.filter((_, i) => i % of === c);

/** Pixels of a cell: as large as fits, between what shows a colour and what shows a number well. */
const side = (room: number, columns: number, most = 58): number => Math.max(8, Math.min(most, Math.floor(room / columns)));

/** Pixels for the width of one of several maps: five stand side by side. */
const roomOf = (maps: number, few: number): number => (maps > 4 ? 158 : maps > 3 ? 180 : few);

/** More than five maps stand in lines of the same length. */
const balanced = (maps: number, width: number) => (maps > 5 ? { maxWidth: `min(100%, ${Math.ceil(maps / 2) * (width + 17)}px)` } : {});

/** What padding counts as. */
const outside = (s: Setting): string => (s.operator === "conv2d" ? "0" : s.operator === "max_pool" ? "−∞" : "·");

/** Which colours mean which numbers. */
function Scale({ most }: { most: number }) {
  const text = fitted(most, decimals(most));
  return (
    <p class="scale" aria-hidden="true" translate={false}>
      <span>{`−${text}`}</span>
      <i />
      <span>{text}</span>
    </p>
  );
}

interface FrameProps {
  rows: number;
  columns: number;
  at: readonly [number, number];
  size?: readonly [number, number];
  kind: string;
}

/** A frame around cells, in parts of the grid's own size. */
function Frame({ rows, columns, at: [i, j], size: [h, w] = [1, 1], kind }: FrameProps) {
  const part = (n: number, of: number) => `${(100 * n) / of}%`;
  return <span class={`frame ${kind}`} aria-hidden="true" style={{ top: part(i, rows), left: part(j, columns), height: part(h, rows), width: part(w, columns) }} />;
}

/** The window of a cell over a channel of the input. */
function Window(p: { cell: Cell; answer: Answer; channel: number; rows: number; columns: number }) {
  const { rows: h, columns: w } = p.answer;
  const parts = p.cell.parts.filter((part) => part.at[2] === p.channel);
  const first = parts[0];
  if (!first) return null;
  const place = (part: { at: readonly number[] }): [number, number] => [part.at[0]! + h.before, part.at[1]! + w.before];
  const spread = h.dilation > 1 || w.dilation > 1;
  const lit = pointed.value === null ? undefined : p.cell.parts[pointed.value];
  return (
    <>
      <Frame rows={p.rows} columns={p.columns} at={place(first)} size={[h.reach, w.reach]} kind={spread ? "reach" : "window"} />
      {spread && parts.map((part, k) => <Frame key={k} rows={p.rows} columns={p.columns} at={place(part)} kind="window" />)}
      {parts.filter((part) => part.largest).map((part) => <Frame key="largest" rows={p.rows} columns={p.columns} at={place(part)} kind="largest" />)}
      {lit && lit.at[2] === p.channel && <Frame rows={p.rows} columns={p.columns} at={place(lit)} kind="lit" />}
    </>
  );
}

function Inputs() {
  const [s, a, now] = [setting.value, answer.value, cell.value];
  const [h, w, channels] = s.input;
  const edge = border(a);
  const [rows, columns] = [h + edge[0] + edge[1], w + edge[2] + edge[3]];
  const scale = largest(s.values);
  const pool = s.operator !== "conv2d";
  const size = side(channels > 1 ? roomOf(channels, 280) : columns > 16 ? 330 : 400, columns);
  return (
    <figure class="part" data-part="input">
      <figcaption>
        <h2>{bench.value.input}</h2>
        <span class="soft shape" translate={false}>{`${h} × ${w} × ${channels}`}</span>
      </figcaption>
      <div class="maps" style={balanced(channels, columns * size)}>
        {Array.from({ length: channels }, (_, c) => (
          <div class="map" key={c} data-channel={c}>
            {channels > 1 && <p class="map-name">{bench.value.channel(c)}</p>}
            <Grid
              label={channels > 1 ? bench.value.inputChannel(c) : bench.value.input}
              name={(i, j) => bench.value.inputCell(i, j, c)}
              rows={h}
              columns={w}
              border={edge}
              outside={outside(s)}
              values={channel(s.values, channels, c)}
              scale={scale}
              cell={size}
              onPut={(k, v) => put("values", k * channels + c, v)}
            >
              {now && a && (!pool || now.at[2] === c) && <Window cell={now} answer={a} channel={c} rows={rows} columns={columns} />}
            </Grid>
          </div>
        ))}
      </div>
      <Scale most={scale} />
    </figure>
  );
}

function Filters() {
  const s = setting.value;
  const [kh, kw] = s.kernel;
  const channels = s.input[2];
  const scale = largest(s.weights);
  const now = cell.value;
  const lit = pointed.value;
  const cellSize = side(s.filters * channels > 4 ? 122 : 150, kw, 52);
  return (
    <figure class="part" data-part="filters">
      <figcaption>
        <h2>{s.filters > 1 ? bench.value.filters : bench.value.filter}</h2>
        <span class="soft shape" translate={false}>{`${kh} × ${kw} × ${channels}${s.filters > 1 ? ` × ${s.filters}` : ""}`}</span>
      </figcaption>
      <div class="filter-list">
        {Array.from({ length: s.filters }, (_, o) => (
          <div class="filter" key={o} data-filter={o} data-active={now?.at[2] === o && s.filters > 1 ? "" : undefined}>
            {s.filters > 1 && <p class="map-name">{bench.value.filterNumber(o)}</p>}
            <div class="maps">
              {Array.from({ length: channels }, (_, c) => (
                <div class="map" key={c}>
                  {channels > 1 && <p class="map-name">{bench.value.channel(c)}</p>}
                  <Grid
                    label={bench.value.filterChannel(o, c)}
                    name={(i, j) => bench.value.filterCell(i, j, c, o)}
                    rows={kh}
                    columns={kw}
                    border={[0, 0, 0, 0]}
                    outside=""
                    values={s.weights.filter((_, i) => i % s.filters === o && Math.floor(i / s.filters) % channels === c)}
                    scale={scale}
                    cell={cellSize}
                    onPut={(k, v) => put("weights", (k * channels + c) * s.filters + o, v)}
                  >
                    {now && now.at[2] === o && lit !== null && lit % channels === c && (
                      <Frame rows={kh} columns={kw} at={[Math.floor(lit / channels / kw), Math.floor(lit / channels) % kw]} kind="lit" />
                    )}
                  </Grid>
                </div>
              ))}
            </div>
          </div>
        ))}
      </div>
      <Scale most={scale} />
    </figure>
  );
}

function Outputs(p: { answer: Answer }) {
  const { shape, values } = p.answer;
  const [h, w, channels] = shape;
  const [row, column, current] = at.value;
  const scale = largest(values);
  const size = side(channels > 1 ? roomOf(channels, 230) : w > 12 ? 290 : 360, w);
  return (
    <figure class="part" data-part="output">
      <figcaption>
        <h2>{channels > 1 ? bench.value.outputs : bench.value.output}</h2>
        <span class="soft shape" translate={false}>{`${h} × ${w} × ${channels}`}</span>
      </figcaption>
      <div class="maps" style={balanced(channels, w * size)}>
        {Array.from({ length: channels }, (_, c) => (
          <div class="map" key={c} data-map={c}>
            {channels > 1 && <p class="map-name">{bench.value.mapNumber(c)}</p>}
            <Grid
              label={bench.value.outputMap(c)}
              name={(i, j) => bench.value.outputCell(i, j, c)}
              rows={h}
              columns={w}
              border={[0, 0, 0, 0]}
              outside=""
              values={channel(values, channels, c)}
              scale={scale}
              cell={size}
              stop={[row, column]}
              selected={current === c ? [row, column] : null}
              onLook={(i, j) => look([i, j, c])}
              onPage={(by) => {
                const to = Math.min(channels - 1, Math.max(0, c + by));
                look([row, column, to]);
                document.querySelector<HTMLElement>(`[data-map="${to}"] [data-at="${row},${column}"]`)?.focus();
              }}
            >
              {current === c && <Frame rows={h} columns={w} at={[row, column]} kind="cell" />}
            </Grid>
          </div>
        ))}
      </div>
      <Scale most={scale} />
    </figure>
  );
}

/** What pooling keeps of a window. */
function Pooled({ operator }: { operator: Operator }) {
  const max = operator === "max_pool";
  return (
    <span class="sign" aria-hidden="true" translate={max ? false : undefined}>
      {max ? "max" : bench.value.mean}
    </span>
  );
}

export function Stage() {
  const a = answer.value;
  const { operator, input, filters } = setting.value;
  const conv = operator === "conv2d";
  const single = input[2] === 1 && (!conv || filters === 1);
  return (
    <section class="stage card" aria-label={bench.value.stage} data-operator={operator} data-single={single ? "" : undefined}>
      <Inputs />
      {conv && (
        <div class="step">
          <span class="sign" aria-hidden="true">∗</span>
          <Filters />
        </div>
      )}
      <div class="step">
        {conv ? <span class="sign" aria-hidden="true">=</span> : <Pooled operator={operator} />}
        {a ? <Outputs answer={a} /> : <p class="part no-output">{bench.value.noOutput}</p>}
      </div>
    </section>
  );
}
