// The page: what a person pastes or drops goes to /extract, and what comes back is shown. Whatever comes from an article enters
// the page as text, never as markup; the server's Content-Security-Policy forbids the rest.
"use strict";

const LIMIT = 2 * 1024 * 1024; // bytes of a request
const TRIES = 5; // when the queue is full
const WORDS = {
  ru: {
    subtitle: "Кто назван в новости и кто что сказал, какими словами", docs: "Для программ", label: "Текст статьи",
    placeholder: "Вставьте статью или перетащите сюда файлы .txt, .jsonl, .json", read: "Прочитать", stop: "Остановить",
    choose: "Выбрать файлы", example: "Пример", said: "Кто что сказал", copy: "Копировать", markdown: "Копировать Markdown", csv: "Скачать CSV", json: "Скачать JSON",
    copyTitle: "Для таблиц: Excel, Google Sheets", csvTitle: "Для Excel: UTF-8, разделитель — точка с запятой",
    dropping: "Отпустите, и статья будет прочитана", keys: "Ctrl + Enter", empty: "Вставьте текст статьи: читать нечего.",
    reading: (done, all, seconds) => `Читаю${all > 1 ? ` ${done + 1}-й файл из ${all}` : ""}… ${seconds ? `${seconds} с` : ""}`,
    full: (seconds) => `Очередь полна; ещё раз через ${seconds} с…`, stopped: "Остановлено.",
    done: (quotes, entities, seconds) => `Цитат: ${quotes}. Имён и названий: ${entities}. Прочитано за ${seconds} с.`,
    long: "больше 2 МБ; разделите его на части", lost: "сервер не отвечает; проверьте, что он запущен",
    guessed: "не в UTF-8; прочитан как windows-1251", failed: (status) => `сервер ответил ошибкой ${status}`,
    copied: "Скопировано.", uncopied: "Браузер не дал скопировать; скачайте CSV.", pasted: "Статья", none: "Никто не цитируется.",
    article: "Статья", number: "№", who: "Кто", surface: "Как назван", cue: "Как сказано", kind: "Вид", what: "Что сказано",
    score: "Уверенность", direct: "прямая", indirect: "косвенная", mixed: "смешанная", speaker: "говорящий",
    characters: (count) => `Знаков: ${count}`, PER: "Люди", LOC: "Места", ORG: "Организации", other: "English", otherCode: "en",
  },
  en: {
    subtitle: "Who is named in Russian news, and who said what, in which words", docs: "For programs", label: "Text of the article",
    placeholder: "Paste an article in Russian, or drop .txt, .jsonl, .json files here", read: "Read", stop: "Stop",
    choose: "Choose files", example: "Example", said: "Who said what", copy: "Copy", markdown: "Copy Markdown", csv: "Download CSV", json: "Download JSON",
    copyTitle: "For spreadsheets: Excel, Google Sheets", csvTitle: "For Excel: UTF-8, separated by semicolons",
    dropping: "Let go, and the article will be read", keys: "Ctrl + Enter", empty: "Paste the text of an article: there is nothing to read.",
    reading: (done, all, seconds) => `Reading${all > 1 ? ` file ${done + 1} of ${all}` : ""}… ${seconds ? `${seconds} s` : ""}`,
    full: (seconds) => `The queue is full; again in ${seconds} s…`, stopped: "Stopped.",
    done: (quotes, entities, seconds) => `Quotations: ${quotes}. Names: ${entities}. Read in ${seconds} s.`,
    long: "over 2 MB; split it", lost: "the server does not answer; see that it runs",
    guessed: "not in UTF-8; read as windows-1251", failed: (status) => `the server answered with error ${status}`,
    copied: "Copied.", uncopied: "The browser did not let us copy; download the CSV.", pasted: "Article", none: "Nobody is quoted.",
    article: "Article", number: "No.", who: "Who", surface: "As written", cue: "Cue", kind: "Kind", what: "What",
    score: "Score", direct: "direct", indirect: "indirect", mixed: "mixed", speaker: "speaker",
    characters: (count) => `Characters: ${count}`, PER: "People", LOC: "Places", ORG: "Organisations", other: "Русский", otherCode: "ru",
  },
};
const LABELS = ["PER", "ORG", "LOC"];
const COLUMNS = ["number", "who", "surface", "cue", "kind", "what", "score"];

const $ = (id) => document.getElementById(id);
let language = recalled("language") || (navigator.language.startsWith("ru") ? "ru" : "en");
let articles = [];
let reading = null; // the AbortController of what is being read

