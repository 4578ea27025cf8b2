// [data-markdown][data-authoring]: EasyMDE over the textarea, with the server's preview and picture upload.
import EasyMDE from "easymde";
import { notify } from "./notify.js";
import { behaviour, post, text } from "./page.js";

const SHAPES = {
  bold: "M7 5h6a3.5 3.5 0 0 1 0 7H7zm0 7h7a3.5 3.5 0 0 1 0 7H7z",
  italic: "M10 5h7M7 19h7M14 5l-4 14",
  heading: "M6 5v14M18 5v14M6 12h12",
  quote: "M5 6v12M9 8h10M9 12h10M9 16h6",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  numbers: "M10 6h10M10 12h10M10 18h10M4 5l1.5-1v5M4 15h2.5L4 19h2.5",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1",
  picture: "M4 5h16v14H4zM8.5 10h.01M4 17l5-5 4 4 3-3 4 4",
  table: "M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14",
  undo: "M8 5 4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "m16 5 4 4-4 4M20 9H10a6 6 0 0 0 0 12h3",
};

const icon = (name) =>
  `<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${SHAPES[name]}"/></svg>`;

const tool = (name, action) => ({ name, action, icon: icon(name), className: `tool-${name}`, title: text(`tool${name[0].toUpperCase()}${name.slice(1)}`) });

behaviour("[data-markdown][data-authoring]", (box) => {
  const area = box.querySelector("textarea");
  const { uploadUrl } = box.dataset;
  const upload = async (file, done, failed) => {
    const body = new FormData();
    body.set("file", file);
    try {
      done((await (await post(uploadUrl, body)).json()).url);
    } catch {
      failed(text("uploadFailed"));
    }
  };
  const editor = new EasyMDE({
    element: area,
    autoDownloadFontAwesome: false,
    spellChecker: false,
    nativeSpellcheck: true,
    inputStyle: "contenteditable",
    forceSync: true,
    status: false,
    minHeight: "16rem",
    shortcuts: { togglePreview: null, toggleSideBySide: null, toggleFullScreen: null },
    uploadImage: Boolean(uploadUrl),
    imageUploadFunction: upload,
    errorCallback: (message) => notify(message, "error"),
    toolbar: [
      tool("bold", EasyMDE.toggleBold),
      tool("italic", EasyMDE.toggleItalic),
      tool("heading", EasyMDE.toggleHeadingSmaller),
      "|",
      tool("list", EasyMDE.toggleUnorderedList),
      tool("numbers", EasyMDE.toggleOrderedList),
      tool("quote", EasyMDE.toggleBlockquote),
      tool("table", EasyMDE.drawTable),
      "|",
      tool("link", EasyMDE.drawLink),
      ...(uploadUrl ? [tool("picture", EasyMDE.drawUploadedImage)] : []),
      "|",
      tool("undo", EasyMDE.undo),
      tool("redo", EasyMDE.redo),
    ],
  });
  const input = editor.codemirror.getInputField();
  input.setAttribute("aria-label", box.querySelector("label").textContent.trim());
  if (area.getAttribute("aria-describedby")) input.setAttribute("aria-describedby", area.getAttribute("aria-describedby"));
  box.querySelector("label").addEventListener("click", () => editor.codemirror.focus());
  area.required = false;
  area.addEventListener("draft:filled", () => editor.value(area.value));
  editor.codemirror.on("change", () => area.dispatchEvent(new Event("input", { bubbles: true })));
  // Tab leaves the field, as it does in every other field.
  editor.codemirror.setOption("extraKeys", { ...editor.codemirror.getOption("extraKeys"), Tab: false, "Shift-Tab": false });
});
