/// The one style sheet: the base first, then the pieces in the order of the pages.
enum Style {
    static let sheet = base + pieces + charts

    private static let base = #"""
        :root {
          color-scheme: light dark;
          --paper: #fbfbf8; --raised: #ffffff; --sunk: #f3f3ee; --ink: #1c2126; --soft: #5c6670; --line: #e2e3dc;
          --accent: #0d6660; --accent-ink: #ffffff; --accent-soft: #cfe6e2; --focus: #1b7fd4;
          --queued: #6b6250; --queued-bg: #efebdf; --active: #1d5f9e; --active-bg: #e0ecf7; --succeeded: #23693f;
          --succeeded-bg: #e0f0e5; --failed: #a52a22; --failed-bg: #fae5e2; --cancelled: #62605c; --cancelled-bg: #ebebe8;
          --unseen: #8a4b08; --unseen-bg: #fbebd4; --closed: #cfd1cb; --track: #eeeee8; --free: #a9d3cc; --shade: #0000000d;
          --series-a: #0072b2; --series-b: #d55e00; --series-c: #00805d; --series-d: #b5558c; --series-e: #a87400;
          --series-f: #3a93c8; --series-g: #76761a; --series-h: #1c2126;
          --mono: ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", "DejaVu Sans Mono", monospace;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #111518; --raised: #181d21; --sunk: #1d2327; --ink: #e4e8ea; --soft: #9aa6af; --line: #2b3238;
            --accent: #6cc7bb; --accent-ink: #08211f; --accent-soft: #1f4541; --focus: #6cb6f5;
            --queued: #cdbf9b; --queued-bg: #322d20; --active: #8dc0f0; --active-bg: #18304a; --succeeded: #86cfa0;
            --succeeded-bg: #173524; --failed: #f2988f; --failed-bg: #452120; --cancelled: #b1b5b8; --cancelled-bg: #2b3033;
            --unseen: #f0b872; --unseen-bg: #42301a; --closed: #454d53; --track: #242b30; --free: #2d625b; --shade: #00000040;
            --series-a: #5aa9dd; --series-b: #f0803c; --series-c: #3dbd98; --series-d: #d98fbd; --series-e: #e6ae3c;
            --series-f: #9ad2f2; --series-g: #b9b95c; --series-h: #e4e8ea;
          }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
        body {
          margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI",
          "Noto Sans", "Helvetica Neue", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
          min-height: 100vh; display: flex; flex-direction: column;
        }
        a { color: var(--accent); text-decoration: none; }
        a:hover { text-decoration: underline; text-underline-offset: 3px; }
        :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; font-weight: 620; letter-spacing: -0.012em; overflow-wrap: anywhere; }
        h2 { font-size: 1rem; line-height: 1.3; margin: 0 0 .7rem; font-weight: 620; }
        h1 .chip { font-size: .82rem; vertical-align: .28em; letter-spacing: 0; margin-left: .35rem; }
        p { margin: .5rem 0; }
        code, pre { font-family: var(--mono); font-size: .87em; }
        code { overflow-wrap: anywhere; } pre code { font-size: inherit; }
        small, .soft { color: var(--soft); }
        section { margin: 0 0 2.4rem; min-width: 0; }
        main { width: 100%; max-width: 76rem; margin: 0 auto; padding: 2rem 1.5rem 1rem; flex: 1; }
        .skip { position: absolute; left: -99rem; }
        .skip:focus { left: 1rem; top: .6rem; background: var(--raised); padding: .4rem .8rem; z-index: 2; }
        .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        .top { border-bottom: 1px solid var(--line); background: var(--raised); }
        .bar-inner { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; display: flex; align-items: center; gap: 1.6rem; min-height: 3.4rem; }
        .brand { display: inline-flex; align-items: center; gap: .5rem; font-weight: 680; color: var(--ink); letter-spacing: -0.01em; }
        .brand:hover { text-decoration: none; }
        .mark { fill: var(--accent); } .mark .orbit { fill: none; stroke: var(--accent); stroke-width: 1.2; opacity: .5; }
        .top nav { flex: 1; min-width: 0; }
        .top nav ul { display: flex; gap: .1rem; list-style: none; margin: 0; padding: 0; }
        .top nav a { display: block; padding: 1rem .6rem calc(1rem - 2px); color: var(--soft); border-bottom: 2px solid transparent; white-space: nowrap; line-height: 1.4rem; }
        .top nav a:hover { color: var(--ink); text-decoration: none; }
        .top nav a[aria-current] { color: var(--ink); font-weight: 560; border-bottom-color: var(--accent); }
        .who, .who form { display: flex; align-items: center; gap: .8rem; }
        .who .user { color: var(--soft); }
        .foot { margin-top: 2rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .87rem; }
        .foot-inner { max-width: 76rem; margin: 0 auto; padding: 1rem 1.5rem 1.4rem; display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap; }
        .languages { display: flex; gap: 1rem; list-style: none; margin: 0; padding: 0; }
        .languages [aria-current] { color: var(--ink); }
        .title { display: flex; align-items: flex-start; justify-content: space-between; gap: 1rem 2rem; flex-wrap: wrap; margin-bottom: 1.5rem; }
        section > .title { margin-bottom: .8rem; align-items: center; } section > .title h2 { margin: 0; }
        .facet { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .35rem 0; color: var(--soft); }
        .facet ul { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; list-style: none; margin: 0; padding: 0; }
        .card-text { white-space: pre-wrap; }
        .meta { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; list-style: none; margin: .45rem 0 0; padding: 0; color: var(--soft); }
        .lead { color: var(--soft); max-width: 44rem; margin: 0 0 1.4rem; }
        .columns { display: grid; grid-template-columns: minmax(0, 1.75fr) minmax(0, 1fr); gap: 0 3.5rem; }
        .narrow { max-width: 38rem; margin: 1.5rem auto 3rem; } .narrow h1 { margin-bottom: .5rem; }
        @media (max-width: 77rem) { .bar-inner { gap: 0 1rem; flex-wrap: wrap; padding-top: .6rem; } .top nav { order: 3; flex-basis: 100%; overflow-x: auto; scrollbar-width: none; }
          .top nav a { padding: .55rem .7rem .5rem; } .who { margin-left: auto; } .top nav li:first-child a { padding-left: 0; } .columns { grid-template-columns: minmax(0, 1fr); } }
        .slim { display: none; }
        @media (max-width: 40rem) { .wide { display: none; } .slim { display: block; } .top nav ul { flex-wrap: wrap; gap: .1rem 1.3rem; margin-bottom: .3rem; } .top nav a { padding: .35rem 0 .3rem; } main { padding: 1.4rem 1rem .5rem; } .bar-inner, .foot-inner { padding-left: 1rem; padding-right: 1rem; } h1 { font-size: 1.4rem; } .who .user { display: none; } }
        @media print { .top, .foot, form, .button { display: none; } body { background: none; } }
        @media (prefers-reduced-motion: no-preference) { a, button, .button { transition: background-color .12s, border-color .12s, color .12s; } }

        """#

    private static let pieces = #"""
        .scroll { overflow-x: auto; max-width: 100%; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { padding: .5rem .9rem .5rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
        th:last-child, td:last-child { padding-right: 0; }
        thead th { font-size: .8rem; font-weight: 500; color: var(--soft); padding-top: 0; white-space: nowrap; vertical-align: bottom; }
        tbody th { font-weight: 500; }
        tbody tr:hover td, tbody tr:hover th { background: linear-gradient(var(--shade), var(--shade)); }
        .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        td.n + td:not(.n), th.n + th:not(.n) { padding-left: .9rem; } .n:first-child { width: 1%; padding-right: 1.1rem; } .nb { white-space: nowrap; }
        main > .scroll, main > div > .scroll { margin-bottom: 2.4rem; } main > div > .scroll + .pager { margin-top: -1.2rem; }
        .negative { color: var(--failed); }
        td.main { min-width: 9rem; overflow-wrap: anywhere; } td.main > a { font-weight: 560; }
        td.l1 { padding-left: 1.2rem; } td.l2 { padding-left: 2.4rem; } td.l3 { padding-left: 3.6rem; } td.l4 { padding-left: 4.8rem; } td.l5 { padding-left: 6rem; } td.l6 { padding-left: 7.2rem; } td.l7 { padding-left: 8.4rem; }
        .sub { display: block; color: var(--soft); font-size: .85rem; line-height: 1.45; font-weight: 400; overflow-wrap: anywhere; }
        td form { display: inline; } td button { margin: -.25rem 0; } .scroll + form.row { margin-top: 1.2rem; } .controls form.row { align-items: center; }
        .jobs td:first-child, .jobs th:first-child { padding-right: .7rem; } .pick input { margin: .25rem 0 0; }
        .narrow-table { width: auto; min-width: min(26rem, 100%); } .narrow-table td:first-child { padding-right: 3rem; }
        .chip { display: inline-flex; align-items: center; gap: .4em; padding: .05em .6em .1em .5em; border-radius: 1em; font-size: .85rem; font-weight: 500; line-height: 1.5; white-space: nowrap; color: var(--cancelled); background: var(--cancelled-bg); }
        .chip::before { content: ""; width: .55em; height: .55em; border-radius: 50%; border: 1.5px solid currentColor; flex: none; }
        .chip.is-queued { color: var(--queued); background: var(--queued-bg); }
        .chip.is-active { color: var(--active); background: var(--active-bg); }
        .chip.is-active::before { background: linear-gradient(90deg, currentColor 50%, transparent 50%); }
        .chip.is-succeeded { color: var(--succeeded); background: var(--succeeded-bg); }
        .chip.is-succeeded::before { background: currentColor; }
        .chip.is-failed { color: var(--failed); background: var(--failed-bg); }
        .chip.is-failed::before { background: currentColor; border-radius: 1px; transform: rotate(45deg) scale(.9); }
        .chip.is-cancelled::before { height: 0; border-width: 1px 0 0; border-top-width: 2px; border-radius: 0; }
        .chip.is-unseen { color: var(--unseen); background: var(--unseen-bg); }
        .chip.is-unseen::before { border-style: dotted; }
        .figures { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0; list-style: none; margin: 0 0 2.4rem; padding: 0; border: 1px solid var(--line); border-radius: 10px; background: var(--raised); overflow: hidden; }
        .figures li + li { border-left: 1px solid var(--line); }
        .figures a { display: flex; flex-direction: column; align-items: flex-start; gap: .35rem; padding: 1rem 1.2rem 1.1rem; color: inherit; height: 100%; }
        .figures a:hover { background: var(--sunk); text-decoration: none; }
        .number { font-size: 1.9rem; line-height: 1.1; font-weight: 600; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
        .reasons, .plain-list, .events, .machines, .key, .tight, .evidence { list-style: none; margin: 0; padding: 0; }
        .reasons li { margin: 0 0 1.15rem; } .reasons li > a { display: flex; justify-content: space-between; gap: 1rem; color: inherit; font-weight: 500; }
        .reasons p { margin: .3rem 0 0; font-size: .9rem; } .reasons .bar { height: 6px; margin-top: .3rem; }
        .events li { padding: 0 0 .75rem 1rem; border-left: 2px solid var(--line); position: relative; }
        .events li::before { content: ""; position: absolute; left: -5px; top: .5em; width: 8px; height: 8px; border-radius: 50%; background: var(--closed); box-shadow: 0 0 0 3px var(--paper); }
        .events .soft { display: block; font-size: .87rem; } .events b { font-weight: 560; }
        .plain-list li { padding: .25rem 0; } .nothing { color: var(--soft); margin: .2rem 0 1rem; }
        .key { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; color: var(--soft); font-size: .85rem; margin-top: .8rem; }
        .key i, .phases i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; margin-right: .45rem; }
        .key .used { background: var(--accent); } .key .free { background: var(--free); } .key .closed { background: var(--closed); }
        .key .emulated { border: 1.5px dashed var(--accent); }
        .map, .fields { list-style: none; margin: 0; padding: 0; } .map > li { display: grid; grid-template-columns: 5rem minmax(0, 1fr); padding: .7rem 0; border-bottom: 1px solid var(--line); }
        .map h3 { margin: 0; font-size: .9rem; color: var(--soft); font-weight: 500; } .fields { display: flex; flex-wrap: wrap; gap: .8rem 1.6rem; } .nodes { display: block; margin-bottom: .3rem; max-width: 100%; height: auto; }
        .nodes rect { fill: var(--track); stroke: var(--closed); stroke-width: 1; } .nodes .off { fill: var(--closed); } .shade { display: inline-block; width: .8em; height: .8em; border-radius: 2px; background: var(--track); border: 1px solid var(--closed); } .shade.off { background: var(--closed); }
        .nodes .s1, .nodes .s2, .nodes .s3, .nodes .s4 { fill: var(--accent); stroke: var(--accent); } .nodes .s1 { fill-opacity: .25; } .nodes .s2 { fill-opacity: .5; } .nodes .s3 { fill-opacity: .75; }
        .shade.s1, .shade.s2, .shade.s3, .shade.s4 { background: var(--accent); border-color: var(--accent); } .shade.s1 { opacity: .25; } .shade.s2 { opacity: .5; } .shade.s3 { opacity: .75; }
        @media (max-width: 40rem) { .map > li { grid-template-columns: minmax(0, 1fr); } }
        em { font-style: normal; color: var(--unseen); }
        details > summary { cursor: pointer; color: var(--soft); width: fit-content; padding: .15rem 0; } details[open] > summary { margin-bottom: .7rem; }
        summary:hover { color: var(--ink); } .figures-table, .help { margin-top: 1rem; }
        .fixed { max-width: 46rem; }
        .tabs { margin: 0 0 1.3rem; border-bottom: 1px solid var(--line); overflow-x: auto; scrollbar-width: none; }
        .tabs ul { display: flex; gap: 1.5rem; list-style: none; margin: 0; padding: 0; }
        .tabs a { display: block; padding: .35rem 0 .5rem; color: var(--soft); border-bottom: 2px solid transparent; white-space: nowrap; }
        .tabs a:hover { color: var(--ink); text-decoration: none; } .tabs a[aria-current] { color: var(--ink); border-bottom-color: var(--accent); font-weight: 560; }
        .tabs.small { margin-bottom: .7rem; font-size: .9rem; } section > .title .tabs { margin: 0; border: 0; }
        .count { color: var(--soft); font-weight: 400; font-variant-numeric: tabular-nums; margin-left: .15rem; font-size: .9em; }
        .filter, .row, .switch { display: flex; flex-wrap: wrap; align-items: flex-end; gap: .8rem 1rem; }
        .filter { margin-bottom: 1.6rem; } .row { align-items: center; } form.row { align-items: flex-end; } .switch { align-items: center; gap: .5rem; color: var(--soft); }
        .batch { margin: 1rem 0; } .narrowed { color: var(--soft); margin: -.6rem 0 1.2rem; }
        .field { display: flex; flex-direction: column; gap: .25rem; min-width: 9rem; border: 0; padding: 0; margin: 0; }
        .field > label, .field > legend { font-size: .85rem; color: var(--soft); padding: 0; margin-bottom: .25rem; } .field > label { margin: 0; }
        .field small { font-size: .85rem; } .field .row { min-height: 2.35rem; }
        .stack { display: flex; flex-direction: column; align-items: flex-start; gap: 1.1rem; } .stack .field { width: 100%; }
        .check { display: inline-flex; gap: .45rem; align-items: center; }
        input, select, textarea, button { font: inherit; color: inherit; }
        input:not([type=checkbox]), select, textarea { background: var(--raised); border: 1px solid var(--closed); border-radius: 7px; padding: .38rem .6rem; min-height: 2.35rem; max-width: 100%; }
        input::placeholder { color: var(--soft); opacity: .8; } input:user-invalid { border-color: var(--failed); }
        textarea { width: 100%; font: .9rem/1.5 var(--mono); padding: .8rem; resize: vertical; tab-size: 2; } .narrow .field input { width: 100%; } .stack select { align-self: flex-start; }
        input[type=checkbox] { width: 1rem; height: 1rem; accent-color: var(--accent); }
        button, .button { display: inline-flex; align-items: center; background: var(--raised); border: 1px solid var(--closed); border-radius: 7px; padding: .35rem .95rem; min-height: 2.35rem; font-weight: 500; cursor: pointer; color: var(--ink); white-space: nowrap; line-height: 1.4; }
        button:hover, .button:hover { background: var(--sunk); text-decoration: none; }
        .primary { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); } .primary:hover { background: color-mix(in srgb, var(--accent) 88%, var(--ink)); }
        .danger { color: var(--failed); border-color: color-mix(in srgb, var(--failed) 45%, transparent); } .danger:hover { background: var(--failed-bg); }
        .quiet { background: none; border-color: transparent; padding-left: .5rem; padding-right: .5rem; color: var(--soft); font-weight: 400; } .quiet:hover { color: var(--ink); } .quiet.danger { color: var(--failed); border-color: transparent; }
        .small, td button { min-height: 1.9rem; padding-top: .15rem; padding-bottom: .15rem; font-size: .9rem; } .scripted [data-auto] button { display: none; } .scripted [data-plain] { display: none; }
        .pager { display: flex; justify-content: flex-end; gap: .8rem; margin: 1.2rem 0; }
        .alert { background: var(--unseen-bg); color: var(--unseen); border-radius: 8px; padding: .7rem 1rem; margin: 0 0 1.2rem; } .alert p { margin: 0; }
        .faults { margin: .4rem 0 0; padding-left: 1.1rem; } .code { background: var(--sunk); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; overflow-x: auto; margin: .5rem 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
        .commands { padding-left: 1.2rem; } .commands p { margin: 0; }
        .facts { margin: 0; display: grid; gap: .45rem; } .facts div { display: grid; grid-template-columns: minmax(7rem, 2fr) 3fr; gap: 1rem; }
        .facts dt { color: var(--soft); } .facts dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; } .facts + details { margin-top: .7rem; }
        .why { background: var(--raised); border: 1px solid var(--line); border-left: 4px solid var(--cancelled); border-radius: 8px; padding: .9rem 1.2rem; margin-bottom: 2rem; }
        .why.is-queued { border-left-color: var(--queued); } .why.is-active { border-left-color: var(--active); } .why.is-succeeded { border-left-color: var(--succeeded); } .why.is-failed { border-left-color: var(--failed); }
        .why p { margin: .35rem 0 0; } .why .headline { font-weight: 560; margin: 0; } .evidence li { color: var(--soft); padding: .12rem 0 .12rem 1.1rem; position: relative; } .evidence { margin: .4rem 0 0; }
        .evidence li::before { content: "–"; position: absolute; left: 0; }
        .log { background: var(--sunk); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; margin: 0; max-height: 28rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.5; min-height: 3.4rem; }
        .listing { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .8rem .6rem 3.2rem; margin: 0 0 1.4rem; } .listing li::marker { color: var(--soft); font-size: .85rem; }
        .listing code { white-space: pre-wrap; } .listing .bad > code { color: var(--failed); } .listing .cut { list-style: none; color: var(--soft); } .fault { display: block; color: var(--failed); background: var(--failed-bg); border-radius: 5px; padding: .1rem .6rem; margin: .1rem 0 .3rem; font-size: .9rem; }
        .halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 0 2.5rem; }
        .dossier { border-bottom: 1px solid var(--line); padding: .45rem 0; } .dossier > summary { width: auto; color: var(--ink); } .dossier .facts { margin: 0 0 .8rem 1.1rem; max-width: 60rem; }
        .is-well { color: var(--succeeded); } .is-well::before { content: "✓ "; }
        .record-text { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.2rem; white-space: pre-wrap; overflow-wrap: anywhere; font-family: inherit; font-size: 1rem; line-height: 1.7; max-height: 32rem; overflow: auto; margin: .6rem 0 1rem; }
        .verdict { display: flex; flex-direction: column; gap: 1rem; margin-top: 1.2rem; } .verdict .field input { max-width: 40rem; } .risks { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; } .judging { margin-top: 1.4rem; }
        kbd { font: .75rem/1 var(--mono); border: 1px solid var(--closed); border-radius: 4px; padding: .12rem .35rem; margin-left: .35rem; opacity: .75; } html:not(.scripted) kbd { display: none; }
        .problem .status { font-size: 3rem; font-weight: 200; color: var(--soft); margin: 0; line-height: 1; letter-spacing: -.02em; }
        @media (max-width: 40rem) { td.main { min-width: 7rem; } .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); } .figures li { border-left: 0 !important; border-top: 1px solid var(--line); } .figures li:nth-child(-n+1) { grid-column: 1 / -1; border-top: 0; } .figures li:nth-child(odd):not(:first-child) { border-left: 1px solid var(--line) !important; } .number { font-size: 1.5rem; } .figures a { padding: .7rem .9rem .8rem; } .filter .field { flex: 1 1 40%; min-width: 7rem; } .filter .field:first-of-type { flex-basis: 100%; } }

        """#

    private static let charts = #"""
        svg { display: block; } svg text { font-family: inherit; }
        .bar { width: 100%; height: 10px; border-radius: 5px; overflow: hidden; min-width: 5rem; margin-top: .4rem; }
        .track { fill: var(--track); } .used { fill: var(--accent); } .free { fill: var(--free); } .closed { fill: var(--closed); } .waiting { fill: var(--queued); } .measured { fill: var(--ink); }
        .bar .is-succeeded { fill: var(--succeeded); } .bar .is-active { fill: var(--active); } .bar .is-failed { fill: var(--failed); } .bar .is-cancelled { fill: var(--closed); } .bar .is-queued { fill: var(--track); }
        .emulated.used { fill: var(--accent); fill-opacity: .45; } .bar .emulated.free { fill: transparent; stroke: var(--accent); stroke-width: 2; stroke-dasharray: 4 3; vector-effect: non-scaling-stroke; }
        .of { display: block; font-size: .85rem; color: var(--soft); margin-top: .25rem; font-variant-numeric: tabular-nums; }
        .capacity td { min-width: 6rem; } .capacity .tier { display: block; } .tiers td:nth-child(2), .tiers td:nth-child(3) { width: 33%; padding-right: 2rem; } .tiers tbody th { white-space: nowrap; } .centre-list td:nth-child(4) { width: 26%; padding-right: 2rem; }
        @media (max-width: 40rem) { .tiers td:nth-child(2), .tiers td:nth-child(3), .centre-list td:nth-child(4) { width: auto; padding-right: .9rem; } .tiers td.n { white-space: normal; } .capacity td { min-width: 4.6rem; } .capacity .bar { min-width: 4rem; } } .progress { width: 26%; min-width: 8rem; }
        .area { width: 100%; height: 64px; } .area .fill { fill: var(--accent-soft); opacity: .6; } .area .line { fill: none; stroke: var(--accent); stroke-width: 1.6; vector-effect: non-scaling-stroke; }
        .trend { margin: 0 0 1.4rem; } .trend figcaption { color: var(--soft); font-size: .87rem; margin-top: .3rem; }
        .strip { width: 100%; border-radius: 4px; } .phase-queued { fill: var(--queued); background: var(--queued); opacity: .45; } .phase-leased { fill: #8c7fc0; background: #8c7fc0; } .phase-staging { fill: #c98a3a; background: #c98a3a; }
        .phase-pending { fill: var(--closed); background: var(--closed); } .phase-running { fill: var(--accent); background: var(--accent); } .phase-unseen { fill: var(--unseen); background: var(--unseen); }
        .ends { display: flex; justify-content: space-between; color: var(--soft); font-size: .85rem; margin: .35rem 0 .6rem; font-variant-numeric: tabular-nums; gap: 1rem; }
        .phases { display: flex; gap: 1rem; } .phases ol { display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; list-style: none; margin: 0; padding: 0; color: var(--soft); font-size: .9rem; } .phases b { font-weight: 560; color: var(--ink); font-variant-numeric: tabular-nums; } .phases .run { color: var(--soft); min-width: 1.5rem; font-size: .9rem; }
        .graph-box { border: 1px solid var(--line); border-radius: 10px; background: var(--raised); padding: 1.4rem 1.2rem; margin-bottom: 2.2rem; }
        .graph { margin: 0 auto; } .edge { fill: none; stroke: var(--closed); stroke-width: 1.5; } .edge.order { stroke-dasharray: 4 4; } .edge-head { fill: var(--closed); }
        .edge-label { font-size: 11px; fill: var(--soft); text-anchor: end; paint-order: stroke; stroke: var(--raised); stroke-width: 5px; stroke-linejoin: round; }
        .node-box .frame { fill: var(--paper); stroke: var(--line); stroke-width: 1.2; } .graph a:hover .frame { stroke: var(--accent); } .graph a:focus-visible .frame { stroke: var(--focus); stroke-width: 2.5; } .node-box text { fill: var(--ink); }
        .node-box .name { font-size: 13.5px; font-weight: 600; } .node-box .state { font-size: 12px; font-weight: 500; } .node-box .place { font-size: 11.5px; fill: var(--soft); } .node-box .stripe { fill: var(--cancelled); } .node-box .state { fill: var(--cancelled); }
        .is-queued .stripe, .is-queued .state { fill: var(--queued) !important; } .is-active .stripe, .is-active .state { fill: var(--active) !important; } .is-succeeded .stripe, .is-succeeded .state { fill: var(--succeeded) !important; } .is-failed .stripe, .is-failed .state { fill: var(--failed) !important; }
        .is-active .frame { stroke: var(--active); }
        .machines { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17.5rem, 100%), 1fr)); gap: 1rem; } .machines li { border: 1px solid var(--line); border-radius: 9px; background: var(--raised); padding: .8rem 1rem .85rem; max-width: 100%; } .node-name { font-weight: 560; margin-bottom: .6rem; }
        .node { max-width: 100%; height: auto; margin-bottom: .5rem; } .core { fill: var(--track); stroke: var(--closed); stroke-width: .7; } .core.used { fill: var(--accent); stroke: none; } .card { fill: var(--free); } .card.used { fill: var(--accent); } .card.emulated { fill: var(--track); stroke: var(--accent); stroke-width: 1.5; stroke-dasharray: 4 3; } .card.used.emulated { fill: var(--accent); fill-opacity: .45; }
        .funnel { max-width: none; } .funnel .left { fill: var(--accent); } .funnel .gone { fill: var(--free); } .funnel text { fill: var(--ink); font-size: 13px; } .funnel .label { text-anchor: end; fill: var(--soft); }
        .series-a { --series: var(--series-a); } .series-b { --series: var(--series-b); } .series-c { --series: var(--series-c); } .series-d { --series: var(--series-d); } .series-e { --series: var(--series-e); } .series-f { --series: var(--series-f); } .series-g { --series: var(--series-g); } .series-h { --series: var(--series-h); }
        .lines { width: 100%; height: 100%; min-height: 8.5rem; overflow: visible; } .lines polyline { fill: none; stroke: var(--series); stroke-width: 1.6; stroke-linejoin: round; vector-effect: non-scaling-stroke; } .lines .dashed { stroke-dasharray: 5 3; } .rule { fill: none; stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
        .plane { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 .7rem; } .scale { display: flex; flex-direction: column; justify-content: space-between; text-align: right; min-width: 2.6rem; color: var(--soft); font-size: .8rem; line-height: 1rem; margin: -.5rem 0; font-variant-numeric: tabular-nums; } .plane .ends { grid-column: 2; font-size: .8rem; }
        section > .plane .lines { min-height: 14rem; } .plot { margin: 0 0 1.6rem; } .plot figcaption { margin-bottom: .8rem; font-weight: 500; } .plot figcaption .soft { font-weight: 400; font-size: .87rem; margin-left: .3rem; }
        i.line { display: inline-block; width: 1.3rem; height: 0; border-top: 3px solid var(--series); border-radius: 0; margin-right: .5rem; vertical-align: .25em; } i.line.dashed { border-top-style: dashed; }
        .bar rect[class^="series"] { fill: var(--series); } .interval { width: 100%; height: 12px; margin-top: .35rem; } .interval rect { fill: var(--cancelled); } .interval.is-better rect { fill: var(--succeeded); } .interval.is-worse rect { fill: var(--failed); } .interval .zero { fill: var(--closed) !important; }
        .halves .scroll + .scroll { margin-top: 1.6rem; } .difference { font-weight: 560; } .differences td { width: 40%; min-width: 11rem; } .by-size td:not(.n) { min-width: 6.5rem; } .shares td:nth-child(3) { width: 30%; }
        .node.closed { opacity: .45; } .warn { color: var(--unseen); }

        """#

    /// The mark as a file of its own; it brings its colour, because no style sheet reaches it.
    static let icon = #"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="#1a8b82"><circle cx="12" cy="12" r="3.4"/><circle cx="12" cy="12" r="9" fill="none" stroke="#1a8b82" stroke-width="1.2" opacity=".6"/><circle cx="12" cy="3" r="1.9"/><circle cx="19.8" cy="16.5" r="1.9"/><circle cx="4.2" cy="16.5" r="1.9"/></g></svg>
        """#
}
