// The page of blocks: groups (external labels), in them resolutions, in them lanes of blocks that do not overlap.
'use strict';

const $ = (id) => document.getElementById(id);
const body = document.body;
const path = location.pathname.replace(/.*\//, '');
const view = path === 'loaded' || path === 'global' ? path : body.dataset.view;
const admin = body.dataset.admin === 'true';

let blocks = [];
let partial = [];
let title = '';
let whole = [0, 1];   // of all blocks, in milliseconds
let shown = null;     // what is zoomed to; null = all
let chosen = '';

const element = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === 'style') made.style.cssText = value; else if (key.startsWith('on')) made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};
const timeText = (ms) => new Date(ms).toISOString().replace('T', ' ').replace(/(:00)?(\.000)?Z$/, '');
const bytesText = (n) => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  while (n >= 1024 && at < units.length - 1) { n /= 1024; ++at; }
  return `${at === 0 ? n : n.toFixed(1)} ${units[at]}`;
};
const spanText = (ms) => {
  const parts = [];
  for (const [unit, size] of [['d', 864e5], ['h', 36e5], ['m', 6e4], ['s', 1e3]]) {
    if (ms >= size) parts.push(Math.floor(ms / size) + unit);
    ms %= size;
  }
  return parts.slice(0, 2).join(' ') || '0s';
};
const resolutionText = (ms) => (ms === 0 ? 'raw' : spanText(ms).replace(' ', ''));
const levelColour = (level) => `var(--level${Math.min(Math.max(level, 1), 5)})`;
const labelsText = (labels) => '{' + Object.keys(labels).sort().map((k) => `${k}="${labels[k]}"`).join(', ') + '}';
const resolutionOf = (block) => block.thanos.downsample.resolution;

// The bytes of a block's files; null when its meta.json does not say.
function sizes(block) {
  const files = block.thanos.files || [];
  if (!files.some((file) => file.size_bytes)) return null;
  const sum = (match) => files.filter((file) => match(file.rel_path)).reduce((all, file) => all + (file.size_bytes || 0), 0);
  return { chunks: sum((p) => p.startsWith('chunks/')), index: sum((p) => p === 'index'), all: sum(() => true) };
}

function visible() {
  const find = $('find').value.trim().toLowerCase(), level = $('level').value, resolution = $('resolution').value;
  return blocks.filter((b) => (level === '' || b.compaction.level === Number(level)) &&
    (resolution === '' || resolutionOf(b) === Number(resolution)) &&
    (find === '' || b.ulid.toLowerCase().includes(find) || labelsText(b.thanos.labels).toLowerCase().includes(find)));
}

// Puts each block into the first lane that is free by then.
function toLanes(row) {
  const ends = [];
  row.sort((a, b) => a.minTime - b.minTime || b.maxTime - a.maxTime);
  return row.map((block) => {
    let lane = ends.findIndex((end) => end <= block.minTime);
    if (lane < 0) lane = ends.length;
    ends[lane] = block.maxTime;
    return [block, lane];
  });
}

function axis(from, to) {
  const times = element('div', { class: 'times' });
  const steps = [6e4, 3e5, 9e5, 36e5, 72e5, 216e5, 432e5, 864e5, 2 * 864e5, 7 * 864e5, 14 * 864e5, 28 * 864e5, 91 * 864e5, 364 * 864e5];
  const step = steps.find((s) => (to - from) / s <= 10) || steps[steps.length - 1];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) {
    const text = timeText(at);
    times.append(element('span', { style: `left:${(at - from) / (to - from) * 100}%` },
                         text.slice(0, 10), element('br'), step >= 864e5 ? '' : text.slice(11)));
  }
  return element('div', { class: 'axis' }, element('div', { class: 'name' }, 'UTC'), times);
}

