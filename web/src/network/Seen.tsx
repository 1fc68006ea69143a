// What the network sees, what it says, and where it looked.
import { network } from "../texts/network";
import { Sheet } from "./Sheet";
import { answer, cam, camClass, camOn, camValue, model, seek, shapeOf, sight } from "./state";
import { computed } from "@preact/signals";

const both = computed(() => [sight.value, cam.value, camOn.value]);

function Heat({ h, w }: { h: number; w: number }) {
  const now = cam.value;
  if (!camOn.value || !now) return null;
  return (
    <div class="heat" data-cam={now.most}>
      <Sheet className="sheet" width={w} height={h} on={both} most={() => cam.value?.most ?? 1} read={(i, j) => cam.value?.heat[i * w + j] ?? 0} />
    </div>
  );
}

/** The fitted picture, and Grad-CAM over it. */
export function Fitted() {
  const now = model.value;
  if (!now) return null;
  const of = now.description;
  const [h, w, c] = of.input;
  const text = network.value;
  const classes = of.classes.length > 0 ? of.classes : null;
  return (
    <div class="fitted">
      <h3>{text.seen}</h3>
      <p class="soft small">{of.digit ? text.fitDigit(h) : text.fitResize(h, w)}</p>
      <button type="button" class="chip cam-switch" data-cam-switch aria-pressed={camOn.value} onClick={() => seek({ on: !camOn.value })}>
        {text.cam}
      </button>
      <div class="fitted-row">
        <div class="fitted-box" data-fitted style={{ "--w": w, "--h": h }}>
          <Sheet
            width={w}
            height={h}
            on={both}
            ink
            most={() => 255}
            read={(i, j) => {
              const raw = sight.value?.raw;
              if (!raw) return 0;
              let sum = 0;
              for (let k = 0; k < c; k++) sum += raw[(i * w + j) * c + k] ?? 0;
              return sum / c;
            }}
          />
          <Heat h={h} w={w} />
        </div>
        <div class="cam">
          {camOn.value && (
            <>
              {classes && (
                <label class="select">
                  <span>{text.camClass}</span>
                  <select data-field="cam-class" value={camClass.value ?? ""} onChange={(e) => seek({ of: e.currentTarget.value === "" ? null : Number(e.currentTarget.value) })}>
                    <option value="">{text.likeliest}</option>
                    {classes.map((name, i) => (
                      <option key={i} value={i}>
                        {name}
                      </option>
                    ))}
                  </select>
                </label>
              )}
              <label class="select">
                <span>{text.camLayer}</span>
                <select data-field="cam-layer" value={camValue.value ?? ""} onChange={(e) => seek({ value: e.currentTarget.value === "" ? null : Number(e.currentTarget.value) })}>
                  <option value="">{text.lastMaps}</option>
                  {of.layers.map((layer, i) => {
                    const [a, b] = shapeOf(of, i + 1);
                    return a * b > 1 ? (
                      <option key={i} value={i + 1}>
                        {layer.name}
                      </option>
                    ) : null;
                  })}
                </select>
              </label>
              {!cam.value && <p class="soft small">{text.noCam}</p>}
            </>
          )}
        </div>
      </div>
      {camOn.value && <p class="soft small">{text.aboutCam}</p>}
    </div>
  );
}

/** Classes that are listed. */
const SHOWN = 12;

export function Answers() {
  const now = answer.value;
  const of = model.value?.description;
  if (!now || !of) return null;
  const text = network.value;
  if (of.classes.length === 0) {
    return (
      <div class="answers" data-answers>
        <h3>{text.values}</h3>
        <ol class="bars">
          {now.likely.map((v, i) => (
            <li key={i} data-value={v}>{`${i}: ${v}`}</li>
          ))}
        </ol>
      </div>
    );
  }
  const order = now.likely.map((_, i) => i);
  if (order.length > SHOWN) order.sort((a, b) => now.likely[b]! - now.likely[a]!);
  const percent = (p: number) => `${(100 * p).toFixed(2)}\u00a0%`;
  const several = of.thresholds.length > 0;
  const said = several ? now.labels.map((i) => of.classes[i]).join(", ") || text.noLabel : of.classes[now.best]!;
  const isSaid = (i: number) => (several ? now.labels.includes(i) : i === now.best);
  return (
    <div class="answers" data-answers>
      <h3>
        {text.says} <b class="said" translate={false} data-best={several ? undefined : now.best} data-labels={several ? now.labels.join(" ") : undefined}>{said}</b>
      </h3>
      <ol class="bars" translate={false}>
        {order.slice(0, SHOWN).map((i) => (
          <li key={i} data-class={i} data-probability={now.likely[i]} data-first={isSaid(i) ? "" : undefined}>
            <span class="name">{of.classes[i]}</span>
            <span class="bar-line">
              <span class="bar-fill" style={{ width: `${100 * now.likely[i]!}%` }} />
              {several && <span class="bar-mark" style={{ left: `${100 * of.thresholds[i]!}%` }} />}
            </span>
            <span class="share">{percent(now.likely[i]!)}</span>
          </li>
        ))}
      </ol>
      {order.length > SHOWN && <p class="soft small">{text.firstClasses(SHOWN, order.length)}</p>}
      {several && <p class="soft small">{text.aboutLabels}</p>}
      <p class="unseen" aria-live="polite">
        {several ? `${text.says} ${said}` : `${text.says} ${said}, ${percent(now.likely[now.best]!)}`}
      </p>
    </div>
  );
}
