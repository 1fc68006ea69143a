// The convolution bench: a setting, its result, and how each number comes about.
import { effect, untracked } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { note, route } from "../shell/route";
import { bench } from "../texts/bench";
import "../style/bench.css";
import "../style/fields.css";
import { Arithmetic } from "./Arithmetic";
import { Code } from "./Code";
import { Controls } from "./Controls";
import { Presets } from "./Presets";
import { Refused, Shape } from "./Shape";
import { Stage } from "./Stage";
import { link, misread, open, outcome, remember, VIEW } from "./state";

let before = false;

/** Takes over what the address says, unless it is what the bench has just written there; an address that says nothing
 * leads back to where the bench was. */
function useAddress(): void {
  // Before the next frame: a later effect would undo what a person has changed meanwhile.
  useLayoutEffect(() => effect(follow), []);
  useEffect(remember, []);
}

function follow(): void {
  const { view, state } = route.value;
  if (view !== VIEW && view !== "") return;
  const now = untracked(() => link.value);
  if (state === "" && before) untracked(() => note(VIEW, now));
  else if (state !== now) untracked(() => open(state));
  before = true;
}

export default function Bench() {
  useAddress();
  const refused = outcome.value.kind === "refused" ? outcome.value.refusal : null;
  return (
    <div class="bench">
      <header class="hero">
        <h1>{bench.value.title}</h1>
        <p class="lead">{bench.value.lead}</p>
      </header>
      {misread.value && (
        <p class="notice" role="alert" data-misread>
          {bench.value.misread}
        </p>
      )}
      <Presets />
      <div class="desk">
        <div class="work">
          <Stage />
          {refused ? (
            <section class="card">
              <Refused refusal={refused} />
            </section>
          ) : (
            <Arithmetic />
          )}
        </div>
        <Controls />
        <div class="lower">
          {!refused && <Shape />}
          <Code />
        </div>
      </div>
    </div>
  );
}