// ---- what is asked

class Problem extends Error {}

async function readAll(sources) {
  const abort = (reading = new AbortController());
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1000);
  let done = 0;
  busy(true);
  $("problems").replaceChildren();
  const tick = () => say(word("reading")(done, sources.length, seconds()));
  const clock = setInterval(tick, 1000);
  const found = [];
  for (tick(); done < sources.length && !abort.signal.aborted; done++) {
    try {
      found.push(...(await ask(await sources[done].body(), sources[done].type, abort.signal)));
    } catch (error) {
      if (!abort.signal.aborted) complain(sources[done].name, error instanceof Problem ? error.message : word("lost"));
    }
  }
  clearInterval(clock);
  busy(false);
  reading = null;
  if (found.length) show(found);
  const total = (layer) => found.reduce((sum, article) => sum + article[layer].length, 0);
  const result = found.length ? word("done")(total("quotes"), total("entities"), ((Date.now() - start) / 1000).toLocaleString(language, { maximumFractionDigits: 1 })) : "";
  say(abort.signal.aborted ? word("stopped") : result);
}

async function ask(body, type, signal) {
  if (new Blob([body]).size > LIMIT) throw new Problem(word("long"));
  for (let tries = TRIES; ; tries--) {
    const answer = await fetch("/extract", { method: "POST", headers: { "Content-Type": type }, body, signal });
    if (answer.ok) return parsed(await answer.text(), type);
    if (answer.status !== 503 || !tries) throw new Problem((await detail(answer)) || word("failed")(answer.status));
    const pause = Number(answer.headers.get("Retry-After")) || 1;
    say(word("full")(pause));
    await new Promise((resolve) => setTimeout(resolve, 1000 * pause));
    signal.throwIfAborted();
  }
}

function parsed(text, type) {
  if (type === "application/x-ndjson") return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return [JSON.parse(text)].flat();
}

async function detail(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return null;
  }
}

function pasted() {
  const text = $("text").value;
  return { name: word("pasted"), type: "application/json", body: () => JSON.stringify({ id: word("pasted"), text }) };
}

function dropped(file) {
  const suffix = file.name.toLowerCase().match(/[^.]*$/)[0];
  if (suffix === "json") return { name: file.name, type: "application/json", body: () => file };
  if (suffix === "jsonl" || suffix === "ndjson") return { name: file.name, type: "application/x-ndjson", body: () => file };
  const body = async () => {
    if (file.size > LIMIT) throw new Problem(word("long"));
    return JSON.stringify({ id: file.name.replace(/\.txt$/i, ""), text: decode(await file.arrayBuffer(), file.name) });
  };
  return { name: file.name, type: "application/json", body };
}

function decode(bytes, name) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    complain(name, word("guessed"));
    return new TextDecoder("windows-1251").decode(bytes);
  }
}

async function take(files) {
  if (reading || !files.length) return;
  const only = files.length === 1 && !/\.(jsonl|ndjson|json)$/i.test(files[0].name) && files[0].size <= LIMIT;
  const done = readAll(files.map(dropped));
  if (only) write(decode(await files[0].arrayBuffer(), files[0].name));
  await done;
}

// ---- what is shown

function show(found) {
  articles = found;
  $("articles").replaceChildren(...articles.map(section));
  $("results").hidden = false;
  $("results").scrollIntoView();
}

function section(article, index) {
  const characters = Array.from(article.text); // offsets count code points
  const heading = articles.length > 1 || article.meta.title ? [element("h3", {}, article.meta.title || article.id)] : [];
  const rows = said(article, characters);
  const text = element("div", {}, legend(article), marked(article, characters, index));
  return element("article", {}, ...heading, table(rows, index), element("div", { class: "reading" }, text, named(article, characters)));
}

function said(article, characters) {
  const surface = (span) => (span ? squeeze(characters.slice(span.start, span.end).join("")) : "");
  return article.quotes.map((quote, i) => ({
    number: i + 1, who: squeeze(quote.name || ""), surface: surface(quote.speaker), cue: surface(quote.cue), kind: word(quote.kind),
    what: quote.content.map(surface).join(" … "), score: quote.score ?? "",
  }));
}

