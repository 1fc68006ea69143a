// A grid of numbers with its border of padding: coloured cells, one of them in the tab order, arrow keys between them.
import { memo } from "preact/compat";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { decimals, exact, fitted, read, sign } from "./numbers";

export interface Field {
  readonly rows: number;
  readonly columns: number;
  /** Padding: top, bottom, left, right. */
  readonly border: readonly [number, number, number, number];
  /** What a padding cell says. */
  readonly outside: string;
  /** The numbers inside, by row and column. */
  readonly values: readonly number[];
  /** The size that has the full colour. */
  readonly scale: number;
  /** Pixels of a cell where there is room. */
  readonly cell: number;
}

interface Props extends Field {
  readonly label: string;
  readonly name: (row: number, column: number) => string;
  /** The cell in the tab order. */
  readonly stop?: readonly [number, number];
  readonly selected?: readonly [number, number] | null;
  readonly onPut?: (index: number, value: number) => void;
  readonly onLook?: (row: number, column: number) => void;
  readonly onPage?: (by: number) => void;
  readonly children?: ComponentChildren;
}

const tint = (v: number, scale: number) => ({ "--t": `${scale > 0 ? Math.round((Math.abs(v) / scale) * 100) : 0}%` });
const side = (v: number) => (v < 0 ? "below" : v > 0 ? "above" : "zero");

/** Widest text of a field, for the size of its type. */
function widest({ values, border, outside, scale }: Field): number {
  let most = border.some((b) => b > 0) ? outside.length : 1;
  const places = decimals(scale);
  for (const v of values) most = Math.max(most, fitted(v, places).length);
  return most;
}

interface CellProps {
  text: string;
  exact: string;
  value: number;
  scale: number;
  row: number;
  column: number;
  label: string;
  stop: boolean;
  selected: boolean;
  at: string;
  editable: boolean;
}

/** A cell to type in. What a person is typing is left alone: `1.` is on its way to being 1.5. */
function Typed({ attributes, text }: { attributes: object; text: string }) {
  const box = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (box.current && box.current !== document.activeElement) box.current.value = text;
  }, [text]);
  return <input {...attributes} ref={box} type="text" inputMode="text" autocomplete="off" spellcheck={false} />;
}

const Square = memo(function Square(p: CellProps) {
  const shared = {
    class: `square ${side(p.value)}`,
    style: { gridRow: p.row + 1, gridColumn: p.column + 1, ...tint(p.value, p.scale) },
    tabIndex: p.stop ? 0 : -1,
    "data-at": p.at,
    "data-value": p.exact,
    "aria-label": p.label,
  };
  if (p.editable) return <Typed attributes={shared} text={p.text} />;
  return (
    <button {...shared} type="button" role="gridcell" aria-selected={p.selected}>
      {p.text}
    </button>
  );
});

