import "./htmx.js";
import "./alerts.js";
import "./confirm.js";
import "./copy.js";
import "./drafts.js";
import "./fold.js";
import "./language.js";
import "./markdown.js";
import "./menu.js";
import "./once.js";
import "./playback.js";
import "./quiz.js";
import "./reorder.js";
import "./scroll.js";
import "./timer.js";
import "./viewed.js";

document.documentElement.classList.add("js");