function table(rows, index) {
  if (!rows.length) return element("p", { class: "dim" }, word("none"));
  const head = element("tr", {}, ...COLUMNS.map((key) => element("th", { class: key === "what" ? "" : key, scope: "col" }, word(key))));
  const body = rows.map((row) =>
    element("tr", { "data-quote": row.number },
      element("td", { class: "number" }, element("a", { class: "badge", href: `#q${index}-${row.number}` }, String(row.number))),
      element("td", { class: "who" }, row.who || "—"),
      element("td", { class: "surface" }, row.surface === row.who ? "" : row.surface),
      element("td", { class: "cue-word" }, row.cue),
      element("td", { class: "kind" }, row.kind),
      element("td", { class: "what", lang: "ru" }, row.what),
      element("td", { class: "score", "data-name": word("score") }, row.score === "" ? "" : percent(row.score))));
  return element("table", { class: "quoted" }, element("thead", {}, head), element("tbody", {}, ...body));
}

function named(article, characters) {
  const mentions = new Map();
  for (const span of article.entities) {
    const counts = mentions.get(span.label) || mentions.set(span.label, new Map()).get(span.label);
    const surface = squeeze(characters.slice(span.start, span.end).join(""));
    counts.set(surface, (counts.get(surface) || 0) + 1);
  }
  const list = element("dl", { class: "named" });
  for (const label of new Set([...LABELS.filter((label) => mentions.has(label)), ...mentions.keys()])) {
    const sorted = [...mentions.get(label)].sort((one, other) => other[1] - one[1]);
    const names = sorted.map(([name, count]) => element("span", {}, count > 1 ? `${name} ×${count}` : name));
    list.append(element("dt", {}, word(label)), element("dd", { lang: "ru" }, ...names));
  }
  return list;
}

function legend(article) {
  const kinds = [...new Set(article.quotes.map((quote) => quote.kind))].map((kind) => element("span", { class: `said ${kind}` }, word(kind)));
  const parts = article.quotes.length ? [element("i", { class: "cue" }, word("cue").toLowerCase()), element("b", { class: "speaker" }, word("speaker"))] : [];
  return element("p", { class: "legend", "aria-hidden": "true" }, ...kinds, ...parts);
}

// The article's text in which quotations, cues and speakers are elements, and entities are elements inside and between them.
function marked(article, characters, index) {
  const box = element("div", { class: "text", lang: "ru" });
  const entities = [...article.entities].sort((one, other) => one.start - other.start);
  let entity = 0;
  const fill = (parent, from, to) => {
    let at = from;
    for (; entity < entities.length && entities[entity].start < to; entity++) {
      const span = entities[entity];
      const [start, end] = [Math.max(span.start, from), Math.min(span.end, to)];
      if (start < end) {
        const label = span.end <= to ? { "data-label": span.label, title: word(span.label) } : {};
        const hue = LABELS.includes(span.label) ? span.label : "other";
        parent.append(characters.slice(at, start).join(""), element("mark", { class: `entity ${hue}`, ...label }, characters.slice(start, end).join("")));
        at = end;
      }
      if (span.end > to) break; // goes on in the next piece
    }
    parent.append(characters.slice(at, to).join(""));
  };
  let at = 0;
  for (const part of parts(article)) {
    fill(box, at, part.start);
    const attributes = { class: part.class, "data-quote": part.numbers.join(" "), title: part.title };
    if (part.tag !== "i") attributes["data-badge"] = part.numbers.join(",");
    if (part.first) attributes.id = `q${index}-${part.first}`;
    const inside = element(part.tag, attributes);
    fill(inside, part.start, part.end);
    box.append(inside);
    at = part.end;
  }
  fill(box, at, characters.length);
  return box;
}

// The places of the quotations in order, each with the numbers of those that share it.
function parts(article) {
  const places = new Map();
  const put = (span, tag, className, number, title, first) => {
    const key = `${span.start} ${tag}`;
    const place = places.get(key) || places.set(key, { ...span, tag, class: className, numbers: [], title, first }).get(key);
    place.numbers.push(number);
  };
  article.quotes.forEach((quote, i) => {
    const title = `${i + 1}: ${quote.name || "?"}`;
    quote.content.forEach((span, n) => put(span, "span", `said ${quote.kind}`, i + 1, `${title} (${word(quote.kind)})`, n ? 0 : i + 1));
    if (quote.cue) put(quote.cue, "i", "cue", i + 1, title, 0);
    if (quote.speaker) put(quote.speaker, "b", "speaker", i + 1, title, 0);
  });
  return [...places.values()].sort((one, other) => one.start - other.start);
}

