/** The sizes of feedback on the embedded backend, whatever the machine has besides. */
process.env.FATHOM_TEST_REPL = 'pyodide';
await import('./feedback-size.test.ts');
