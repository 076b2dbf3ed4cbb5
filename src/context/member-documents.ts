import type { ConvertedFile } from '../convert/convert-file.ts';
import { mapBounded } from '../map-bounded.ts';
import type { DocumentValue } from '../repl/port.ts';
import { createTimeSlices } from '../time-slices.ts';
import { examine, type FileLook, isBinaryRefusal } from './examine-file.ts';
import type { ContextNote } from './input.ts';
import { LeftOut } from './left-out.ts';
import { examinePlain } from './plain-files.ts';

/** The documents within a file. */
export interface MemberDocuments {
  readonly documents: readonly DocumentValue[];
  /** Members that are neither text nor of a kind that is converted. */
  readonly left: ContextNote | undefined;
}

/** Looks at the members of a conversion, as at the files of a folder. */
export async function memberDocuments({ conversion, path }: ConvertedFile): Promise<MemberDocuments> {
  const leftOut = new LeftOut();
  const pause = createTimeSlices();
  const looked = await mapBounded(conversion.members, async (member) => {
    await pause();
    const look = await lookAtMember(path(member.file));
    if (look === undefined) leftOut.add('binary', member.path);
    return look === undefined ? [] : [documentOf(member, look)];
  });
  return { documents: looked.flat(), left: leftOut.note() };
}

function documentOf(member: ConvertedFile['conversion']['members'][number], { value }: FileLook): DocumentValue {
  const { path, title, meta } = member;
  const about = { ...(title !== undefined && { title }), ...(meta !== undefined && { meta }) };
  return { path, content: value, ...(Object.keys(about).length > 0 && { about }) };
}

/** Undefined for a file that no cell could use. */
async function lookAtMember(path: string): Promise<FileLook | undefined> {
  const plain = examinePlain(path);
  if (plain !== undefined) return plain;
  try {
    return await examine(path, { textAsIs: true });
  } catch (error) {
    if (isBinaryRefusal(error)) return undefined;
    throw error;
  }
}
