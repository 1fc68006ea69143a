// Training in the page: the built-in model learns MNIST while one looks on.
import { train } from "../texts/train";
import { Choice, Stepper } from "../bench/fields";
import "../style/fields.css";
import "../style/train.css";
import { Confusion } from "./Confusion";
import { Curves } from "./Curves";
import { FiltersCard } from "./FiltersCard";
import { HELD } from "./messages";
import { amount, AMOUNTS, broken, came, diverged, done, download, epoch, epochs, judgeAll, judged, judging, MOST_EPOCHS, phase, play, rate, scores, setRate, speed, startOver, stepOn, stepRate, total, tryIt } from "./state";

/** The learning rate's slider: a step is a tenth of a decade. */
const slider = (lr: number): number => Math.round(10 * Math.log10(lr));
const fromSlider = (v: number): number => Number((10 ** (v / 10)).toPrecision(2));

function Settings() {
  const text = train.value;
  const fixed = phase.value !== "idle";
  return (
    <>
      <fieldset disabled={fixed}>
        <Choice label={text.digits} name="digits" value={String(amount.value)} options={AMOUNTS.map((a) => [String(a.digits), text.amount(a.digits, a.megabytes)] as const)} onChange={(v) => (amount.value = Number(v))} />
        <div class="field">
          <span class="legend">{text.epochs}</span>
          <Stepper label={text.epochs} name="epochs" value={epochs.value} min={1} max={MOST_EPOCHS} disabled={fixed} onChange={(v) => (epochs.value = v)} />
        </div>
      </fieldset>
      <label class="field rate">
        <span class="legend">
          {text.rate} <output translate={false}>{rate.value}</output>
        </span>
        <input type="range" data-field="rate" min={slider(0.0001)} max={slider(1)} step={1} value={slider(rate.value)} aria-valuetext={String(rate.value)} onInput={(e) => setRate(fromSlider(e.currentTarget.valueAsNumber))} />
        <span class="soft small">{text.aboutRate}</span>
      </label>
    </>
  );
}

function Buttons() {
  const text = train.value;
  const now = phase.value;
  const main = { idle: text.start, loading: text.start, paused: text.goOn, running: text.pause, finished: text.again }[now];
  return (
    <div class="train-buttons">
      <button type="button" class="button main" data-play aria-disabled={now === "loading"} onClick={play}>
        {main}
      </button>
      <button type="button" class="button" data-step aria-disabled={now !== "idle" && now !== "paused"} onClick={stepOn}>
        {text.step}
      </button>
      <button type="button" class="button" data-over aria-disabled={now === "idle" || now === "loading"} onClick={startOver}>
        {text.startOver}
      </button>
    </div>
  );
}

function Progress() {
  const text = train.value;
  const now = phase.value;
  const megabytes = AMOUNTS.find((a) => a.digits === amount.value)?.megabytes ?? 0;
  return (
    <div class="train-progress" data-phase={now} data-done={done.value} data-total={total.value}>
      {now === "idle" && <p class="soft small">{text.ready(HELD)}</p>}
      {now === "loading" && (
        <>
          <progress max={megabytes * 1e6} value={came.value} aria-label={text.loadingDigits} />
          <p class="soft small">{text.loaded((came.value / 1e6).toFixed(1), megabytes)}</p>
        </>
      )}
      {now !== "idle" && now !== "loading" && (
        <>
          <progress max={total.value} value={done.value} aria-label={text.progress} />
          <p class="soft small">{text.at(done.value, total.value, epoch.value, epochs.value)}</p>
          {speed.value > 0 && <p class="soft small">{text.speed(Math.round(speed.value).toLocaleString("en"), Number(stepRate.value.toPrecision(2)))}</p>}
        </>
      )}
      {diverged.value && (
        <p class="notice" role="alert" data-diverged>
          {text.diverged}
        </p>
      )}
      {broken.value !== null && (
        <p class="notice" role="alert">
          {text.broken} <span lang="en" translate={false}>{broken.value}</span>
        </p>
      )}
    </div>
  );
}

function Take() {
  const text = train.value;
  const off = phase.value === "idle" || phase.value === "loading" || done.value === 0;
  return (
    <section class="card" aria-label={text.take}>
      <h2>{text.take}</h2>
      <div class="options take">
        <button type="button" class="button" data-try aria-disabled={off} onClick={() => off || tryIt()}>
          {text.tryIt}
        </button>
        <button type="button" class="button" data-download="safetensors" aria-disabled={off} onClick={() => off || download("safetensors")}>
          {text.download} <span translate={false}>.safetensors</span>
        </button>
        <button type="button" class="button" data-download="onnx" aria-disabled={off} onClick={() => off || download("onnx")}>
          {text.download} <span translate={false}>.onnx</span>
        </button>
      </div>
      <p class="soft small">{text.aboutTake}</p>
      <pre class="take-code" tabIndex={0} translate={false}>
        <code>{"foveal predict foveal-mnist.safetensors digit.png\nfoveal eval foveal-mnist.safetensors mnist"}</code>
      </pre>
    </section>
  );
}

function Judgement() {
  const text = train.value;
  const shown = judged.value ?? scores.value;
  const off = phase.value === "idle" || phase.value === "loading" || phase.value === "running" || done.value === 0 || judging.value;
  const percent = (v: number) => `${Number((100 * v).toFixed(2))}\u00a0%`;
  return (
    <section class="card" aria-label={text.judgement}>
      <h2>{text.judgement}</h2>
      {shown ? (
        <>
          <p class="big">
            <b data-accuracy={shown.accuracy} data-digits={shown.digits}>{percent(shown.accuracy)}</b> <span class="soft">{shown === judged.value ? text.ofTest(shown.digits.toLocaleString("en")) : text.ofHeld(shown.digits.toLocaleString("en"))}</span>
          </p>
          <Confusion scores={shown} />
        </>
      ) : (
        <p class="soft small">{text.noScores(HELD)}</p>
      )}
      <button type="button" class="button" data-judge aria-disabled={off} onClick={() => off || judgeAll()}>
        {judging.value ? text.judging : text.judge}
      </button>
      <p class="soft small">{text.aboutJudge}</p>
    </section>
  );
}

export default function Train() {
  const text = train.value;
  return (
    <div class="train">
      <header class="hero">
        <h1>{text.title}</h1>
        <p class="lead">{text.lead}</p>
      </header>
      <div class="train-desk">
        <section class="card" aria-label={text.settings}>
          <h2>{text.settings}</h2>
          <Settings />
          <Buttons />
          <Progress />
        </section>
        <div class="train-work">
          <Curves />
          <FiltersCard />
        </div>
        <div class="train-work last">
          <Judgement />
          <Take />
        </div>
      </div>
    </div>
  );
}
