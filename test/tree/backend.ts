/**
 * Trees open many REPLs, so these tests run on the fastest backend that proves itself here unless the environment names
 * one. Imported before anything that reads the choice.
 *
 * @module
 */
process.env.FATHOM_TEST_REPL ??= 'auto';
