"""Page on which the interfaces of the service can be tried: one file without other sources."""

from __future__ import annotations

__all__ = ["page"]

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>linnet serve</title>
<style>
:root{color-scheme:light dark;--edge:color-mix(in srgb,currentColor 22%,transparent);--accent:#8a2f3b}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:78rem;padding:1rem 1.25rem 3rem}
h1{font-size:1.3rem;margin:.2rem 0 1rem}
main{display:grid;grid-template-columns:minmax(15rem,22rem) 1fr;gap:1.5rem}
@media(max-width:50rem){main{grid-template-columns:1fr}}
h2{font-size:.8rem;letter-spacing:.04em;text-transform:uppercase;opacity:.65;margin:1rem 0 .3rem}
nav button{display:block;width:100%;text-align:left;background:none;border:0;padding:.3rem .5rem;border-radius:.3rem;
font:inherit;color:inherit;cursor:pointer;overflow-wrap:anywhere}
nav button:hover,nav button[aria-current=true]{background:color-mix(in srgb,var(--accent) 16%,transparent)}
code,textarea,pre,input{font:13px/1.45 ui-monospace,monospace}
textarea,input{width:100%;border:1px solid var(--edge);border-radius:.4rem;padding:.5rem;background:transparent;
color:inherit}
textarea{min-height:11rem;resize:vertical}
label{display:block;margin:.6rem 0 .2rem;font-size:.85rem;opacity:.75}
#send{margin:.7rem 0;padding:.45rem 1.3rem;border:0;border-radius:.4rem;background:var(--accent);color:#fff;
font:inherit;cursor:pointer}
pre{border:1px solid var(--edge);border-radius:.4rem;padding:.7rem;overflow:auto;white-space:pre-wrap;
overflow-wrap:anywhere;max-height:34rem;margin:0}
#state{font-size:.85rem;opacity:.75;margin-left:.7rem}
</style></head><body>
<h1>linnet serve</h1>
<main><nav id="routes" aria-label="interfaces"></nav>
<section>
<div><code id="route"></code> <span id="summary"></span></div>
<label for="key">key, if the service has keys</label><input id="key" type="password" autocomplete="off">
<label for="path">path</label><input id="path" spellcheck="false">
<div id="bodies"><label for="body">body</label><textarea id="body" spellcheck="false"></textarea></div>
<button id="send" type="button">Send</button><span id="state" role="status"></span>
<pre id="answer" aria-live="polite"></pre>
</section></main>
<script>
const byId = name => document.getElementById(name);
let method = "GET", models = {};
const examples = {
  "/v1/embeddings": {model: "MODEL", input: ["turn the volume down", "make it quieter"]},
  "/v1/chat/completions": {model: "MODEL", stream: true, max_tokens: 64,
    messages: [{role: "user", content: "What is a linnet?"}]},
  "/v1/completions": {model: "MODEL", prompt: "The linnet is", max_tokens: 32, stream: true},
  "/embed": {inputs: ["turn the volume down"]}, "/embed_all": {inputs: "turn the volume down"},
  "/rerank": {query: "What is a linnet?", texts: ["A small finch.", "A kind of boat."]},
  "/predict": {inputs: "turn the volume down"},
  "/similarity": {inputs: {source_sentence: "turn it down", sentences: ["make it quieter", "rain"]}},
  "/tokenize": {inputs: "turn the volume down"},
  "/models/{name}": {inputs: "turn the volume down", parameters: {}},
  "infer": {inputs: [{name: "text", shape: [1], datatype: "BYTES", data: ["turn the volume down"]}]}
};
const tasks = {"/v1/embeddings": "feature-extraction", "/v1/chat/completions": "text-generation",
  "/v1/completions": "text-generation"};
const headers = () => byId("key").value ? {authorization: "Bearer " + byId("key").value} : {};
function modelFor(path) {
  const names = Object.keys(models);
  return names.find(name => models[name] === tasks[path]) || names[0] || "MODEL";
}
function choose(path, name, operation, button) {
  document.querySelectorAll("nav button").forEach(other => other.setAttribute("aria-current", other === button));
  method = name.toUpperCase();
  byId("route").textContent = method + " " + path;
  byId("summary").textContent = operation.summary;
  byId("path").value = path.replace("{name}", modelFor(path)).replace("{version}", "1");
  byId("bodies").hidden = !operation.requestBody;
  const example = examples[path] || (path.endsWith("infer") ? examples.infer : {});
  byId("body").value = JSON.stringify(example, null, 2).replace("MODEL", modelFor(path));
  byId("answer").textContent = "";
}
async function send() {
  const started = performance.now(), out = byId("answer");
  out.textContent = ""; byId("state").textContent = "waiting";
  try {
    const hasBody = !byId("bodies").hidden;
    const response = await fetch(byId("path").value, {method, body: hasBody ? byId("body").value : undefined,
      headers: {...headers(), ...(hasBody ? {"content-type": "application/json"} : {})}});
    const type = response.headers.get("content-type") || "";
    if (type.startsWith("text/event-stream")) {
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let held = "";
      for (;;) {
        const {value, done} = await reader.read();
        if (done) break;
        const lines = (held + value).split("\\n"); held = lines.pop();
        for (const line of lines) if (line.startsWith("data: {")) {
          const data = JSON.parse(line.slice(6)), choice = (data.choices || [])[0] || {};
          out.textContent += data.error ? JSON.stringify(data) : choice.text || (choice.delta || {}).content || "";
        }
      }
    } else {
      const text = await response.text();
      try { out.textContent = JSON.stringify(JSON.parse(text), null, 1); } catch { out.textContent = text; }
    }
    byId("state").textContent = response.status + " in " + Math.round(performance.now() - started) + " ms";
  } catch (error) { byId("state").textContent = String(error); }
}
async function listModels() {
  models = {};
  const response = await fetch("v1/models", {headers: headers()});
  if (!response.ok) return;
  for (const entry of (await response.json()).data) {
    const card = await fetch("models/" + entry.id, {headers: headers()});
    models[entry.id] = card.ok ? (await card.json()).task : "";
  }
}
async function start() {
  await listModels();
  const paths = (await (await fetch("openapi.json")).json()).paths, groups = {};
  for (const [path, operations] of Object.entries(paths))
    for (const [name, operation] of Object.entries(operations))
      (groups[operation.tags[0]] ||= []).push([path, name, operation]);
  for (const [group, entries] of Object.entries(groups)) {
    const title = document.createElement("h2"); title.textContent = group; byId("routes").append(title);
    for (const [path, name, operation] of entries) {
      const button = document.createElement("button"); button.type = "button";
      button.textContent = name.toUpperCase() + " " + path; button.title = operation.summary;
      button.onclick = () => choose(path, name, operation, button);
      byId("routes").append(button);
    }
  }
  document.querySelector("nav button").click();
}
byId("send").onclick = send; byId("key").onchange = listModels;
start();
</script></body></html>
"""


def page() -> bytes:
    """Return the page as UTF-8."""
    return _PAGE.encode()
