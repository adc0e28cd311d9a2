"""The style sheet and the script of every page. Colours: Okabe & Ito's palette, darkened for white paper.

The colours can be distinguished with every kind of colour blindness (Okabe & Ito, "Color Universal Design", 2008);
the light ones are made darker on white, and the dark ones lighter on black, so that each reaches a
contrast of 3:1 with the page, as WCAG 2.2 (1.4.11) requires of graphics.
"""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
:root{color-scheme:light dark;--page:#fff;--panel:#f5f6f8;--text:#1b1e23;--quiet:#565d68;--rule:#d5d9df;
--grid:#e6e9ed;--link:#0b5cad;--bad:#b3261e;--good:#0a7a4a;
--s0:#0072b2;--s1:#c85200;--s2:#00845f;--s3:#a8437f;--s4:#7a6300;--s5:#565d68}
@media(prefers-color-scheme:dark){:root{--page:#14171b;--panel:#1d2126;--text:#e8eaed;--quiet:#a4acb8;
--rule:#3a414b;--grid:#2a3037;--link:#8ab8f0;--bad:#ff8a80;--good:#5fd39a;
--s0:#56b4e9;--s1:#ff9955;--s2:#2fc79a;--s3:#e08fc0;--s4:#e6c229;--s5:#a4acb8}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans",sans-serif;-webkit-text-size-adjust:100%}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:1.3rem;margin:44px 0 8px;padding-top:14px;border-top:1px solid var(--rule)}
h3{font-size:1.05rem;margin:26px 0 6px}
p{margin:8px 0;max-width:50rem;overflow-wrap:anywhere}
a{color:var(--link)}
code,kbd{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.subtitle,.note,figcaption+.note,footer{color:var(--quiet)}
.note{font-size:.92rem}
footer{margin-top:48px;padding-bottom:32px;font-size:.88rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;padding:0;margin:12px 0}
.missing{border-left:4px solid var(--rule);background:var(--panel);padding:8px 12px;color:var(--quiet)}
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:10px;margin:16px 0;padding:0}
.tiles>div{background:var(--panel);border-radius:8px;padding:10px 12px}
.tiles dt{color:var(--quiet);font-size:.85rem}
.tiles dd{margin:0;font-size:1.25rem;line-height:1.3;overflow-wrap:anywhere}
.tiles dd small{display:block;font-size:.8rem;color:var(--quiet)}
.table{margin:14px 0}
.above{display:flex;justify-content:space-between;align-items:flex-end;gap:12px;margin-bottom:4px}
.caption{margin:0;color:var(--quiet);font-size:.92rem}
.scroll{overflow-x:auto;background:linear-gradient(90deg,var(--page),var(--page)) 0/28px 100% no-repeat local,
linear-gradient(90deg,var(--page),var(--page)) 100%/28px 100% no-repeat local,
linear-gradient(90deg,var(--rule),transparent) 0/14px 100% no-repeat scroll,
linear-gradient(270deg,var(--rule),transparent) 100%/14px 100% no-repeat scroll}
.aside{margin:2px 0 0;color:var(--quiet);font-size:.85rem}
table{border-collapse:collapse;font-size:.92rem;min-width:50%}
th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid var(--grid);
overflow-wrap:break-word;max-width:34rem}
thead th.number{white-space:normal;min-width:4.2rem}
thead th{border-bottom:1px solid var(--rule);font-weight:600;vertical-align:bottom}
tbody th{font-weight:400}
tfoot th,tfoot td{border-top:1px solid var(--rule);border-bottom:0;font-weight:600}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.unbroken{white-space:nowrap}
.clip{display:inline-block;min-width:12rem;max-width:26rem;max-height:7.6em;overflow:auto;overflow-wrap:anywhere}
button.copy{flex:none;font:inherit;font-size:.8rem;padding:2px 9px;border-radius:6px;
border:1px solid var(--rule);background:var(--panel);color:var(--text);cursor:pointer}
figure{margin:18px 0}
figcaption{font-weight:600;overflow-wrap:anywhere}
details{margin:6px 0}
summary{cursor:pointer;color:var(--link);font-size:.92rem;padding:3px 0}
svg{display:block;max-width:100%;height:auto;margin:8px 0;overflow:visible}
svg.narrow{display:none}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:var(--text);
unicode-bidi:isolate}
svg .tick,svg .title{fill:var(--quiet);font-variant-numeric:tabular-nums}
svg .strong{font-weight:600}
svg .name{paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}
.grid{stroke:var(--grid)}
.axis{stroke:var(--quiet);fill:none}
.line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}
.front{fill:none;stroke:var(--quiet);stroke-width:1.5;stroke-dasharray:5 4}
.band{fill:currentColor;opacity:.18}
.marker{fill:currentColor;stroke:var(--page);stroke-width:1}
.bar,.edge{fill:currentColor}
.box{fill:var(--panel);stroke:var(--rule)}
.arrow{fill:none;stroke:var(--quiet);stroke-width:1.5}
.head{fill:var(--quiet)}
.series-0{color:var(--s0)}.series-1{color:var(--s1)}.series-2{color:var(--s2)}
.series-3{color:var(--s3)}.series-4{color:var(--s4)}.series-5{color:var(--s5)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;padding:0;margin:6px 0;font-size:.92rem}
svg.swatch{display:inline-block;margin:0 6px 0 0;vertical-align:-1px}
@media(max-width:800px){svg.wide{display:none}svg.narrow{display:block}}
@media(max-width:500px){main,header,footer{padding-left:16px;padding-right:16px}h1{font-size:1.45rem}
table{font-size:.86rem;min-width:100%}td:last-child:not(.number):not(:empty){min-width:9rem}
th,td{padding-right:10px}}
@media print{button.copy,nav{display:none!important}h2{break-after:avoid}figure,tr{break-inside:avoid}}
"""

SCRIPT = r"""
for(const button of document.querySelectorAll("button.copy")){
button.hidden=false;
button.addEventListener("click",async()=>{
const cell=c=>c.textContent.trim().replace(/\s+/g," ").replace(/\\/g,"\\\\").replace(/\|/g,"\\|")
.replace(/[<>&]/g,x=>({"<":"&lt;",">":"&gt;","&":"&amp;"}[x]));
const lines=[...button.closest(".table").querySelectorAll("tr")].map(r=>[...r.cells]);
const text=lines.map((cells,i)=>{
const line="| "+cells.map(cell).join(" | ")+" |";
return i?line:line+"\n|"+cells.map(c=>c.classList.contains("number")?"---:":"---").join("|")+"|";
}).join("\n")+"\n";
let done=true;
try{await navigator.clipboard.writeText(text)}catch{
const area=document.createElement("textarea");area.value=text;document.body.append(area);area.select();
done=document.execCommand("copy");area.remove()}
button.textContent=done?"Copied":"Copying is not allowed here";
setTimeout(()=>{button.textContent="Copy as Markdown"},1500);
});}
const hint=()=>{for(const box of document.querySelectorAll(".scroll"))
box.nextElementSibling.hidden=box.scrollWidth<=box.clientWidth+1};
hint();addEventListener("resize",hint);document.addEventListener("toggle",hint,true);
"""
