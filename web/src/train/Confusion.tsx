// Which digits are taken for which.
import { train } from "../texts/train";
import type { Scores } from "../wasm/pkg/foveal";

const DIGITS = 10;

export function Confusion({ scores }: { scores: Scores }) {
  const text = train.value;
  const at = (i: number, j: number) => scores.confusion[i * DIGITS + j] ?? 0;
  const rows = Array.from({ length: DIGITS }, (_, i) => i);
  return (
    <div class="confusion" tabIndex={0} role="group" aria-label={text.confusion}>
      <table data-confusion>
        <caption class="soft small">{text.aboutConfusion}</caption>
        <thead>
          <tr>
            <td />
            {rows.map((j) => (
              <th scope="col" key={j}>
                {j}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((i) => {
            const sum = rows.reduce((n, j) => n + at(i, j), 0);
            return (
              <tr key={i}>
                <th scope="row">{i}</th>
                {rows.map((j) => {
                  const n = at(i, j);
                  const share = sum > 0 ? n / sum : 0;
                  const t = i === j ? share * 70 : n > 0 ? Math.min(100, 22 + share * 400) : 0;
                  return (
                    <td key={j} class={i === j ? "right" : n > 0 ? "wrong" : ""} style={{ "--t": `${Math.round(t)}%` }}>
                      {n > 0 ? n : "·"}
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
