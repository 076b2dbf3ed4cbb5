/**
 * Files that usually hold keys and passwords. In a folder they are left out, because the text of a context goes to a
 * provider; a path that names one exactly takes it.
 *
 * @module
 */

const EXAMPLES = /^\.env\.(?:example|sample|template|dist|defaults?)$/i;

const NAMES: readonly RegExp[] = [
  /^\.env(?:$|[._-])|\.env$/i,
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx?|ppk|p8|ovpn)$/i,
  /^id_[a-z0-9]+(?:_sk)?$/i,
  /^(?:\.npmrc|\.yarnrc\.yml|[._]netrc|\.pypirc|\.pgpass|\.my\.cnf|\.git-credentials|\.htpasswd|\.vault-token|\.s3cfg)$/i,
  /^(?:\.dockercfg|\.boto|\.credentials|credentials)$/i,
];

/** Folders of which everything is secret. */
const FOLDERS: ReadonlySet<string> = new Set(['.ssh', '.gnupg', '.aws', '.kube', '.azure', '.gcloud']);

/** Files of version control and of Fathom itself: they are not documents. */
const INTERNAL: ReadonlySet<string> = new Set(['.git', '.hg', '.svn', '.fathom']);

/** Whether a file or folder of that name belongs to version control or to Fathom. File systems may ignore case. */
export function isInternal(name: string): boolean {
  return INTERNAL.has(name.toLowerCase());
}

/** Whether a file or folder of that name is left out of folders. */
export function isSecret(name: string, folder: boolean): boolean {
  if (folder) return FOLDERS.has(name.toLowerCase());
  return !EXAMPLES.test(name) && NAMES.some((pattern) => pattern.test(name));
}
