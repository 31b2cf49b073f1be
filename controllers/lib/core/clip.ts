/** Text of others, made to fit where its length is limited: a host may say anything, and an object holds only so much. */

const mark = ' …';

/**
 * At most `maxBytes` of UTF-8, which is how the API server counts events; a limit of characters is kept as well, since
 * none takes less than a byte. Control characters but tab and newline are left out: a terminal would obey them.
 */
export function clip(text: string, maxBytes: number): string {
  const plain = text.toWellFormed().replaceAll(/[^\P{Cc}\n\t]/gu, '');
  if (plain.length <= maxBytes / 3 || Buffer.byteLength(plain) <= maxBytes) return plain;
  const bytes = Buffer.from(plain);
  let end = maxBytes - Buffer.byteLength(mark);
  // Not within a character: its second and later bytes begin with the bits 10.
  while (end > 0 && (bytes.readUInt8(end) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}${mark}`;
}
