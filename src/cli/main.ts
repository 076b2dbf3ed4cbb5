#!/usr/bin/env node
/**
 * The command `fathom`. On a Node that is too old the rest cannot even be loaded: that is said instead of a stack.
 *
 * @module
 */
import { EXIT } from './exit-codes.ts';
import { LEAST_NODE, nodeIsFit } from './versions.ts';

if (nodeIsFit()) {
  const { runProgram } = await import('./program.ts');
  await runProgram();
} else {
  process.stderr.write(`fathom: This is Node ${process.versions.node}, and Fathom needs ${LEAST_NODE} or later.\n`);
  process.exitCode = EXIT.setup;
}
