import { texts } from "./language";

export const shell = texts(
  {
    views: "Views",
    language: "Language",
    theme: { light: "Switch to the light theme", dark: "Switch to the dark theme" },
    skip: "Skip to the content",
    loading: "Loading…",
    broken: (what: string) => `The page could not start: ${what}`,
    footer: "Everything on this page is computed here, by foveal's Rust code. Nothing leaves this computer.",
    copy: "Copy",
    copied: "Copied",
    view: { bench: "Convolution", network: "Network", train: "Training" },
    title: { bench: "Convolution, cell by cell", network: "Inside a network", train: "Train it here" },
  },
  {
    views: "보기",
    language: "언어",
    theme: { light: "밝은 화면으로 바꾸기", dark: "어두운 화면으로 바꾸기" },
    skip: "본문으로 건너뛰기",
    loading: "불러오는 중…",
    broken: (what: string) => `페이지를 시작하지 못했습니다: ${what}`,
    footer: "이 페이지의 모든 계산은 foveal의 Rust 코드가 이 컴퓨터에서 합니다. 아무것도 밖으로 나가지 않습니다.",
    copy: "복사",
    copied: "복사했습니다",
    view: { bench: "합성곱", network: "신경망", train: "훈련" },
    title: { bench: "한 칸씩 보는 합성곱", network: "신경망 들여다보기", train: "여기서 훈련하기" },
  },
);
