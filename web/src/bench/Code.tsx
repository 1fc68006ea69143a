// The same computation as a program, to copy.
import { computed, signal } from "@preact/signals";
import { bench } from "../texts/bench";
import { shell } from "../texts/shell";
import { benchCode, type Language } from "../wasm/pkg/foveal";
import { copy } from "../shell/copy";
import { Choice } from "./fields";
import { outcome, setting } from "./state";

const chosen = signal<Language>("rust");
const program = computed(() => benchCode(setting.value, chosen.value));
const copied = signal(false);

const names = [
  ["rust", <span translate={false}>foveal</span>],
  ["tensorflow", <span translate={false}>TensorFlow</span>],
  ["pytorch", <span translate={false}>PyTorch</span>],
] as const;

export function Code() {
  const t = bench.value;
  const note = t.codeNotes[chosen.value];
  const take = async (button: HTMLButtonElement) => {
    copied.value = await copy(program.value);
    setTimeout(() => (copied.value = false), 2000);
    button.focus();
  };
  return (
    <section class="code card" aria-label={t.code}>
      <header>
        <h2>{t.code}</h2>
        <Choice label={t.codeLanguage} hidden name="code" options={names} value={chosen.value} onChange={(v) => (chosen.value = v)} />
        <button type="button" class="button" data-copy onClick={(e) => void take(e.currentTarget)}>
          <span aria-live="polite">{copied.value ? shell.value.copied : shell.value.copy}</span>
        </button>
      </header>
      <pre tabIndex={0} translate={false} aria-label={t.code}>
        <code>{program.value}</code>
      </pre>
      <p class="soft small">{outcome.value.kind === "refused" ? t.codeRefused : note}</p>
    </section>
  );
}
