import { render } from "preact";
import { Shell } from "./shell/Shell";
import "./style/base.css";
import "./style/shell.css";

const page = document.getElementById("page");
if (page) render(<Shell />, page);
