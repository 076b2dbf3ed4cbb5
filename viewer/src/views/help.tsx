import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { helpOpen } from '../app-state.ts';

/** Every key of the page. */
export const KEYS: readonly (readonly [key: string, does: string])[] = [
  ['?', 'these keys'],
  ['/', 'search every text of a run; on the list, its questions and answers'],
  ['1  2  3', 'turns, calls, time'],
  ['j  k', 'next and previous turn, row or run'],
  ['o', 'open or close the children of the turn, or the selected run'],
  ['x', 'pick the selected run for comparison'],
  ['g', 'back to all runs'],
  ['t', 'light, dark, or as the system'],
  ['Esc', 'close; in calls, leave the call'],
  ['Tab', 'everything else: links, buttons, fields'],
];

/** The list of keys. */
export function Help(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  const close = (): void => {
    helpOpen.value = false;
  };
  return (
    <dialog
      class="help"
      ref={dialog}
      onClose={close}
      aria-labelledby="help-name"
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div>
        <h2 id="help-name">Keys</h2>
        <dl>
          {KEYS.map(([key, does]) => (
            <div key={key}>
              <dt>
                {key.split('  ').map((each) => (
                  <kbd key={each}>{each}</kbd>
                ))}
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </div>
    </dialog>
  );
}
