// SPDX-License-Identifier: Apache-2.0
#include "report/html_parts.h"

namespace fiducia::report {

// Every text colour has a contrast of at least 4.5:1 against what it stands on, in both schemes
// (tests/report/html_test.cpp computes them). Pictures stand on black in both.
std::string_view style_sheet() {
  return R"css(
:root{color-scheme:light dark;
 --page:#f3f5f8;--card:#ffffff;--text:#16191d;--quiet:#545c66;--line:#d5dae1;--link:#0b57a4;
 --authentic:#0a6238;--authentic-tint:#e3f3ea;--altered:#a10f1d;--altered-tint:#fde8e8;
 --malformed:#7c1d6f;--malformed-tint:#f8e7f5;--untrusted:#864300;--untrusted-tint:#fdeedb;
 --indeterminate:#2f4a7d;--indeterminate-tint:#e7edf8;--unsealed:#454c55;--unsealed-tint:#e9ecf0}
@media (prefers-color-scheme:dark){:root{
 --page:#101317;--card:#191d23;--text:#e8ebef;--quiet:#a5aeb9;--line:#363d47;--link:#8fc1ff;
 --authentic:#7bd7a5;--authentic-tint:#12291e;--altered:#ff9c9c;--altered-tint:#371519;
 --malformed:#eba3de;--malformed-tint:#311a2e;--untrusted:#f5b26b;--untrusted-tint:#33220f;
 --indeterminate:#a9c3f5;--indeterminate-tint:#1a2438;--unsealed:#c3cad3;--unsealed-tint:#262b32}}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0;background:var(--page);color:var(--text);
 font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
 overflow-wrap:anywhere}
h1,h2,h3,h4,p,ul,ol,dl,figure{margin:0}
ul,ol{padding:0}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,input:focus-visible{outline:3px solid var(--link);outline-offset:2px}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.875em}
.authentic{--tone:var(--authentic);--tint:var(--authentic-tint)}
.altered{--tone:var(--altered);--tint:var(--altered-tint)}
.malformed{--tone:var(--malformed);--tint:var(--malformed-tint)}
.untrusted{--tone:var(--untrusted);--tint:var(--untrusted-tint)}
.indeterminate{--tone:var(--indeterminate);--tint:var(--indeterminate-tint)}
.unsealed{--tone:var(--unsealed);--tint:var(--unsealed-tint)}
.icon{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round;
 width:1.25em;height:1.25em;flex:none;vertical-align:-.25em}
header.page,main,footer.page{max-width:70rem;margin:0 auto;padding:0 1.25rem}
header.page{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;
 gap:.25rem 1.5rem;padding-top:1.5rem;padding-bottom:1rem}
header.page h1{font-size:1.125rem;font-weight:650}
header.page p{color:var(--quiet);font-size:.875rem}
footer.page{color:var(--quiet);font-size:.875rem;padding-top:1rem;padding-bottom:3rem}
footer.page h2{font-size:1rem;color:var(--text)}
footer.page p{margin-top:.375rem;max-width:75ch}

article.item{background:var(--card);border:1px solid var(--line);border-radius:.75rem;
 margin-bottom:1.5rem;overflow:hidden}
.verdict{display:flex;gap:1.25rem;padding:1.5rem;background:var(--tint);
 border-left:.5rem solid var(--tone)}
.verdict>.icon{width:3.5rem;height:3.5rem;color:var(--tone);stroke-width:1.75}
.verdict h2{font-size:2rem;line-height:1.15;color:var(--tone);letter-spacing:-.01em}
.verdict .path{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
 font-size:.9375rem;margin:.25rem 0 .75rem}
.verdict .reason{font-size:1.1875rem;line-height:1.35;font-weight:650;max-width:60ch;margin-bottom:.5rem}
.verdict .count{font-weight:400;font-size:.9375rem}
.verdict .means{max-width:70ch}
.verdict .means-not{margin-top:.375rem;max-width:70ch;font-size:.9375rem}
.body{padding:.25rem 1.5rem 1.5rem}
.body h3{font-size:1.125rem;margin:1.5rem 0 .625rem}
.none{color:var(--quiet)}
.back{padding:0 1.5rem 1.25rem;font-size:.9375rem}

.toggle{width:1.125rem;height:1.125rem;vertical-align:-.2rem;margin:0 .375rem 0 0;accent-color:var(--link)}
.toggle:not(:checked)~.figures .outline,.toggle:not(:checked)~.more .outline{display:none}
.more{margin-top:.75rem}.more>:last-child{margin-top:.5rem}
.legend{color:var(--quiet);font-size:.875rem;margin:.125rem 0 .625rem}
.figures{display:flex;flex-wrap:wrap;gap:1.25rem;align-items:flex-start}
figure.picture{max-width:100%}
.frame{position:relative;display:block;width:fit-content;max-width:100%;background:#000;line-height:0}
.frame img{display:block;max-width:100%;height:auto;background:#000}
.frame img.crisp{image-rendering:pixelated}
.outline{position:absolute;inset:0;width:100%;height:100%;overflow:visible;fill:none}
.outline path{vector-effect:non-scaling-stroke;stroke-linecap:square}
.outline .casing{stroke:#000;stroke-width:5px}
.outline .line{stroke:#ffb000;stroke-width:2.5px}
.outline .dashed{stroke-dasharray:7 5}
figcaption{padding:.5rem 0 0;width:0;min-width:max(100%,min(17rem,80vw))}
figcaption .what{font-weight:600}
figcaption .how{color:var(--quiet);font-size:.875rem}

table.changes{width:100%;border-collapse:collapse;font-size:.9375rem}
.changes caption{text-align:left;color:var(--quiet);padding-bottom:.5rem}
.changes th,.changes td{text-align:left;vertical-align:top;padding:.5rem .75rem;border-top:1px solid var(--line)}
.changes thead th{border-top:0;font-size:.8125rem;color:var(--quiet);font-weight:600;padding-bottom:.25rem}
.changes tbody th{font-weight:600}
.changes td.path{min-width:8rem}
.changes th:first-child,.changes td:first-child{padding-left:0}

.findings{list-style:none;display:grid;gap:.75rem}
.finding{display:grid;grid-template-columns:7rem 1fr;gap:.25rem 1rem;border:1px solid var(--line);
 border-left:.3125rem solid var(--tone);border-radius:.5rem;padding:.75rem 1rem}
.finding.alarm{--tone:var(--altered)}.finding.warning{--tone:var(--untrusted)}.finding.note{--tone:var(--indeterminate)}
.severity{color:var(--tone);font-weight:650}
.sign{display:inline-block;min-width:1.25em;text-align:center;font-weight:700}
.finding .what{font-weight:600}
.finding .remedy{margin-top:.25rem}
.finding .code{color:var(--quiet);font-size:.8125rem;margin-top:.25rem;
 font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.finding ul{padding-left:1.125rem;margin:.25rem 0}
summary{cursor:pointer}

.chain{list-style:none;display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:2.25rem}
.link{position:relative;border:1px solid var(--line);border-top:.3125rem solid var(--tone);border-radius:.5rem;
 padding:.75rem 1rem 1rem}
.link.holds{--tone:var(--authentic)}.link.broken{--tone:var(--altered)}.link.absent{--tone:var(--unsealed)}
.link.absent{border-style:dashed;border-top-style:solid}
.link:not(:last-child)::after{content:"\2192";position:absolute;left:100%;top:50%;width:2.25rem;
 transform:translateY(-50%);text-align:center;font-size:1.5rem;line-height:1;color:var(--quiet)}
.link h4{font-size:1rem}
.gloss{color:var(--quiet);font-size:.8125rem;line-height:1.35;margin-bottom:.375rem}
dd time{white-space:nowrap}
.state{color:var(--tone);font-weight:600;margin-bottom:.5rem}
dt{color:var(--quiet);font-size:.8125rem;margin-top:.5rem}
dd{margin:0;font-size:.9375rem}
dd code{overflow-wrap:normal;word-break:normal}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(14rem,100%),1fr));gap:.25rem 1.5rem}

.overview .where{color:var(--quiet);margin:-.5rem 0 .75rem;font-size:.9375rem}
.overview h2{font-size:1.75rem;line-height:1.2;margin-bottom:.75rem}
.counts{list-style:none;display:flex;flex-wrap:wrap;gap:.625rem;margin-bottom:1.25rem}
.counts a{display:flex;align-items:center;gap:.4375rem;padding:.4375rem .875rem;border-radius:2rem;text-decoration:none;
 background:var(--tint);color:var(--tone);border:1px solid var(--tone)}
.counts strong{font-size:1.125rem}
.cards{list-style:none;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(10rem,100%),1fr));gap:.75rem;
 margin-bottom:2rem}
.cards li{min-width:0}
.cards a{display:flex;flex-direction:column;height:100%;border:1px solid var(--line);border-radius:.5rem;overflow:hidden;
 background:var(--card);color:var(--text);text-decoration:none;border-bottom:.3125rem solid var(--tone)}
.cards a:hover{border-color:var(--tone)}
.thumb{display:flex;align-items:center;justify-content:center;background:#000;height:10rem}
.thumb .frame{margin:auto}
.thumb .casing{stroke-width:3.5px}.thumb .line{stroke-width:1.75px}
.no-picture{color:#c4cad2;font-size:.8125rem}
.card-verdict{display:flex;align-items:center;gap:.375rem;font-weight:650;color:var(--tone);padding:.5rem .625rem 0}
.card-path{padding:0 .625rem .5rem;font-size:.8125rem;line-height:1.35}
.card-path bdi{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden}
.card-path .folder{color:var(--quiet)}
.card-reason{padding:0 .625rem;margin-bottom:.5rem;font-size:.8125rem;line-height:1.35;color:var(--quiet);display:-webkit-box;
 -webkit-box-orient:vertical;-webkit-line-clamp:4;overflow:hidden}
.fold{margin-bottom:.5rem;background:var(--card);border:1px solid var(--line);border-left:.3125rem solid var(--tone);border-radius:.5rem}
.fold>summary{padding:.5rem .875rem}
.fold>summary .icon,.fold-verdict{color:var(--tone)}
.fold-verdict{font-weight:650}
.fold>article.item{border-width:1px 0 0;border-radius:0;margin:0}

@media (max-width:68rem){
 .chain{grid-template-columns:repeat(2,minmax(0,1fr))}
 .link:nth-child(2n)::after{display:none}
}
@media (max-width:40rem){
 .chain{grid-template-columns:minmax(0,1fr);gap:2rem}
 .link:not(:last-child)::after{content:"\2193";display:block;left:0;right:0;top:100%;width:auto;height:2rem;transform:none;
  line-height:2rem}
 header.page,main,footer.page{padding-left:.75rem;padding-right:.75rem}
 .verdict{padding:1.125rem .875rem;gap:.75rem;border-left-width:.3125rem}
 .verdict>.icon{width:2.5rem;height:2.5rem}
 .verdict h2{font-size:1.625rem}
 .body{padding:.25rem .875rem 1rem}
 .back{padding-left:.875rem}
 .finding{grid-template-columns:minmax(0,1fr)}
 .changes thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
 .changes tr{display:block;border-top:1px solid var(--line);padding:.5rem 0}
 .changes tbody th,.changes td{display:block;border:0;padding:.0625rem 0}
 .changes td::before{content:attr(data-label) ": ";color:var(--quiet)}
}
@media print{
 :root{--page:#ffffff;--card:#ffffff;--text:#000000;--quiet:#444a52;--line:#9aa1ab;--link:#0b57a4;
  --authentic:#0a6238;--authentic-tint:#e3f3ea;--altered:#a10f1d;--altered-tint:#fde8e8;
  --malformed:#7c1d6f;--malformed-tint:#f8e7f5;--untrusted:#864300;--untrusted-tint:#fdeedb;
  --indeterminate:#2f4a7d;--indeterminate-tint:#e7edf8;--unsealed:#454c55;--unsealed-tint:#e9ecf0}
 *{-webkit-print-color-adjust:exact;print-color-adjust:exact}
 @page{margin:14mm 12mm}
 body{font-size:10pt;background:#fff}
 header.page,main,footer.page{max-width:none;padding-left:0;padding-right:0}
 article.item{border-radius:0;overflow:visible}
 article.item~article.item{break-before:page}
 .toggle,.toggle+label,.back{display:none}
 figure.picture,.finding,.link,.verdict,.cards li,.changes tr,.facts{break-inside:avoid}
 h2,h3,h4,caption,thead,.legend{break-after:avoid}
 .more>summary,.finding summary{display:none}
 .frame img.smooth{max-height:110mm;width:auto}
 .frame img.crisp{max-width:90mm}
 .figures{display:block}
 figure.picture{margin-bottom:6mm}
 .chain{grid-template-columns:repeat(2,minmax(0,1fr));gap:8mm}
 .link:not(:last-child)::after{content:"\2192";left:100%;right:auto;top:50%;width:8mm;height:auto;line-height:1;
  transform:translateY(-50%)}
 .link:nth-child(2n)::after{display:none}
 details::details-content{content-visibility:visible;height:auto;display:block}
 .fold{break-inside:avoid}
}
)css";
}

}  // namespace fiducia::report
