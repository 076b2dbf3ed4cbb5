/**
 * Snapshots of a REPL: linear memory and files together, under names. The host keeps a copy of each description, so
 * that a fresh worker can take over after this one was killed.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import type { EmscriptenFs } from './emscripten.ts';
import type { FileImage, Files } from './files.ts';
import { type Manifest, packSlots } from './manifest.ts';
import type { Pages, PageTable } from './pages.ts';
import { AUTOMATIC, type ImageHeader, RUNTIME } from './protocol.ts';
import { restoreFiles } from './restore-files.ts';
import { type Slots, StoreFull } from './slots.ts';
import type { Wire } from './wire.ts';

interface Image {
  readonly pages: PageTable;
  readonly files: FileImage;
}

/** The snapshots of this worker. */
export interface Images {
  /**
   * Takes a snapshot and reports it to the host, with the command it was taken after (0: none). False when the quota
   * does not allow it; the image before stays.
   */
  save(name: string, command?: number): boolean;
  /** Goes back to a snapshot. It is the automatic one as well from then on. */
  restore(name: string): void;
  drop(name: string): void;
  /** Takes over what another worker has stored. */
  adopt(header: ImageHeader, table: Uint8Array): void;
  /** Text ranges a snapshot needs that have to be loaded again. */
  rangesOf(name: string): number[];
}

export interface ImagesOptions {
  readonly fs: EmscriptenFs;
  readonly pages: Pages;
  readonly files: Files;
  readonly slots: Slots;
  readonly wire: Wire;
  readonly pipeOps: object;
  readonly setUmask: (mask: number) => void;
}

/** Makes the collection. */
export function makeImages(options: ImagesOptions): Images {
  const { pages, files, slots, wire } = options;
  const images = new Map<string, Image>();

  const put = (name: string, image: Image): void => {
    const before = images.get(name);
    pages.hold(image.pages);
    files.hold(image.files);
    images.set(name, image);
    if (before !== undefined) release(before);
  };
  const release = (image: Image): void => {
    pages.drop(image.pages);
    files.drop(image.files);
  };
  const announce = (name: string, image: Image, command = 0): void => {
    const table = Buffer.from(image.pages.codes.buffer);
    const header: ImageHeader = {
      name,
      heapBytes: table.length * 4096,
      manifest: image.files.place,
      fileSlots: packSlots([...image.files.slots].sort((a, b) => a - b)),
      ranges: pages.ranges,
      uses: pages.rangesOf(image.pages),
      nextSlot: slots.next,
    };
    wire.send(RUNTIME.saved, command, header, [table]);
  };
  const find = (name: string): Image => {
    const image = images.get(name);
    if (image === undefined) throw new Error('no such snapshot');
    return image;
  };
  return {
    save(name, command = 0) {
      try {
        const image = { pages: pages.save(), files: files.save() };
        put(name, image);
        announce(name, image, command);
        return true;
      } catch (error) {
        if (error instanceof StoreFull) return false;
        throw error;
      }
    },
    restore(name) {
      const image = find(name);
      const others = [...images.values()].map((other) => other.pages).filter((table) => table !== image.pages);
      const secured = pages.secureRanges(image.pages, others);
      pages.restore(image.pages);
      const manifest = JSON.parse(image.files.json) as Manifest;
      restoreFiles({ ...options, manifest, bootContents: files.bootContents });
      options.setUmask(manifest.umask);
      files.became(image.files);
      put(AUTOMATIC, image);
      if (secured) for (const [other, changed] of images) announce(other, changed);
      else announce(AUTOMATIC, image);
    },
    drop(name) {
      const image = images.get(name);
      if (image === undefined) return;
      images.delete(name);
      release(image);
    },
    adopt(header, table) {
      pages.setRanges(header.ranges);
      const codes = new Int32Array(new Uint8Array(table).buffer);
      put(header.name, { pages: pages.adopt(codes), files: files.adopt(header.manifest) });
      slots.next = Math.max(slots.next, header.nextSlot);
    },
    rangesOf: (name) => pages.rangesOf(find(name).pages),
  };
}
