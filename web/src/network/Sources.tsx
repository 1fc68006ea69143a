// Where pictures and models come from: test digits, files.
import { useRef } from "preact/hooks";
import { useSignalEffect } from "@preact/signals";
import { network } from "../texts/network";
import { SIDE } from "./digits";
import { inked, palette } from "./colors";
import { model, openOwn, picture, refused, samples, show, take, unseen } from "./state";

/** How many test digits stand side by side to be picked. */
const SHOWN = 20;

function Thumb({ index }: { index: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    const pen = canvas.current?.getContext("2d");
    const all = samples.value;
    if (!pen || !all) return;
    const image = pen.createImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) inked(image.data, 4 * i, all.pixels[index * SIDE * SIDE + i]! / 255, palette.value);
    pen.putImageData(image, 0, 0);
  });
  const now = picture.value;
  return (
    <button type="button" class="thumb" data-digit={index} aria-label={network.value.testDigit(index, samples.value?.labels[index] ?? 0)} aria-pressed={now?.kind === "digit" && now.index === index} onClick={() => show({ kind: "digit", index })}>
      <canvas ref={canvas} width={SIDE} height={SIDE} />
    </button>
  );
}

export function Digits() {
  const count = Math.min(SHOWN, samples.value?.labels.length ?? 0);
  const other = () => {
    const all = samples.value?.labels.length ?? 0;
    if (all > 0) show({ kind: "digit", index: Math.floor(Math.random() * all) });
  };
  return (
    <div class="digits" role="group" aria-label={network.value.testDigits}>
      <header>
        <h3>{network.value.testDigits}</h3>
        <button type="button" class="chip" data-another onClick={other}>
          {network.value.another}
        </button>
      </header>
      <div class="thumbs">
        {Array.from({ length: count }, (_, index) => (
          <Thumb key={index} index={index} />
        ))}
      </div>
    </div>
  );
}

function Choose(props: { label: string; name: string; accept: string }) {
  return (
    <label class="chip file">
      <input
        type="file"
        accept={props.accept}
        data-file={props.name}
        onChange={(e) => {
          const file = e.currentTarget.files?.[0];
          if (file) void take(file);
          e.currentTarget.value = "";
        }}
      />
      {props.label}
    </label>
  );
}

function Refused() {
  const no = refused.value;
  if (!no) return null;
  const why = no.refusal;
  const text = network.value;
  return (
    <div class="notice" role="alert" data-refused={why.why}>
      <p>
        <b translate={false}>{no.name}</b>: {why.why === "foreign" ? text.foreign : why.why === "broken" ? text.brokenFile : why.why === "text" ? text.textModel : text.large((why.numbers / 1e6).toFixed(1), (why.operations / 1e9).toFixed(1))}
      </p>
      {why.why === "broken" && (
        <p class="small mono" lang="en" translate={false}>
          {why.text}
        </p>
      )}
    </div>
  );
}

export function Files() {
  const now = model.value;
  const text = network.value;
  return (
    <div class="files">
      <h3>{text.own}</h3>
      <div class="options">
        <Choose label={text.choosePicture} name="picture" accept="image/*" />
        <Choose label={text.chooseModel} name="model" accept=".safetensors" />
        {now && now.file !== null && (
          <button type="button" class="chip" data-own-model onClick={() => void openOwn()}>
            {text.ownModel}
          </button>
        )}
      </div>
      <p class="soft small">{text.drop}</p>
      <Refused />
      {unseen.value && (
        <div class="notice" role="alert" data-unseen>
          <p>
            {unseen.value.name && <b translate={false}>{unseen.value.name}: </b>}
            {text.unseen}
          </p>
          <p class="small mono" lang="en" translate={false}>
            {unseen.value.text}
          </p>
        </div>
      )}
    </div>
  );
}