function rowOf(name, row, from, to) {
  const height = 18, lanes = element('div', { class: 'lanes' });
  let count = 0;
  for (const [block, lane] of toLanes(row)) {
    count = Math.max(count, lane + 1);
    if (block.maxTime <= from || block.minTime >= to) continue;
    const left = Math.max(block.minTime, from), right = Math.min(block.maxTime, to);
    lanes.append(element('button', {
      class: 'block' + (block.ulid === chosen ? ' chosen' : ''), 'data-id': block.ulid,
      title: `${block.ulid}\n${timeText(block.minTime)} to ${timeText(block.maxTime)} (${spanText(block.maxTime - block.minTime)})\n` +
             `level ${block.compaction.level}, ${resolutionText(resolutionOf(block))}, ${block.thanos.source}`,
      style: `left:${(left - from) / (to - from) * 100}%;width:calc(${(right - left) / (to - from) * 100}% - 1px);` +
             `top:${lane * height + 2}px;background:${levelColour(block.compaction.level)}`,
      onclick: () => choose(block),
    }));
  }
  lanes.style.height = `${count * height + 1}px`;
  return element('div', { class: 'row' }, element('div', { class: 'name' }, name), lanes);
}

function draw() {
  const [from, to] = shown || whole, list = visible(), groups = new Map();
  for (const block of list) {
    const labels = labelsText(block.thanos.labels);
    if (!groups.has(labels)) groups.set(labels, new Map());
    const rows = groups.get(labels), resolution = resolutionOf(block);
    if (!rows.has(resolution)) rows.set(resolution, []);
    rows.get(resolution).push(block);
  }
  const out = [axis(from, to)];
  for (const labels of [...groups.keys()].sort()) {
    const rows = groups.get(labels), any = [...rows.values()][0][0];
    const named = title && any.thanos.labels[title] !== undefined ? `${title}="${any.thanos.labels[title]}" ` : '';
    const all = [...rows.values()].flat();
    out.push(element('h2', {}, `${named ? named + ' · ' : ''}${labels} `,
                     element('small', { style: 'color:var(--soft);font-weight:400' }, `${all.length} block${all.length === 1 ? '' : 's'}`)));
    for (const resolution of [...rows.keys()].sort((a, b) => a - b)) {
      out.push(rowOf(resolutionText(resolution), rows.get(resolution), from, to));
    }
  }
  if (list.length === 0) out.push(element('p', {}, blocks.length === 0 ? 'There are no blocks.' : 'No block is like that.'));
  $('timeline').replaceChildren(...out);
  const levels = [...new Set(blocks.map((b) => b.compaction.level))].sort((a, b) => a - b);
  $('legend').replaceChildren(...levels.map((level) =>
    element('span', {}, element('i', { style: `background:${levelColour(level)}` }), `level ${level}`)));
}

function choose(block) {
  chosen = block.ulid;
  history.replaceState(null, '', location.pathname + location.search + '#' + chosen);  // a link to this block
  const size = sizes(block), stats = block.stats || {}, count = (n) => (n || 0).toLocaleString('en');
  const rows = [
    ['from', timeText(block.minTime)], ['to', timeText(block.maxTime)], ['length', spanText(block.maxTime - block.minTime)],
    ['resolution', resolutionText(resolutionOf(block))], ['level', block.compaction.level], ['source', block.thanos.source],
    ['series', count(stats.numSeries)], ['samples', count(stats.numSamples)], ['chunks', count(stats.numChunks)],
    ['size', size ? `${bytesText(size.all)} (chunks ${bytesText(size.chunks)}, index ${bytesText(size.index)})` : 'not known'],
    ['uploaded', (block.thanos.upload_time || '').startsWith('0001') ? 'not known' : block.thanos.upload_time || 'not known'],
    ['labels', labelsText(block.thanos.labels)], ['made of', `${(block.compaction.sources || []).length} blocks of level 1`],
  ];
  if (block.compaction.parents) rows.push(['parents', block.compaction.parents.map((p) => p.ulid).join(' ')]);
  const list = element('dl');
  for (const [name, value] of rows) list.append(element('dt', {}, name), element('dd', {}, String(value)));
  const meta = URL.createObjectURL(new Blob([JSON.stringify(block, null, '\t')], { type: 'application/json' }));
  const panel = [element('h2', {}, block.ulid), list, element('p', {}, element('a', { href: meta, download: 'meta.json' }, 'meta.json'))];
  if (admin) panel.push(marks(block));
  $('details').replaceChildren(...panel);
  $('details').hidden = false;
  for (const shape of document.querySelectorAll('.block')) shape.classList.toggle('chosen', shape.dataset.id === chosen);
}