export function Grid(p: Props) {
  const [top, bottom, left, right] = p.border;
  const [rows, columns] = [p.rows + top + bottom, p.columns + left + right];
  const box = useRef<HTMLDivElement>(null);
  const [own, setOwn] = useState<readonly [number, number]>([0, 0]);
  const wanted = p.stop ?? own;
  const stop = [Math.min(wanted[0], p.rows - 1), Math.min(wanted[1], p.columns - 1)];
  const place = (target: EventTarget | null): readonly [number, number] | null => {
    const text = target instanceof HTMLElement ? target.dataset.at : undefined;
    if (text === undefined) return null;
    const [i, j] = text.split(",").map(Number);
    return [i!, j!];
  };
  const focus = (i: number, j: number) => box.current?.querySelector<HTMLElement>(`[data-at="${i},${j}"]`)?.focus();
  const onKeyDown = (e: KeyboardEvent) => {
    const at = place(e.target);
    if (!at || e.altKey || e.ctrlKey || e.metaKey) return;
    let [i, j] = at;
    if (e.key === "ArrowUp") i -= 1;
    else if (e.key === "ArrowDown" || e.key === "Enter") i += 1;
    else if (e.key === "ArrowLeft") j -= 1;
    else if (e.key === "ArrowRight") j += 1;
    else if (e.key === "Home") j = 0;
    else if (e.key === "End") j = p.columns - 1;
    else if (e.key === "PageUp" && p.onPage) p.onPage(-1);
    else if (e.key === "PageDown" && p.onPage) p.onPage(1);
    else return;
    if (e.key === "Enter" && !p.onPut) return;
    e.preventDefault();
    if (i >= 0 && i < p.rows && j >= 0 && j < p.columns && (i !== at[0] || j !== at[1])) focus(i, j);
  };
  const onInput = (e: Event) => {
    const input = e.target as HTMLInputElement;
    const at = place(input);
    if (!at || !p.onPut) return;
    const value = read(input.value);
    input.setAttribute("aria-invalid", String(value === null));
    if (value !== null) p.onPut(at[0] * p.columns + at[1], value);
  };
  const onFocusIn = (e: FocusEvent) => {
    const at = place(e.target);
    if (!at) return;
    setOwn(at);
    p.onLook?.(at[0], at[1]);
    if (e.target instanceof HTMLInputElement) {
      e.target.value = e.target.dataset.value ?? "";
      e.target.select();
    }
  };
  const onFocusOut = (e: FocusEvent) => {
    if (!(e.target instanceof HTMLInputElement)) return;
    e.target.removeAttribute("aria-invalid");
    e.target.value = fitted(Number(e.target.dataset.value), decimals(p.scale));
  };
  const onPointer = (e: PointerEvent) => {
    const at = p.onLook && e.pointerType === "mouse" ? place(e.target) : null;
    if (at) p.onLook?.(at[0], at[1]);
  };
  const places = decimals(p.scale);
  const chars = widest(p);
  // Where a number would be too small to read, only its colour is shown; its name still tells it.
  const small = (p.cell * 1.32) / chars < 7.5 || columns > 16;
  const squares = p.values.map((v, k) => {
    const [i, j] = [Math.floor(k / p.columns), k % p.columns];
    return (
      <Square
        key={k}
        text={small && !p.onPut ? "" : fitted(v, places)}
        exact={exact(v)}
        value={v}
        scale={p.scale}
        row={i + top}
        column={j + left}
        at={`${i},${j}`}
        label={p.onPut ? p.name(i, j) : `${p.name(i, j)}: ${sign(exact(v))}`}
        stop={stop[0] === i && stop[1] === j}
        selected={p.selected?.[0] === i && p.selected[1] === j}
        editable={!!p.onPut}
      />
    );
  });
  // Cells stand in rows, so that screen readers can tell where they are.
  const body = p.onPut ? squares : Array.from({ length: p.rows }, (_, i) => (
    <div key={i} role="row" class="cells">
      {squares.slice(i * p.columns, (i + 1) * p.columns)}
    </div>
  ));
  return (
    <div class="grid-box" style={{ "--columns": columns, "--rows": rows, "--cell": `${p.cell}px`, "--chars": chars }} data-small={small ? "" : undefined}>
      <div ref={box} class="grid" role={p.onPut ? "group" : "grid"} aria-label={p.label} onKeyDown={onKeyDown} onInput={p.onPut && onInput} onFocusIn={onFocusIn} onFocusOut={onFocusOut} onPointerOver={onPointer}>
        {body}
        <Border rows={rows} columns={columns} border={p.border} text={p.outside} />
      </div>
      {p.children}
    </div>
  );
}

const Border = memo(function Border(p: { rows: number; columns: number; border: readonly [number, number, number, number]; text: string }) {
  const [top, bottom, left, right] = p.border;
  const cells = [];
  for (let i = 0; i < p.rows; i++) {
    for (let j = 0; j < p.columns; j++) {
      if (i >= top && i < p.rows - bottom && j >= left && j < p.columns - right) continue;
      cells.push(
        <span key={i * p.columns + j} class="square padding" aria-hidden="true" data-padding={`${i - top},${j - left}`} style={{ gridRow: i + 1, gridColumn: j + 1 }}>
          {p.text}
        </span>,
      );
    }
  }
  return <>{cells}</>;
}, (a, b) => a.rows === b.rows && a.columns === b.columns && a.text === b.text && a.border.join() === b.border.join());
