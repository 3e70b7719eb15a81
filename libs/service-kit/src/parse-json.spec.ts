import { describe, expect, it } from '@jest/globals';
import { INVALID_INPUT, type Refused } from '@athena/operation';
import { parseJson } from './parse-json.js';

const parse = (text: string): unknown => parseJson(Buffer.from(text));

function refusalOf(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    return (error as Refused).refusal;
  }
}

describe('JSON from outside', () => {
  it('is what it says', () => {
    expect(parse('{"n":[-1.5e3,"1e400",true,null]}')).toEqual({ n: [-1500, '1e400', true, null] });
    expect(parse('')).toEqual({});
  });

  it.each([
    ['{"n":1e400}', 'a number is too large'],
    ['{"n":[{"m":-1e400}]}', 'a number is too large'],
    ['{"t":"a\\u0000b"}', 'texts may hold neither NUL nor lone surrogates'],
    ['{"t":"\\ud800"}', 'texts may hold neither NUL nor lone surrogates'],
    ['{"__proto__":{}}', 'the key __proto__ is not allowed in JSON'],
    ['{"n":', 'the request is not JSON'],
  ])('%s is refused: it could not be stored as it is, or does harm', (text, detail) => {
    expect(refusalOf(text)).toMatchObject({ code: INVALID_INPUT.code, detail });
  });
});
