// The network view: a picture goes in, and every number on its way can be looked at.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { network } from "../texts/network";
import "../style/fields.css";
import "../style/network.css";
import { LayerRow } from "./Layers";
import { Pad } from "./Pad";
import { Answers, Fitted } from "./Seen";
import { Digits, Files } from "./Sources";
import { begin, broken, model, sight, take } from "./state";

function About() {
  const now = model.value;
  if (!now) return null;
  const of = now.description;
  const text = network.value;
  const percent = of.accuracy === undefined ? null : `${(100 * of.accuracy).toFixed(2)}\u00a0%`;
  return (
    <header class="about-model" data-model={now.file ?? "own"}>
      <h2>
        {now.file === null ? text.builtIn : text.model} <span class="soft" translate={false}>{now.file ?? of.name}</span>
      </h2>
      <p class="soft small">
        {text.aboutModel(of.parameters.toLocaleString("en"), of.layers.length, of.dataset === "mnist" ? "MNIST" : of.dataset)}
        {percent && ` ${text.held(percent)}`}
      </p>
    </header>
  );
}

export default function NetworkView() {
  const over = useSignal(false);
  useEffect(begin, []);
  const now = model.value;
  const text = network.value;
  return (
    <div
      class="network"
      data-over={over.value ? "" : undefined}
      onDragOver={(e) => {
        e.preventDefault();
        over.value = true;
      }}
      onDragLeave={(e) => {
        if (!e.currentTarget.contains(e.relatedTarget as Node | null)) over.value = false;
      }}
      onDrop={(e) => {
        e.preventDefault();
        over.value = false;
        const file = e.dataTransfer?.files[0];
        if (file) void take(file);
      }}
    >
      <header class="hero">
        <h1>{text.title}</h1>
        <p class="lead">{text.lead}</p>
      </header>
      {broken.value !== null && (
        <p class="notice" role="alert">
          {text.broken} <span lang="en" translate={false}>{broken.value}</span>
        </p>
      )}
      <div class="network-desk">
        <div class="side">
          <section class="card" aria-label={text.input}>
            <h2>{text.input}</h2>
            <Pad />
            <Digits />
            <Files />
          </section>
          <section class="card" aria-label={text.answer}>
            <Answers />
            <Fitted />
          </section>
        </div>
        <section class="card layers" aria-label={text.layers}>
          <About />
          {now && sight.value ? (
            <>
              <p class="soft small">{text.howTo}</p>
              {Array.from({ length: now.description.layers.length + 1 }, (_, v) => (
                <LayerRow key={v} of={now.description} v={v} />
              ))}
            </>
          ) : (
            <p class="loading">{text.loading}</p>
          )}
        </section>
      </div>
    </div>
  );
}
