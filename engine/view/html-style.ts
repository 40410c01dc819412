/** The look of the HTML report: a screen in light and dark, and A4. Colours keep a contrast of at least 4.5 to 1. */
export const style = `
:root { color-scheme: light dark;
  --page: #f4f5f7; --card: #fff; --line: #d9dde3; --text: #1b2330; --dim: #566073; --code: #f0f2f5;
  --good: #176b3a; --bad: #b3191f; --warn: #855300; --doubt: #6d3ab0; --plain: #3f4b5e;
  --good-bg: #e3f4e9; --bad-bg: #fde8e8; --warn-bg: #fdf1d8; --doubt-bg: #f0e8fb; --plain-bg: #e9ecf1 }
@media (prefers-color-scheme: dark) { :root {
  --page: #12161d; --card: #1a2029; --line: #323b49; --text: #e4e8ef; --dim: #a0abbd; --code: #11151b;
  --good: #6fd39a; --bad: #ff9a96; --warn: #f2c063; --doubt: #c9a6fb; --plain: #b9c3d3;
  --good-bg: #16301f; --bad-bg: #3b1a1c; --warn-bg: #362810; --doubt-bg: #2b2040; --plain-bg: #28303c } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .6rem; overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .8rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1.4rem 0 .5rem; display: flex; gap: .5rem; align-items: baseline; flex-wrap: wrap }
p { margin: .4rem 0; overflow-wrap: anywhere }
code, pre { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
code { overflow-wrap: anywhere }
pre { margin: .4rem 0; padding: .6rem .75rem; background: var(--code); border: 1px solid var(--line); border-radius: 6px; overflow: auto; max-height: 26rem; white-space: pre-wrap; overflow-wrap: anywhere }
.dim { color: var(--dim) }
.badge { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-size: .82rem; font-weight: 650; white-space: nowrap; border: 1px solid currentColor }
.good { color: var(--good); background: var(--good-bg) } .bad { color: var(--bad); background: var(--bad-bg) }
.warn { color: var(--warn); background: var(--warn-bg) } .doubt { color: var(--doubt); background: var(--doubt-bg) }
.plain, .badge.dim { color: var(--plain); background: var(--plain-bg) }
.head .badge { font-size: 1rem; padding: .2rem .8rem }
.head p { display: flex; gap: .75rem; align-items: center; flex-wrap: wrap }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.15rem; margin: 1rem 0 }
.alarm { border-left: 5px solid var(--bad) } .alarm.doubtful { border-left-color: var(--doubt) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 0 }
.why { display: block; font-size: .93rem } .why.bad { background: none }
dt { color: var(--dim) } dd { margin: 0; overflow-wrap: anywhere }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; list-style: none; padding: 0; margin: 0 0 1rem }
.tiles li { flex: 1 1 7rem; max-width: 16rem; border-radius: 10px; padding: .6rem .9rem; border: 1px solid currentColor; font-weight: 600 }
.tiles b { display: block; font-size: 1.7rem; line-height: 1.2 }
table { border-collapse: collapse; width: 100%; font-size: .93rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
th { color: var(--dim); font-weight: 600; font-size: .82rem } tr:last-child td { border-bottom: 0 }
td:first-child { white-space: nowrap }
.findings { list-style: none; margin: 0; padding: .35rem 1rem } .findings li { padding: .35rem 0; display: flex; gap: .7rem; align-items: baseline; border-bottom: 1px solid var(--line) }
.findings li:last-child { border: 0 } .findings div { flex: 1; overflow-wrap: anywhere } .findings .badge { min-width: 7rem; text-align: center }
.steps { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden }
.steps > li { border-bottom: 1px solid var(--line) } .steps > li:last-child { border: 0 }
.row { display: grid; grid-template-columns: 4.6rem 8.2rem 1fr 1rem; gap: .2rem .6rem; padding: .5rem .9rem; align-items: baseline }
summary.row { cursor: pointer; list-style: none } summary.row::-webkit-details-marker { display: none }
summary.row:hover { background: var(--code) } summary.row:focus-visible { outline: 2px solid var(--text); outline-offset: -2px }
summary.row::after { content: "▸"; color: var(--dim); text-align: right } details[open] > summary.row::after { content: "▾" }
.row time { color: var(--dim); font-size: .86rem; font-variant-numeric: tabular-nums }
.what { overflow-wrap: anywhere; margin-left: calc(var(--depth, 0) * 1.1rem) } .nested { border-left: 2px solid var(--line); padding-left: .7rem } .facts { display: block; color: var(--dim); font-size: .86rem }
.inside { padding: .1rem .9rem .9rem 14.3rem } .inside > * + * { margin-top: .6rem }
.call { display: flex; gap: .6rem; align-items: baseline; flex-wrap: wrap; margin: 0 }
.label { color: var(--dim); font-size: .8rem; font-weight: 600; margin: .5rem 0 0 }
.inside ul { margin: .2rem 0; padding-left: 1.2rem } .del { color: var(--bad) } .ins { color: var(--good) }
footer { margin-top: 2.5rem; color: var(--dim); font-size: .85rem; overflow-wrap: anywhere }
@media (max-width: 46rem) { .row { grid-template-columns: 4.6rem 1fr 1rem } .what { grid-column: 1 / -1; grid-row: 2 } .inside { padding-left: .9rem } dl { grid-template-columns: 1fr } dt { margin-top: .4rem } }
@page { size: A4; margin: 14mm 13mm }
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --line: #c9ced6; --text: #000; --dim: #444; --code: #f6f6f6;
    --good: #0f5a2e; --bad: #a01217; --warn: #6e4500; --doubt: #59308f; --plain: #333;
    --good-bg: #fff; --bad-bg: #fff; --warn-bg: #fff; --doubt-bg: #fff; --plain-bg: #fff }
  html { font-size: 9.5pt } body { font-size: 1rem } main { max-width: none; padding: 0 } h1 { font-size: 16pt }
  h2, h3, summary, .label { break-after: avoid } .card, .findings li, tr { break-inside: avoid }
  .steps { overflow: visible } pre { max-height: none; overflow: visible } .inside { padding-left: 1.5rem }
  .row { grid-template-columns: 4.2rem 7.4rem 1fr } summary.row::after { content: none !important }
}
`
