import { describe, expect, it } from '@jest/globals';
import { formatOf, plainText } from './plain-text.js';

describe('the plain text of a document', () => {
  it('is told by the extension of its file', () => {
    expect(formatOf('a/Notes.MD')).toBe('.md');
    expect(formatOf('picture.png')).toBeUndefined();
  });

  it('of Markdown has no markup, no front matter and no code', () => {
    const source = [
      '---',
      'layout: page',
      '---',
      '# A **fine** title',
      'Some `code`, a [link](https://example.org) and',
      '*emphasis* in snake_case_names.',
      '',
      '- first item',
      '- second item',
      '',
      '```js',
      'const hidden = true;',
      '```',
      '| name | value |',
      '| --- | --- |',
      '| one | 1 |',
      '> quoted',
    ].join('\n');

    const { title, blocks } = plainText(source, '.md');

    expect(title).toBe('A fine title');
    expect(blocks).toEqual([
      'A fine title',
      'Some code , a link and emphasis in snake_case_names.',
      'first item',
      'second item',
      'name value',
      'one 1 quoted',
    ]);
  });

  it('of HTML has no tags, scripts or comments', () => {
    const source =
      '<html><head><title>Sea &amp; sky</title><script>var hidden;</script></head>' +
      '<body><!-- hidden --><p>One&nbsp;&#65; <b>bold</b> word.</p><p>Two\nlines.</p></body></html>';
    expect(plainText(source, '.html')).toEqual({
      title: 'Sea & sky',
      blocks: ['One A bold word.', 'Two lines.'],
    });
  });

  it('of JSON is every string in it', () => {
    const source = '{"title":"Notes","items":[{"text":"First."},{"n":1,"text":"Second."}]}';
    expect(plainText(source, '.json')).toEqual({
      title: 'Notes',
      blocks: ['Notes', 'First.', 'Second.'],
    });
  });

  it('of a text file is its paragraphs, with the first line as title', () => {
    expect(plainText('\uFEFFHead\r\n\r\nOne\r\nparagraph.', '.txt')).toEqual({
      title: 'Head',
      blocks: ['Head', 'One paragraph.'],
    });
  });
});
