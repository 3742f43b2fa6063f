/** The browser that is installed here. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The one without windows first: it shows the same pages with a quarter less work. */
const commands = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'microsoft-edge-stable',
];

/** Where installers put it without touching PATH. */
const usualPlaces = [
  '/snap/bin/chromium',
  '/opt/google/chrome/chrome',
  '/opt/microsoft/msedge/msedge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ...['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => {
    const folder = process.env[name];
    const paths = ['Google/Chrome/Application/chrome.exe', 'Microsoft/Edge/Application/msedge.exe'];
    return folder === undefined ? [] : paths.map((path) => join(folder, path));
  }),
];

/** The browser's program. Throws a sentence that says how to get one. */
export function findBrowser(
  env: Readonly<Record<string, string | undefined>> = process.env,
  places: readonly string[] = usualPlaces,
): string {
  const chosen = env.SALLYPORT_TEST_BROWSER;
  if (chosen !== undefined && chosen !== '') {
    if (existsSync(chosen)) return chosen;
    throw new Error(`SALLYPORT_TEST_BROWSER is ${chosen}, but there is no such file.`);
  }
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = [
    ...commands.flatMap((command) => folders.map((folder) => join(folder, command))),
    ...places,
  ];
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    'The browser tests need Chromium, Chrome or Edge: install one (on Debian: apt-get install chromium), or set SALLYPORT_TEST_BROWSER to the path of its program.',
  );
}
