import { render } from "preact";
import "./style.css";
import "./listening.css";
import { App } from "./ui/App";

const page = document.getElementById("page");
if (page) render(<App />, page);
