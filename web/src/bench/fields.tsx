// Form fields: a choice of few, a whole number, a pair of them.
import { useId } from "preact/hooks";
import type { ComponentChildren } from "preact";

export function Choice<T extends string>(props: { label: string; hidden?: boolean; name: string; options: readonly (readonly [T, ComponentChildren])[]; value: T; onChange: (value: T) => void }) {
  const id = useId();
  return (
    <fieldset class="field choice">
      <legend class={props.hidden ? "unseen" : undefined}>{props.label}</legend>
      <div class="options">
        {props.options.map(([value, text]) => (
          <label key={value}>
            <input type="radio" name={`${props.name}-${id}`} value={value} data-field={props.name} checked={props.value === value} onChange={() => props.onChange(value)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface Whole {
  label: string;
  name: string;
  value: number;
  min: number;
  max: number;
  disabled?: boolean;
  onChange: (value: number) => void;
}

export function Stepper(props: Whole) {
  const { value, min, max, disabled } = props;
  const to = (v: number) => props.onChange(Math.min(max, Math.max(min, v)));
  const typed = (input: HTMLInputElement) => {
    const v = input.valueAsNumber;
    if (Number.isInteger(v) && v >= min && v <= max) props.onChange(v);
  };
  return (
    <label class="stepper">
      <span class="unseen">{props.label}</span>
      <button type="button" tabIndex={-1} aria-hidden="true" disabled={disabled || value <= min} onClick={() => to(value - 1)}>
        −
      </button>
      <input
        type="number"
        inputMode="numeric"
        data-field={props.name}
        min={min}
        max={max}
        step={1}
        value={value}
        disabled={disabled}
        onInput={(e) => typed(e.currentTarget)}
        onBlur={(e) => (e.currentTarget.value = String(value))}
      />
      <button type="button" tabIndex={-1} aria-hidden="true" disabled={disabled || value >= max} onClick={() => to(value + 1)}>
        +
      </button>
    </label>
  );
}

/** Several whole numbers under one name, with a sign between them. */
export function Row(props: { label: string; note?: string; fields: readonly Whole[] }) {
  return (
    <fieldset class="field">
      <legend>
        {props.label} {props.note && <span class="soft">{props.note}</span>}
      </legend>
      <div class="row">
        {props.fields.map((field, i) => (
          <>
            {i > 0 && <span aria-hidden="true">×</span>}
            <Stepper key={field.name} {...field} />
          </>
        ))}
      </div>
    </fieldset>
  );
}

/** Whole numbers for the four sides, each with its name. */
export function Sides(props: { label: string; fields: readonly (Whole & { side: string })[] }) {
  return (
    <fieldset class="field">
      <legend>{props.label}</legend>
      <div class="sides">
        {props.fields.map((field) => (
          <div class="named" key={field.name}>
            <span class="soft" aria-hidden="true">
              {field.side}
            </span>
            <Stepper {...field} />
          </div>
        ))}
      </div>
    </fieldset>
  );
}
