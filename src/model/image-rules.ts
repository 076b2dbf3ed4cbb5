/**
 * How providers count images as tokens, as an upper bound that the ledger reserves, and which models take none. From the
 * providers' documentation and the bills that their users measured, 2026.
 *
 * @module
 */
import type { ChatMessage, Model } from './port.ts';

/** Pixels of an image. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Tokens of an image where no rule is known: the most that published open models make of one (Qwen-VL, at 12.8 megapixels).
 * Served models resize images, so a larger image has no more.
 */
const UNKNOWN_IMAGE_TOKENS = 16_384;
/** Tokens that providers add around each image. */
const WRAPPER_TOKENS = 32;

type Rule = (size: Size) => number;

/** By the beginning of a model's id; the first that matches counts. */
const RULES: readonly (readonly [RegExp, Rule])[] = [
  [/^openai\/gpt-4o-mini/, (size) => 2_833 + 5_667 * openAiTiles(size)],
  [
    /^openai\/(?:gpt-4o|gpt-4\.5|gpt-4-turbo|gpt-4\.1(?!-))/,
    (size) => Math.max(85 + 170 * openAiTiles(size), patches(size, 1_536)),
  ],
  [/^openai\/(?:o1|o3)(?!-mini)/, (size) => 75 + 150 * openAiTiles(size)],
  [
    /^openai\/gpt-5(?:-20|-chat|-codex|-pro|$)/,
    (size) => Math.max(70 + 140 * openAiTiles(size), patches(size, 1_536) * 1.2),
  ],
  [/^openai\/(?:gpt-5|gpt-4\.1)-mini|^openai\/o4-mini/, (size) => patches(size, 1_536) * 1.72],
  [/^openai\/(?:gpt-5|gpt-4\.1)-nano/, (size) => patches(size, 1_536) * 2.46],
  // Newer ones take up to 2 500 patches at their usual level of detail, and count each at most so often.
  [/^openai\//, (size) => Math.max(patches(size, 2_500) * 2.46, 85 + 170 * openAiTiles(size))],
  // `width * height / 750` below the largest size: 1 568 tokens, or 4 784 since Opus 4.7; newer counts are by patches of 28.
  [
    /^anthropic\//,
    ({ width, height }) => Math.min(4_784, Math.max((width * height) / 750, cells({ width, height }, 28))),
  ],
  [/^google\/(?:models\/)?gemini-[12]\b/, geminiTiles],
  // A budget of 1 120 for each image at the usual resolution since Gemini 3.
  [/^google\//, (size) => Math.max(1_120, geminiTiles(size))],
];

/** The tokens to reserve for an image. */
export function imageTokens({ id }: Pick<Model, 'id'>, size: Size): number {
  const rule = RULES.find(([pattern]) => pattern.test(id))?.[1];
  return Math.ceil(rule === undefined ? UNKNOWN_IMAGE_TOKENS : rule(size)) + WRAPPER_TOKENS;
}

/** The tokens to reserve for all images of a chat. */
export function imageTokensIn(model: Pick<Model, 'id'>, messages: readonly ChatMessage[]): number {
  let tokens = 0;
  for (const { images = [] } of messages) for (const image of images) tokens += imageTokens(model, image.reference);
  return tokens;
}

/** Models that read text alone; of all others the endpoint decides. */
const TEXT_ONLY =
  /(?:^|\/)(?:gpt-3\.5|gpt-4-(?:0314|0613|32k)|gpt-4$|gpt-oss|o1-mini|o1-preview|o3-mini|claude-(?:1|2|instant)|deepseek-(?:chat|reasoner|coder|v\d|r\d)|codestral|mixtral|llama-?3(?:\.[13])?-\d+b|qwen\d?(?:\.\d)?-?coder)/i;

/** False for a model that is known to read text alone. */
export function mayTakeImages({ id }: Pick<Model, 'id'>): boolean {
  return !TEXT_ONLY.test(id);
}

/** Tiles of 512 pixels of an image that fits into 2 048 × 2 048 and whose shorter side is at most 768. */
function openAiTiles(size: Size): number {
  return cells(within(within(size, { longer: 2_048 }), { shorter: 768 }), 512);
}

/** Patches of 32 pixels, of an image scaled down to so many at most. */
function patches(size: Size, most: number): number {
  return Math.min(most, cells(size, 32));
}

/** 258 for a small image, else for each tile: a tile is at most 768 pixels wide, and two thirds of the shorter side. */
function geminiTiles(size: Size): number {
  if (Math.max(size.width, size.height) <= 384) return 258;
  const tile = Math.min(768, Math.max(256, Math.floor(Math.min(size.width, size.height) / 1.5)));
  return 258 * cells(size, tile);
}

function cells({ width, height }: Size, side: number): number {
  return Math.ceil(width / side) * Math.ceil(height / side);
}

function within({ width, height }: Size, most: { readonly longer?: number; readonly shorter?: number }): Size {
  const scale = Math.min(
    1,
    (most.longer ?? Number.POSITIVE_INFINITY) / Math.max(width, height),
    (most.shorter ?? Number.POSITIVE_INFINITY) / Math.min(width, height),
  );
  return { width: Math.ceil(width * scale), height: Math.ceil(height * scale) };
}