// All parts of the quotation under the pointer, or with the focus, light up together.
function light(event) {
  const part = event.target.closest?.("[data-quote]");
  const numbers = part ? part.dataset.quote.split(" ") : [];
  for (const other of document.querySelectorAll(".lit")) other.classList.remove("lit");
  for (const other of part ? part.closest("article").querySelectorAll("[data-quote]") : [])
    if (other.dataset.quote.split(" ").some((number) => numbers.includes(number))) other.classList.add("lit");
}

// ---- what is taken away

function rows() {
  const keys = ["article", ...COLUMNS];
  const all = articles.flatMap((article) => said(article, Array.from(article.text)).map((row) => ({ article: article.id, ...row })));
  return [keys.map(word), ...all.map((row) => keys.map((key) => squeeze(String(row[key]))))];
}

// A spreadsheet computes what begins like a formula; an apostrophe makes it a text.
const harmless = (cell) => (/^[=+\-@＝＋－＠]/.test(cell) ? `'${cell}` : cell);

const toTsv = () => rows().map((row) => row.map(harmless).join("\t") + "\n").join("");
const toCsv = () => "\ufeff" + rows().map((row) => row.map((cell) => `"${harmless(cell).replaceAll('"', '""')}"`).join(";") + "\r\n").join("");
const toJson = () => JSON.stringify(articles.length === 1 ? articles[0] : articles, null, 2) + "\n";

function toMarkdown() {
  const lines = rows().map((row) => `| ${row.map((cell) => cell.replace(/[\\|<>&`*_[\]]/g, "\\$&")).join(" | ")} |\n`);
  return [lines[0], `|${" --- |".repeat(COLUMNS.length + 1)}\n`, ...lines.slice(1)].join("");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyOldWay(text)) return say(word("uncopied")); // over plain HTTP from another machine there is no clipboard
  }
  say(word("copied"));
}

function copyOldWay(text) {
  const field = element("textarea", { class: "unseen" }, text);
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

function download(text, type, name) {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// ---- small things

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const squeeze = (text) => text.split(/\s+/).filter(Boolean).join(" ");
const percent = (score) => `${Math.floor(100 * score)} %`;
const word = (key) => WORDS[language][key] ?? key;
const say = (text) => ($("status").textContent = text);
const complain = (name, message) => $("problems").append(element("li", {}, `${name}: ${message}`));

function recalled(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function busy(now) {
  for (const id of ["read", "choose", "example"]) $(id).disabled = now;
  $("stop").hidden = !now;
}

function write(text) {
  $("text").value = text;
  count();
}

function count() {
  const length = $("text").value.length;
  $("length").textContent = length ? word("characters")(length.toLocaleString(language)) : "";
}

function translate() {
  document.documentElement.lang = language;
  for (const part of document.querySelectorAll("[data-word]")) part.textContent = word(part.dataset.word);
  for (const part of document.querySelectorAll("[data-title]")) part.title = word(part.dataset.title);
  for (const part of document.querySelectorAll("[data-placeholder]")) part.placeholder = word(part.dataset.placeholder);
  $("language").textContent = word("other");
  $("language").lang = word("otherCode");
  if (articles.length) $("articles").replaceChildren(...articles.map(section));
  count();
}

function start() {
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (reading) return;
    if ($("text").value.trim()) readAll([pasted()]);
    else say(word("empty"));
  });
  $("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("ask").requestSubmit();
  });
  $("text").addEventListener("input", count);
  $("stop").addEventListener("click", () => reading?.abort());
  $("choose").addEventListener("click", () => $("files").click());
  $("files").addEventListener("change", async () => {
    await take([...$("files").files]);
    $("files").value = "";
  });
  $("example").addEventListener("click", async () => {
    write(await (await fetch("/example.txt")).text());
    $("ask").requestSubmit();
  });
  $("language").addEventListener("click", () => {
    language = language === "ru" ? "en" : "ru";
    try {
      localStorage.setItem("language", language);
    } catch {} // a browser that remembers nothing
    translate();
  });
  $("copy").addEventListener("click", () => copy(toTsv()));
  $("markdown").addEventListener("click", () => copy(toMarkdown()));
  $("csv").addEventListener("click", () => download(toCsv(), "text/csv", "govorit.csv"));
  $("json").addEventListener("click", () => download(toJson(), "application/json", "govorit.json"));
  $("articles").addEventListener("pointerover", light);
  $("articles").addEventListener("focusin", light);
  const holdsFiles = (event) => event.dataTransfer.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("over");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("over"));
  addEventListener("drop", (event) => {
    document.body.classList.remove("over");
    if (!holdsFiles(event)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  translate();
  if (location.hash === "#example") $("example").click(); // a link to an article that is read
}

start();
