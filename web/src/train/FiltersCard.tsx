// The filters as they change.
import { Sheet } from "../network/Sheet";
import { mostOf } from "../network/colors";
import { train } from "../texts/train";
import { filters } from "./state";

/** The filters of `fast`: height, width, channels, filters. */
const SHAPES = [
  [5, 5, 1, 8],
  [3, 3, 8, 24],
] as const;

export function FiltersCard() {
  const [first, second] = filters.value;
  const text = train.value;
  const [, , , count] = SHAPES[0];
  const [kh, kw, depth, maps] = SHAPES[1];
  return (
    <section class="card" aria-label={text.filters}>
      <h2>{text.filters}</h2>
      {!first && <p class="soft small">{text.noFilters}</p>}
      <h3 class="soft">
        <span translate={false}>conv2d_1</span>: {text.first}
      </h3>
      <div class="first-filters" data-first-filters>
        {Array.from({ length: count }, (_, o) => (
          <span class="filter-box" key={o}>
            <Sheet width={5} height={5} on={filters} most={() => mostOf(filters.peek()[0] ?? [])} read={(i, j) => first?.[(i * 5 + j) * count + o] ?? 0} />
          </span>
        ))}
      </div>
      <h3 class="soft">
        <span translate={false}>conv2d_2</span>: {text.second}
      </h3>
      <div class="second-filters">
        <Sheet
          width={maps * (kw + 1) - 1}
          height={depth * (kh + 1) - 1}
          on={filters}
          most={() => mostOf(filters.peek()[1] ?? [])}
          read={(i, j) => {
            const [c, a, o, b] = [Math.floor(i / (kh + 1)), i % (kh + 1), Math.floor(j / (kw + 1)), j % (kw + 1)];
            return a === kh || b === kw ? Number.NaN : (second?.[((a * kw + b) * depth + c) * maps + o] ?? 0);
          }}
        />
      </div>
      <p class="soft small">{text.aboutSecond}</p>
    </section>
  );
}
