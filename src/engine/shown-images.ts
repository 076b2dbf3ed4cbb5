import { ModelImage } from '../model/image.ts';
import { mayTakeImages } from '../model/image-rules.ts';
import type { Model } from '../model/index.ts';
import { ToolError } from '../tools/toolbox.ts';

/** Images in a conversation at once, and of one turn: as many as a sub-call may have. */
export const MAX_SHOWN_IMAGES = 16;

/** Images that the cells of a turn show to the root model; they go into the message after the turn. */
export class ShownImages {
  #images: ModelImage[] = [];
  /** The answer of the root model's endpoint, where it refused a message with images. */
  refused: string | undefined;

  /**
   * Takes an image for the message after the turn. Returns the line that the cell prints.
   *
   * @throws ToolError `ValueError` where the root model takes no images, or no more of them
   */
  add(data: Uint8Array, model: Pick<Model, 'id'>): string {
    const why = this.refused ?? (mayTakeImages(model) ? undefined : 'it reads text alone');
    if (why !== undefined) {
      const instead = 'ask a sub-model about it with llm_query(prompt, images=[…])';
      throw new ToolError('ValueError', `${model.id} cannot be shown images: ${why}. Instead, ${instead}.`);
    }
    if (this.#images.length >= MAX_SHOWN_IMAGES) {
      throw new ToolError('ValueError', `one turn shows at most ${MAX_SHOWN_IMAGES} images (MAX_SHOWN_IMAGES)`);
    }
    const image = new ModelImage(data);
    this.#images.push(image);
    return `Image ${this.#images.length} of this message: ${image}`;
  }

  /** The images of the turn, which ends with this. */
  take(): readonly ModelImage[] {
    const images = this.#images;
    this.#images = [];
    return images;
  }
}
