/**
 * Text of strangers for a terminal: control characters, which could move the cursor, rename the
 * window or fake output, are written out instead of sent.
 */
export const plain = (text: string): string =>
  text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return ' ';
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