function marks(block) {
  const detail = element('input', { placeholder: 'why', 'aria-label': 'why' });
  const result = element('span');
  const set = (action, question) => async () => {
    if (!confirm(`${question}\n${block.ulid}`)) return;
    const answer = await fetch('api/v1/blocks/mark', { method: 'POST', body: new URLSearchParams({ id: block.ulid, action, detail: detail.value }) });
    const told = await answer.json().catch(() => ({ error: answer.statusText }));
    result.textContent = told.status === 'success' ? 'marked' : told.error;
  };
  return element('div', { class: 'marks' }, detail,
                 element('button', { onclick: set('DELETION', 'Have this block deleted?') }, 'mark for deletion'),
                 element('button', { onclick: set('NO_COMPACTION', 'Keep this block out of compaction?') }, 'mark no compaction'), result);
}

function zoom(how) {
  let [from, to] = shown || whole;
  const middle = (from + to) / 2, length = to - from;
  if (how === 'all') { shown = null; draw(); return; }
  if (how === 'in') [from, to] = [middle - length / 4, middle + length / 4];
  if (how === 'out') [from, to] = [middle - length, middle + length];
  if (how === 'left') [from, to] = [from - length / 3, to - length / 3];
  if (how === 'right') [from, to] = [from + length / 3, to + length / 3];
  shown = to - from < 6e4 ? shown : from <= whole[0] && to >= whole[1] ? null : [from, to];
  draw();
}

function options(select, values, text) {
  const before = select.value;
  select.replaceChildren(element('option', { value: '' }, 'all'),
                         ...[...new Set(values)].sort((a, b) => a - b).map((v) => element('option', { value: v }, text(v))));
  select.value = before;
  if (select.selectedIndex < 0) select.value = '';
}

function tell(error) {
  $('error').hidden = !error;
  $('error').textContent = error ? `The last look at the bucket failed; this is what was there before. ${error}` : '';
}

async function load() {
  try {
    const answer = await fetch(`api/v1/blocks?view=${view}`);
    const told = await answer.json();
    if (told.status !== 'success') throw new Error(told.error);
    blocks = told.data.blocks;
    partial = told.data.partial || [];
    title = told.data.label;
    tell(told.data.err && (typeof told.data.err === 'string' ? told.data.err : JSON.stringify(told.data.err)));
    const never = told.data.refreshedAt.startsWith('0001');
    $('state').textContent = never ? 'not looked at yet' : `${blocks.length} blocks, as of ${timeText(Date.parse(told.data.refreshedAt)).slice(0, 19)} UTC`;
    if (blocks.length > 0) whole = [Math.min(...blocks.map((b) => b.minTime)), Math.max(...blocks.map((b) => b.maxTime))];
    options($('level'), blocks.map((b) => b.compaction.level), String);
    options($('resolution'), blocks.map(resolutionOf), resolutionText);
    draw();
    const linked = blocks.find((b) => '#' + b.ulid === location.hash);
    if (linked && chosen === '') choose(linked);
    $('partial').replaceChildren(...(partial.length === 0 ? [] : [
      element('h2', {}, 'Not whole'),
      element('table', {}, ...partial.map((p) => element('tr', {}, element('td', {}, element('code', {}, p.ulid)), element('td', {}, p.reason)))),
    ]));
  } catch (error) {
    $('state').textContent = `cannot be loaded: ${error.message}`;
  }
}

for (const link of ['global', 'loaded']) $(link).classList.toggle('here', link === view);
for (const button of document.querySelectorAll('[data-zoom]')) button.onclick = () => zoom(button.dataset.zoom);
for (const id of ['find', 'level', 'resolution']) $(id).oninput = draw;
$('filters').onsubmit = (event) => event.preventDefault();
load();
setInterval(load, 30000);
