/** Formats that the example can read, by file extension. */
export const FORMATS = ['.md', '.markdown', '.txt', '.text', '.html', '.htm', '.json'] as const;
export type Format = (typeof FORMATS)[number];

export const formatOf = (path: string): Format | undefined =>
  FORMATS.find((format) => path.toLowerCase().endsWith(format));

export interface PlainText {
  /** The first heading, or the first line; cut to a line's length. */
  readonly title: string;
  /** Paragraphs, headings and list items, one string each, without markup or line breaks. */
  readonly blocks: readonly string[];
}

const TITLE_LENGTH_MAX = 120;

/** Strips a document of its markup. */
export function plainText(source: string, format: Format): PlainText {
  const text = source
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .normalize('NFC');
  const { title, blocks } = readers[format](text);
  const cleaned = blocks.map(oneLine).filter((block) => block !== '');
  const named = oneLine(title ?? '') || cleaned[0] || '';
  return { title: named.slice(0, TITLE_LENGTH_MAX), blocks: cleaned };
}

interface Read {
  readonly title: string | undefined;
  readonly blocks: readonly string[];
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zs}\u2028\u2029]+/gu, ' ').trim();

const paragraphs = (text: string): string[] => text.split(/\n\s*\n/);

function fromText(text: string): Read {
  return { title: undefined, blocks: paragraphs(text) };
}

function fromMarkdown(text: string): Read {
  const body = text
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/^(```|~~~)[\s\S]*?^\1[^\n]*$/gm, '\n')
    .replace(/<!--[\s\S]*?-->/g, ' ');
  const title = /^#{1,6}\s+(.+)$/m.exec(body)?.[1];
  const spaced = body
    .replace(/^\s*([-*_]\s*){3,}$/gm, '\n')
    .replace(/^(#{1,6}\s.*)$/gm, '\n$1\n')
    .replace(/^(\s*)([-*+]|\d{1,3}[.)])\s+/gm, '\n$1')
    .replace(/^\s*\|?[\s:|-]*\|[\s:|-]*$/gm, '\n')
    .replace(/^\s*\|(.*)$/gm, '\n$1');
  return { title: title && inline(title), blocks: paragraphs(spaced).map(inline) };
}

/** Markdown inside a line: links, images, emphasis, code, tables, tags. */
const inline = (text: string): string =>
  text
    .replace(/!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/^\s*#{1,6}\s+/gm, '')
    .replace(/\s#+\s*$/gm, '')
    .replace(/^\s*>\s?/gm, '')
    .replace(/<[^>\n]{1,200}>/g, ' ')
    .replace(/[`|]/g, ' ')
    .replace(/(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1/g, '$2')
    .replace(/(?<![\p{L}\p{N}])[*_](?=\S)(.+?)(?<=\S)[*_](?![\p{L}\p{N}])/gu, '$1');

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};
const BLOCK_TAGS = 'p|div|h[1-6]|li|ul|ol|tr|td|th|table|section|article|br|blockquote|pre|title';

function fromHtml(text: string): Read {
  const body = text.replace(/<!--[\s\S]*?-->/g, ' ');
  const title = /<title[^>]*>([\s\S]*?)<\/title>/i.exec(body)?.[1];
  const blocks = paragraphs(
    body
      .replace(/<(script|style|noscript|template|title)\b[\s\S]*?<\/\1\s*>/gi, ' ')
      .replace(/\n/g, ' ')
      .replace(new RegExp(`</?(${BLOCK_TAGS})\\b[^>]*>`, 'gi'), '\n\n')
      .replace(/<[^>]*>/g, ' '),
  );
  return { title: title && entities(title), blocks: blocks.map(entities) };
}

const entities = (text: string): string =>
  text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,6});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole;
    const hex = name[1] === 'x' || name[1] === 'X';
    const code = Number.parseInt(name.slice(hex ? 2 : 1), hex ? 16 : 10);
    const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : ' ';
  });

/** Of JSON every string value is a block; the title is that of a field named so. */
function fromJson(text: string): Read {
  const value: unknown = JSON.parse(text);
  const blocks: string[] = [];
  const visit = (inner: unknown): void => {
    if (typeof inner === 'string') blocks.push(...paragraphs(inner));
    else if (typeof inner === 'object' && inner !== null) Object.values(inner).forEach(visit);
  };
  visit(value);
  const fields = (typeof value === 'object' && value !== null ? value : {}) as {
    title?: unknown;
    name?: unknown;
  };
  const title = [fields.title, fields.name].find((field) => typeof field === 'string');
  return { title, blocks };
}

const readers: Readonly<Record<Format, (text: string) => Read>> = {
  '.md': fromMarkdown,
  '.markdown': fromMarkdown,
  '.txt': fromText,
  '.text': fromText,
  '.html': fromHtml,
  '.htm': fromHtml,
  '.json': fromJson,
};
